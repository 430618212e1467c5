//! Exporting: a model's graphs kept in the store, so that a verdict can be traced to the graphs that ran.

use crate::pipeline::error::ModelFailure;
use crate::pipeline::executor::{Due, Failed, Kind, Run};
use crate::pipeline::inputs::Inputs;
use crate::pipeline::ledger::Value;
use crate::plan::{Job, keys};
use base::hash::Fields;

/// The kind of job that stores the graphs of a model: one job for each.
pub(super) struct Export;

impl Kind for Export {
    fn name(&self) -> &'static str {
        "export"
    }

    fn jobs(&mut self, inputs: &Inputs<'_>, _: &[Job], _: &mut Vec<ModelFailure>) -> Vec<Job> {
        let job = |(index, subject): (usize, &crate::pipeline::subject::Subject)| {
            let (slot, label) = (format!("export/{}", subject.id), format!("{}: ONNX graphs", subject.id));
            Job::new(self.name(), index, slot, label, self.fields(inputs, index).key()).about(index)
        };
        inputs.subjects.iter().enumerate().map(job).collect()
    }

    fn fields(&self, inputs: &Inputs<'_>, index: usize) -> Fields {
        let graph = inputs.subjects[index].graphs.identity();
        keys::Export { graph, builder_version: keys::BUILDER_VERSION }.fields()
    }

    fn compute(&self, due: &[Due<'_>], run: &mut Run<'_>) -> Result<(), Failed> {
        for Due { job, .. } in due {
            let graphs = &run.inputs.subjects[job.index].graphs;
            let files = graphs.files().map(|(name, bytes)| (name.to_string(), bytes.to_vec()));
            run.keep(vec![(job.key, Value::Files(files.collect()))])?;
        }
        Ok(())
    }
}
