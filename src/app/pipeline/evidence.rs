//! Evidence of a run: published tables, and what was measured as rows of the same table.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;

use super::error::PipelineError;
use super::executor::Run;
use super::measured_jobs::MeasuredJobs;
use super::subject::Subject;
use crate::store::damage_notes;
use base::hash::Key;
use number::evidence::{EvidenceTable, Measurement, ModelInfo, PromptInfo};
use number::metric::{attention_traces, measurements};
use number::observation::PromptObservation;
use number::weights::Weighed;
use study::published;

impl Run<'_> {
    /// The published tables (empty when the experiment names none).
    pub(super) fn published(&mut self) -> Result<&EvidenceTable, PipelineError> {
        if self.read.published.is_none() {
            self.read.published = Some(match &self.inputs.loaded.published {
                Some(folder) => published::import(folder)?,
                None => EvidenceTable::default(),
            });
        }
        Ok(self.read.published.get_or_insert_default())
    }

    /// Observations of every cell that was measured, by key.
    pub(super) fn observations(&mut self) -> Result<Arc<BTreeMap<Key, PromptObservation>>, PipelineError> {
        if let Some(observations) = &self.read.observations {
            return Ok(Arc::clone(observations));
        }
        let keys: Vec<Key> = self.measured_jobs().kind("observe").map(|job| job.key).collect();
        let store = &self.inputs.store;
        let read = store.observations(&store.snapshot()?, &keys)?;
        for note in damage_notes(&read.damaged) {
            self.progress.note(&note);
        }
        Ok(Arc::clone(self.read.observations.insert(Arc::new(read.found))))
    }

    /// The table of what these jobs measured: each (model, prompt, BOS) once, in the order of the plan, then what other kinds of job
    /// measured.
    pub(super) fn evidence_table(&mut self, jobs: &MeasuredJobs<'_>) -> Result<EvidenceTable, PipelineError> {
        let inputs = self.inputs;
        let observations = self.observations()?;
        let mut table = EvidenceTable::default();
        // By model.
        let mut squares = BTreeMap::new();
        for job in jobs.kind("weigh") {
            let weighed: Option<Weighed> = serde_json::from_slice(self.stored(&job.key)?).ok();
            squares.extend(weighed.map(|weighed| (job.index, weighed.value_squares)));
        }
        let (mut seen, mut prompts) = (BTreeSet::new(), BTreeSet::new());
        let mut found = Vec::new();
        for job in jobs.kind("observe") {
            let cell = &inputs.cells[job.index];
            let Some(observation) = observations.get(&cell.key) else { continue };
            if !seen.insert((cell.subject, cell.prompt.id.as_str(), cell.bos)) {
                continue;
            }
            know(&mut table, &inputs.subjects[cell.subject]);
            if prompts.insert(cell.prompt.id.as_str()) {
                table.prompts.push(PromptInfo::clone(&cell.prompt));
            }
            found.push((cell, observation, squares.get(&cell.subject)));
        }
        let rows = found.into_par_iter().map(|(cell, observation, squares)| {
            let (id, prompt) = (&inputs.subjects[cell.subject].id, &cell.prompt);
            let mut rows = measurements(id, prompt, observation, cell.bos);
            if let Some(squares) = squares {
                rows.extend(attention_traces(id, prompt, observation, squares, cell.bos));
            }
            rows
        });
        let rows: Vec<Vec<Measurement>> = rows.collect();
        table.rows.reserve(rows.iter().map(Vec::len).sum());
        table.rows.extend(rows.into_iter().flatten());
        // The last kind first, as tables were always written: two versions of this program write the same bytes.
        for kind in self.kinds.iter().rev().filter(|kind| kind.name() != "observe") {
            for job in jobs.kind(kind.name()) {
                let rows = kind.rows(inputs, job, self.stored(&job.key)?);
                if !rows.is_empty() {
                    job.model.into_iter().for_each(|model| know(&mut table, &inputs.subjects[model]));
                    table.rows.extend(rows);
                }
            }
        }
        Ok(table)
    }

    /// A small object as stored; empty where the store lost it meanwhile, which the next run repairs.
    fn stored(&mut self, key: &Key) -> Result<&[u8], PipelineError> {
        if !self.read.blobs.contains_key(key) {
            let store = &self.inputs.store;
            let bytes = store.blob(&store.snapshot()?, key)?;
            self.read.blobs.insert(*key, bytes.unwrap_or_default());
        }
        Ok(&self.read.blobs[key])
    }
}

/// Lists a model in the table, once.
fn know(table: &mut EvidenceTable, subject: &Subject) {
    if !table.models.iter().any(|model| model.id == subject.id) {
        table.models.push(ModelInfo { id: subject.id.clone(), facts: subject.facts() });
    }
}
