//! Calibrating: how the judge fares in simulated worlds, with the spread of what the store holds; once per change of a
//! hypothesis or of its evidence.

use super::error::PipelineError;
use super::executor::Run;
use super::ledger::{Output, Value};
use super::measured_jobs::Scope;
use super::places::Places;
use super::planning::plan;
use super::subject::WhenMissing;
use crate::plan::keys;
use crate::store::Stored;
use base::hash::{Fields, Key};
use base::progress::Progress;
use number::evidence::Evidence;
use study::config::Loaded;
use study::judge::hypothesis::Hypothesis;
use study::judge::{Calibration, calibrate as simulate};

/// Simulates worlds for every prediction of the experiment, or takes the result from the store; observes nothing. In the
/// order of the hypotheses, each with the kinds of evidence one after the other.
///
/// # Errors
/// Those of reading the store and the published tables.
pub fn calibrate(
    loaded: &Loaded,
    places: &Places,
    progress: &dyn Progress,
) -> Result<Vec<(String, Vec<Calibration>)>, PipelineError> {
    let planned = plan(loaded, places, WhenMissing::Report, progress)?;
    let mut run = planned.start(places, progress);
    run.repairing(false, |run| {
        let mut all = Vec::new();
        progress.start("simulated worlds", loaded.hypotheses.len() as u64);
        for (_, hypothesis, hash) in &loaded.hypotheses {
            all.push((hypothesis.id.clone(), of_hypothesis(run, hypothesis, *hash)?));
            progress.advance(1);
        }
        progress.finish();
        Ok(all)
    })
}

fn of_hypothesis(
    run: &mut Run<'_>,
    hypothesis: &Hypothesis,
    hash: Key,
) -> Result<Vec<Calibration>, PipelineError> {
    let jobs = run.measured_jobs().read_by(&Scope::of(run.inputs, hypothesis));
    let fields = fields(run, hash, jobs.digest(run.inputs));
    if let Stored::Present(bytes) = run.inputs.store.blob(&run.inputs.snapshot, &fields.key())?
        && let Ok(stored) = serde_json::from_slice(&bytes)
    {
        return Ok(stored);
    }
    let seed = run.inputs.loaded.experiment.seed;
    let observed = run.apart(&jobs)?;
    let tables = observed.beside(run.published()?);
    let all = Evidence::ALL.iter();
    let found: Vec<Calibration> =
        all.flat_map(|&evidence| simulate(hypothesis, evidence, tables.of(evidence), seed)).collect();
    let bytes = serde_json::to_vec(&found).unwrap_or_default(); // plain structs always serialise
    let slot = format!("calibrate/{}", hypothesis.id);
    run.ledger.put(vec![Output { slot, fields, value: Value::Bytes(bytes) }])?;
    Ok(found)
}

fn fields(run: &Run<'_>, hypothesis: Key, evidence: Key) -> Fields {
    Fields::new("calibrate")
        .with("hypothesis", hypothesis)
        .with("evidence", evidence)
        .with("seed", run.inputs.loaded.experiment.seed)
        .with("statistics version", keys::STATISTICS_VERSION)
        .with("calibration version", keys::CALIBRATION_VERSION)
}
