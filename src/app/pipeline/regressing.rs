//! Regressing: an experiment run anew, beside every store, and every number and verdict of it put together.

use std::path::PathBuf;

use super::error::{ModelFailure, PipelineError};
use super::executor::Stage;
use super::inputs::Inputs;
use super::measured_jobs::MeasuredJobs;
use super::places::Places;
use super::planning::plan;
use super::provenance::made_with;
use super::subject::WhenMissing;
use crate::plan::Job;
use base::device::Wanted;
use base::progress::Progress;
use engine::run::Multiplier;
use results::regress::{RunNumbers, TOLERANCE};
use study::config::Loaded;
use study::judge::is_derived;

/// What a fresh run showed.
pub struct Rerun {
    /// Every number, estimate and verdict that is compared.
    pub numbers: RunNumbers,
    /// Models and prompts that could not be run: the numbers lack them.
    pub failures: Vec<ModelFailure>,
}

/// The part of what was measured that is compared number by number: models that are neither stages nor variants, the first BOS
/// policy, and the first prompt set (spectra of every set). All the rest is compared through the estimates and verdicts that are made of it: a
/// baseline of everything would be ten times as large and say the same.
fn shown<'p>(inputs: &Inputs<'_>, jobs: &MeasuredJobs<'p>) -> MeasuredJobs<'p> {
    let bos = inputs.loaded.experiment.bos.first();
    let originals: Vec<bool> = inputs.subjects.iter().map(|s| !is_derived(&s.facts())).collect();
    let shown = |job: &&Job| {
        let Some(evidence) = job.evidence else { return false };
        let first_set = job.kind != "observe" || evidence.set == Some(0);
        let first_bos = evidence.bos.is_none_or(|policy| Some(&policy) == bos);
        first_set && first_bos && job.model.is_some_and(|model| originals[model])
    };
    MeasuredJobs(jobs.0.iter().copied().filter(shown).collect())
}

/// Runs an experiment in a store of its own that is removed afterwards. A store in use would hide a regression: keys
/// hold what decides an output by design, not the program's code, so a wrong engine would be answered from the store.
///
/// All products are the runtime's, which every machine has. Products on tile registers are held to the same 1e-5 of the
/// reference (`make parity`), and their norms to those of the runtime's (`run::as_stored`); but a rank that two nearly equal
/// numbers swap, or a p-value of a difference near zero, can move further than the numbers it is of.
pub fn rerun(
    loaded: &Loaded,
    (device, memory): (Wanted, Option<u64>),
    progress: &dyn Progress,
) -> Result<Rerun, PipelineError> {
    let scratch = tempfile::Builder::new()
        .prefix("streamgauge-regress-") // a killed run leaves it behind: it should say whose it is
        .tempdir()
        .map_err(|error| PipelineError::Write { path: PathBuf::from("the temporary folder"), error })?;
    let (store, results) = (scratch.path().join("store"), scratch.path().join("results"));
    let places = Places { store, results, device, memory };
    let mut planned = plan(loaded, &places, WhenMissing::Download, progress)?;
    planned.inputs.runtime = planned.inputs.runtime.clone().with_multiplier(Multiplier::Runtime);
    let inputs = &planned.inputs;
    let mut run = planned.start(&places, progress);
    run.execute(&[Stage::Measure])?;
    let mut numbers = run.repairing(true, |run| {
        run.execute(&[Stage::Judge])?;
        let mut numbers = RunNumbers::default();
        let observations = run.observations()?;
        let jobs = shown(inputs, &run.measured_jobs());
        for job in jobs.kind("observe") {
            let cell = &inputs.cells[job.index];
            let model = &inputs.subjects[cell.subject].id;
            numbers.observation(model, &cell.prompt.id, cell.bos, observations.get(&cell.key)?);
        }
        run.evidence_table(&jobs)?.rows.iter().for_each(|row| numbers.measurement(row));
        Ok(numbers)
    })?;
    for outcome in run.done.outcomes.values() {
        numbers.outcome(outcome);
    }
    numbers.made_with = made_with(inputs);
    numbers.made_with.insert("tolerance".into(), format!("{TOLERANCE:e}"));
    let failures = inputs.left_out().chain(&run.done.failures).cloned().collect();
    Ok(Rerun { numbers, failures })
}
