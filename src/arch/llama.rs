//! LLaMA-2, 3.x and everything with `model_type: llama` (`transformers/models/llama/modeling_llama.py`):
//! sequential, RMSNorm, grouped heads, rotary positions, gated MLP.

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
        activation::{Activation, Mlp, gated},
        attention::{self, Attention, attend},
        linear::linear,
        norm::rms_norm,
        rope,
    },
};

const FAMILY: &str = "llama";

#[derive(Debug, Deserialize)]
struct Config {
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    num_key_value_heads: Option<usize>,
    head_dim: Option<usize>,
    intermediate_size: usize,
    vocab_size: usize,
    max_position_embeddings: usize,
    #[serde(default = "default_eps")]
    rms_norm_eps: f64,
    #[serde(default = "default_act")]
    hidden_act: String,
    #[serde(default)]
    attention_bias: bool,
    #[serde(default)]
    mlp_bias: bool,
    #[serde(default)]
    tie_word_embeddings: bool,
    #[serde(flatten)]
    rope: RopeKeys,
}

fn default_eps() -> f64 {
    1e-6
}

fn default_act() -> String {
    "silu".to_string()
}

#[derive(Debug)]
struct Llama {
    config: Config,
    heads: Attention,
    rope: Rope,
    activation: Activation,
}

pub(super) fn read(config: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let config: Config = typed(FAMILY, config)?;
    let heads = config.num_attention_heads;
    let kv_heads = config.num_key_value_heads.unwrap_or(heads);
    sizes(
        FAMILY,
        &[
            ("hidden_size", config.hidden_size),
            ("num_hidden_layers", config.num_hidden_layers),
            ("num_attention_heads", heads),
            ("num_key_value_heads", kv_heads),
            ("intermediate_size", config.intermediate_size),
            ("vocab_size", config.vocab_size),
            ("max_position_embeddings", config.max_position_embeddings),
        ],
    )?;
    epsilon(FAMILY, "rms_norm_eps", config.rms_norm_eps)?;
    divided(FAMILY, ("num_attention_heads", heads), ("num_key_value_heads", kv_heads))?;
    let head_width = match config.head_dim {
        Some(width) => width,
        None => divided(FAMILY, ("hidden_size", config.hidden_size), ("num_attention_heads", heads))?,
    };
    let rope = config.rope.resolve(FAMILY, head_width, 10_000.0, 1.0)?;
    let activation = activation(&config.hidden_act)?;
    let scale = (1.0 / (head_width as f64).sqrt()) as f32;
    let heads = Attention { heads, kv_heads, head_width, scale, softcap: None };
    Ok(Box::new(Llama { config, heads, rope, activation }))
}

impl Architecture for Llama {
    fn facts(&self) -> ModelFacts {
        let c = &self.config;
        ModelFacts {
            family: Some(FAMILY.to_string()),
            norm: Some("rmsnorm".to_string()),
            mlp: Some(self.activation.mlp_name(true).to_string()),
            residual: Some("sequential".to_string()),
            blocks: Some(c.num_hidden_layers as u32),
            width: Some(c.hidden_size as u32),
            heads: Some(self.heads.heads as u32),
            kv_heads: Some(self.heads.kv_heads as u32),
            head_width: Some(self.heads.head_width as u32),
            mlp_width: Some(c.intermediate_size as u32),
            vocabulary: Some(c.vocab_size as u32),
            context: Some(c.max_position_embeddings as u32),
            positions: Some("rotary".to_string()),
            rope_theta: Some(self.rope.theta),
            rope_scaling: Some(self.rope.scaling.clone()),
            tied: Some(c.tie_word_embeddings),
            parameters: None,
            dtype: None,
        }
    }

    fn names(&self) -> Names {
        Names {
            base: "model.",
            layers: "layers",
            embedding: "embed_tokens.weight",
            unembedding: &["lm_head.weight"],
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
        let normed = rms_norm(s, "input_layernorm", x, c.hidden_size, c.rms_norm_eps)?;
        let attention = self.attention(&mut s.at("self_attn"), normed)?;
        let middle = s.add(x, attention)?;
        let normed = rms_norm(s, "post_attention_layernorm", middle, c.hidden_size, c.rms_norm_eps)?;
        let mlp = Mlp {
            width: c.hidden_size,
            inner: c.intermediate_size,
            activation: self.activation,
            bias: c.mlp_bias,
        };
        let mlp = gated(&mut s.at("mlp"), ["gate_proj", "up_proj", "down_proj"], normed, mlp)?;
        Ok(Block { attention, mlp, stream: s.add(middle, mlp)? })
    }

    fn final_norm(&self, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        rms_norm(s, "norm", x, self.config.hidden_size, self.config.rms_norm_eps)
    }
}

impl Llama {
    fn attention(&self, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        let Attention { heads, kv_heads, head_width, .. } = self.heads;
        let (width, bias) = (self.config.hidden_size, self.config.attention_bias);
        let tables = rope::tables(s, "rotary", &self.rope.frequencies)?;
        let mut project = |name: &str, n: usize| {
            let rows = linear(s, name, x, (width, n * head_width), bias)?;
            s.reshape(rows, &[TOKENS, Dim::Fixed(n), Dim::Fixed(head_width)])
        };
        let (q, k, v) =
            (project("q_proj", heads)?, project("k_proj", kv_heads)?, project("v_proj", kv_heads)?);
        let q = rope::rotate(s, q, head_width, tables)?;
        let k = rope::rotate(s, k, head_width, tables)?;
        let mask = attention::mask(s, "mask")?;
        let mixed = attend(s, self.heads, [q, k, v], mask)?;
        linear(s, "o_proj", mixed, (heads * head_width, width), bias)
    }
}
