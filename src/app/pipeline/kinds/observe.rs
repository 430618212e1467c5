//! Observing: every prompt of a model that the store lacks, in large batches.

use crate::pipeline::error::ModelFailure;
use crate::pipeline::executor::{Due, Failed, Kind, Run};
use crate::pipeline::inputs::Inputs;
use crate::pipeline::ledger::Value;
use crate::pipeline::walks::{Asked, observe_in_batches};
use crate::plan::{Job, keys, places_by_model};
use base::hash::Fields;

/// The kind of job that observes a prompt on a model: one job for each cell.
pub(super) struct Observe;

impl Kind for Observe {
    fn name(&self) -> &'static str {
        "observe"
    }

    fn outputs(&self) -> Option<&'static str> {
        Some("observations")
    }

    fn jobs(&mut self, inputs: &Inputs<'_>, before: &[Job], _: &mut Vec<ModelFailure>) -> Vec<Job> {
        let exports = places_by_model(before, "export");
        let job = |(index, cell): (usize, &crate::pipeline::cells::Cell)| {
            let (id, prompt) = (&inputs.subjects[cell.subject].id, &cell.prompt);
            let set = &inputs.loaded.prompt_sets[cell.set].id;
            let slot = keys::observe_slot(id, set, &prompt.id, cell.bos);
            let label = format!("{id}: {}", prompt.text);
            let part = keys::evidence_part(id, set, &prompt.id, &prompt.category, cell.bos, &cell.key);
            Job::new(self.name(), index, slot, label, cell.key)
                .about(cell.subject)
                .measuring(Some((cell.set, cell.bos)), part)
                .needing(exports.get(&cell.subject).copied())
        };
        inputs.cells.iter().enumerate().map(job).collect()
    }

    fn fields(&self, inputs: &Inputs<'_>, index: usize) -> Fields {
        inputs.cells[index].fields()
    }

    fn cost(&self, inputs: &Inputs<'_>, index: usize) -> u64 {
        let cell = &inputs.cells[index];
        inputs.subjects[cell.subject].walk_operations(cell.token_ids.len())
    }

    fn compute(&self, due: &[Due<'_>], run: &mut Run<'_>) -> Result<(), Failed> {
        let (inputs, progress) = (run.inputs, run.progress);
        let asked = due.iter().enumerate().map(|(place, due)| {
            let cell = &inputs.cells[due.job.index];
            Asked { place, token_ids: &cell.token_ids, extras: &cell.extras }
        });
        let mut asked: Vec<Asked<'_>> = asked.collect();
        let subject = &inputs.subjects[inputs.cells[due[0].job.index].subject];
        observe_in_batches(&inputs.runtime, subject, &mut asked, progress, |batch, found| {
            let keys = batch.iter().map(|one| due[one.place].job.key);
            Ok(run.keep(keys.zip(found.into_iter().map(|one| Value::Observation(Box::new(one)))).collect())?)
        })
    }
}
