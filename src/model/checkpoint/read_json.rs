//! JSON files of a checkpoint.

use std::{io::ErrorKind, path::Path};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{error::CheckpointError, python};
use base::foreign::{self, Kind};

/// A JSON file of the folder, with the file named in every error.
pub(super) fn json<T: for<'de> Deserialize<'de>>(
    path: &Path,
    expected: &'static str,
) -> Result<T, CheckpointError> {
    let text = foreign::read(path, Kind::Json).map_err(|source| CheckpointError::Io {
        file: path.to_path_buf(),
        what: "cannot read",
        source,
    })?;
    parse(path, &text, expected)
}

/// A JSON object that need not be there.
pub(super) fn optional(file: &Path) -> Result<Map<String, Value>, CheckpointError> {
    match json(file, "a JSON object") {
        Err(CheckpointError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(Map::new()),
        read => read,
    }
}

/// The content of a JSON file, with the file named in the error.
pub(super) fn parse<T: for<'de> Deserialize<'de>>(
    path: &Path,
    text: &[u8],
    expected: &'static str,
) -> Result<T, CheckpointError> {
    let read = match serde_json::from_slice(text) {
        Err(error) => serde_json::from_slice(&python::as_json(text)).map_err(|_| error),
        read => read,
    };
    read.map_err(|error| CheckpointError::Json {
        file: path.to_path_buf(),
        expected,
        found: error.to_string(),
    })
}
