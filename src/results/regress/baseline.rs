//! The numbers of a run in a folder that is committed: words as JSON to read in a diff, numbers as Parquet, and what changed when.
//!
//! ```text
//! baseline.json      what it was made with, every verdict, and the hash of numbers.parquet
//! numbers.parquet    one row per number, sorted: kind, of, item, name, protocol, layer, position, value (float32)
//! CHANGES.md         what each `--accept` changed and why, newest first
//! ```
//!
//! No clock and no path enters: the same run gives the same bytes. The files are exchanged together: one that was killed meanwhile
//! leaves a whole baseline with its note, the old one or the new one.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use polars::prelude::{Column, DataFrame, PolarsResult};
use serde::{Deserialize, Serialize};

use super::compare::Comparison;
use super::exchange::{self, exchange};
use super::run_numbers::{Place, RunNumbers};
use crate::parquet::{parquet_bytes, parquet_frame};
use base::foreign;
use base::hash::Key;

const WORDS: &str = "baseline.json";
const NUMBERS: &str = "numbers.parquet";
const CHANGES: &str = "CHANGES.md";
/// Version of the folder's files.
const SCHEMA: u32 = 2;
/// Lines of each section that an entry of `CHANGES.md` keeps.
const MOST_LINES: usize = 20;
const HEADER: &str =
    "# Changes of the baseline\n\nWritten by `streamgauge regress --accept`, newest first.\n";

/// Why a baseline cannot be used or written.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// The folder holds no baseline.
    #[error(
        "{} holds no baseline ({WORDS} is not there); make one of what the program shows now: \
         streamgauge regress --accept --note \"first baseline\"", folder.display()
    )]
    Missing {
        /// The folder of the baseline.
        folder: PathBuf,
    },
    /// A file of it is damaged, or does not belong to the others.
    #[error(
        "{}: {what}; restore the folder from version control, or remove its {WORDS} and make a new baseline \
         (streamgauge regress --accept --note \"…\")", path.display()
    )]
    Broken {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A file of it cannot be written.
    #[error(
        "cannot write {}: {what}; make room, or name a folder that this user may write: the baseline is whole, the old one or the \
         new one, when this command was run again", path.display()
    )]
    Write {
        /// The file or the folder.
        path: PathBuf,
        /// What the system says.
        what: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    schema: u32,
    /// Hash of the other file: one that was damaged, or came from another branch, is not compared with.
    numbers: Key,
    made_with: BTreeMap<String, String>,
    verdicts: BTreeMap<String, String>,
}

/// What tells one version of the folder from another; the rest of an unknown version may have any form.
#[derive(Deserialize)]
struct Version {
    schema: u32,
}

/// Reads the baseline of a folder, after finishing or undoing an acceptance that was killed.
pub fn read(folder: &Path) -> Result<RunNumbers, BaselineError> {
    recover(folder)?;
    let (words, numbers) = (folder.join(WORDS), folder.join(NUMBERS));
    let broken = |path: &Path, what: String| BaselineError::Broken { path: path.to_path_buf(), what };
    let bytes = foreign::read(&words, foreign::Kind::Json).map_err(|error| match error.kind() {
        ErrorKind::NotFound => BaselineError::Missing { folder: folder.to_path_buf() },
        _ => broken(&words, error.to_string()),
    })?;
    let said = |error: serde_json::Error| broken(&words, error.to_string());
    let Version { schema } = serde_json::from_slice(&bytes).map_err(said)?;
    if schema != SCHEMA {
        return Err(broken(&words, format!("it has schema {schema}, this program reads {SCHEMA}")));
    }
    let Words { numbers: hash, made_with, verdicts, .. } = serde_json::from_slice(&bytes).map_err(said)?;
    let bytes =
        foreign::read(&numbers, foreign::Kind::Table).map_err(|error| broken(&numbers, error.to_string()))?;
    if Key::of_bytes(&bytes) != hash {
        return Err(broken(&numbers, format!("it is not the file that {WORDS} was written with")));
    }
    let numbers = from_parquet(bytes).map_err(|what| broken(&numbers, what))?;
    Ok(RunNumbers { made_with, verdicts, numbers })
}

