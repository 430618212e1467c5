//! auto-round: whole numbers as GPTQ or AWQ packs them; `packing_format` says which.
//!
//! `auto_round` (also `auto_round:gptqmodel`) stores zero points as they are, `auto_round:auto_gptq` minus one, each by itself.
//! Reference: `QuantLinear` of `torch/qlinear_torch.py` and `torch/qlinear_torch_zp.py` in `auto_round_extension` of auto-round 0.16,
//! in float32. `extra_config` may give modules other bits and groups.

use super::{super::error::CheckpointError, awq, gptq, plan::Plan, source::Source};

const PACKING: &str = "packing_format";
/// The first is what a config without the key means.
const PACKINGS: [&str; 7] = [
    "auto_round:auto_gptq",
    "auto_round:gptq",
    "auto",
    "auto_round",
    "auto_round:gptqmodel",
    "auto_round:auto_awq",
    "auto_round:awq",
];

pub(super) fn weights(source: &Source<'_>) -> Result<Plan, CheckpointError> {
    source.one_of("data_type", &["int"])?;
    match source.one_of(PACKING, &PACKINGS)? {
        "auto_round" | "auto_round:gptqmodel" => gptq::stored_with(source, gptq::Zeros::AsTheyAre),
        "auto_round:auto_awq" | "auto_round:awq" => awq::weights(source),
        _ => gptq::stored_with(source, gptq::Zeros::EachBelow),
    }
}
