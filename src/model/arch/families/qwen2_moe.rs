//! Qwen 1.5 and 2 with experts (`transformers/models/qwen2_moe/modeling_qwen2_moe.py`): Qwen2 with experts in some blocks, and
//! beside them an MLP that every token goes through, times the logistic function of a gate.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::{
    arch::{
        ArchError, Architecture,
        choices::{Biases, Decoder, Norm},
        config::{activation, default, typed},
        kinds::{sliding, windows},
        mixture::{Mixture, Shared, choice, every},
        rope::{RopeDefaults, RopeKeys},
        sizes::{Sizes, sizes},
    },
    nn::experts::Router,
};

pub(super) const FAMILY: &str = "qwen2_moe";

#[derive(Debug, Deserialize)]
struct Config {
    #[serde(flatten)]
    sizes: Sizes,
    #[serde(default = "default::eps_1e6")]
    rms_norm_eps: f64,
    #[serde(default = "default::silu")]
    hidden_act: String,
    #[serde(default = "default::yes")]
    qkv_bias: bool,
    #[serde(default)]
    use_sliding_window: bool,
    #[serde(default = "default::window")]
    sliding_window: Option<usize>,
    #[serde(default = "default_windowed_layers")]
    max_window_layers: usize,
    layer_types: Option<Vec<String>>,
    #[serde(default = "default_step")]
    decoder_sparse_step: usize,
    #[serde(default)]
    mlp_only_layers: Vec<usize>,
    #[serde(default = "default_width")]
    moe_intermediate_size: usize,
    #[serde(default = "default_shared_width")]
    shared_expert_intermediate_size: usize,
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

/// Number of blocks of which every other one has a window.
fn default_windowed_layers() -> usize {
    28
}

fn default_step() -> usize {
    1
}

fn default_width() -> usize {
    1408
}

fn default_shared_width() -> usize {
    5632
}

fn default_experts() -> usize {
    60
}

fn default_chosen() -> usize {
    4
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let mut c: Config = typed(FAMILY, json)?;
    c.sizes.kv_heads_or(json, 16);
    let heads = c.sizes.attention(FAMILY)?;
    let (width, shared_width) = (c.moe_intermediate_size, c.shared_expert_intermediate_size);
    sizes(FAMILY, &[("moe_intermediate_size", width), ("shared_expert_intermediate_size", shared_width)])?;
    let window = c.sliding_window.filter(|_| c.use_sliding_window);
    let (blocks, types) = (c.sizes.num_hidden_layers, c.layer_types.as_deref());
    let slides = |layer: usize| window.is_some() && layer < c.max_window_layers && layer.is_multiple_of(2);
    let slides = sliding(FAMILY, blocks, types, slides)?;
    let windows = windows(FAMILY, &slides, window)?;
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
    let shared = Shared {
        module: "mlp.shared_expert",
        layers: mixture.layers,
        width: shared_width,
        gate: Some("mlp.shared_expert_gate"),
    };
    let mixture = Mixture { shared: Some(shared), ..mixture };
    let llama = Decoder::like_llama(FAMILY, (c.sizes, heads), norm, rope, activation, c.tie_word_embeddings);
    let biases = Biases { qkv: c.qkv_bias, ..llama.biases };
    Ok(Box::new(Decoder { biases, ..llama.with_windows(&windows).with_mixture(mixture, &routed) }))
}
