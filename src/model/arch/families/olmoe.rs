//! OLMoE (`transformers/models/olmoe/modeling_olmoe.py`): LLaMA with RMSNorm on the whole of q and of k, and experts in every
//! block, whose weights are the router's probabilities as they are unless the config wants them to add up to 1.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::{
    arch::{
        ArchError, Architecture,
        choices::{Biases, Decoder, Norm, QkNorm, QkWeights},
        config::{activation, default, only, own_names, typed},
        mixture::{Mixture, choice},
        rope::{RopeDefaults, RopeKeys},
        sizes::Sizes,
    },
    nn::experts::Router,
};

pub(super) const FAMILY: &str = "olmoe";

#[derive(Debug, Deserialize)]
struct Config {
    #[serde(flatten)]
    sizes: Sizes,
    #[serde(default = "default::eps_1e5")]
    rms_norm_eps: f64,
    #[serde(default = "default::silu")]
    hidden_act: String,
    #[serde(default)]
    attention_bias: bool,
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

fn default_experts() -> usize {
    64
}

fn default_chosen() -> usize {
    8
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let json = own_names(FAMILY, json, &[("num_local_experts", "num_experts")])?;
    let mut c: Config = typed(FAMILY, &json)?;
    only(&json, &[("clip_qkv", Json::Null)])?;
    c.sizes.without_head_dim(FAMILY)?;
    let heads = c.sizes.attention(FAMILY)?;
    let norm = Norm::rms(FAMILY, "rms_norm_eps", c.rms_norm_eps)?;
    let rope = c.rope.resolve(FAMILY, RopeDefaults::like_llama(heads, c.sizes.max_position_embeddings))?;
    let activation = activation("hidden_act", &c.hidden_act)?;
    let blocks = c.sizes.num_hidden_layers;
    let (experts, chosen) = choice(
        FAMILY,
        ("num_experts", c.num_experts),
        ("num_experts_per_tok", c.num_experts_per_tok),
        blocks,
    )?;
    let router = Router { normalised: c.norm_topk_prob, ..Router::softmax("gate", experts, chosen) };
    let mixture = Mixture::in_mlp(router, c.sizes.intermediate_size);
    let llama = Decoder::like_llama(FAMILY, (c.sizes, heads), norm, rope, activation, c.tie_word_embeddings);
    Ok(Box::new(Decoder {
        qk_norm: Some(QkNorm::new(["q_norm", "k_norm"], QkWeights::Whole)),
        biases: Biases::attention(c.attention_bias),
        ..llama.with_mixture(mixture, &vec![true; blocks])
    }))
}
