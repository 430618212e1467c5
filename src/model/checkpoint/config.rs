//! The config of a checkpoint folder: `config.json`, and what tools write beside it of how they quantised the weights.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value};

use super::{error::CheckpointError, quantised, read_json::json, wrapped};

/// Files beside `config.json` that say how weights are quantised, and the method that each means: as AutoGPTQ, AutoAWQ
/// and modelopt wrote them before they had a key of `config.json`.
pub const DESCRIPTIONS: [(&str, &str); 3] =
    [("quantize_config.json", "gptq"), ("quant_config.json", "awq"), ("hf_quant_config.json", "modelopt")];

/// What a folder says of its model.
pub(super) struct Config {
    /// The object in `config.json`, with what another file says of the quantisation of weights where it does not.
    pub(super) keys: Map<String, Value>,
    /// The file that says how weights are quantised, if any does.
    pub(super) quantised_by: PathBuf,
}

/// The object in `config.json`; where it does not say how weights are quantised, with what a tool wrote beside it.
///
/// # Errors
/// A folder without one, or one that is no JSON object.
pub fn read_config(folder: &Path) -> Result<Map<String, Value>, CheckpointError> {
    read(folder).map(|config| config.keys)
}

pub(super) fn read(folder: &Path) -> Result<Config, CheckpointError> {
    let path = folder.join("config.json");
    let mut keys = object(folder, &path)?;
    if quantised::is_described(&keys) {
        return Ok(Config { keys, quantised_by: path });
    }
    for (name, method) in DESCRIPTIONS {
        let beside = folder.join(name);
        if !matches!(beside.try_exists(), Ok(false)) {
            let described: Map<String, Value> = json(&beside, "a JSON object")?;
            quantised::describe(&mut keys, described, method);
            return Ok(Config { keys, quantised_by: beside });
        }
    }
    Ok(Config { keys, quantised_by: path })
}

/// The object in `config.json`, which is at `path`.
fn object(folder: &Path, path: &Path) -> Result<Map<String, Value>, CheckpointError> {
    match fs::metadata(folder) {
        Ok(meta) if meta.is_dir() => {}
        Ok(_) => return Err(CheckpointError::NotAFolder { folder: folder.into(), found: "a file" }),
        Err(_) => return Err(CheckpointError::NotAFolder { folder: folder.into(), found: "nothing" }),
    }
    if matches!(path.try_exists(), Ok(false)) {
        let none = || CheckpointError::NoConfig { folder: folder.into() };
        return Err(wrapped::adapter(folder).unwrap_or_else(none));
    }
    let config: Value = json(path, "a JSON object")?;
    match config {
        Value::Object(config) => Ok(config),
        other => Err(CheckpointError::Json {
            file: path.to_path_buf(),
            expected: "a JSON object",
            found: match other {
                Value::Array(_) => "an array".into(),
                other => other.to_string(),
            },
        }),
    }
}
