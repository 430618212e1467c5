//! Mixtral (`transformers/models/mixtral/modeling_mixtral.py`): Mistral with experts in every block, whose weights add up to 1.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::{
    arch::{
        ArchError, Architecture,
        choices::{Decoder, Norm},
        config::{activation, default, own_names, typed},
        mixture::{Mixture, choice},
        rope::{RopeDefaults, RopeKeys},
        sizes::{Sizes, sizes},
    },
    nn::experts::Router,
};

pub(super) const FAMILY: &str = "mixtral";

#[derive(Debug, Deserialize)]
struct Config {
    #[serde(flatten)]
    sizes: Sizes,
    #[serde(default = "default::eps_1e5")]
    rms_norm_eps: f64,
    #[serde(default = "default::silu")]
    hidden_act: String,
    sliding_window: Option<usize>,
    #[serde(default = "default_experts")]
    num_local_experts: usize,
    #[serde(default = "default_chosen")]
    num_experts_per_tok: usize,
    #[serde(default)]
    tie_word_embeddings: bool,
    #[serde(flatten)]
    rope: RopeKeys,
}

fn default_experts() -> usize {
    8
}

fn default_chosen() -> usize {
    2
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let json = own_names(FAMILY, json, &[("num_experts", "num_local_experts")])?;
    let mut c: Config = typed(FAMILY, &json)?;
    c.sizes.kv_heads_or(&json, 8);
    let heads = c.sizes.attention(FAMILY)?;
    if let Some(window) = c.sliding_window {
        sizes(FAMILY, &[("sliding_window", window)])?;
    }
    let norm = Norm::rms(FAMILY, "rms_norm_eps", c.rms_norm_eps)?;
    let defaults = RopeDefaults::like_llama(heads, c.sizes.max_position_embeddings);
    let rope = c.rope.resolve(FAMILY, RopeDefaults { theta: 1_000_000.0, ..defaults })?;
    let activation = activation("hidden_act", &c.hidden_act)?;
    let blocks = c.sizes.num_hidden_layers;
    let (experts, chosen) = choice(
        FAMILY,
        ("num_local_experts", c.num_local_experts),
        ("num_experts_per_tok", c.num_experts_per_tok),
        blocks,
    )?;
    let router = Router { normalised: true, ..Router::softmax("gate", experts, chosen) };
    let mixture = Mixture::in_sparse_block(router, c.sizes.intermediate_size);
    let llama = Decoder::like_llama(FAMILY, (c.sizes, heads), norm, rope, activation, c.tie_word_embeddings);
    Ok(Box::new(llama.with_window(c.sliding_window).with_mixture(mixture, &vec![true; blocks])))
}
