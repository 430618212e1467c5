//! Calibrating: how the judge fares in simulated worlds, with the spread of what the store holds; once per change of a
//! hypothesis or of its evidence. What was found lies in the store, and for who has another store in a file of the results folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::PipelineError;
use super::executor::Run;
use super::inputs::Inputs;
use super::ledger::{Output, Value};
use super::measured_jobs::Scope;
use super::places::Places;
use super::planning::plan;
use super::subject::WhenMissing;
use crate::plan::keys;
use crate::store::Stored;
use base::hash::{Fields, Key};
use base::progress::Progress;
use base::{foreign, publish};
use number::evidence::Evidence;
use study::config::Loaded;
use study::judge::hypothesis::Hypothesis;
use study::judge::{Calibration, calibrate as simulate};

/// A hypothesis in the file of the results folder.
#[derive(Serialize, Deserialize)]
struct Kept {
    hypothesis: String,
    /// Of what decided it.
    key: Key,
    predictions: Vec<Calibration>,
}

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
        write(&file(&places.results, loaded), &all)?;
    }
    Ok(all.into_iter().map(|kept| (kept.hypothesis, kept.predictions)).collect())
}

fn of_hypothesis(run: &mut Run<'_>, hypothesis: &Hypothesis, hash: Key) -> Result<Kept, PipelineError> {
    let jobs = run.measured_jobs().read_by(&Scope::of(run.inputs, hypothesis));
    let seed = run.inputs.loaded.experiment.seed;
    let (evidence, statistics_version) = (jobs.digest(run.inputs), keys::STATISTICS_VERSION);
    let judged = keys::Judge { hypothesis: hash, evidence, seed, statistics_version }.fields().key();
    let fields = fields(judged);
    let key = fields.key();
    let kept = |predictions| Kept { hypothesis: hypothesis.id.clone(), key, predictions };
    if let Some(stored) = stored(run.inputs, &key)? {
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

/// What is known of the hypotheses whose judgements have these keys, in their order: id, key, and how each rule fares. Of others
/// nobody has simulated worlds as the rules, the evidence and this program are now.
pub(super) fn known(
    inputs: &Inputs<'_>,
    judged: &[Key],
) -> Result<Vec<(String, Key, Vec<Calibration>)>, PipelineError> {
    let mut all = Vec::new();
    for ((_, hypothesis, _), judged) in inputs.loaded.hypotheses.iter().zip(judged) {
        let key = fields(*judged).key();
        if let Some(found) = stored(inputs, &key)? {
            all.push((hypothesis.id.clone(), key, found));
        }
    }
    Ok(all)
}

/// From the store, or from the file of the results folder.
fn stored(inputs: &Inputs<'_>, key: &Key) -> Result<Option<Vec<Calibration>>, PipelineError> {
    if let Stored::Present(bytes) = inputs.store.blob(&inputs.snapshot, key)?
        && let Ok(stored) = serde_json::from_slice(&bytes)
    {
        return Ok(Some(stored));
    }
    Ok(inputs.calibrated.get(key).cloned())
}

/// What decides it: what decides the judgement, and how worlds are drawn.
fn fields(judged: Key) -> Fields {
    Fields::new("calibrate").with("judgement", judged).with("calibration version", keys::CALIBRATION_VERSION)
}

fn file(results: &Path, loaded: &Loaded) -> PathBuf {
    results.join("calibration").join(format!("{}.json", loaded.experiment.id))
}

/// What the file of the results folder holds, by key; nothing where there is none. One that cannot be read is told of and left aside.
pub(super) fn read(
    results: &Path,
    loaded: &Loaded,
    progress: &dyn Progress,
) -> BTreeMap<Key, Vec<Calibration>> {
    let path = file(results, loaded);
    if !path.exists() {
        return BTreeMap::new();
    }
    let read = foreign::read(&path, foreign::Kind::Text).map_err(|error| error.to_string());
    let kept =
        read.and_then(|bytes| serde_json::from_slice::<Vec<Kept>>(&bytes).map_err(|error| error.to_string()));
    match kept {
        Ok(kept) => kept.into_iter().map(|one| (one.key, one.predictions)).collect(),
        Err(error) => {
            let path = path.display();
            progress.note(&format!("{path} is left aside: {error}; `streamgauge calibrate` writes it anew"));
            BTreeMap::new()
        }
    }
}

/// One line for each prediction, so that a difference shows which one moved.
fn write(path: &Path, all: &[Kept]) -> Result<(), PipelineError> {
    let each = all.iter().map(|Kept { hypothesis, key, predictions }| {
        let lines = predictions.iter().map(|one| serde_json::to_string(one).unwrap_or_default()); // likewise
        let lines: Vec<String> = lines.collect();
        let (id, key) = (serde_json::json!(hypothesis), serde_json::json!(key));
        format!("{{\"hypothesis\":{id},\"key\":{key},\"predictions\":[\n{}\n]}}", lines.join(",\n"))
    });
    let text = format!("[\n{}\n]\n", each.collect::<Vec<_>>().join(",\n"));
    let fail = |error| PipelineError::Write { path: path.to_path_buf(), error };
    path.parent().map_or(Ok(()), std::fs::create_dir_all).map_err(fail)?;
    publish::write(path, &[text.as_bytes()]).map_err(fail)
}
