//! components.csv and paper2_correlation.csv: what single modules did, and correlations, by layer.

use std::path::Path;

use super::{protocol, published, reduction};
use crate::evidence::sheet::Sheet;
use crate::evidence::{EvidenceError, Measurement};
use crate::metric::Metric;
use crate::protocol::{Endpoint, Reduction};

const COMPONENTS: &[&str] =
    &["source", "model", "layer", "component", "gain", "token_reduction", "definition", "dtype", "n_prompts"];
const CORRELATIONS: &[&str] = &["model", "type", "layer", "r", "tap", "source"];

/// Gains of attention and MLP by block: aggregates over the prompts of their source.
pub(super) fn components(folder: &Path) -> Result<Vec<Measurement>, EvidenceError> {
    let sheet = Sheet::read(folder, "components.csv", COMPONENTS)?;
    let mut rows = Vec::new();
    for row in sheet.rows() {
        let known = [
            ("attn", Metric::AttentionGain),
            ("mlp", Metric::MlpGain),
            ("combined", Metric::ModuleGainProduct),
        ];
        let metric = row.word("component", &known)?;
        let prompts: u32 = row.integer("n_prompts")?.ok_or_else(|| row.bad("n_prompts", "a count"))?;
        rows.push(Measurement {
            metric,
            layer: Some(row.integer("layer")?.ok_or_else(|| row.bad("layer", "a block index"))?),
            protocol: protocol(reduction(row)?, Endpoint::LastBlock),
            dtype: row.required("dtype")?.to_string(),
            value: row.required_number("gain")?,
            definition: format!("{}; over {prompts} prompts", row.required("definition")?),
            ..published(row.required("source")?, row.required("model")?)
        });
    }
    Ok(rows)
}

/// Correlations by layer. The table writes models its own way.
pub(super) fn correlations(folder: &Path) -> Result<Vec<Measurement>, EvidenceError> {
    let sheet = Sheet::read(folder, "paper2_correlation.csv", CORRELATIONS)?;
    let mut rows = Vec::new();
    for row in sheet.rows() {
        let (model, template) = row.word(
            "model",
            &[
                ("Pythia-6.9B", ("pythia-6.9b", "")),
                ("Llama-3.1-8B", ("llama-3.1-8b", "")),
                ("Llama-3.1-8B-Instruct-NoTemplate", ("llama-3.1-8b-instruct", "; no chat template")),
                ("Llama-3.1-8B-Instruct-WithTemplate", ("llama-3.1-8b-instruct", "; with chat template")),
                ("Gemma-2B", ("gemma-2b", "")),
                ("Apertus-8B", ("apertus-8b", "")),
            ],
        )?;
        rows.push(Measurement {
            metric: Metric::EmbeddingCorrelation,
            layer: Some(row.integer("layer")?.ok_or_else(|| row.bad("layer", "a layer index"))?),
            // The filing of a metric that no reduction of ours enters.
            protocol: protocol(Reduction::Last, Endpoint::HfLast),
            dtype: "not published".into(),
            value: row.required_number("r")?,
            definition: format!("{}{template}", row.required("tap")?),
            ..published(row.required("source")?, model)
        });
    }
    Ok(rows)
}
