//! Measured jobs: the jobs whose outputs a judgement or the report may read, and the digest of those outputs.

use std::collections::BTreeSet;

use super::inputs::Inputs;
use super::subject::lineage;
use crate::plan::{Job, keys};
use base::hash::Key;
use number::evidence::Evidence;
use study::config::experiment::Model;
use study::judge::asks_for;
use study::judge::hypothesis::Hypothesis;

/// Jobs whose outputs give evidence, in the order of the plan.
#[derive(Clone, Debug)]
pub(super) struct MeasuredJobs<'a>(pub(super) Vec<&'a Job>);

/// What a hypothesis reads: what was measured on its prompt sets and without prompts, without the revisions and variants
/// that it does not ask for.
pub(super) struct Scope {
    /// By number of the model.
    models: Vec<bool>,
    /// By number of the prompt set.
    sets: Vec<bool>,
}

/// Whether a hypothesis is judged on a model of the list.
pub(super) fn asks(hypothesis: &Hypothesis, model: &Model) -> bool {
    asks_for(hypothesis, &model.id, model.evidence.into(), &lineage(model))
}

impl Scope {
    pub(super) fn of(inputs: &Inputs<'_>, hypothesis: &Hypothesis) -> Scope {
        let asked = inputs
            .subjects
            .iter()
            .map(|subject| asks_for(hypothesis, &subject.id, subject.evidence, &subject.facts()));
        let sets = inputs.loaded.prompt_sets.iter().map(|set| hypothesis.prompts.contains(&set.id));
        Scope { models: asked.collect(), sets: sets.collect() }
    }

    /// Whether the hypothesis reads the output of a job.
    pub(super) fn reads(&self, job: &Job) -> bool {
        job.evidence.is_some_and(|evidence| evidence.set.is_none_or(|set| self.sets[set]))
            && job.model.is_some_and(|model| self.models[model])
    }
}

impl<'a> MeasuredJobs<'a> {
    /// The measured ones of these jobs.
    pub(super) fn of(jobs: impl IntoIterator<Item = &'a Job>) -> MeasuredJobs<'a> {
        MeasuredJobs(jobs.into_iter().filter(|job| job.evidence.is_some()).collect())
    }

    /// The part that a hypothesis reads.
    pub(super) fn read_by(&self, scope: &Scope) -> MeasuredJobs<'a> {
        MeasuredJobs(self.0.iter().copied().filter(|job| scope.reads(job)).collect())
    }

    /// The part that is of models of one kind of evidence.
    pub(super) fn of_evidence(&self, inputs: &Inputs<'_>, evidence: Evidence) -> MeasuredJobs<'a> {
        let is = |job: &&Job| job.model.is_some_and(|model| inputs.subjects[model].evidence == evidence);
        MeasuredJobs(self.0.iter().copied().filter(is).collect())
    }

    /// The jobs of one kind.
    pub(super) fn kind(&self, kind: &str) -> impl Iterator<Item = &'a Job> {
        self.0.iter().copied().filter(move |job| job.kind == kind)
    }

    /// Digest of the outputs, with the names under which their numbers enter the tables.
    pub(super) fn digest(&self, inputs: &Inputs<'_>) -> Key {
        let mut digest = keys::EvidenceDigest::default();
        let mut models = BTreeSet::new();
        for job in &self.0 {
            job.evidence.iter().for_each(|evidence| digest.part(evidence.part));
            models.extend(job.model);
        }
        // Once a model: its facts take a walk over all its tensors.
        for subject in models.into_iter().map(|model| &inputs.subjects[model]) {
            digest.model(&subject.info());
        }
        inputs.published.iter().for_each(|key| digest.import(key));
        digest.finish()
    }
}
