//! GPT-NeoX and Pythia (`transformers/models/gpt_neox/modeling_gpt_neox.py`): LayerNorm, parallel residual with two
//! norms (or sequential), fused and interleaved q, k, v, rotary positions on a part of each head.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::{
    ArchError, Architecture, Block, Names,
    config::{Rope, RopeKeys, activation, divided, epsilon, sizes, typed},
};
use crate::{
    facts::ModelFacts,
    graph::{Dim, GraphError, Value},
    nn::{
        Scope, TOKENS,
        activation::{Activation, Mlp, feed_forward},
        attention::{self, Attention, attend},
        linear::linear,
        norm::layer_norm,
        rope,
    },
};

const FAMILY: &str = "gpt_neox";

#[derive(Debug, Deserialize)]
struct Config {
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    intermediate_size: usize,
    vocab_size: usize,
    max_position_embeddings: usize,
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
    #[serde(flatten)]
    rope: RopeKeys,
}

fn default_eps() -> f64 {
    1e-5
}

fn default_act() -> String {
    "gelu".to_string()
}

fn yes() -> bool {
    true
}

#[derive(Debug)]
struct GptNeox {
    config: Config,
    heads: Attention,
    rope: Rope,
    activation: Activation,
}

pub(super) fn read(config: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let config: Config = typed(FAMILY, config)?;
    let heads = config.num_attention_heads;
    sizes(
        FAMILY,
        &[
            ("hidden_size", config.hidden_size),
            ("num_hidden_layers", config.num_hidden_layers),
            ("num_attention_heads", heads),
            ("intermediate_size", config.intermediate_size),
            ("vocab_size", config.vocab_size),
            ("max_position_embeddings", config.max_position_embeddings),
        ],
    )?;
    epsilon(FAMILY, "layer_norm_eps", config.layer_norm_eps)?;
    let head_width = divided(FAMILY, ("hidden_size", config.hidden_size), ("num_attention_heads", heads))?;
    let rope = config.rope.resolve(FAMILY, head_width, 10_000.0, 0.25)?;
    let activation = activation(&config.hidden_act)?;
    let scale = (1.0 / (head_width as f64).sqrt()) as f32;
    let heads = Attention { heads, kv_heads: heads, head_width, scale, softcap: None };
    Ok(Box::new(GptNeox { config, heads, rope, activation }))
}

impl Architecture for GptNeox {
    fn facts(&self) -> ModelFacts {
        let c = &self.config;
        let partial = 2 * self.rope.frequencies.inverse.len() < self.heads.head_width;
        ModelFacts {
            family: Some(FAMILY.to_string()),
            norm: Some("layernorm".to_string()),
            mlp: Some(self.activation.mlp_name(false).to_string()),
            residual: Some(if c.use_parallel_residual { "parallel" } else { "sequential" }.to_string()),
            blocks: Some(c.num_hidden_layers as u32),
            width: Some(c.hidden_size as u32),
            heads: Some(self.heads.heads as u32),
            kv_heads: Some(self.heads.heads as u32),
            head_width: Some(self.heads.head_width as u32),
            mlp_width: Some(c.intermediate_size as u32),
            vocabulary: Some(c.vocab_size as u32),
            context: Some(c.max_position_embeddings as u32),
            positions: Some(if partial { "partial-rotary" } else { "rotary" }.to_string()),
            rope_theta: Some(self.rope.theta),
            rope_scaling: Some(self.rope.scaling.clone()),
            tied: Some(c.tie_word_embeddings),
            parameters: None,
            dtype: None,
        }
    }

    fn names(&self) -> Names {
        Names {
            base: "gpt_neox.",
            layers: "layers",
            embedding: "embed_in.weight",
            // transformers 5 writes `lm_head`, the hub's checkpoints say `embed_out`.
            unembedding: &["embed_out.weight", "lm_head.weight"],
            unembedding_bias: None,
            tied: self.config.tie_word_embeddings,
        }
    }

    fn prelude(&self, s: &mut Scope, rows: Value, positions: Value) -> Result<Value, GraphError> {
        rope::publish_tables(s, "rotary", positions, &self.rope.frequencies)?;
        attention::publish_mask(s, "mask", None)?;
        Ok(rows)
    }

    fn block(&self, _kind: usize, s: &mut Scope, x: Value) -> Result<Block, GraphError> {
        let c = &self.config;
        let normed = layer_norm(s, "input_layernorm", x, c.hidden_size, c.layer_norm_eps, true)?;
        let attention = self.attention(&mut s.at("attention"), normed)?;
        let middle = s.add(x, attention)?;
        let entering = if c.use_parallel_residual { x } else { middle };
        let normed =
            layer_norm(s, "post_attention_layernorm", entering, c.hidden_size, c.layer_norm_eps, true)?;
        let mlp =
            Mlp { width: c.hidden_size, inner: c.intermediate_size, activation: self.activation, bias: true };
        let mlp = feed_forward(&mut s.at("mlp"), ["dense_h_to_4h", "dense_4h_to_h"], normed, mlp)?;
        Ok(Block { attention, mlp, stream: s.add(middle, mlp)? })
    }

    fn final_norm(&self, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        layer_norm(s, "final_layer_norm", x, self.config.hidden_size, self.config.layer_norm_eps, true)
    }
}

impl GptNeox {
    fn attention(&self, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        let Attention { heads, head_width, .. } = self.heads;
        let (width, bias) = (self.config.hidden_size, self.config.attention_bias);
        let tables = rope::tables(s, "rotary", &self.rope.frequencies)?;

        // Interleaved per head: q, k, v of head 0, then of head 1, ...
        let fused = linear(s, "query_key_value", x, (width, 3 * width), bias)?;
        let fused = s.reshape(fused, &[TOKENS, Dim::Fixed(heads), Dim::Fixed(3 * head_width)])?;
        let mut part = |i: usize| s.slice(fused, 2, i * head_width, (i + 1) * head_width); // [T, heads, w]
        let (q, k, v) = (part(0)?, part(1)?, part(2)?);
        let q = rope::rotate(s, q, head_width, tables)?;
        let k = rope::rotate(s, k, head_width, tables)?;
        let mask = attention::mask(s, "mask")?;
        let mixed = attend(s, self.heads, [q, k, v], mask)?;
        linear(s, "dense", mixed, (width, width), bias)
    }
}
