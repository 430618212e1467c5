//! Gemma (`transformers/models/gemma/modeling_gemma.py`): scaled embeddings, RMSNorm whose weight is the distance from 1,
//! heads of a width of their own, rotary positions, gated MLP, tied head.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::{
    ArchError, Architecture, Block, Branch, Names,
    config::{Sizes, activation, epsilon, only, typed, yes},
    rope::{Rope, RopeDefaults, RopeKeys},
};
use crate::{
    graph::{GraphError, Value},
    nn::{
        Scope,
        activation::{Activation, Mlp, gated},
        attention::{self, Attention, attend},
        linear::{linear, to_heads},
        norm::rms_norm_from_one,
        rope::{self, Pairs},
    },
};
use number::facts::ModelFacts;

const FAMILY: &str = "gemma";

#[derive(Debug, Deserialize)]
struct Config {
    #[serde(flatten)]
    sizes: Sizes,
    #[serde(default = "default_eps")]
    rms_norm_eps: f64,
    #[serde(default = "default_act")]
    hidden_act: String,
    #[serde(default)]
    attention_bias: bool,
    #[serde(default = "yes")]
    tie_word_embeddings: bool,
    #[serde(flatten)]
    rope: RopeKeys,
}

fn default_eps() -> f64 {
    1e-6
}

fn default_act() -> String {
    "gelu_pytorch_tanh".to_string()
}

#[derive(Debug)]
struct Gemma {
    config: Config,
    heads: Attention,
    rope: Rope,
    activation: Activation,
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let mut config: Config = typed(FAMILY, json)?;
    if config.hidden_act == "gelu" {
        config.hidden_act = default_act(); // what the first releases call it
    }
    only(
        json,
        &[
            ("hidden_activation", config.hidden_act.as_str().into()),
            ("use_bidirectional_attention", false.into()),
        ],
    )?;
    config.sizes.kv_heads_or(json, 16);
    config.sizes.head_dim.get_or_insert(256);
    let heads = config.sizes.attention(FAMILY)?;
    epsilon(FAMILY, "rms_norm_eps", config.rms_norm_eps)?;
    let (head_width, context) = (heads.head_width, config.sizes.max_position_embeddings);
    let defaults = RopeDefaults { head_width, context, theta: 10_000.0, share: 1.0 };
    let rope = config.rope.resolve(FAMILY, defaults)?.whole(FAMILY, head_width)?;
    let activation = activation(&config.hidden_act)?;
    Ok(Box::new(Gemma { config, heads, rope, activation }))
}

impl Architecture for Gemma {
    fn facts(&self) -> ModelFacts {
        ModelFacts {
            norm: Some("rmsnorm".to_string()),
            mlp: Some(self.activation.mlp_name(true).to_string()),
            residual: Some("sequential".to_string()),
            tied: Some(self.config.tie_word_embeddings),
            ..self.rope.facts(self.config.sizes.facts(FAMILY, &self.heads))
        }
    }

    fn norms_from_one(&self) -> bool {
        true
    }

    fn names(&self) -> Names {
        Names::like_llama(self.config.tie_word_embeddings)
    }

    fn prelude(&self, s: &mut Scope, rows: Value, positions: Value) -> Result<Value, GraphError> {
        rope::publish_tables(s, "rotary", positions, &self.rope.frequencies)?;
        attention::publish_mask(s, "mask", None)?;
        s.scale(rows, (self.config.sizes.hidden_size as f64).sqrt() as f32)
    }

    fn block(&self, _kind: usize, s: &mut Scope, x: Value) -> Result<Block, GraphError> {
        let normed = self.norm(s, "input_layernorm", x)?;
        let attention = Branch::bare(normed, self.attention(&mut s.at("self_attn"), normed)?);
        Block::sequential(s, x, attention, |s, x| {
            let normed = self.norm(s, "post_attention_layernorm", x)?;
            let (width, inner) = (self.config.sizes.hidden_size, self.config.sizes.intermediate_size);
            let mlp = Mlp { width, inner, activation: self.activation, bias: false };
            Ok(Branch::bare(
                normed,
                gated(&mut s.at("mlp"), ["gate_proj", "up_proj", "down_proj"], normed, mlp)?,
            ))
        })
    }

    fn final_norm(&self, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        self.norm(s, "norm", x)
    }
}

impl Gemma {
    fn norm(&self, s: &mut Scope, name: &str, x: Value) -> Result<Value, GraphError> {
        rms_norm_from_one(s, name, x, self.config.sizes.hidden_size, self.config.rms_norm_eps)
    }

    fn attention(&self, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        let Attention { heads, kv_heads, head_width: w, .. } = self.heads;
        let (width, bias) = (self.config.sizes.hidden_size, self.config.attention_bias);
        let q = to_heads(s, "q_proj", x, width, (heads, w), bias)?;
        let k = to_heads(s, "k_proj", x, width, (kv_heads, w), bias)?;
        let v = to_heads(s, "v_proj", x, width, (kv_heads, w), bias)?;
        let tables = rope::tables(s, "rotary", &self.rope.frequencies)?;
        let q = rope::rotate(s, q, (heads, w), tables, Pairs::Halves)?;
        let k = rope::rotate(s, k, (kv_heads, w), tables, Pairs::Halves)?;
        let mask = attention::mask(s, "mask")?;
        let mixed = attend(s, self.heads, [q, k, v], mask)?;
        linear(s, "o_proj", mixed, (heads * w, width), bias)
    }
}
