//! The numbers of a run that was written to a results folder: `run.json`, `verdicts.json` and the table of numbers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use polars::prelude::StringChunked;
use serde::{Deserialize, Serialize};

use super::run_numbers::{Kind, Place, RunNumbers};
use crate::manifest::{ResultFileError, ResultsFolder};
use crate::parquet::parquet_frame;
use study::judge::outcome::HypothesisOutcome;

const MEASUREMENTS: &str = "tables/measurements.parquet";

/// Version of `run.json`.
pub const RUN_SCHEMA: u32 = 1;

/// `run.json`: what entered a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunFile {
    /// Version of the file: [`RUN_SCHEMA`].
    pub schema: u32,
    /// Versions in words, contents by hash.
    pub made_with: BTreeMap<String, String>,
}

/// Why a folder is no run.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// A file is missing, damaged or not as it was written.
    #[error(transparent)]
    File(#[from] ResultFileError),
    /// A file has the bytes that were written, and this program makes nothing of them.
    #[error("{}: {what}; expected the results folder of a run (streamgauge run --results DIR writes one)", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
}

/// What the run in `folder` showed: its numbers (published ones apart from measured ones), estimates and verdicts.
///
/// # Errors
/// A file that is missing, not as it was written, or of another version.
pub fn results(folder: &Path) -> Result<RunNumbers, FolderError> {
    let run = folder.join("run.json");
    if matches!(run.try_exists(), Ok(false)) {
        return Err(FolderError::Content { path: run, what: "it is not there".to_string() });
    }
    let folder = ResultsFolder::open(folder)?;
    let RunFile { schema, made_with } = json(&folder, "run.json")?;
    if schema != RUN_SCHEMA {
        let what = format!("it has schema {schema}, this program reads {RUN_SCHEMA}");
        return Err(FolderError::Content { path: folder.path("run.json"), what });
    }
    let mut shown = RunNumbers { made_with, ..RunNumbers::default() };
    let outcomes: Vec<HypothesisOutcome> = json(&folder, "verdicts.json")?;
    outcomes.iter().for_each(|outcome| shown.outcome(outcome));
    let table = folder.read(MEASUREMENTS)?;
    numbers(table, &mut shown)
        .map_err(|what| FolderError::Content { path: folder.path(MEASUREMENTS), what })?;
    Ok(shown)
}

fn json<T: for<'de> Deserialize<'de>>(folder: &ResultsFolder, name: &str) -> Result<T, FolderError> {
    let bytes = folder.read(name)?;
    serde_json::from_slice(&bytes)
        .map_err(|error| FolderError::Content { path: folder.path(name), what: error.to_string() })
}

/// Several published rows may be of one place (two precisions of one source): they are counted.
fn numbers(table: Vec<u8>, shown: &mut RunNumbers) -> Result<(), String> {
    let frame = parquet_frame(table).map_err(|error| error.to_string())?;
    let words = |name: &str| -> Result<&StringChunked, String> {
        frame.column(name).and_then(|column| column.str()).map_err(|error| error.to_string())
    };
    let (source, model, prompt, metric) =
        (words("source")?, words("model")?, words("prompt")?, words("metric")?);
    let (reduction, endpoint, bos) = (words("reduction")?, words("endpoint")?, words("bos")?);
    let (evidence, dtype) = (words("evidence")?, words("dtype")?);
    let column = |name: &str| frame.column(name).map_err(|error| error.to_string());
    let layer = column("layer")?.u32().map_err(|error| error.to_string())?;
    let value = column("value")?.f64().map_err(|error| error.to_string())?;
    let text = |of: &StringChunked, row: usize| of.get(row).unwrap_or_default().to_string();
    for row in 0..frame.height() {
        let protocol: Vec<&str> = [reduction, endpoint, bos].iter().filter_map(|of| of.get(row)).collect();
        let whose = match evidence.get(row) {
            Some("published") => format!(" ({}, {})", text(source, row), text(dtype, row)),
            _ => String::new(),
        };
        let mut place = Place {
            kind: Kind::Measurement,
            of: text(model, row) + &whose,
            item: text(prompt, row),
            name: text(metric, row),
            protocol: protocol.join("/"),
            layer: layer.get(row),
            position: None,
        };
        while shown.numbers.contains_key(&place) {
            place.position = Some(place.position.map_or(1, |n| n + 1));
        }
        if let Some(value) = value.get(row) {
            shown.numbers.insert(place, value as f32);
        }
    }
    Ok(())
}
