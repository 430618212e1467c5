//! GLM-4.5 and 4.6 (`transformers/models/glm4_moe/modeling_glm4_moe.py`): LLaMA with biases on q, k and v, norms on heads of q and
//! k where the config asks for them, rotary positions on half of each head, and DeepSeek V3's experts. The blocks after the
//! last that predict further tokens are not read.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::arch::{
    ArchError, Architecture,
    choices::{Biases, Decoder, QkNorm, QkWeights},
    class::Class,
    config::typed,
    deepseek::Sparse,
    rope::Share,
};

pub(super) const FAMILY: &str = "glm4_moe";
const CLASS: Class = Class {
    context: 131_072,
    epsilon: (Some("rms_norm_eps"), 1e-5),
    kv_heads: Some(8),
    mlp_bias: None,
    share: Share::Any(0.5),
    ..Class::like_llama(FAMILY)
};
const EXPERTS: Sparse = Sparse {
    experts: Some(128),
    dense: 1,
    width: 1408,
    scale: 1.0,
    groups: (1, 1),
    further: 0,
    ..Sparse::V3
};

#[derive(Debug, Deserialize)]
struct Config {
    #[serde(default)]
    use_qk_norm: bool,
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let llama = CLASS.decoder(json)?;
    let c: Config = typed(FAMILY, json)?;
    let decoder = Decoder {
        biases: Biases { output: false, ..llama.biases },
        qk_norm: c.use_qk_norm.then(|| QkNorm::new(["q_norm", "k_norm"], QkWeights::Shared)),
        ..llama
    };
    Ok(Box::new(EXPERTS.experts(json, decoder)?))
}
