//! layer_profile.csv: norms and gains by layer. Layer 0 is the embedding, layer l the output of block l-1.

use std::path::Path;

use super::bounds::{Bounds, Numbers};
use super::error::EvidenceError;
use super::shared::{Blocks, Dtypes, layer, prompt, protocol, published, reduction};
use super::sheet::{Row, Sheet};
use number::evidence::Measurement;
use number::metric::Metric;
use number::protocol::Endpoint;

const NUMBERS: Numbers = &[("layer", Bounds::Index), ("norm", Bounds::Positive), ("gain", Bounds::Ratio)];

const COLUMNS: &[&str] = &[
    "source",
    "model",
    "prompt_id",
    "token_reduction",
    "final_tap",
    "layer",
    "norm",
    "gain",
    "row_tap",
    "notes",
];

/// The gain of layer l divides the norm of layer l by that of layer l-1, so the row's own tap is the numerator's.
pub(super) fn import(
    folder: &Path,
    dtypes: &Dtypes,
    blocks: &Blocks,
) -> Result<Vec<Measurement>, EvidenceError> {
    let sheet = Sheet::read(folder, "layer_profile.csv", COLUMNS, NUMBERS)?;
    let mut rows = Vec::new();
    for row in sheet.rows() {
        rows.extend(numbers(row, dtypes, blocks)?);
    }
    Ok(rows)
}

#[derive(Clone, Copy, PartialEq)]
enum Tap {
    Embedding,
    Block,
    FinalNorm,
}

fn numbers(row: Row<'_>, dtypes: &Dtypes, blocks: &Blocks) -> Result<Vec<Measurement>, EvidenceError> {
    let (source, model) = (row.required("source")?, row.required("model")?);
    let dtype = dtypes
        .get(&(source.to_string(), model.to_string()))
        .ok_or_else(|| row.bad("source", &format!("a source with rows of {model} in measurements.csv")))?;
    let layer = layer(row, blocks.get(model).copied())?;
    let tap = row.word(
        "row_tap",
        &[("embedding", Tap::Embedding), ("block_output", Tap::Block), ("post_final_norm", Tap::FinalNorm)],
    )?;
    if (tap == Tap::Embedding) != (layer == 0) {
        return Err(row.bad("row_tap", "embedding at layer 0 and nowhere else"));
    }
    let endpoint = if tap == Tap::FinalNorm { Endpoint::HfLast } else { Endpoint::LastBlock };
    let blank = Measurement {
        prompt: prompt(row)?,
        layer: Some(layer),
        protocol: protocol(reduction(row)?, endpoint),
        dtype: dtype.into(),
        ..published(source, model)
    };
    let mut found = Vec::new();
    let mut add = |metric, layer, value: f64| {
        found.push(Measurement {
            metric,
            layer,
            value,
            definition: definition(row, layer, metric).into(),
            ..blank.clone()
        })
    };
    if let Some(norm) = row.number("norm")? {
        add(Metric::ResidualNorm, Some(layer), norm);
        if tap == Tap::Embedding {
            add(Metric::EmbeddingNorm, None, norm);
        }
    }
    if let Some(gain) = row.number("gain")? {
        add(Metric::LayerGain, Some(layer), gain);
    }
    Ok(found)
}

/// Notes that concern this number: an unscaled embedding enters the embedding's norm and the first gain only.
fn definition(row: Row<'_>, layer: Option<u32>, metric: Metric) -> String {
    let note = row.text("notes");
    let embedding = layer.unwrap_or(0) == 0 || (layer == Some(1) && metric == Metric::LayerGain);
    let said = match note {
        _ if note.contains("raw embed_tokens") => embedding,
        // Missing numbers are missing rows.
        _ if note.contains("not measured") || note.contains("not published") => false,
        _ => true,
    };
    if said { note.to_string() } else { String::new() }
}
