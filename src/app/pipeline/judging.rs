//! Judging: evidence from the store and the published tables, each hypothesis once per change of either.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use rayon::prelude::*;
use serde::de::DeserializeOwned;

use super::basis::{Basis, Choice};
use super::jobs::judge_fields;
use super::observing::Observed;
use super::planning::Planned;
use super::{PipelineError, Subject};
use crate::plan::Known;
use crate::store::damage_notes;
use base::hash::{Fields, Key};
use base::progress::Progress;
use number::evidence::{EvidenceTable, Measurement, ModelInfo, PromptInfo};
use number::metric::{attention_traces, measurements, spectra, weights};
use number::observation::PromptObservation;
use number::spectra::Spectra;
use number::weights::Weighed;
use study::config::Loaded;
use study::judge::hypothesis::Hypothesis;
use study::judge::{StatisticsCache, judge_with, outcome::HypothesisOutcome};
use study::published;

/// What judging did.
#[derive(Debug, Default)]
pub struct Judged {
    /// Hypotheses judged now (the others were taken from the store).
    pub computed: usize,
    pub outcomes: Vec<HypothesisOutcome>,
    /// Key of each outcome, same order.
    pub keys: Vec<Key>,
}

/// Evidence, read once and only when something needs it.
pub(super) struct Sources<'a> {
    pub(super) loaded: &'a Loaded,
    pub(super) planned: &'a Planned,
    pub(super) observed: &'a Observed,
    /// Everything that was measured, now or before.
    pub(super) basis: Basis<'a>,
    /// That is all of the plan.
    pub(super) complete: bool,
    published: Option<EvidenceTable>,
    observations: Option<Arc<BTreeMap<Key, PromptObservation>>>,
    /// Weighings and spectra, as stored.
    blobs: BTreeMap<Key, Vec<u8>>,
}

