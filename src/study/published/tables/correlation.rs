//! paper2_correlation.csv: how the embedding of a statement goes with the output's preference for it, by layer.
//!
//! The table prints two decimals. Pooling, precision and the full model name are from the notebooks behind it. Its
//! intervals are checked to hold their number and left out: the schema has one number per row.

use std::path::Path;

use super::bounds::{Bounds, Numbers};
use super::error::EvidenceError;
use super::shared::{protocol, published};
use super::sheet::{Row, Sheet};
use number::evidence::Measurement;
use number::metric::Metric;
use number::protocol::{Endpoint, Reduction};

const NUMBERS: Numbers = &[
    ("n_layers", Bounds::Count),
    ("layer", Bounds::Index),
    ("r", Bounds::Correlation),
    ("ci_lo", Bounds::Correlation),
    ("ci_hi", Bounds::Correlation),
];

const COLUMNS: &[&str] = &["model", "n_layers", "layer", "r", "ci_lo", "ci_hi", "tap"];

/// One run: its rows have a source of their own where the prompts differ.
#[derive(Clone, Copy)]
struct Run {
    model: &'static str,
    source: &'static str,
    dtype: &'static str,
}

const SOURCE: &str = "paper2_correlation";
const TEMPLATE: &str = "paper2_correlation_template";

const RUNS: &[(&str, Run)] = &[
    ("Pythia-6.9B", Run { model: "pythia-6.9b", source: SOURCE, dtype: "float16" }),
    ("Llama-3.1-8B", Run { model: "llama-3.1-8b", source: SOURCE, dtype: "float16" }),
    (
        "Llama-3.1-8B-Instruct-NoTemplate",
        Run { model: "llama-3.1-8b-instruct", source: SOURCE, dtype: "float16" },
    ),
    (
        "Llama-3.1-8B-Instruct-WithTemplate",
        Run { model: "llama-3.1-8b-instruct", source: TEMPLATE, dtype: "float16" },
    ),
    ("Apertus-8B", Run { model: "apertus-8b-2509", source: SOURCE, dtype: "float32" }),
    ("Gemma-2B", Run { model: "gemma-2b", source: SOURCE, dtype: "float16" }),
];

pub(super) fn import(folder: &Path) -> Result<Vec<Measurement>, EvidenceError> {
    let sheet = Sheet::read(folder, "paper2_correlation.csv", COLUMNS, NUMBERS)?;
    sheet.rows().map(measurement).collect()
}

fn measurement(row: Row<'_>) -> Result<Measurement, EvidenceError> {
    let run = row.word("model", RUNS)?;
    row.word("tap", &[("hf_hidden_states (layer = n_layers is after the final norm)", ())])?;
    let blocks: u32 = row.integer("n_layers")?.ok_or_else(|| row.bad("n_layers", "the number of blocks"))?;
    let layer = row
        .integer("layer")?
        .filter(|layer| *layer <= blocks)
        .ok_or_else(|| row.bad("layer", &format!("a layer of 0..{blocks}")))?;
    let (low, high) = (row.required_number("ci_lo")?, row.required_number("ci_hi")?);
    let r = row.required_number("r")?;
    if !(-1.0 <= low && low <= r && r <= high && high <= 1.0) {
        return Err(row.bad("r", &format!("a correlation inside its interval {low}..{high}")));
    }
    let last = layer == blocks;
    let mut definition = String::from("230 statement pairs; printed to two decimals");
    if last {
        definition.push_str("; after the final norm");
    }
    if run.source == TEMPLATE {
        definition.push_str("; statements inside the chat template");
    }
    Ok(Measurement {
        metric: Metric::EmbeddingCorrelation,
        layer: Some(layer),
        protocol: protocol(
            Reduction::MeanWithoutFirst,
            if last { Endpoint::HfLast } else { Endpoint::LastBlock },
        ),
        dtype: run.dtype.into(),
        value: r,
        definition: definition.into(),
        ..published(run.source, run.model)
    })
}
