//! StarCoder2 (`transformers/models/starcoder2/modeling_starcoder2.py`): LayerNorm, grouped heads, rotary positions, an MLP
//! without a gate, biases everywhere; every block sees only a window, if the config has one.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::{
    ArchError, Architecture, Block, Branch, Names,
    config::{Sizes, activation, epsilon, only, sizes, typed, yes},
    rope::{Rope, RopeDefaults, RopeKeys},
};
use crate::{
    graph::{GraphError, Value},
    nn::{
        Scope,
        activation::{Activation, Mlp, feed_forward},
        attention::{self, Attention, attend},
        linear::{linear, to_heads},
        norm::layer_norm,
        rope::{self, Pairs},
    },
};
use number::facts::ModelFacts;

const FAMILY: &str = "starcoder2";

#[derive(Debug, Deserialize)]
struct Config {
    #[serde(flatten)]
    sizes: Sizes,
    #[serde(default = "default_eps")]
    norm_epsilon: f64,
    #[serde(default = "default_act")]
    hidden_act: String,
    sliding_window: Option<usize>,
    #[serde(default = "yes")]
    use_bias: bool,
    #[serde(default = "yes")]
    tie_word_embeddings: bool,
    #[serde(flatten)]
    rope: RopeKeys,
}

fn default_eps() -> f64 {
    1e-5
}

fn default_act() -> String {
    "gelu_pytorch_tanh".to_string()
}

#[derive(Debug)]
struct Starcoder2 {
    config: Config,
    heads: Attention,
    rope: Rope,
    activation: Activation,
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let mut config: Config = typed(FAMILY, json)?;
    only(json, &[("mlp_type", "default".into()), ("norm_type", "layer_norm".into())])?;
    config.sizes.kv_heads_or(json, 2);
    let heads = config.sizes.attention(FAMILY)?;
    if let Some(window) = config.sliding_window {
        sizes(FAMILY, &[("sliding_window", window)])?;
    }
    epsilon(FAMILY, "norm_epsilon", config.norm_epsilon)?;
    let (head_width, context) = (heads.head_width, config.sizes.max_position_embeddings);
    let defaults = RopeDefaults { head_width, context, theta: 10_000.0, share: 1.0 };
    let rope = config.rope.resolve(FAMILY, defaults)?.whole(FAMILY, head_width)?;
    let activation = activation(&config.hidden_act)?;
    Ok(Box::new(Starcoder2 { config, heads, rope, activation }))
}

impl Architecture for Starcoder2 {
    fn facts(&self) -> ModelFacts {
        ModelFacts {
            norm: Some("layernorm".to_string()),
            mlp: Some(self.activation.mlp_name(false).to_string()),
            residual: Some("sequential".to_string()),
            tied: Some(self.config.tie_word_embeddings),
            ..self.rope.facts(self.config.sizes.facts(FAMILY, &self.heads))
        }
    }

    fn initializer_range(&self) -> f64 {
        0.018042
    }

    fn names(&self) -> Names {
        Names::like_llama(self.config.tie_word_embeddings)
    }

    fn prelude(&self, s: &mut Scope, rows: Value, positions: Value) -> Result<Value, GraphError> {
        rope::publish_tables(s, "rotary", positions, &self.rope.frequencies)?;
        attention::publish_mask(s, "mask", self.config.sliding_window)?;
        Ok(rows)
    }

    fn block(&self, _kind: usize, s: &mut Scope, x: Value) -> Result<Block, GraphError> {
        let normed = self.norm(s, "input_layernorm", x)?;
        let attention = Branch::bare(normed, self.attention(&mut s.at("self_attn"), normed)?);
        Block::sequential(s, x, attention, |s, x| {
            let normed = self.norm(s, "post_attention_layernorm", x)?;
            let (width, inner) = (self.config.sizes.hidden_size, self.config.sizes.intermediate_size);
            let mlp = Mlp { width, inner, activation: self.activation, bias: self.config.use_bias };
            Ok(Branch::bare(normed, feed_forward(&mut s.at("mlp"), ["c_fc", "c_proj"], normed, mlp)?))
        })
    }

    fn final_norm(&self, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        self.norm(s, "norm", x)
    }
}

impl Starcoder2 {
    fn norm(&self, s: &mut Scope, name: &str, x: Value) -> Result<Value, GraphError> {
        layer_norm(s, name, x, &[self.config.sizes.hidden_size], self.config.norm_epsilon, true)
    }

    fn attention(&self, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        let Attention { heads, kv_heads, head_width: w, .. } = self.heads;
        let (width, bias) = (self.config.sizes.hidden_size, self.config.use_bias);
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
