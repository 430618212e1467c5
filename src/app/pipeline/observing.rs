//! Observing: computes the cells the store lacks, model by model, and puts them into the store in large batches.

use std::collections::{BTreeMap, BTreeSet};

use super::cells::Cell;
use super::jobs::export_fields;
use super::planning::Planned;
use super::weighing::weigh_missing;
use super::{ModelFailure, PipelineError, Subject, spectra};
use crate::plan::{Decided, Known};
use crate::store;
use base::hash::Key;
use base::progress::Progress;
use engine::run::{Prepared, RunError, Runtime, observe, together};
use model::arch::WeightUse;
use number::observation::{Extras, PromptObservation};

/// What observing did.
#[derive(Debug, Default)]
pub struct Observed {
    /// Cells computed now.
    pub computed: usize,
    /// Models weighed now.
    pub weighed: usize,
    /// Spectra of prompt sets made now.
    pub spectra: usize,
    /// Keys that have an observation, a weighing or spectra, now or before.
    pub present: BTreeSet<Key>,
    pub failures: Vec<ModelFailure>,
}

/// Computes missing cells, weighings and spectra (unless `compute` is false). A model that fails is listed; the others go on.
pub(super) fn observe_missing(
    planned: &Planned,
    compute: bool,
    progress: &dyn Progress,
) -> Result<Observed, PipelineError> {
    let mut observed = Observed::default();
    let weighings = planned.weighings.iter().map(|weighing| weighing.key);
    let spectra = planned.spectra.iter().map(|spectra| spectra.key);
    let wanted = planned.cells.iter().map(|cell| cell.key).chain(weighings).chain(spectra);
    observed.present.extend(wanted.filter(|key| planned.snapshot.has(key)));
    if !compute {
        return Ok(observed);
    }
    weigh_missing(planned, &mut observed, progress)?;
    let missing = planned.missing();
    let names = Names::of(&planned.cells);
    let mut done = BTreeMap::new();
    for (index, subject) in planned.subjects.iter().enumerate() {
        let mine: Vec<&Cell> = missing.iter().copied().filter(|cell| cell.subject == index).collect();
        export(planned, subject)?;
        let made = spectra::make_missing(planned, index, &names, &mut done, &mut observed, progress);
        let made =
            made.and_then(|()| observe_subject(planned, subject, &mine, &names, &mut observed, progress));
        if let Err(error) = made {
            match error {
                PipelineError::Run(error) => {
                    progress.note(&format!("{}: {error}", subject.id));
                    observed
                        .failures
                        .push(ModelFailure { model: subject.id.clone(), error: error.to_string() });
                }
                other => return Err(other),
            }
        }
    }
    Ok(observed)
}

fn observe_subject(
    planned: &Planned,
    subject: &Subject,
    cells: &[&Cell],
    names: &Names<'_>,
    observed: &mut Observed,
    progress: &dyn Progress,
) -> Result<(), PipelineError> {
    // Some may have been observed just now, with a set's spectra.
    let left = cells.iter().copied().filter(|cell| !observed.present.contains(&cell.key));
    let mut left: Vec<&Cell> = left.collect();
    if left.is_empty() {
        return Ok(());
    }
    let weights = subject.recipe.checked_weights(&subject.checkpoint).map_err(RunError::from)?;
    for Batch { cells, prompts, .. } in batches(&planned.runtime, subject, &weights, &mut left) {
        let found = measure(&planned.runtime, subject, &prompts, &cells[0].extras, progress)?;
        keep(planned, names, cells, found, observed)?;
    }
    Ok(())
}

/// Which cells have a key: a prompt in two sets is computed and stored once, and the store learns both names of it.
pub(super) struct Names<'a> {
    cells: &'a [Cell],
    /// Indices into `cells`, by key and then as they come.
    by_key: Vec<usize>,
}

impl<'a> Names<'a> {
    fn of(cells: &'a [Cell]) -> Names<'a> {
        let mut by_key: Vec<usize> = (0..cells.len()).collect();
        by_key.sort_by_key(|&cell| (cells[cell].key, cell));
        Names { cells, by_key }
    }

    /// In the order of the plan.
    fn under(&self, key: Key) -> impl Iterator<Item = &'a Cell> {
        let cells = self.cells;
        let first = self.by_key.partition_point(|&cell| cells[cell].key < key);
        let same = self.by_key[first..].iter().map(|&cell| &cells[cell]);
        same.take_while(move |cell| cell.key == key)
    }
}

/// Stores what was observed of some cells of different keys, in their order.
pub(super) fn keep(
    planned: &Planned,
    names: &Names<'_>,
    cells: &[&Cell],
    found: Vec<PromptObservation>,
    observed: &mut Observed,
) -> Result<(), PipelineError> {
    let mut rows = Vec::new();
    for (cell, observation) in cells.iter().zip(found) {
        let copies = std::iter::repeat_n(observation, names.under(cell.key).count());
        rows.extend(names.under(cell.key).zip(copies).map(|(cell, observation)| {
            let (slot, fields) = (cell.slot.clone(), cell.fields());
            store::Cell { slot, fields, observation }
        }));
    }
    let _span = tracing::info_span!("store", rows = rows.len()).entered();
    observed.computed += planned.store.put_observations(&rows)?;
    observed.present.extend(cells.iter().map(|cell| cell.key));
    Ok(())
}

