//! Weighing: every model's weights once, kept in the store under the weights and how they are read.

use crate::pipeline::error::ModelFailure;
use crate::pipeline::executor::{Due, Failed, Kind, Run};
use crate::pipeline::inputs::Inputs;
use crate::pipeline::ledger::Value;
use crate::pipeline::subject::Subject;
use crate::pipeline::walks;
use crate::plan::{Job, keys};
use base::hash::{Fields, Key};
use engine::weigh::Parts;
use number::evidence::Measurement;
use number::metric;
use number::weights::Weighed;
use study::config::intervention::Change;

/// The kind of job that weighs a model: one job for each.
#[derive(Default)]
pub(super) struct Weigh {
    /// Fields of the keys, by model.
    fields: Vec<Fields>,
}

impl Kind for Weigh {
    fn name(&self) -> &'static str {
        "weigh"
    }

    fn outputs(&self) -> Option<&'static str> {
        Some("weighings")
    }

    fn jobs(&mut self, inputs: &Inputs<'_>, _: &[Job], _: &mut Vec<ModelFailure>) -> Vec<Job> {
        self.fields = inputs.subjects.iter().map(fields).collect();
        let job = |(index, (subject, fields)): (usize, (&Subject, &Fields))| {
            let (slot, label) = (keys::weigh_slot(&subject.id), format!("{}: weights", subject.id));
            let key = fields.key();
            let part = keys::weighing_part(&subject.id, &key);
            Job::new(self.name(), index, slot, label, key).about(index).measuring(None, part)
        };
        inputs.subjects.iter().zip(&self.fields).enumerate().map(job).collect()
    }

    fn fields(&self, _: &Inputs<'_>, index: usize) -> Fields {
        self.fields[index].clone()
    }

    fn cost(&self, inputs: &Inputs<'_>, index: usize) -> u64 {
        inputs.subjects[index].weigh_operations()
    }

    fn compute(&self, due: &[Due<'_>], run: &mut Run<'_>) -> Result<(), Failed> {
        for Due { job, .. } in due {
            let weighed = walks::weigh(&run.inputs.subjects[job.index], run.progress)
                .map_err(|error| Failed::Model(format!("cannot be weighed: {error}")))?;
            let bytes = serde_json::to_vec(&weighed).unwrap_or_default(); // plain structs always serialise
            run.keep(vec![(job.key, Value::Bytes(bytes))])?;
        }
        Ok(())
    }

    fn rows(
        &self,
        inputs: &Inputs<'_>,
        job: &Job,
        stored: &[u8],
    ) -> Result<Vec<Measurement>, serde_json::Error> {
        let weighed: Weighed = serde_json::from_slice(stored)?;
        Ok(metric::weights(&inputs.subjects[job.index].id, &weighed))
    }
}

fn fields(subject: &Subject) -> Fields {
    let parts = Parts::of(&subject.recipe, &subject.checkpoint);
    let parts = serde_json::to_vec(&parts).unwrap_or_default(); // plain structs always serialise
    // Another theta leaves the weights as they are: they need not be weighed again.
    let changed = subject.intervention.filter(Change::touches_weights).map(|change| change.to_string());
    let (weights, parts, version) = (subject.weights(), Key::of_bytes(&parts), keys::WEIGH_VERSION);
    keys::Weigh { weights, intervention: changed.as_deref(), parts, version }.fields()
}
