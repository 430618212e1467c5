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
        found: match text {
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "UTF-16, where JSON is UTF-8".to_string(),
            _ => error.to_string(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_of_another_editor_is_named() {
        let text: Vec<u8> = "\u{feff}{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let error = parse::<Value>(Path::new("config.json"), &text, "a JSON object").unwrap_err();
        assert!(error.to_string().contains("UTF-16"), "{error}");
    }
}