/// Cells that run together: of one model, and asked for the same.
pub(super) struct Batch<'a, 'b> {
    pub cells: &'b [&'a Cell],
    /// Tokens of each.
    pub prompts: Vec<Vec<u32>>,
    pub prepared: Result<Prepared, RunError>,
}

/// The cells of one model in batches, those that begin alike side by side. A model is read once for each batch, and a batch
/// is what a killed run loses. Each is put together when it is asked for, within the memory that is left then.
pub(super) fn batches<'a, 'b>(
    runtime: &'b Runtime,
    subject: &'b Subject,
    weights: &'b [WeightUse],
    cells: &'b mut [&'a Cell],
) -> impl Iterator<Item = Batch<'a, 'b>> {
    cells.sort_by(|a, b| (&a.extras, &a.token_ids).cmp(&(&b.extras, &b.token_ids)));
    let mut left: &'b [&'a Cell] = cells;
    std::iter::from_fn(move || {
        let extras = &left.first()?.extras;
        let alike = left.iter().take_while(|cell| cell.extras == *extras).map(|cell| &cell.token_ids[..]);
        let (prompts, prepared) =
            together(runtime, &subject.recipe, &subject.checkpoint, weights, alike, extras);
        let (cells, others) = left.split_at(prompts.len());
        left = others;
        Some(Batch { cells, prompts, prepared })
    })
}

/// Runs prompts (token ids) through a model.
pub fn measure(
    runtime: &Runtime,
    subject: &Subject,
    prompts: &[Vec<u32>],
    extras: &Extras,
    progress: &dyn Progress,
) -> Result<Vec<PromptObservation>, RunError> {
    progress.start(
        &format!(
            "observe {} ({} prompt{})",
            subject.id,
            prompts.len(),
            if prompts.len() == 1 { "" } else { "s" }
        ),
        subject.recipe.blocks() as u64,
    );
    let found =
        observe(runtime, &subject.recipe, &subject.graphs, &subject.checkpoint, prompts, extras, progress);
    progress.finish();
    found
}

/// Keeps the model's graphs in the store, one blob each, so that a verdict can be traced to the graph that ran.
fn export(planned: &Planned, subject: &Subject) -> Result<(), PipelineError> {
    let fields = export_fields(subject);
    if planned.snapshot.has(&fields.key()) {
        return Ok(());
    }
    let digests: BTreeMap<&str, Key> =
        subject.graphs.files().map(|(name, bytes)| (name, Key::of_bytes(bytes))).collect();
    for (name, bytes) in subject.graphs.files() {
        let file = fields.clone().with("file", name);
        planned.store.put_blob(&format!("export/{}/{name}", subject.id), &file, bytes)?;
    }
    let list = serde_json::to_vec(&digests).unwrap_or_default(); // a map of strings always serialises
    planned.store.put_blob(&format!("export/{}", subject.id), &fields, &list)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{Missing, Places, plan};
    use super::*;
    use base::device::{Device, Wanted};
    use base::progress::Silent;
    use study::config;

    #[test]
    fn every_missing_cell_is_in_one_batch_with_those_that_begin_alike() {
        let loaded =
            config::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../experiments/reproduce.toml"));
        let folder = tempfile::tempdir().unwrap();
        let (store, results) = (folder.path().join("store"), folder.path().join("results"));
        let places = Places { store, results, device: Wanted::This(Device::Cpu), memory: None };
        let planned = plan(&loaded.unwrap(), &places, Missing::Report, &Silent).unwrap();
        let missing = planned.missing();
        for (index, subject) in planned.subjects.iter().enumerate() {
            let weights = subject.recipe.checked_weights(&subject.checkpoint).unwrap();
            let mut cells: Vec<&Cell> =
                missing.iter().copied().filter(|cell| cell.subject == index).collect();
            let mut keys: Vec<Key> = cells.iter().map(|cell| cell.key).collect();
            let mut seen = Vec::new();
            for Batch { cells, prompts, prepared } in batches(&planned.runtime, subject, &weights, &mut cells)
            {
                assert!(cells.iter().all(|cell| cell.extras == cells[0].extras));
                assert!(cells.iter().map(|cell| &cell.token_ids[..]).eq(prompts.iter().map(|ids| &ids[..])));
                assert!(prompts.is_sorted() && prepared.is_ok());
                seen.extend(cells.iter().map(|cell| cell.key));
            }
            keys.sort();
            seen.sort();
            assert!(!keys.is_empty() && seen == keys, "{}", subject.id);
        }
    }
}
