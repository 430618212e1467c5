//! Phi-3, 3.5 and 4 (`transformers/models/phi3/modeling_phi3.py`): LLaMA with q, k, v in one matrix, gate and up in another,
//! rotary positions on a part of each head in some, and longrope.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::arch::{
    ArchError, Architecture,
    choices::{Decoder, MlpLayers, Norm, Qkv},
    config::{activation, default, typed},
    rope::{RopeDefaults, RopeKeys, Share},
    sizes::{Sizes, sizes},
};

pub(super) const FAMILY: &str = "phi3";

#[derive(Debug, Deserialize)]
struct Config {
    #[serde(flatten)]
    sizes: Sizes,
    #[serde(default = "default::eps_1e5")]
    rms_norm_eps: f64,
    #[serde(default = "default::silu")]
    hidden_act: String,
    sliding_window: Option<usize>,
    #[serde(default)]
    tie_word_embeddings: bool,
    #[serde(flatten)]
    rope: RopeKeys,
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let mut c: Config = typed(FAMILY, json)?;
    let heads = c.sizes.attention(FAMILY)?;
    if let Some(window) = c.sliding_window {
        sizes(FAMILY, &[("sliding_window", window)])?;
    }
    let norm = Norm::rms(FAMILY, "rms_norm_eps", c.rms_norm_eps)?;
    // Beside the rotary parameters, and winning over what stands in them, with a default of its own.
    c.rope.original_max_position_embeddings.get_or_insert(4096.0);
    let defaults = RopeDefaults::like_llama(heads, c.sizes.max_position_embeddings);
    let rope = c.rope.resolve(FAMILY, RopeDefaults { share: Share::Any(1.0), ..defaults })?;
    if !["default", "longrope"].contains(&rope.scaling.as_str()) {
        let (key, known) = ("rope_type".to_string(), "default and longrope for this family");
        return Err(ArchError::Unsupported { key, found: rope.scaling, known });
    }
    let activation = activation("hidden_act", &c.hidden_act)?;
    let llama = Decoder::like_llama(FAMILY, (c.sizes, heads), norm, rope, activation, c.tie_word_embeddings);
    Ok(Box::new(Decoder {
        qkv: Qkv::InTurn("qkv_proj"),
        mlp: MlpLayers::GatedFused(["gate_up_proj", "down_proj"]),
        ..llama.with_window(c.sliding_window)
    }))
}
