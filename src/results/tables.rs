//! Tidy Parquet tables for other tools: one row per observed value or measurement, every column named and typed.
//!
//! `observations.parquet`: one row per (model, prompt, BOS policy, layer l, token position), columns `evidence`,
//! `source`, `model`, `prompt`, `category`, `bos`, `dtype`, `position` (0 = first token run), `token_id`, `layer`
//! (0 = entering block 0 … L = after the last block), and every tap that has a value for each token ([`of_tokens`]): of the
//! stream; of block l, null where l = L; of tokens after the last block, null where l < L. What an observation has beside
//! these has rows in `measurements.parquet`.
//!
//! `measurements.parquet`: one row per number, columns `evidence`, `source`, `model`, `prompt`, `category`, `metric`,
//! `layer`, `reduction`, `endpoint`, `bos` (the parts of the protocol that enter the number; null for the others, for properties of the weights all), `dtype`, `value`
//! (unit by metric) and `definition` (where the source deviates from the metric's definition).
//!
//! Rows are in the order given; same rows, same bytes.

use std::{
    borrow::Cow,
    io,
    path::{Path, PathBuf},
};

use polars::prelude::{Column, DataFrame, PolarsError, PolarsResult};
use rayon::prelude::*;

use crate::parquet::parquet_bytes_for_all;
use base::hash::Key;
use base::publish;
use number::{
    evidence::{Evidence, Measurement},
    metric::DecisiveParts,
    observation::{ATTENTION, Axes, MLP, NamedTap, PromptObservation, branches_of, named},
    protocol::{Bos, Endpoint, Reduction},
};

/// Why a table could not be written.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The file or its folder cannot be written.
    #[error(
        "cannot write {}: {source}; make room or choose another folder, what is stored is not lost", path.display()
    )]
    Write {
        /// The file, or its folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Parquet refuses the columns.
    #[error("{}: Parquet failed: {source}", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What the library says.
        source: PolarsError,
    },
}

/// One observation with the names under which it enters tables.
#[derive(Clone, Copy, Debug)]
pub struct Observed<'a> {
    /// What the model is evidence of.
    pub evidence: Evidence,
    /// Who measured, e.g. `streamgauge`.
    pub source: &'a str,
    /// Id of the model.
    pub model: &'a str,
    /// Id of the prompt.
    pub prompt: &'a str,
    /// Category of the prompt.
    pub category: &'a str,
    /// BOS policy under which it was observed.
    pub bos: Bos,
    /// Precision of the computation.
    pub dtype: &'a str,
    /// What was observed.
    pub observation: &'a PromptObservation,
}

/// Writes `observations.parquet` at `path`, replacing it whole, and gives the digest of its bytes.
pub fn write_observations(path: &Path, observed: &[Observed<'_>]) -> Result<Key, TableError> {
    let taps = shown(observed);
    let rows = |o: &Observed<'_>| (o.observation.blocks() + 1) * o.observation.tokens();
    write(path, parts(observed, rows).map(|part| observations(part, &taps)))
}

/// Writes `measurements.parquet` at `path`, replacing it whole, and gives the digest of its bytes.
pub fn write_measurements<'a>(
    path: &Path,
    rows: impl IntoIterator<Item = &'a Measurement>,
) -> Result<Key, TableError> {
    let rows: Vec<&Measurement> = rows.into_iter().collect();
    write(path, parts(&rows, |_| 1).map(measurements))
}

/// Rows of a part of a table, as many as polars puts into a row group: a table of ten million rows is a few gigabytes in memory.
const PART: usize = 512 * 512;

/// Neighbours that make [`PART`] rows together, or as many more as the last of them has; one part without any where there are none.
fn parts<T>(all: &[T], rows: impl Fn(&T) -> usize) -> impl Iterator<Item = &[T]> {
    let mut rest = Some(all);
    std::iter::from_fn(move || {
        let left = rest?;
        let mut sum = 0;
        let end = left.iter().position(|one| {
            sum += rows(one);
            sum >= PART
        });
        let (part, others) = left.split_at(end.map_or(left.len(), |last| last + 1));
        rest = Some(others).filter(|others| !others.is_empty());
        Some(part)
    })
}

