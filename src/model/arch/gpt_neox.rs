//! GPT-NeoX and Pythia (`transformers/models/gpt_neox/modeling_gpt_neox.py`): LayerNorm, parallel residual with two
//! norms (or sequential), fused and interleaved q, k, v, rotary positions on a part of each head.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::{
    ArchError, Architecture, Block, Branch, Names, ValueLayout,
    config::{Sizes, activation, epsilon, typed, yes},
    rope::{Rope, RopeDefaults, RopeKeys},
};
use crate::{
    graph::{GraphError, Value},
    nn::{
        Scope,
        activation::{Activation, Mlp, feed_forward},
        attention::{self, Attention, attend, split_fused},
        linear::linear,
        norm::layer_norm,
        rope::{self, Pairs},
    },
};
use number::facts::ModelFacts;

const FAMILY: &str = "gpt_neox";

#[derive(Debug, Deserialize)]
struct Config {
    #[serde(flatten)]
    sizes: Sizes,
    #[serde(default = "default_eps")]
    layer_norm_eps: f64,
    #[serde(default = "default_act")]
    hidden_act: String,
    #[serde(default = "yes")]
    use_parallel_residual: bool,
    #[serde(default = "yes")]
    attention_bias: bool,
    #[serde(default)]
    tie_word_embeddings: bool,
    /// The class has names of its own for the base and for the share of a head that turns.
    rotary_emb_base: Option<f64>,
    rotary_pct: Option<f64>,
    #[serde(flatten)]
    rope: RopeKeys,
}

fn default_eps() -> f64 {
    1e-5
}

fn default_act() -> String {
    "gelu".to_string()
}

#[derive(Debug)]
struct GptNeox {
    config: Config,
    heads: Attention,
    rope: Rope,
    activation: Activation,
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let mut config: Config = typed(FAMILY, json)?;
    config.sizes.without_head_dim(FAMILY)?;
    config.sizes.num_key_value_heads = None; // no key of the reference's class: one for each query head
    let heads = config.sizes.attention(FAMILY)?;
    epsilon(FAMILY, "layer_norm_eps", config.layer_norm_eps)?;
    let (head_width, context) = (heads.head_width, config.sizes.max_position_embeddings);
    (config.rope.rope_theta, config.rope.partial_rotary_factor) = (config.rotary_emb_base, config.rotary_pct);
    let rope =
        config.rope.resolve(FAMILY, RopeDefaults { head_width, context, theta: 10_000.0, share: 0.25 })?;
    let activation = activation(&config.hidden_act)?;
    Ok(Box::new(GptNeox { config, heads, rope, activation }))
}

impl Architecture for GptNeox {
    fn facts(&self) -> ModelFacts {
        let c = &self.config;
        ModelFacts {
            norm: Some("layernorm".to_string()),
            mlp: Some(self.activation.mlp_name(false).to_string()),
            residual: Some(if c.use_parallel_residual { "parallel" } else { "sequential" }.to_string()),
            tied: Some(c.tie_word_embeddings),
            ..self.rope.facts(c.sizes.facts(FAMILY, &self.heads))
        }
    }

    fn names(&self) -> Names {
        Names {
            base: &["gpt_neox."],
            layers: "layers",
            embedding: "embed_in.weight",
            // transformers 5 writes `lm_head`, the hub's checkpoints say `embed_out`.
            unembedding: &["embed_out.weight", "lm_head.weight"],
            unembedding_bias: None,
            tied: self.config.tie_word_embeddings,
            buffers: &[".rotary_emb.inv_freq", ".attention.bias", ".attention.masked_bias"],
        }
    }

    fn prelude(&self, s: &mut Scope, rows: Value, positions: Value) -> Result<Value, GraphError> {
        rope::publish_tables(s, "rotary", positions, &self.rope.frequencies)?;
        attention::publish_mask(s, "mask", None)?;
        Ok(rows)
    }

    fn block(&self, _kind: usize, s: &mut Scope, x: Value) -> Result<Block, GraphError> {
        let normed = self.norm(s, "input_layernorm", x)?;
        let attention = Branch::bare(normed, self.attention(&mut s.at("attention"), normed)?);
        if self.config.use_parallel_residual {
            let mlp = self.mlp(s, x)?;
            return Block::parallel(s, x, attention, mlp);
        }
        Block::sequential(s, x, attention, |s, x| self.mlp(s, x))
    }

    fn final_norm(&self, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        self.norm(s, "final_layer_norm", x)
    }

    fn values(&self) -> (&'static str, ValueLayout) {
        ("attention.query_key_value.weight", ValueLayout::ByGroup)
    }
}

impl GptNeox {
    fn norm(&self, s: &mut Scope, name: &str, x: Value) -> Result<Value, GraphError> {
        layer_norm(s, name, x, &[self.config.sizes.hidden_size], self.config.layer_norm_eps, true)
    }

    fn mlp(&self, s: &mut Scope, x: Value) -> Result<Branch, GraphError> {
        let normed = self.norm(s, "post_attention_layernorm", x)?;
        let (width, inner) = (self.config.sizes.hidden_size, self.config.sizes.intermediate_size);
        let mlp = Mlp { width, inner, activation: self.activation, bias: true };
        Ok(Branch::bare(
            normed,
            feed_forward(&mut s.at("mlp"), ["dense_h_to_4h", "dense_4h_to_h"], normed, mlp)?,
        ))
    }

    fn attention(&self, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        let Attention { heads, head_width: w, .. } = self.heads;
        let (width, bias) = (self.config.sizes.hidden_size, self.config.attention_bias);
        // Interleaved per head: q, k, v of head 0, then of head 1, ...
        let fused = linear(s, "query_key_value", x, (width, 3 * width), bias)?;
        let [q, k, v] = split_fused(s, self.heads, fused)?;
        let tables = rope::tables(s, "rotary", &self.rope.frequencies)?;
        let q = rope::rotate(s, q, (heads, w), tables, Pairs::Halves)?;
        let k = rope::rotate(s, k, (heads, w), tables, Pairs::Halves)?;
        let mask = attention::mask(s, "mask")?;
        let mixed = attend(s, self.heads, [q, k, v], mask)?;
        linear(s, "dense", mixed, (width, width), bias)
    }
}
