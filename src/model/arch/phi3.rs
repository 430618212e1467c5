//! Phi-3, 3.5 and 4 (`transformers/models/phi3/modeling_phi3.py`): LLaMA without biases, with q, k, v in one matrix, gate and
//! up in another, rotary positions on a part of each head in some, and longrope.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::{
    ArchError, Architecture, Block, Branch, Names, ValueLayout,
    config::{Sizes, activation, epsilon, sizes, typed},
    rope::{Rope, RopeDefaults, RopeKeys},
};
use crate::{
    graph::{Dim, GraphError, Value},
    nn::{
        Scope, TOKENS,
        activation::Activation,
        attention::{self, Attention, attend},
        linear::linear,
        norm::rms_norm,
        rope::{self, Pairs},
    },
};
use number::facts::ModelFacts;

const FAMILY: &str = "phi3";

#[derive(Debug, Deserialize)]
struct Config {
    #[serde(flatten)]
    sizes: Sizes,
    #[serde(default = "default_eps")]
    rms_norm_eps: f64,
    #[serde(default = "default_act")]
    hidden_act: String,
    sliding_window: Option<usize>,
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
struct Phi3 {
    config: Config,
    heads: Attention,
    rope: Rope,
    activation: Activation,
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let mut config: Config = typed(FAMILY, json)?;
    let heads = config.sizes.attention(FAMILY)?;
    if let Some(window) = config.sliding_window {
        sizes(FAMILY, &[("sliding_window", window)])?;
    }
    epsilon(FAMILY, "rms_norm_eps", config.rms_norm_eps)?;
    let (head_width, context) = (heads.head_width, config.sizes.max_position_embeddings);
    let defaults = RopeDefaults { head_width, context, theta: 10_000.0, share: 1.0 };
    // Beside the rotary parameters, and winning over what stands in them, with a default of its own.
    config.rope.original_max_position_embeddings.get_or_insert(4096.0);
    let rope = config.rope.resolve(FAMILY, defaults)?;
    if !["default", "longrope"].contains(&rope.scaling.as_str()) {
        let (key, known) = ("rope_type".to_string(), "default and longrope for this family");
        return Err(ArchError::Unsupported { key, found: rope.scaling, known });
    }
    let activation = activation(&config.hidden_act)?;
    Ok(Box::new(Phi3 { config, heads, rope, activation }))
}

impl Architecture for Phi3 {
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
        attention::publish_mask(s, "mask", self.config.sliding_window)?;
        Ok(rows)
    }

    fn block(&self, _kind: usize, s: &mut Scope, x: Value) -> Result<Block, GraphError> {
        let normed = self.norm(s, "input_layernorm", x)?;
        let attention = Branch::bare(normed, self.attention(&mut s.at("self_attn"), normed)?);
        Block::sequential(s, x, attention, |s, x| {
            let normed = self.norm(s, "post_attention_layernorm", x)?;
            let (width, inner) = (self.config.sizes.hidden_size, self.config.sizes.intermediate_size);
            let s = &mut s.at("mlp");
            let fused = linear(s, "gate_up_proj", normed, (width, 2 * inner), false)?;
            let gate = s.slice(fused, 1, 0, inner)?;
            let gate = self.activation.apply(s, gate)?;
            let up = s.slice(fused, 1, inner, 2 * inner)?;
            let product = s.mul(gate, up)?;
            Ok(Branch::bare(normed, linear(s, "down_proj", product, (inner, width), false)?))
        })
    }

    fn final_norm(&self, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        self.norm(s, "norm", x)
    }

    fn values(&self) -> (&'static str, ValueLayout) {
        ("self_attn.qkv_proj.weight", ValueLayout::AfterKeys)
    }
}

impl Phi3 {
    fn norm(&self, s: &mut Scope, name: &str, x: Value) -> Result<Value, GraphError> {
        rms_norm(s, name, x, self.config.sizes.hidden_size, self.config.rms_norm_eps)
    }

    fn attention(&self, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        let Attention { heads, kv_heads, head_width: w, .. } = self.heads;
        let width = self.config.sizes.hidden_size;
        let fused = linear(s, "qkv_proj", x, (width, (heads + 2 * kv_heads) * w), false)?;
        let mut part = |from: usize, count: usize| {
            let part = s.slice(fused, 1, from * w, (from + count) * w)?;
            s.reshape(part, &[TOKENS, Dim::Fixed(count), Dim::Fixed(w)])
        };
        let (q, k, v) = (part(0, heads)?, part(heads, kv_heads)?, part(heads + kv_heads, kv_heads)?);
        let tables = rope::tables(s, "rotary", &self.rope.frequencies)?;
        let q = rope::rotate(s, q, (heads, w), tables, Pairs::Halves)?;
        let k = rope::rotate(s, k, (kv_heads, w), tables, Pairs::Halves)?;
        let mask = attention::mask(s, "mask")?;
        let mixed = attend(s, self.heads, [q, k, v], mask)?;
        linear(s, "o_proj", mixed, (heads * w, width), false)
    }
}
