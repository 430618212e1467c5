//! Calibrating: how the judge fares in simulated worlds, with the spread of what the store holds; once per change of a
//! hypothesis or of its evidence.

use super::calibrated::{self, Kept};
use super::error::PipelineError;
use super::executor::Run;
use super::ledger::{Output, Value};
use super::measured_jobs::Scope;
use super::places::Places;
use super::planning::plan;
use super::subject::WhenMissing;
use crate::plan::keys;
use base::hash::Key;
use base::progress::Progress;
use number::evidence::Evidence;
use study::config::Loaded;
use study::judge::hypothesis::Hypothesis;
use study::judge::{Calibration, calibrate as simulate};

/// Simulates worlds for every prediction of the experiment, or takes the result from the store; observes nothing. In the
/// order of the hypotheses, each with the kinds of evidence one after the other. Of a `whole` experiment the results folder keeps
/// what was found.
///
/// # Errors
/// Those of reading the store and the published tables, and of writing that file.
pub fn calibrate(
    loaded: &Loaded,
    places: &Places,
    whole: bool,
    progress: &dyn Progress,
) -> Result<Vec<(String, Vec<Calibration>)>, PipelineError> {
    let planned = plan(loaded, places, WhenMissing::Report, progress)?;
    let mut run = planned.start(places, progress);
    let all = run.repairing(false, |run| {
        let mut all = Vec::new();
        progress.start("simulated worlds", loaded.hypotheses.len() as u64);
        for (_, hypothesis, hash) in &loaded.hypotheses {
            all.push(of_hypothesis(run, hypothesis, *hash)?);
            progress.advance(1);
        }
        progress.finish();
        Ok(all)
    })?;
    if whole {
        calibrated::write(&places.results, loaded, &all)?;
    }
    Ok(all.into_iter().map(|kept| (kept.hypothesis, kept.predictions)).collect())
}

fn of_hypothesis(run: &mut Run<'_>, hypothesis: &Hypothesis, hash: Key) -> Result<Kept, PipelineError> {
    let jobs = run.measured_jobs().read_by(&Scope::of(run.inputs, hypothesis));
    let seed = run.inputs.loaded.experiment.seed;
    let (evidence, statistics_version) = (jobs.digest(run.inputs), keys::STATISTICS_VERSION);
    let judged = keys::Judge { hypothesis: hash, evidence, seed, statistics_version }.fields().key();
    let fields = calibrated::fields(judged);
    let key = fields.key();
    let kept = |predictions| Kept { hypothesis: hypothesis.id.clone(), key, predictions };
    if let Some(stored) = calibrated::stored(run.inputs, &key)? {
        return Ok(kept(stored));
    }
    let observed = run.apart(&jobs)?;
    let tables = observed.beside(run.published()?);
    let all = Evidence::ALL.iter();
    let found: Vec<Calibration> =
        all.flat_map(|&evidence| simulate(hypothesis, evidence, tables.of(evidence), seed)).collect();
    let bytes = serde_json::to_vec(&found).unwrap_or_default(); // plain structs always serialise
    let slot = format!("calibrate/{}", hypothesis.id);
    run.ledger.put(vec![Output { slot, fields, value: Value::Bytes(bytes) }])?;
    Ok(kept(found))
}
