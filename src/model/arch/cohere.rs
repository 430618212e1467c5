//! Cohere, Command R and R+ (`transformers/models/cohere/modeling_cohere.py`): LayerNorm without bias, one norm before both
//! of two parallel branches, rotary positions on neighbouring components, gated MLP, scaled logits, tied head.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::{
    ArchError, Architecture, Block, Branch, Names,
    config::{Sizes, activation, epsilon, or_default, positive, typed, yes},
    rope::{Rope, RopeDefaults, RopeKeys},
};
use crate::{
    graph::{GraphError, Value},
    nn::{
        Scope,
        activation::{Activation, Mlp, gated},
        attention::{self, Attention, attend},
        linear::{linear, to_heads},
        norm::layer_norm,
        rope::{self, Pairs},
    },
};
use number::facts::ModelFacts;

const FAMILY: &str = "cohere";

#[derive(Debug, Deserialize)]
struct Config {
    #[serde(flatten)]
    sizes: Sizes,
    #[serde(default = "default_eps")]
    layer_norm_eps: f64,
    #[serde(default = "default_act")]
    hidden_act: String,
    #[serde(default = "default_logit_scale")]
    logit_scale: f64,
    #[serde(default)]
    attention_bias: bool,
    #[serde(default, deserialize_with = "or_default")]
    use_qk_norm: bool,
    #[serde(default = "yes")]
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

fn default_logit_scale() -> f64 {
    0.0625
}

#[derive(Debug)]
struct Cohere {
    config: Config,
    heads: Attention,
    rope: Rope,
    activation: Activation,
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let config: Config = typed(FAMILY, json)?;
    let heads = config.sizes.attention(FAMILY)?;
    positive(FAMILY, "logit_scale", config.logit_scale)?;
    epsilon(FAMILY, "layer_norm_eps", config.layer_norm_eps)?;
    let (head_width, context) = (heads.head_width, config.sizes.max_position_embeddings);
    let defaults = RopeDefaults { head_width, context, theta: 500_000.0, share: 1.0 };
    let rope = config.rope.resolve(FAMILY, defaults)?.whole(FAMILY, head_width)?;
    let activation = activation(&config.hidden_act)?;
    Ok(Box::new(Cohere { config, heads, rope, activation }))
}

impl Architecture for Cohere {
    fn facts(&self) -> ModelFacts {
        ModelFacts {
            norm: Some("layernorm".to_string()),
            mlp: Some(self.activation.mlp_name(true).to_string()),
            residual: Some("parallel".to_string()),
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
        let normed = self.norm(s, "input_layernorm", x)?;
        let attention = Branch::bare(normed, self.attention(&mut s.at("self_attn"), normed)?);
        let (width, inner) = (self.config.sizes.hidden_size, self.config.sizes.intermediate_size);
        let mlp = Mlp { width, inner, activation: self.activation, bias: false };
        let mlp = Branch::bare(
            normed,
            gated(&mut s.at("mlp"), ["gate_proj", "up_proj", "down_proj"], normed, mlp)?,
        );
        Block::parallel(s, x, attention, mlp)
    }

    fn final_norm(&self, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        self.norm(s, "norm", x)
    }

    fn logits(
        &self,
        s: &mut Scope,
        hidden: Value,
        rows: Value,
        bias: Option<Value>,
    ) -> Result<Value, GraphError> {
        let logits = s.gemm(hidden, rows, bias)?;
        s.scale(logits, self.config.logit_scale as f32)
    }
}

impl Cohere {
    fn norm(&self, s: &mut Scope, name: &str, x: Value) -> Result<Value, GraphError> {
        layer_norm(s, name, x, &[self.config.sizes.hidden_size], self.config.layer_norm_eps, false)
    }

    fn attention(&self, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        let Attention { heads, kv_heads, head_width: w, .. } = self.heads;
        let (width, bias) = (self.config.sizes.hidden_size, self.config.attention_bias);
        let mut q = to_heads(s, "q_proj", x, width, (heads, w), bias)?;
        let mut k = to_heads(s, "k_proj", x, width, (kv_heads, w), bias)?;
        let v = to_heads(s, "v_proj", x, width, (kv_heads, w), bias)?;
        if self.config.use_qk_norm {
            // Every head has weights of its own.
            q = layer_norm(s, "q_norm", q, &[heads, w], self.config.layer_norm_eps, false)?;
            k = layer_norm(s, "k_norm", k, &[kv_heads, w], self.config.layer_norm_eps, false)?;
        }
        let tables = rope::tables(s, "rotary", &self.rope.frequencies)?;
        let q = rope::rotate(s, q, (heads, w), tables, Pairs::Neighbours)?;
        let k = rope::rotate(s, k, (kv_heads, w), tables, Pairs::Neighbours)?;
        let mask = attention::mask(s, "mask")?;
        let mixed = attend(s, self.heads, [q, k, v], mask)?;
        linear(s, "o_proj", mixed, (heads * w, width), bias)
    }
}
