//! OLMo 2 (`transformers/models/olmo2/modeling_olmo2.py`): RMSNorm on what a branch writes instead of what it reads, and on
//! the whole of q and of k; rotary positions, gated MLP.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::{
    ArchError, Architecture, Block, Branch, Names,
    config::{Sizes, activation, epsilon, typed},
    rope::{Rope, RopeDefaults, RopeKeys},
};
use crate::{
    graph::{Dim, GraphError, Value},
    nn::{
        Scope, TOKENS,
        activation::{Activation, Mlp, gated},
        attention::{self, Attention, attend},
        linear::linear,
        norm::rms_norm,
        rope::{self, Pairs},
    },
};
use number::facts::ModelFacts;

const FAMILY: &str = "olmo2";

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
    #[serde(default)]
    tie_word_embeddings: bool,
    #[serde(flatten)]
    rope: RopeKeys,
}

fn default_eps() -> f64 {
    1e-5
}

fn default_act() -> String {
    "silu".to_string()
}

#[derive(Debug)]
struct Olmo2 {
    config: Config,
    heads: Attention,
    rope: Rope,
    activation: Activation,
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let config: Config = typed(FAMILY, json)?;
    let heads = config.sizes.attention(FAMILY)?;
    epsilon(FAMILY, "rms_norm_eps", config.rms_norm_eps)?;
    let (head_width, context) = (heads.head_width, config.sizes.max_position_embeddings);
    let defaults = RopeDefaults { head_width, context, theta: 10_000.0, share: 1.0 };
    let rope = config.rope.resolve(FAMILY, defaults)?.whole(FAMILY, head_width)?;
    let activation = activation(&config.hidden_act)?;
    Ok(Box::new(Olmo2 { config, heads, rope, activation }))
}

impl Architecture for Olmo2 {
    fn facts(&self) -> ModelFacts {
        ModelFacts {
            norm: Some("rmsnorm".to_string()),
            mlp: Some(self.activation.mlp_name(true).to_string()),
            residual: Some("sequential".to_string()),
            tied: Some(self.config.tie_word_embeddings),
            ..self.rope.facts(self.config.sizes.facts(FAMILY, &self.heads))
        }
    }

    fn names(&self) -> Names {
        Names::like_llama(self.config.tie_word_embeddings)
    }

    fn prelude(&self, s: &mut Scope, rows: Value, positions: Value) -> Result<Value, GraphError> {
        rope::publish_tables(s, "rotary", positions, &self.rope.frequencies)?;
        attention::publish_mask(s, "mask", None)?;
        Ok(rows)
    }

    fn block(&self, _kind: usize, s: &mut Scope, x: Value) -> Result<Block, GraphError> {
        let output = self.attention(&mut s.at("self_attn"), x)?;
        let write = self.norm(s, "post_attention_layernorm", output)?;
        let attention = Branch { input: x, output, write };
        Block::sequential(s, x, attention, |s, x| {
            let (width, inner) = (self.config.sizes.hidden_size, self.config.sizes.intermediate_size);
            let mlp = Mlp { width, inner, activation: self.activation, bias: false };
            let output = gated(&mut s.at("mlp"), ["gate_proj", "up_proj", "down_proj"], x, mlp)?;
            let write = self.norm(s, "post_feedforward_layernorm", output)?;
            Ok(Branch { input: x, output, write })
        })
    }

    fn final_norm(&self, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        self.norm(s, "norm", x)
    }
}

impl Olmo2 {
    fn norm(&self, s: &mut Scope, name: &str, x: Value) -> Result<Value, GraphError> {
        rms_norm(s, name, x, self.config.sizes.hidden_size, self.config.rms_norm_eps)
    }

    fn attention(&self, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        let Attention { heads, kv_heads, head_width: w, .. } = self.heads;
        let Config { sizes, rms_norm_eps: eps, attention_bias: bias, .. } = &self.config;
        let width = sizes.hidden_size;
        let q = linear(s, "q_proj", x, (width, heads * w), *bias)?;
        let q = rms_norm(s, "q_norm", q, heads * w, *eps)?;
        let k = linear(s, "k_proj", x, (width, kv_heads * w), *bias)?;
        let k = rms_norm(s, "k_norm", k, kv_heads * w, *eps)?;
        let v = linear(s, "v_proj", x, (width, kv_heads * w), *bias)?;
        let mut to_heads = |x, heads: usize| s.reshape(x, &[TOKENS, Dim::Fixed(heads), Dim::Fixed(w)]);
        let (q, k, v) = (to_heads(q, heads)?, to_heads(k, kv_heads)?, to_heads(v, kv_heads)?);
        let tables = rope::tables(s, "rotary", &self.rope.frequencies)?;
        let q = rope::rotate(s, q, (heads, w), tables, Pairs::Halves)?;
        let k = rope::rotate(s, k, (kv_heads, w), tables, Pairs::Halves)?;
        let mask = attention::mask(s, "mask")?;
        let mixed = attend(s, self.heads, [q, k, v], mask)?;
        linear(s, "o_proj", mixed, (heads * w, width), *bias)
    }
}
