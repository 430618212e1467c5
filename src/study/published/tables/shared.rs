//! What several tables have in common: columns of the same name, and a row with everything filled in that they share.

use std::collections::BTreeMap;

use super::error::EvidenceError;
use super::sheet::Row;
use number::evidence::{Evidence, Measurement};
use number::metric::Metric;
use number::protocol::{Bos, Endpoint, Protocol, Reduction};
use number::text::Text;

/// Words of `dtype` columns.
pub(super) const DTYPES: &[(&str, &str)] =
    &[("float32", "float32"), ("float16", "float16"), ("bfloat16", "bfloat16")];

/// dtype of the run behind a (source, model).
pub(super) type Dtypes = BTreeMap<(String, String), String>;
/// Number of blocks by model, as the result files state it.
pub(super) type Blocks = BTreeMap<String, u32>;

/// The column `token_reduction`.
pub(super) fn reduction(row: Row<'_>) -> Result<Reduction, EvidenceError> {
    row.word(
        "token_reduction",
        &[
            ("frobenius_all_tokens", Reduction::Frobenius),
            ("mean_token_norm", Reduction::Mean),
            ("last_token", Reduction::Last),
        ],
    )
}

/// No source changed what its tokenizer does about BOS.
pub(super) fn protocol(reduction: Reduction, endpoint: Endpoint) -> Option<Protocol> {
    Some(Protocol::new(reduction, endpoint, Bos::Auto))
}

/// `__mean__` marks an aggregate over prompts, which has no prompt.
pub(super) fn prompt(row: Row<'_>) -> Result<Option<Text>, EvidenceError> {
    let id = row.required("prompt_id")?;
    Ok((id != "__mean__").then(|| id.into()))
}

/// The column `layer`, which ends with the model's last one where that is known.
pub(super) fn layer(row: Row<'_>, last: Option<u32>) -> Result<u32, EvidenceError> {
    let layer = row.integer("layer")?.ok_or_else(|| row.bad("layer", "a layer index"))?;
    match last {
        Some(last) if layer > last => {
            Err(row.bad("layer", &format!("at most {last}, the model's last layer")))
        }
        _ => Ok(layer),
    }
}

/// A measurement with everything but metric, layer, value and definition filled in.
pub(super) fn published(source: &str, model: &str) -> Measurement {
    Measurement {
        evidence: Evidence::Published,
        source: source.into(),
        model: model.into(),
        prompt: None,
        category: None,
        metric: Metric::LastGain,
        branch: None,
        layer: None,
        protocol: None,
        dtype: "".into(),
        value: 0.0,
        definition: "".into(),
    }
}