impl<'a> Sources<'a> {
    pub(super) fn new(loaded: &'a Loaded, planned: &'a Planned, observed: &'a Observed) -> Sources<'a> {
        let all = planned.basis();
        let basis = all.present(&observed.present);
        let complete = basis.len() == all.len();
        let (published, observations, blobs) = (None, None, BTreeMap::new());
        Sources { loaded, planned, observed, basis, complete, published, observations, blobs }
    }

    /// The published tables (empty when the experiment names none).
    pub(super) fn published(&mut self) -> Result<&EvidenceTable, PipelineError> {
        if self.published.is_none() {
            self.published = Some(match &self.loaded.published {
                Some(folder) => published::import(folder)?,
                None => EvidenceTable::default(),
            });
        }
        Ok(self.published.get_or_insert_default())
    }

    /// Observations of every present cell, by key.
    pub(super) fn observations(
        &mut self,
        progress: &dyn Progress,
    ) -> Result<Arc<BTreeMap<Key, PromptObservation>>, PipelineError> {
        if let Some(observations) = &self.observations {
            return Ok(Arc::clone(observations));
        }
        let keys: Vec<Key> = self.basis.cells.iter().map(|cell| cell.key).collect();
        let snapshot = self.planned.store.snapshot()?;
        let read = self.planned.store.observations(&snapshot, &keys)?;
        for note in damage_notes(&read.damaged) {
            progress.note(&note);
        }
        Ok(Arc::clone(self.observations.insert(Arc::new(read.found))))
    }

    /// The measured table over a basis: each (model, prompt, BOS) once, in the order of the plan, then what was measured of
    /// prompt sets and of weights.
    pub(super) fn measured(
        &mut self,
        basis: &Basis<'_>,
        progress: &dyn Progress,
    ) -> Result<EvidenceTable, PipelineError> {
        let planned = self.planned;
        let observations = self.observations(progress)?;
        let mut table = EvidenceTable::default();
        let know = |table: &mut EvidenceTable, subject: &Subject| {
            if !table.models.iter().any(|model| model.id == subject.id) {
                table.models.push(ModelInfo { id: subject.id.clone(), facts: subject.facts() });
            }
        };
        // By subject.
        let mut weighed = BTreeMap::new();
        for job in &basis.weighings {
            if let Some(found) = self.small::<Weighed>(&job.key)? {
                weighed.insert(job.subject, (found.squares(), found));
            }
        }
        let (mut seen, mut prompts) = (BTreeSet::new(), BTreeSet::new());
        let mut found = Vec::new();
        for cell in &basis.cells {
            let Some(observation) = observations.get(&cell.key) else { continue };
            if !seen.insert((cell.subject, cell.prompt.id.as_str(), cell.bos)) {
                continue;
            }
            know(&mut table, &planned.subjects[cell.subject]);
            if prompts.insert(cell.prompt.id.as_str()) {
                table.prompts.push(PromptInfo::clone(&cell.prompt));
            }
            let squares = weighed.get(&cell.subject).map(|(squares, _)| squares);
            found.push((*cell, observation, squares));
        }
        let rows = found.into_par_iter().map(|(cell, observation, squares)| {
            let (id, prompt) = (&planned.subjects[cell.subject].id, &cell.prompt);
            let mut rows = measurements(id, prompt, observation, cell.bos);
            if let Some(squares) = squares {
                rows.extend(attention_traces(id, prompt, observation, squares.view(), cell.bos));
            }
            rows
        });
        let rows: Vec<Vec<Measurement>> = rows.collect();
        table.rows.reserve(rows.iter().map(Vec::len).sum());
        table.rows.extend(rows.into_iter().flatten());
        for job in &basis.spectra {
            let subject = &planned.subjects[job.subject];
            let Some(found) = self.small::<Spectra>(&job.key)? else { continue };
            know(&mut table, subject);
            table.rows.extend(spectra(&subject.id, &job.set, &found, job.bos));
        }
        for (index, (_, found)) in &weighed {
            let subject = &planned.subjects[*index];
            know(&mut table, subject);
            table.rows.extend(weights(&subject.id, found));
        }
        Ok(table)
    }

    /// A weighing or spectra; `None` where the store lost them meanwhile, which the next run repairs.
    fn small<T: DeserializeOwned>(&mut self, key: &Key) -> Result<Option<T>, PipelineError> {
        if !self.blobs.contains_key(key) {
            let snapshot = self.planned.store.snapshot()?;
            let bytes = self.planned.store.blob(&snapshot, key)?;
            self.blobs.insert(*key, bytes.unwrap_or_default());
        }
        Ok(serde_json::from_slice(&self.blobs[key]).ok())
    }
}

/// Judges every hypothesis whose verdict is not in the store under its present key.
pub(super) fn judge_all(sources: &mut Sources<'_>, progress: &dyn Progress) -> Result<Judged, PipelineError> {
    let Sources { loaded, planned, .. } = *sources;
    let cache = StatisticsCache::new(loaded.experiment.seed);
    let mut judged = Judged::default();
    let mut outcomes: Vec<Option<HypothesisOutcome>> = Vec::new();
    let mut stale = Vec::new();
    for (index, found) in stored(sources)?.into_iter().enumerate() {
        let (fields, stored) = found;
        judged.keys.push(fields.key());
        if stored.is_none() {
            let choice = Choice::of(loaded, &loaded.hypotheses[index].1, &planned.subjects);
            let basis = sources.basis.of(&choice);
            stale.push((fields.get("evidence").map(String::from), index, basis, fields));
        }
        outcomes.push(stored);
    }
    // Hypotheses on the same evidence one after the other: its table is made once, and one is held at a time.
    stale.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
    for alike in stale.chunk_by(|a, b| a.0 == b.0) {
        let mut table = None;
        for (_, index, basis, fields) in alike {
            let (_, hypothesis, hash) = &loaded.hypotheses[*index];
            progress.start(&format!("judge {}", hypothesis.id), 1);
            let measured = match &mut table {
                Some(table) => &*table,
                none => &*none.insert(sources.measured(basis, progress)?),
            };
            let outcome = judge_with(hypothesis, *hash, sources.published()?, measured, &cache);
            progress.finish();
            let bytes = serde_json::to_vec(&outcome).unwrap_or_default(); // plain structs always serialise
            planned.store.put_blob(&format!("judge/{}", hypothesis.id), fields, &bytes)?;
            judged.computed += 1;
            outcomes[*index] = Some(outcome);
        }
    }
    judged.outcomes = outcomes.into_iter().flatten().collect();
    Ok(judged)
}

/// By hypothesis: what decides its verdict, and the verdict if the store has it.
fn stored(sources: &Sources<'_>) -> Result<Vec<(Fields, Option<HypothesisOutcome>)>, PipelineError> {
    let Sources { loaded, planned, basis, complete, .. } = sources;
    let (subjects, published) = (&planned.subjects, planned.beside.published);
    let one = |(index, (_, hypothesis, hash)): (usize, &(PathBuf, Hypothesis, Key))| {
        let fields = if *complete {
            planned.conclusions.judgements[index].clone()
        } else {
            let mine = basis.of(&Choice::of(loaded, hypothesis, subjects));
            judge_fields(loaded, *hash, subjects, &mine, published)
        };
        let key = fields.key();
        let stored =
            if planned.snapshot.has(&key) { planned.store.blob(&planned.snapshot, &key)? } else { None };
        Ok((fields, stored.and_then(|bytes| serde_json::from_slice(&bytes).ok())))
    };
    loaded.hypotheses.par_iter().enumerate().map(one).collect()
}
