//! Phi-1, 1.5 and 2 (`transformers/models/phi/modeling_phi.py`): parallel, one LayerNorm, rotary positions on a part of
//! each head, biases everywhere, in the head too.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::{
    ArchError, Architecture, Block, Branch, Names,
    config::{Sizes, activation, epsilon, typed},
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

const FAMILY: &str = "phi";

#[derive(Debug, Deserialize)]
struct Config {
    #[serde(flatten)]
    sizes: Sizes,
    #[serde(default = "default_eps")]
    layer_norm_eps: f64,
    #[serde(default = "default_act")]
    hidden_act: String,
    #[serde(default)]
    qk_layernorm: bool,
    #[serde(default)]
    tie_word_embeddings: bool,
    #[serde(flatten)]
    rope: RopeKeys,
}

fn default_eps() -> f64 {
    1e-5
}

fn default_act() -> String {
    "gelu_new".to_string()
}

#[derive(Debug)]
struct Phi {
    config: Config,
    heads: Attention,
    rope: Rope,
    activation: Activation,
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let config: Config = typed(FAMILY, json)?;
    let heads = config.sizes.attention(FAMILY)?;
    epsilon(FAMILY, "layer_norm_eps", config.layer_norm_eps)?;
    let (head_width, context) = (heads.head_width, config.sizes.max_position_embeddings);
    let rope =
        config.rope.resolve(FAMILY, RopeDefaults { head_width, context, theta: 10_000.0, share: 0.5 })?;
    let activation = activation(&config.hidden_act)?;
    Ok(Box::new(Phi { config, heads, rope, activation }))
}

impl Architecture for Phi {
    fn facts(&self) -> ModelFacts {
        ModelFacts {
            norm: Some("layernorm".to_string()),
            mlp: Some(self.activation.mlp_name(false).to_string()),
            residual: Some("parallel".to_string()),
            tied: Some(self.config.tie_word_embeddings),
            ..self.rope.facts(self.config.sizes.facts(FAMILY, &self.heads))
        }
    }

    fn names(&self) -> Names {
        Names { unembedding_bias: Some("lm_head.bias"), ..Names::like_llama(self.config.tie_word_embeddings) }
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
        let mlp = Mlp { width, inner, activation: self.activation, bias: true };
        let mlp = Branch::bare(normed, feed_forward(&mut s.at("mlp"), ["fc1", "fc2"], normed, mlp)?);
        Block::parallel(s, x, attention, mlp)
    }

    fn final_norm(&self, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        self.norm(s, "final_layernorm", x)
    }
}

impl Phi {
    fn norm(&self, s: &mut Scope, name: &str, x: Value) -> Result<Value, GraphError> {
        layer_norm(s, name, x, &[self.config.sizes.hidden_size], self.config.layer_norm_eps, true)
    }

    fn attention(&self, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        let Attention { heads, kv_heads, head_width: w, .. } = self.heads;
        let (width, eps) = (self.config.sizes.hidden_size, self.config.layer_norm_eps);
        let mut q = to_heads(s, "q_proj", x, width, (heads, w), true)?;
        let mut k = to_heads(s, "k_proj", x, width, (kv_heads, w), true)?;
        let v = to_heads(s, "v_proj", x, width, (kv_heads, w), true)?;
        if self.config.qk_layernorm {
            // One norm, which all heads share.
            q = layer_norm(s, "q_layernorm", q, &[w], eps, true)?;
            k = layer_norm(s, "k_layernorm", k, &[w], eps, true)?;
        }
        let tables = rope::tables(s, "rotary", &self.rope.frequencies)?;
        let q = rope::rotate(s, q, (heads, w), tables, Pairs::Halves)?;
        let k = rope::rotate(s, k, (kv_heads, w), tables, Pairs::Halves)?;
        let mask = attention::mask(s, "mask")?;
        let mixed = attend(s, self.heads, [q, k, v], mask)?;
        linear(s, "dense", mixed, (heads * w, width), true)
    }
}
