//! components.csv: what attention and the MLP put out over what they took in, by block.

use std::path::Path;

use super::bounds::{Bounds, Numbers};
use super::error::EvidenceError;
use super::shared::{Blocks, layer, protocol, published, reduction};
use super::sheet::Sheet;
use number::evidence::Measurement;
use number::metric::Metric;
use number::protocol::Endpoint;

const NUMBERS: Numbers = &[("layer", Bounds::Index), ("gain", Bounds::Ratio), ("n_prompts", Bounds::Count)];

const COMPONENTS: &[&str] =
    &["source", "model", "layer", "component", "gain", "token_reduction", "definition", "dtype", "n_prompts"];

/// Gains of attention and MLP by block: aggregates over the prompts of their source.
pub(super) fn import(folder: &Path, blocks: &Blocks) -> Result<Vec<Measurement>, EvidenceError> {
    let sheet = Sheet::read(folder, "components.csv", COMPONENTS, NUMBERS)?;
    let mut rows = Vec::new();
    for row in sheet.rows() {
        let known = [
            ("attn", Metric::AttentionGain),
            ("mlp", Metric::MlpGain),
            ("combined", Metric::ModuleGainProduct),
        ];
        let metric = row.word("component", &known)?;
        let prompts: u32 = row.integer("n_prompts")?.ok_or_else(|| row.bad("n_prompts", "a count"))?;
        let layer = layer(row, blocks.get(row.required("model")?).map(|blocks| blocks - 1))?;
        rows.push(Measurement {
            metric,
            layer: Some(layer),
            protocol: protocol(reduction(row)?, Endpoint::LastBlock),
            dtype: row.word("dtype", super::shared::DTYPES)?.into(),
            value: row.required_number("gain")?,
            definition: format!(
                "{}; over {prompts} prompt{}",
                row.required("definition")?,
                if prompts == 1 { "" } else { "s" }
            )
            .into(),
            ..published(row.required("source")?, row.required("model")?)
        });
    }
    Ok(rows)
}
