//! Qwen3 (`transformers/models/qwen3/modeling_qwen3.py`): LLaMA with norms on every query and key head, of a width of their
//! own; upper blocks see only a window where the config turns it on.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::{
    ArchError, Architecture, Block, Branch, Names,
    config::{Kinds, Sizes, activation, epsilon, sliding, typed, windows},
    rope::{Rope, RopeDefaults, RopeKeys},
};
use crate::{
    graph::{GraphError, Value},
    nn::{
        Scope,
        activation::{Activation, Mlp, gated},
        attention::{self, Attention, attend, mask_name},
        linear::{linear, to_heads},
        norm::rms_norm,
        rope::{self, Pairs},
    },
};
use number::facts::ModelFacts;

const FAMILY: &str = "qwen3";

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
    use_sliding_window: bool,
    #[serde(default = "default_window")]
    sliding_window: Option<usize>,
    #[serde(default = "default_full_layers")]
    max_window_layers: usize,
    layer_types: Option<Vec<String>>,
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

/// Where the key is absent; null means no window.
fn default_window() -> Option<usize> {
    Some(4096)
}

/// How many blocks see everything before the first with a window.
fn default_full_layers() -> usize {
    28
}

#[derive(Debug)]
struct Qwen3 {
    config: Config,
    heads: Attention,
    windows: Kinds<Option<usize>>,
    rope: Rope,
    activation: Activation,
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let mut config: Config = typed(FAMILY, json)?;
    config.sizes.kv_heads_or(json, 32);
    config.sizes.head_dim.get_or_insert(128);
    let heads = config.sizes.attention(FAMILY)?;
    let window = config.sliding_window.filter(|_| config.use_sliding_window);
    let (layers, types) = (config.sizes.num_hidden_layers, config.layer_types.as_deref());
    let slides =
        sliding(FAMILY, layers, types, |layer| window.is_some() && layer >= config.max_window_layers)?;
    let windows = windows(FAMILY, &slides, window)?;
    epsilon(FAMILY, "rms_norm_eps", config.rms_norm_eps)?;
    let (head_width, context) = (heads.head_width, config.sizes.max_position_embeddings);
    let defaults = RopeDefaults { head_width, context, theta: 10_000.0, share: 1.0 };
    let rope = config.rope.resolve(FAMILY, defaults)?.whole(FAMILY, head_width)?;
    let activation = activation(&config.hidden_act)?;
    Ok(Box::new(Qwen3 { config, heads, windows, rope, activation }))
}

impl Architecture for Qwen3 {
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

    fn kind(&self, layer: usize) -> usize {
        self.windows.of(layer)
    }

    fn prelude(&self, s: &mut Scope, rows: Value, positions: Value) -> Result<Value, GraphError> {
        rope::publish_tables(s, "rotary", positions, &self.rope.frequencies)?;
        for window in self.windows.iter() {
            attention::publish_mask(s, mask_name(*window), *window)?;
        }
        Ok(rows)
    }

    fn block(&self, kind: usize, s: &mut Scope, x: Value) -> Result<Block, GraphError> {
        let normed = self.norm(s, "input_layernorm", x)?;
        let attention =
            Branch::bare(normed, self.attention(&mut s.at("self_attn"), normed, *self.windows.get(kind))?);
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

impl Qwen3 {
    fn norm(&self, s: &mut Scope, name: &str, x: Value) -> Result<Value, GraphError> {
        rms_norm(s, name, x, self.config.sizes.hidden_size, self.config.rms_norm_eps)
    }

    fn attention(&self, s: &mut Scope, x: Value, window: Option<usize>) -> Result<Value, GraphError> {
        let Attention { heads, kv_heads, head_width: w, .. } = self.heads;
        let Config { sizes, rms_norm_eps: eps, attention_bias: bias, .. } = &self.config;
        let width = sizes.hidden_size;
        let q = to_heads(s, "q_proj", x, width, (heads, w), *bias)?;
        let q = rms_norm(s, "q_norm", q, w, *eps)?;
        let k = to_heads(s, "k_proj", x, width, (kv_heads, w), *bias)?;
        let k = rms_norm(s, "k_norm", k, w, *eps)?;
        let v = to_heads(s, "v_proj", x, width, (kv_heads, w), *bias)?;
        let tables = rope::tables(s, "rotary", &self.rope.frequencies)?;
        let q = rope::rotate(s, q, (heads, w), tables, Pairs::Halves)?;
        let k = rope::rotate(s, k, (kv_heads, w), tables, Pairs::Halves)?;
        let mask = attention::mask(s, mask_name(window))?;
        let mixed = attend(s, self.heads, [q, k, v], mask)?;
        linear(s, "o_proj", mixed, (heads * w, width), *bias)
    }
}