/// Makes `now` the baseline of a folder and notes why, and what differs from the one it replaces.
pub fn accept(
    folder: &Path,
    now: &RunNumbers,
    comparison: Option<&Comparison>,
    note: &str,
) -> Result<(), BaselineError> {
    recover(folder)?;
    let changes = folder.join(CHANGES);
    let entries = match foreign::read_text(&changes, foreign::Kind::Text) {
        Ok(text) => text.find("\n## ").map(|at| text[at..].to_string()).unwrap_or_default(),
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => return Err(BaselineError::Broken { path: changes, what: error.to_string() }),
    };
    let number = entries.matches("\n## ").count() + 1;
    let entry = entry(number, now, comparison, note);
    let (words, numbers) = encode(folder, now)?;
    let text = format!("{HEADER}{entry}{entries}");
    save(folder, &[(NUMBERS, &numbers), (CHANGES, text.as_bytes()), (WORDS, words.as_bytes())])
}

fn entry(number: usize, now: &RunNumbers, comparison: Option<&Comparison>, note: &str) -> String {
    let note: Vec<&str> = note.split_whitespace().collect(); // one line, whatever it was
    let mut text = format!("\n## {number}: {}\n\n", note.join(" "));
    let Some(comparison) = comparison else {
        let (numbers, verdicts) = (now.numbers.len(), now.verdicts.len());
        return text
            + &format!("- {numbers} numbers and {verdicts} verdicts; nothing to compare them with\n");
    };
    if !comparison.moved() {
        text.push_str(&format!("- nothing moved beyond {}\n", Comparison::tolerance()));
    }
    for section in comparison.sections(MOST_LINES) {
        text.push_str(&format!("- {}\n", section.title));
        section.lines.iter().for_each(|line| text.push_str(&format!("  - {line}\n")));
    }
    text
}

/// Writes the numbers of a run alone, without an entry in `CHANGES.md`.
pub fn write(folder: &Path, shown: &RunNumbers) -> Result<(), BaselineError> {
    let (words, numbers) = encode(folder, shown)?;
    save(folder, &[(NUMBERS, &numbers), (WORDS, words.as_bytes())])
}

/// The words and the numbers of a run, as the files hold them.
fn encode(folder: &Path, shown: &RunNumbers) -> Result<(String, Vec<u8>), BaselineError> {
    let bytes = to_parquet(shown)
        .map_err(|error| BaselineError::Write { path: folder.join(NUMBERS), what: error.to_string() })?;
    let RunNumbers { made_with, verdicts, .. } = shown.clone();
    let words = Words { schema: SCHEMA, numbers: Key::of_bytes(&bytes), made_with, verdicts };
    let mut text = serde_json::to_string_pretty(&words).unwrap_or_default(); // maps of strings always serialise
    text.push('\n');
    Ok((text, bytes))
}

fn save(folder: &Path, files: &[(&str, &[u8])]) -> Result<(), BaselineError> {
    exchange(folder, files).map_err(|error| unfinished(folder, &error))
}

fn recover(folder: &Path) -> Result<(), BaselineError> {
    exchange::recover(folder).map_err(|error| unfinished(folder, &error))
}

fn unfinished(folder: &Path, error: &std::io::Error) -> BaselineError {
    BaselineError::Write { path: folder.to_path_buf(), what: error.to_string() }
}

fn to_parquet(shown: &RunNumbers) -> PolarsResult<Vec<u8>> {
    let places = || shown.numbers.keys();
    let words = |name: &str, get: fn(&Place) -> &str| {
        Column::new(name.into(), places().map(get).collect::<Vec<&str>>())
    };
    let counts = |name: &str, get: fn(&Place) -> Option<u32>| {
        Column::new(name.into(), places().map(get).collect::<Vec<Option<u32>>>())
    };
    let mut frame = DataFrame::new(
        shown.numbers.len(),
        vec![
            words("kind", |place| place.kind.as_str()),
            words("of", |place| &place.of),
            words("item", |place| &place.item),
            words("name", |place| &place.name),
            words("protocol", |place| &place.protocol),
            counts("layer", |place| place.layer),
            counts("position", |place| place.position),
            Column::new("value".into(), shown.numbers.values().copied().collect::<Vec<f32>>()),
        ],
    )?;
    parquet_bytes(&mut frame)
}

