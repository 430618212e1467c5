//! Running: an experiment from its plan to its report.

use super::error::{ModelFailure, PipelineError};
use super::executor::{Done, Kind, Stage};
use super::places::Places;
use super::planning::{Planned, plan};
use super::subject::WhenMissing;
use super::{recording, registering, reporting};
use base::progress::Progress;
use study::config::Loaded;

/// What one `run` did.
pub struct Summary<'a> {
    /// The plan it began with.
    pub planned: Planned<'a>,
    /// What was made.
    pub done: Done,
    /// Ids of hypotheses that were registered now.
    pub registered: Vec<String>,
}

/// Outputs of one kind in the summary of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// What they are called, e.g. `observations`.
    pub outputs: &'static str,
    /// How many were made now.
    pub made: usize,
    /// How many different ones there are.
    pub distinct: usize,
    /// How many jobs have one of them: prompt sets may share a prompt, models a checkpoint.
    pub jobs: usize,
}

impl Summary<'_> {
    /// Every model and prompt that could not be used.
    pub fn failures(&self) -> impl Iterator<Item = &ModelFailure> {
        self.planned.inputs.unusable().chain(&self.done.failures)
    }

    /// Models that a command of the model list has not brought yet.
    pub fn unfetched(&self) -> impl Iterator<Item = &ModelFailure> {
        self.planned.inputs.unfetched()
    }

    /// What was made of each kind of output that is counted.
    pub fn tallies(&self) -> Vec<Tally> {
        let tally = |kind: &dyn Kind| {
            let outputs = kind.outputs()?;
            let mine = self.planned.plan.jobs.iter().filter(|planned| planned.job.kind == kind.name());
            let mut keys: Vec<_> = mine.map(|planned| planned.job.key).collect();
            let jobs = keys.len();
            keys.sort_unstable();
            keys.dedup();
            Some(Tally { outputs, made: self.done.count(kind.name()), distinct: keys.len(), jobs })
        };
        self.planned.kinds.iter().filter_map(|kind| tally(&**kind)).collect()
    }

    /// Whether the report was written now.
    pub fn is_report_new(&self) -> bool {
        self.done.count("report") > 0
    }
}

/// Runs an experiment: downloads and computes what is missing (unless `compute` is false), judges, writes the report.
///
/// # Errors
/// Only what ends the whole run (store, runtime, published tables): nothing is judged on part of the evidence. A model that
/// fails is in [`Summary::failures`].
pub fn run<'a>(
    loaded: &'a Loaded,
    places: &Places,
    compute: bool,
    progress: &dyn Progress,
) -> Result<Summary<'a>, PipelineError> {
    let missing = if compute { WhenMissing::Download } else { WhenMissing::Report };
    let planned = plan(loaded, places, missing, progress)?;
    let mut registered = recording::before_data(&planned, &places.results)?;
    let mut run = planned.start(places, progress);
    if compute {
        reporting::check(loaded, &planned.plan)?;
        run.execute(&[Stage::Measure])?;
    }
    run.repairing(compute, |run| {
        run.execute(&[Stage::Judge])?;
        let outcome = |number: usize| run.done.outcomes.get(&number);
        registered.extend(registering::first_verdicts(loaded, &places.results, outcome)?);
        run.execute(&[Stage::Report])
    })?;
    let done = run.done;
    Ok(Summary { planned, done, registered })
}
