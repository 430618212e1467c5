//! Cohere 2, Command R7B and A (`transformers/models/cohere2/modeling_cohere2.py`): Cohere with a window in three blocks of
//! four; the others see everything but positions.

use serde_json::{Map, Value as Json};

use crate::{
    arch::{
        ArchError, Architecture,
        choices::{Decoder, NormKind, Norms, Residual},
        class::{Class, count, factor},
        config::only,
    },
    nn::rope::Pairs,
};

pub(super) const FAMILY: &str = "cohere2";
const CLASS: Class = Class {
    context: 8192,
    norm: NormKind::LayerWithoutBias,
    epsilon: (Some("layer_norm_eps"), 1e-5),
    tied: true,
    mlp_bias: None,
    pairs: Pairs::Neighbours,
    window: Some(4096),
    ..Class::like_llama(FAMILY)
};

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let computed = ["use_parallel_block", "use_gated_activation", "use_embedding_sharing"];
    only(json, &computed.map(|key| (key, true.into())))?;
    only(json, &[("use_qk_norm", false.into())])?;
    let logit_scale = factor(FAMILY, json, "logit_scale")?.unwrap_or(0.0625);
    let pattern = count(FAMILY, json, "sliding_window_pattern")?.unwrap_or(4);
    let mut llama = CLASS.decoder(json)?;
    llama.sizes.without_head_dim(FAMILY)?;
    let windows = CLASS.windows(json, &llama, |layer| !(layer + 1).is_multiple_of(pattern))?;
    Ok(Box::new(Decoder {
        residual: Residual::Parallel,
        norms: Norms::shared("input_layernorm"),
        logit_scale: Some(logit_scale as f32),
        ..llama.with_windows(&windows).turning_where(|layer| windows[layer].is_some())
    }))
}