/// The numbers in a table; the error says what is wrong with it.
fn from_parquet(bytes: Vec<u8>) -> Result<BTreeMap<Place, f32>, String> {
    let said = |error: polars::error::PolarsError| error.to_string();
    let frame = parquet_frame(bytes).map_err(said)?;
    let words = |name: &str| frame.column(name).and_then(|column| column.str()).map_err(said);
    let counts = |name: &str| frame.column(name).and_then(|column| column.u32()).map_err(said);
    let (kind, of, item) = (words("kind")?, words("of")?, words("item")?);
    let (name, protocol) = (words("name")?, words("protocol")?);
    let (layer, position) = (counts("layer")?, counts("position")?);
    let value = frame.column("value").and_then(|column| column.f32()).map_err(said)?;
    let mut numbers = BTreeMap::new();
    for row in 0..frame.height() {
        let word = |column: &polars::prelude::StringChunked, name: &str| {
            column.get(row).map(str::to_string).ok_or_else(|| format!("row {row} has no {name}"))
        };
        let place = Place {
            kind: word(kind, "kind")?.parse().map_err(|e| format!("row {row}: {e}"))?,
            of: word(of, "of")?,
            item: word(item, "item")?,
            name: word(name, "name")?,
            protocol: word(protocol, "protocol")?,
            layer: layer.get(row),
            position: position.get(row),
        };
        let number = value.get(row).ok_or_else(|| format!("row {row} has no value"))?;
        if numbers.insert(place, number).is_some() {
            return Err(format!("row {row} repeats a place"));
        }
    }
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::{Kind, compare};
    use super::*;

    fn shown() -> RunNumbers {
        let place = |kind, layer, position| Place {
            kind,
            of: "m".into(),
            item: "p".into(),
            name: "resid".into(),
            protocol: "BOS auto".into(),
            layer,
            position,
        };
        RunNumbers {
            made_with: [("seed".to_string(), "1".to_string())].into(),
            verdicts: [("H1".to_string(), "supported".to_string())].into(),
            numbers: [
                (place(Kind::Observation, Some(0), Some(3)), 0.1),
                (place(Kind::Observation, None, None), f32::NAN),
                (place(Kind::Estimate, None, Some(7)), -0.0),
                (place(Kind::Measurement, Some(2), None), 1e-45),
            ]
            .into(),
        }
    }

    #[test]
    fn a_run_reads_back_bit_for_bit_and_twice_written_is_the_same_bytes() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        accept(one.path(), &shown(), None, "first").unwrap();
        accept(two.path(), &shown(), None, "first").unwrap();
        for name in [WORDS, NUMBERS, CHANGES] {
            assert_eq!(fs::read(one.path().join(name)).unwrap(), fs::read(two.path().join(name)).unwrap());
        }
        assert_eq!(fs::read_dir(one.path()).unwrap().count(), 3, "no part stays");
        let back = read(one.path()).unwrap();
        let bits =
            |p: &RunNumbers| p.numbers.iter().map(|(k, v)| (k.clone(), v.to_bits())).collect::<Vec<_>>();
        assert_eq!(bits(&back), bits(&shown()));
        assert_eq!((back.made_with, back.verdicts), (shown().made_with, shown().verdicts));
    }

    #[test]
    fn every_acceptance_is_noted_newest_first() {
        let dir = tempfile::tempdir().unwrap();
        accept(dir.path(), &shown(), None, "first").unwrap();
        let mut now = shown();
        now.verdicts.insert("H1".into(), "fragile".into());
        accept(dir.path(), &now, Some(&compare(&shown(), &now)), "why\n## not a heading").unwrap();
        let text = fs::read_to_string(dir.path().join(CHANGES)).unwrap();
        let headings: Vec<&str> = text.lines().filter(|line| line.starts_with('#')).collect();
        assert_eq!(headings, ["# Changes of the baseline", "## 2: why ## not a heading", "## 1: first"]);
        assert!(text.contains("  - H1: supported -> fragile\n"), "{text}");
    }

    #[test]
    fn what_is_wrong_with_a_baseline_is_said_with_its_remedy() {
        let dir = tempfile::tempdir().unwrap();
        let said = || read(dir.path()).unwrap_err().to_string();
        assert!(said().contains("no baseline") && said().contains("--accept --note"), "{}", said());
        write(dir.path(), &shown()).unwrap();
        fs::write(dir.path().join(NUMBERS), "not Parquet").unwrap();
        assert!(said().contains(NUMBERS) && said().contains("version control"), "{}", said());
        fs::write(dir.path().join(WORDS), "{\"schema\": 1, \"made_with\": {}, \"verdicts\": {}}").unwrap();
        assert!(said().contains(WORDS) && said().contains("schema 1"), "{}", said());
        fs::write(dir.path().join(WORDS), "{}").unwrap();
        assert!(said().contains("missing field"), "{}", said());
    }
}
