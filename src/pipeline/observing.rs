//! Observing: computes the cells the store lacks, model by model, and puts them into the store in large batches.

use std::collections::{BTreeMap, BTreeSet};

use super::cells::Cell;
use super::jobs::export_fields;
use super::planning::Planned;
use super::weighing::weigh_missing;
use super::{ModelFailure, PipelineError, Subject, spectra};
use crate::hash::Key;
use crate::observation::{Extras, PromptObservation};
use crate::plan::{Decided, Known};
use crate::progress::Progress;
use crate::run::{RunError, Runtime, observe};
use crate::store;

/// Most tokens that run together. Weights are read once per batch; a batch is what a killed run loses.
const BATCH_TOKENS: usize = 4096;

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
    let mut done = BTreeMap::new();
    for (index, subject) in planned.subjects.iter().enumerate() {
        let mine: Vec<&Cell> = missing.iter().copied().filter(|cell| cell.subject == index).collect();
        export(planned, subject)?;
        let made = spectra::make_missing(planned, index, &mut done, &mut observed, progress);
        let made = made.and_then(|()| observe_subject(planned, subject, &mine, &mut observed, progress));
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
    observed: &mut Observed,
    progress: &dyn Progress,
) -> Result<(), PipelineError> {
    // Some may have been observed just now, with a set's spectra.
    let left = cells.iter().copied().filter(|cell| !observed.present.contains(&cell.key));
    let mut left: Vec<&Cell> = left.collect();
    for batch in batches(&mut left) {
        let prompts: Vec<Vec<u32>> = batch.iter().map(|cell| cell.token_ids.to_vec()).collect();
        let found = measure(&planned.runtime, subject, &prompts, &batch[0].extras, progress)?;
        keep(planned, batch, found, observed)?;
    }
    Ok(())
}

/// Stores what was observed of some cells, in their order.
pub(super) fn keep(
    planned: &Planned,
    cells: &[&Cell],
    found: Vec<PromptObservation>,
    observed: &mut Observed,
) -> Result<(), PipelineError> {
    let found: BTreeMap<Key, PromptObservation> = cells.iter().map(|cell| cell.key).zip(found).collect();
    // A prompt in two sets is computed and stored once; the store learns both names of it.
    let rows: Vec<store::Cell> = planned
        .cells
        .iter()
        .filter_map(|cell| {
            let observation = found.get(&cell.key)?.clone();
            Some(store::Cell { slot: cell.slot.clone(), fields: cell.fields(), observation })
        })
        .collect();
    let _span = tracing::info_span!("store", rows = rows.len()).entered();
    observed.computed += planned.store.put_observations(&rows)?;
    observed.present.extend(cells.iter().map(|cell| cell.key));
    Ok(())
}

/// The cells of one model in the batches that run together, which are asked for the same: a model is read once more for
/// each choice of extras.
pub(super) fn batches<'a, 'b>(cells: &'b mut [&'a Cell]) -> Vec<&'b [&'a Cell]> {
    cells.sort_by(|a, b| a.extras.cmp(&b.extras));
    let cells = &*cells;
    let mut batches = Vec::new();
    let (mut start, mut tokens) = (0, 0);
    for (index, cell) in cells.iter().enumerate() {
        let full = tokens + cell.token_ids.len() > BATCH_TOKENS;
        if index > start && (full || cell.extras != cells[start].extras) {
            batches.push(&cells[start..index]);
            (start, tokens) = (index, 0);
        }
        tokens += cell.token_ids.len();
    }
    if start < cells.len() {
        batches.push(&cells[start..]);
    }
    batches
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
