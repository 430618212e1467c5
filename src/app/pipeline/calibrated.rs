//! What is known of the error rates of rules: it lies in the store under what decided it, and in a file of the results folder for who
//! has another store.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::error::PipelineError;
use super::inputs::Inputs;
use crate::plan::keys;
use crate::store::Stored;
use base::hash::{Fields, Key};
use base::progress::Progress;
use base::{foreign, publish};
use study::config::Loaded;
use study::judge::Calibration;

/// A hypothesis in the file of the results folder.
#[derive(Serialize, Deserialize)]
pub(super) struct Kept {
    pub hypothesis: String,
    /// Of what decided it.
    pub key: Key,
    pub predictions: Vec<Calibration>,
}

/// What a run has read: each hypothesis once, however often it is asked for.
#[derive(Default)]
pub(super) struct Read {
    /// By key, what the file of the results folder holds.
    kept: BTreeMap<Key, Vec<Calibration>>,
    /// By key, what was found in the store.
    stored: Mutex<BTreeMap<Key, Vec<Calibration>>>,
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
pub(super) fn stored(inputs: &Inputs<'_>, key: &Key) -> Result<Option<Vec<Calibration>>, PipelineError> {
    let Read { kept, stored } = &inputs.calibrated;
    // A thread that panicked leaves whole entries.
    let mut stored = stored.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = stored.get(key) {
        return Ok(Some(found.clone()));
    }
    if let Stored::Present(bytes) = inputs.store.blob(&inputs.snapshot, key)?
        && let Ok(found) = serde_json::from_slice::<Vec<Calibration>>(&bytes)
    {
        stored.insert(*key, found.clone());
        return Ok(Some(found));
    }
    Ok(kept.get(key).cloned())
}

/// What decides it: what decides the judgement, and how worlds are drawn.
pub(super) fn fields(judged: Key) -> Fields {
    Fields::new("calibrate").with("judgement", judged).with("calibration version", keys::CALIBRATION_VERSION)
}

fn file(results: &Path, loaded: &Loaded) -> PathBuf {
    results.join("calibration").join(format!("{}.json", loaded.experiment.id))
}

/// What the file of the results folder holds; nothing where there is none. One that cannot be read is told of and left aside.
pub(super) fn read(results: &Path, loaded: &Loaded, progress: &dyn Progress) -> Read {
    let path = file(results, loaded);
    if !path.exists() {
        return Read::default();
    }
    let read = foreign::read(&path, foreign::Kind::Text).map_err(|error| error.to_string());
    let kept =
        read.and_then(|bytes| serde_json::from_slice::<Vec<Kept>>(&bytes).map_err(|error| error.to_string()));
    match kept {
        Ok(kept) => {
            let kept = kept.into_iter().map(|one| (one.key, one.predictions)).collect();
            Read { kept, ..Read::default() }
        }
        Err(error) => {
            let path = path.display();
            progress.note(&format!("{path} is left aside: {error}; `streamgauge calibrate` writes it anew"));
            Read::default()
        }
    }
}

/// One line for each prediction, so that a difference shows which one moved.
pub(super) fn write(results: &Path, loaded: &Loaded, all: &[Kept]) -> Result<(), PipelineError> {
    let path = file(results, loaded);
    let each = all.iter().map(|Kept { hypothesis, key, predictions }| {
        let lines = predictions.iter().map(|one| serde_json::to_string(one).unwrap_or_default()); // likewise
        let lines: Vec<String> = lines.collect();
        let (id, key) = (serde_json::json!(hypothesis), serde_json::json!(key));
        format!("{{\"hypothesis\":{id},\"key\":{key},\"predictions\":[\n{}\n]}}", lines.join(",\n"))
    });
    let text = format!("[\n{}\n]\n", each.collect::<Vec<_>>().join(",\n"));
    let fail = |error| PipelineError::Write { path: path.clone(), error };
    path.parent().map_or(Ok(()), std::fs::create_dir_all).map_err(fail)?;
    publish::write(&path, &[text.as_bytes()]).map_err(fail)
}
