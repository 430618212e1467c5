//! Qwen3 with experts (`transformers/models/qwen3_moe/modeling_qwen3_moe.py`): Qwen3 with experts in some blocks; every block
//! sees only a window where the config turns it on.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::{
    arch::{
        ArchError, Architecture,
        choices::{Biases, Decoder, Norm, QkNorm, QkWeights},
        config::{activation, default, own_names, typed},
        mixture::{Mixture, choice, every},
        rope::{RopeDefaults, RopeKeys},
        sizes::{Sizes, sizes},
    },
    nn::experts::Router,
};

pub(super) const FAMILY: &str = "qwen3_moe";

#[derive(Debug, Deserialize)]
struct Config {
    #[serde(flatten)]
    sizes: Sizes,
    #[serde(default = "default::eps_1e6")]
    rms_norm_eps: f64,
    #[serde(default = "default::silu")]
    hidden_act: String,
    #[serde(default)]
    attention_bias: bool,
    #[serde(default)]
    use_sliding_window: bool,
    #[serde(default = "default::window")]
    sliding_window: Option<usize>,
    #[serde(default = "default_step")]
    decoder_sparse_step: usize,
    #[serde(default)]
    mlp_only_layers: Vec<usize>,
    #[serde(default = "default_width")]
    moe_intermediate_size: usize,
    #[serde(default = "default_experts")]
    num_experts: usize,
    #[serde(default = "default_chosen")]
    num_experts_per_tok: usize,
    #[serde(default)]
    norm_topk_prob: bool,
    #[serde(default)]
    tie_word_embeddings: bool,
    #[serde(flatten)]
    rope: RopeKeys,
}

fn default_step() -> usize {
    1
}

fn default_width() -> usize {
    768
}

fn default_experts() -> usize {
    128
}

fn default_chosen() -> usize {
    8
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let json = own_names(FAMILY, json, &[("num_local_experts", "num_experts")])?;
    let mut c: Config = typed(FAMILY, &json)?;
    c.sizes.kv_heads_or(&json, 4);
    let heads = c.sizes.attention(FAMILY)?;
    let (blocks, width) = (c.sizes.num_hidden_layers, c.moe_intermediate_size);
    let window = c.sliding_window.filter(|_| c.use_sliding_window);
    sizes(FAMILY, &[("moe_intermediate_size", width), ("sliding_window", window.unwrap_or(1))])?;
    let norm = Norm::rms(FAMILY, "rms_norm_eps", c.rms_norm_eps)?;
    let rope = c.rope.resolve(FAMILY, RopeDefaults::like_llama(heads, c.sizes.max_position_embeddings))?;
    let activation = activation("hidden_act", &c.hidden_act)?;
    let (experts, chosen) = choice(
        FAMILY,
        ("num_experts", c.num_experts),
        ("num_experts_per_tok", c.num_experts_per_tok),
        blocks,
    )?;
    let routed = every(FAMILY, blocks, c.decoder_sparse_step, &c.mlp_only_layers)?;
    let router = Router { normalised: c.norm_topk_prob, ..Router::softmax("gate", experts, chosen) };
    let mixture = Mixture::in_mlp(router, width);
    let llama = Decoder::like_llama(FAMILY, (c.sizes, heads), norm, rope, activation, c.tie_word_embeddings);
    Ok(Box::new(Decoder {
        qk_norm: Some(QkNorm::new(["q_norm", "k_norm"], QkWeights::Shared)),
        biases: Biases::attention(c.attention_bias),
        ..llama.with_window(window).with_mixture(mixture, &routed)
    }))
}