/// The taps that have columns in `observations.parquet`: those of all its parts.
fn shown(observed: &[Observed<'_>]) -> Vec<NamedTap> {
    let all = || observed.iter().map(|o| o.observation);
    let others = branches_of(all()).into_iter().filter(|branch| ![ATTENTION, MLP].contains(branch));
    let branches: Vec<&str> = [ATTENTION, MLP].into_iter().chain(others).collect();
    let shown = |tap: &NamedTap| !tap.tap.optional || all().any(|o| o.has(&tap.name));
    of_tokens(&branches).into_iter().filter(shown).collect()
}

fn observations(observed: &[Observed<'_>], taps: &[NamedTap]) -> PolarsResult<DataFrame> {
    let rows = || {
        observed.iter().flat_map(|o| {
            let (layers, tokens) = (o.observation.blocks() + 1, o.observation.tokens());
            (0..layers).flat_map(move |l| (0..tokens).map(move |t| (o, l, t)))
        })
    };
    let strings = |name: &str, get: fn(&Observed<'_>) -> String| {
        Column::new(name.into(), rows().map(|(o, ..)| get(o)).collect::<Vec<String>>())
    };
    let numbers = |name: &str, get: fn(&PromptObservation, usize, usize) -> u32| {
        Column::new(name.into(), rows().map(|(o, l, t)| get(o.observation, l, t)).collect::<Vec<u32>>())
    };
    let mut columns = vec![
        strings("evidence", |o| o.evidence.to_string()),
        strings("source", |o| o.source.to_string()),
        strings("model", |o| o.model.to_string()),
        strings("prompt", |o| o.prompt.to_string()),
        strings("category", |o| o.category.to_string()),
        strings("bos", |o| o.bos.to_string()),
        strings("dtype", |o| o.dtype.to_string()),
        numbers("position", |_, _, t| t as u32),
        numbers("token_id", |o, _, t| o.token_ids[t]),
        numbers("layer", |_, l, _| l as u32),
    ];
    for tap in taps {
        let mut values: Vec<Option<f32>> = Vec::with_capacity(rows().count());
        for o in observed.iter().map(|o| o.observation) {
            let (table, blocks) = (o.tap(&tap.name), o.blocks());
            for (l, t) in (0..=blocks).flat_map(|l| (0..o.tokens()).map(move |t| (l, t))) {
                let at =
                    if tap.tap.axes == Axes::Tokens { (l == blocks).then_some([0, t]) } else { Some([l, t]) };
                values.push(at.and_then(|at| table.get(at)).copied().filter(|value| !value.is_nan()));
            }
        }
        columns.push(Column::new(tap.name.as_str().into(), values));
    }
    DataFrame::new(rows().count(), columns)
}

/// The taps of blocks with these branches that have a value for each token, in the order of their columns.
pub(crate) fn of_tokens(branches: &[&str]) -> Vec<NamedTap> {
    let by_token = |tap: &NamedTap| matches!(tap.tap.axes, Axes::Stream | Axes::Blocks | Axes::Tokens);
    named(branches).into_iter().filter(by_token).collect()
}

/// What a column of the measurements holds.
enum Holds {
    Text(fn(&Measurement) -> Option<&str>),
    Name,
    Layer,
    Value,
}

fn measurements(rows: &[&Measurement]) -> PolarsResult<DataFrame> {
    use Holds::{Layer, Name, Text, Value};
    let columns: [(&str, Holds); 13] = [
        ("evidence", Text(|m| Some(m.evidence.as_str()))),
        ("source", Text(|m| Some(&m.source))),
        ("model", Text(|m| Some(&m.model))),
        ("prompt", Text(|m| m.prompt.as_deref())),
        ("category", Text(|m| m.category.as_deref())),
        ("metric", Name),
        ("layer", Layer),
        ("reduction", Text(|m| entering(m)?.reduction.map(Reduction::as_str))),
        ("endpoint", Text(|m| entering(m)?.endpoint.map(Endpoint::as_str))),
        ("bos", Text(|m| entering(m)?.bos.map(Bos::as_str))),
        ("dtype", Text(|m| Some(&m.dtype))),
        ("value", Value),
        ("definition", Text(|m| Some(&m.definition))),
    ];
    let columns = columns.into_par_iter().map(|(name, holds)| match holds {
        Text(get) => Column::new(name.into(), rows.iter().map(|m| get(m)).collect::<Vec<Option<&str>>>()),
        Name => Column::new(name.into(), rows.iter().map(|m| m.name()).collect::<Vec<Cow<'_, str>>>()),
        Layer => Column::new(name.into(), rows.iter().map(|m| m.layer).collect::<Vec<Option<u32>>>()),
        Value => Column::new(name.into(), rows.iter().map(|m| m.value).collect::<Vec<f64>>()),
    });
    DataFrame::new(rows.len(), columns.collect())
}

/// The parts of its protocol that enter a number: one of them that decides nothing would look like one that does.
fn entering(row: &Measurement) -> Option<DecisiveParts> {
    Some(row.metric.decisive(row.protocol?))
}

fn write(path: &Path, parts: impl Iterator<Item = PolarsResult<DataFrame>>) -> Result<Key, TableError> {
    let bytes = parquet_bytes_for_all(parts);
    let bytes = bytes.map_err(|source| TableError::Parquet { path: path.to_path_buf(), source })?;
    let failed = |path: &Path| {
        let path = path.to_path_buf();
        move |source| TableError::Write { path, source }
    };
    if let Some(folder) = path.parent() {
        publish::make_folder(folder).map_err(failed(folder))?;
    }
    publish::write_synced(path, &[&bytes]).map_err(failed(path))?;
    Ok(Key::of_bytes(&bytes))
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Cursor};

    use polars::prelude::{ParquetReader, SerReader};

    use super::*;
    use number::{metric::Metric, protocol::Protocol};

    fn read(path: &Path) -> DataFrame {
        ParquetReader::new(Cursor::new(fs::read(path).unwrap())).finish().unwrap()
    }

    fn text(frame: &DataFrame, column: &str, row: usize) -> Option<String> {
        frame.column(column).unwrap().str().unwrap().get(row).map(str::to_string)
    }

    #[test]
    fn every_observed_value_has_a_row_with_its_names() {
        let dir = tempfile::tempdir().unwrap();
        let mut observation = PromptObservation::made([2, 2, 4], |tap, [layer, t]| match tap {
            "resid" => [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]][layer][t],
            "attn_out" | "attn_module_out" => 0.5,
            "mlp_out" | "mlp_module_out" => 0.25,
            "write" => 0.75,
            "write_cosine" => 1.0,
            "final_norm" => [10.0, 11.0][t],
            _ => 2.0,
        });
        observation.token_ids = vec![7, 8];
        let observed = Observed {
            evidence: Evidence::Rehearsal,
            source: "streamgauge",
            model: "m",
            prompt: "p",
            category: "Factual",
            bos: Bos::Never,
            dtype: "float32",
            observation: &observation,
        };
        let path = dir.path().join("tables/observations.parquet");
        write_observations(&path, &[observed, Observed { prompt: "q", ..observed }]).unwrap();
        let frame = read(&path);
        assert_eq!(frame.height(), 12);
        let f32s = |c: &str, row| frame.column(c).unwrap().f32().unwrap().get(row);
        let u32s = |c: &str, row| frame.column(c).unwrap().u32().unwrap().get(row);
        // Row 9 is prompt q, layer 1, position 1; row 11 its last layer.
        assert_eq!(
            (text(&frame, "prompt", 9).as_deref(), text(&frame, "bos", 9).as_deref()),
            (Some("q"), Some("never"))
        );
        assert_eq!((u32s("layer", 9), u32s("position", 9), u32s("token_id", 9)), (Some(1), Some(1), Some(8)));
        assert_eq!(
            (f32s("resid", 9), f32s("attn_out", 9), f32s("final_norm", 9)),
            (Some(3.0), Some(0.5), None)
        );
        assert_eq!(
            (f32s("resid", 11), f32s("attn_out", 11), f32s("final_norm", 11)),
            (Some(5.0), None, Some(11.0))
        );
        assert_eq!((f32s("write", 9), f32s("write_cosine", 11)), (Some(0.75), None));
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no temporary file stays");
    }

    #[test]
    fn every_measurement_carries_its_protocol() {
        let dir = tempfile::tempdir().unwrap();
        let protocol = Protocol::new(Reduction::Last, Endpoint::HfLast, Bos::Auto);
        let gain = Measurement {
            evidence: Evidence::Published,
            source: "four_model".into(),
            model: "Pythia-6.9B".into(),
            prompt: Some("p".into()),
            category: None,
            metric: Metric::LastGain,
            branch: None,
            layer: Some(3),
            protocol: Some(protocol),
            dtype: "bfloat16".into(),
            value: 1.5332,
            definition: "hidden_states[-1] / hidden_states[-2]".into(),
        };
        let weights = Measurement {
            metric: Metric::UnembeddingSpectralNorm,
            protocol: None,
            branch: None,
            layer: None,
            prompt: None,
            ..gain.clone()
        };
        let entropy = Measurement { metric: Metric::OutputEntropy, layer: None, ..gain.clone() };
        let path = dir.path().join("measurements.parquet");
        let rows = [&gain, &weights, &entropy];
        write_measurements(&path, rows).unwrap();
        let once = fs::read(&path).unwrap();
        write_measurements(&path, rows).unwrap();
        assert_eq!(fs::read(&path).unwrap(), once);
        let frame = read(&path);
        assert_eq!(text(&frame, "reduction", 0).as_deref(), Some("last"));
        assert_eq!(text(&frame, "endpoint", 0).as_deref(), Some("hf-last"));
        assert_eq!(text(&frame, "bos", 0).as_deref(), Some("auto"));
        assert_eq!(text(&frame, "evidence", 0).as_deref(), Some("published"));
        assert_eq!(frame.column("value").unwrap().f64().unwrap().get(0), Some(1.5332));
        assert_eq!((text(&frame, "reduction", 1), text(&frame, "prompt", 1)), (None, None));
        assert_eq!(
            (text(&frame, "reduction", 2), text(&frame, "endpoint", 2)),
            (None, None),
            "neither enters"
        );
        assert_eq!(text(&frame, "bos", 2).as_deref(), Some("auto"), "what precedes the prompt does");
    }
}
