//! measurements.csv: last gains, cumulative gains and entropies per (source, model, prompt).

use std::path::Path;

use super::bounds::{Bounds, Numbers};
use super::error::EvidenceError;
use super::shared::{Blocks, Dtypes, prompt, protocol, published, reduction};
use super::sheet::{Row, Sheet};
use number::evidence::Measurement;
use number::metric::Metric;
use number::protocol::Endpoint;
use number::text::Text;

/// What measurements.csv holds.
pub(super) struct Gains {
    pub rows: Vec<Measurement>,
    pub dtypes: Dtypes,
    pub blocks: Blocks,
}

const NUMBERS: Numbers = &[
    ("last_gain", Bounds::Ratio),
    ("total_amplification", Bounds::Ratio),
    ("entropy_nats", Bounds::Nats),
    ("top_prob", Bounds::Share),
    ("n_layers", Bounds::Count),
    ("gain_std", Bounds::NotNegative),
    ("n_prompts", Bounds::Count),
];

const COLUMNS: &[&str] = &[
    "source",
    "model",
    "prompt_id",
    "prompt_category",
    "token_reduction",
    "final_tap",
    "dtype",
    "last_gain",
    "total_amplification",
    "entropy_nats",
    "top_prob",
    "n_layers",
    "n_prompts",
    "norm_precision",
    "measured_block",
    "total_amp_definition",
    "notes",
];

pub(super) fn import(folder: &Path) -> Result<Gains, EvidenceError> {
    let sheet = Sheet::read(folder, "measurements.csv", COLUMNS, NUMBERS)?;
    let mut gains = Gains { rows: Vec::new(), dtypes: Dtypes::new(), blocks: Blocks::new() };
    for row in sheet.rows() {
        let (source, model) = (row.required("source")?, row.required("model")?);
        let dtype = row.word("dtype", super::shared::DTYPES)?;
        let known = gains.dtypes.entry((source.to_string(), model.to_string())).or_insert(dtype.to_string());
        if known != dtype {
            return Err(row.bad("dtype", &format!("{known}, as the rows above of {source} and {model}")));
        }
        let blocks: u32 =
            row.integer("n_layers")?.ok_or_else(|| row.bad("n_layers", "the number of blocks"))?;
        let listed = *gains.blocks.entry(model.to_string()).or_insert(blocks);
        if listed != blocks {
            return Err(row.bad("n_layers", &format!("{listed}, as the rows above of {model}")));
        }
        gains.rows.extend(numbers(row, source, model, dtype, blocks)?);
    }
    Ok(gains)
}

/// The numbers of one row; those that were not published are left out.
fn numbers(
    row: Row<'_>,
    source: &str,
    model: &str,
    dtype: &str,
    blocks: u32,
) -> Result<Vec<Measurement>, EvidenceError> {
    let endpoint = endpoint(row, blocks)?;
    let blank = Measurement {
        prompt: prompt(row)?,
        category: row.some("prompt_category").map(Text::from),
        protocol: protocol(reduction(row)?, endpoint),
        dtype: dtype.into(),
        ..published(source, model)
    };
    let mut found = Vec::new();
    let mut add = |metric: Metric, value: Option<f64>| -> Result<(), EvidenceError> {
        if let Some(value) = value {
            found.push(Measurement {
                metric,
                value,
                definition: definition(row, metric)?.into(),
                ..blank.clone()
            });
        }
        Ok(())
    };
    add(Metric::LastGain, Some(row.required_number("last_gain")?))?;
    if let Some(total) = row.number("total_amplification")? {
        add(total_metric(row, endpoint)?, Some(total))?;
    }
    add(Metric::OutputEntropy, row.number("entropy_nats")?)?;
    add(Metric::TopProbability, row.number("top_prob")?)?;
    Ok(found)
}

/// The tap decides the endpoint; the block that the number really belongs to must agree with it.
fn endpoint(row: Row<'_>, blocks: u32) -> Result<Endpoint, EvidenceError> {
    let endpoint = row.word(
        "final_tap",
        &[
            ("block_output", Endpoint::LastBlock),
            ("hf_hidden_states_post_final_norm", Endpoint::HfLast),
            ("hf_hidden_states_excluding_final", Endpoint::HfPenultimate),
        ],
    )?;
    let (last, before) = (blocks.saturating_sub(1), blocks.saturating_sub(2));
    let block = match endpoint {
        Endpoint::LastBlock => last.to_string(),
        Endpoint::HfLast => format!("norm({last})/{before}"),
        Endpoint::HfPenultimate => before.to_string(),
    };
    if row.text("measured_block") != block {
        return Err(
            row.bad("measured_block", &format!("{block}, which {endpoint} of {blocks} blocks divides"))
        );
    }
    Ok(endpoint)
}

/// Total amplification is two different numbers, told apart by what it is divided by.
fn total_metric(row: Row<'_>, endpoint: Endpoint) -> Result<Metric, EvidenceError> {
    let (metric, tap) = row.word(
        "total_amp_definition",
        &[
            ("final_block/embedding", (Metric::CumulativeGain, Endpoint::LastBlock)),
            ("post_final_norm/embedding", (Metric::CumulativeGain, Endpoint::HfLast)),
            ("final_block/first_block", (Metric::GainAfterFirstBlock, Endpoint::LastBlock)),
        ],
    )?;
    if tap != endpoint {
        return Err(row.bad("total_amp_definition", &format!("a total of the row's own tap ({endpoint})")));
    }
    Ok(metric)
}

/// Where the source deviates from the metric's definition, in words.
fn definition(row: Row<'_>, metric: Metric) -> Result<String, EvidenceError> {
    let is_gain = matches!(metric, Metric::LastGain | Metric::CumulativeGain | Metric::GainAfterFirstBlock);
    let mut parts: Vec<String> = Vec::new();
    let prompts: u64 = row.integer("n_prompts")?.unwrap_or(1);
    if prompts > 1 {
        parts.push(format!("mean over {prompts} prompts"));
    }
    let rounding = row.word(
        "norm_precision",
        &[
            ("float32", ""),
            ("float16", "norms rounded to float16 (11 significant bits)"),
            ("bfloat16", "norms rounded to bfloat16 (8 significant bits)"),
        ],
    )?;
    if is_gain && !rounding.is_empty() {
        parts.push(rounding.to_string());
    }
    let about = |note: &str| match note {
        // Said above, from the column.
        _ if note.starts_with("norms rounded") || note.starts_with("norms computed") => false,
        // Found in the numbers themselves, and only where it is so.
        _ if note.starts_with("BASE row is numerically identical") => false,
        _ if note.contains("ntropy") || note.contains("softmax") => !is_gain,
        _ if note.contains("mbedding hook") => metric == Metric::CumulativeGain,
        _ if note.contains("numerator") || note.contains("Frobenius") || note.contains("block") => is_gain,
        _ => true,
    };
    parts.extend(notes(row.text("notes")).into_iter().filter(|note| about(note)).map(str::to_string));
    Ok(parts.join("; "))
}

/// Clauses of a note; the sources join them with `; ` and, once, `. `.
fn notes(text: &str) -> Vec<&str> {
    text.split("; ").flat_map(|clause| clause.split(". ")).map(str::trim).filter(|c| !c.is_empty()).collect()
}
