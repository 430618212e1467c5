//! Gemma 2 (`transformers/models/gemma2/modeling_gemma2.py`): Gemma with a norm before and after each branch, soft caps on
//! scores and logits, and a sliding window in every other block.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::{
    ArchError, Architecture, Block, Branch, Names,
    config::{Kinds, Sizes, activation_of, epsilon, only, positive, sliding, typed, windows, yes},
    rope::{Rope, RopeDefaults, RopeKeys},
};
use crate::{
    graph::{GraphError, Value},
    nn::{
        Scope,
        activation::{Activation, Mlp, gated, softcap},
        attention::{self, Attention, attend, mask_name},
        linear::{linear, to_heads},
        norm::rms_norm_from_one,
        rope::{self, Pairs},
    },
};
use number::facts::ModelFacts;

const FAMILY: &str = "gemma2";

#[derive(Debug, Deserialize)]
struct Config {
    #[serde(flatten)]
    sizes: Sizes,
    #[serde(default = "default_eps")]
    rms_norm_eps: f64,
    #[serde(default = "default_act")]
    hidden_activation: String,
    #[serde(default)]
    attention_bias: bool,
    #[serde(default = "default_scalar")]
    query_pre_attn_scalar: f64,
    #[serde(default = "default_window")]
    sliding_window: Option<usize>,
    layer_types: Option<Vec<String>>,
    #[serde(default = "default_score_cap")]
    attn_logit_softcapping: Option<f64>,
    #[serde(default = "default_logit_cap")]
    final_logit_softcapping: Option<f64>,
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

fn default_scalar() -> f64 {
    256.0
}

// Where the key is absent; null means no window, no cap.

fn default_window() -> Option<usize> {
    Some(4096)
}

fn default_score_cap() -> Option<f64> {
    Some(50.0)
}

fn default_logit_cap() -> Option<f64> {
    Some(30.0)
}

#[derive(Debug)]
struct Gemma2 {
    config: Config,
    heads: Attention,
    windows: Kinds<Option<usize>>,
    logit_cap: Option<f32>,
    rope: Rope,
    activation: Activation,
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let mut config: Config = typed(FAMILY, json)?;
    only(json, &[("use_bidirectional_attention", false.into())])?;
    config.sizes.kv_heads_or(json, 4);
    config.sizes.head_dim.get_or_insert(256);
    let cap = |key, cap: Option<f64>| match cap {
        Some(cap) => positive(FAMILY, key, cap).map(|cap| Some(cap as f32)),
        None => Ok(None),
    };
    let scalar = positive(FAMILY, "query_pre_attn_scalar", config.query_pre_attn_scalar)?;
    let heads = Attention {
        scale: (1.0 / scalar.sqrt()) as f32,
        softcap: cap("attn_logit_softcapping", config.attn_logit_softcapping)?,
        ..config.sizes.attention(FAMILY)?
    };
    let logit_cap = cap("final_logit_softcapping", config.final_logit_softcapping)?;
    let (layers, types) = (config.sizes.num_hidden_layers, config.layer_types.as_deref());
    let slides = sliding(FAMILY, layers, types, |layer| layer % 2 == 0)?;
    let windows = windows(FAMILY, &slides, config.sliding_window)?;
    epsilon(FAMILY, "rms_norm_eps", config.rms_norm_eps)?;
    let (head_width, context) = (heads.head_width, config.sizes.max_position_embeddings);
    let defaults = RopeDefaults { head_width, context, theta: 10_000.0, share: 1.0 };
    let rope = config.rope.resolve(FAMILY, defaults)?.whole(FAMILY, head_width)?;
    let activation = activation_of("hidden_activation", &config.hidden_activation)?;
    Ok(Box::new(Gemma2 { config, heads, windows, logit_cap, rope, activation }))
}

impl Architecture for Gemma2 {
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

    fn kind(&self, layer: usize) -> usize {
        self.windows.of(layer)
    }

    fn prelude(&self, s: &mut Scope, rows: Value, positions: Value) -> Result<Value, GraphError> {
        rope::publish_tables(s, "rotary", positions, &self.rope.frequencies)?;
        for window in self.windows.iter() {
            attention::publish_mask(s, mask_name(*window), *window)?;
        }
        s.scale(rows, (self.config.sizes.hidden_size as f64).sqrt() as f32)
    }

    fn block(&self, kind: usize, s: &mut Scope, x: Value) -> Result<Block, GraphError> {
        let normed = self.norm(s, "input_layernorm", x)?;
        let output = self.attention(&mut s.at("self_attn"), normed, *self.windows.get(kind))?;
        let write = self.norm(s, "post_attention_layernorm", output)?;
        let attention = Branch { input: normed, output, write };
        Block::sequential(s, x, attention, |s, x| {
            let normed = self.norm(s, "pre_feedforward_layernorm", x)?;
            let (width, inner) = (self.config.sizes.hidden_size, self.config.sizes.intermediate_size);
            let mlp = Mlp { width, inner, activation: self.activation, bias: false };
            let output = gated(&mut s.at("mlp"), ["gate_proj", "up_proj", "down_proj"], normed, mlp)?;
            let write = self.norm(s, "post_feedforward_layernorm", output)?;
            Ok(Branch { input: normed, output, write })
        })
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
        self.logit_cap.map_or(Ok(logits), |cap| softcap(s, logits, cap))
    }
}

impl Gemma2 {
    fn norm(&self, s: &mut Scope, name: &str, x: Value) -> Result<Value, GraphError> {
        rms_norm_from_one(s, name, x, self.config.sizes.hidden_size, self.config.rms_norm_eps)
    }

    fn attention(&self, s: &mut Scope, x: Value, window: Option<usize>) -> Result<Value, GraphError> {
        let Attention { heads, kv_heads, head_width: w, .. } = self.heads;
        let (width, bias) = (self.config.sizes.hidden_size, self.config.attention_bias);
        let q = to_heads(s, "q_proj", x, width, (heads, w), bias)?;
        let k = to_heads(s, "k_proj", x, width, (kv_heads, w), bias)?;
        let v = to_heads(s, "v_proj", x, width, (kv_heads, w), bias)?;
        let tables = rope::tables(s, "rotary", &self.rope.frequencies)?;
        let q = rope::rotate(s, q, (heads, w), tables, Pairs::Halves)?;
        let k = rope::rotate(s, k, (kv_heads, w), tables, Pairs::Halves)?;
        let mask = attention::mask(s, mask_name(window))?;
        let mixed = attend(s, self.heads, [q, k, v], mask)?;
        linear(s, "o_proj", mixed, (heads * w, width), bias)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::tests::small;

    fn read_with(changes: &str) -> Result<Box<dyn Architecture>, ArchError> {
        read(&small(FAMILY, changes))
    }

    #[test]
    fn what_is_not_computed_is_refused_by_its_key() {
        for (changes, named) in [
            (r#"{"use_bidirectional_attention": true}"#, "`use_bidirectional_attention` is true"),
            (r#"{"sliding_window": null}"#, "no `sliding_window`"),
            (r#"{"attn_logit_softcapping": 0.0}"#, "`attn_logit_softcapping` = 0"),
            (r#"{"query_pre_attn_scalar": -4}"#, "`query_pre_attn_scalar` = -4"),
            (r#"{"hidden_activation": "snake"}"#, "`hidden_activation` is \"snake\""),
            (r#"{"partial_rotary_factor": 0.5}"#, "turns whole heads"),
        ] {
            let message = read_with(changes).unwrap_err().to_string();
            assert!(message.contains(named), "{message}");
        }
    }

    #[test]
    fn an_absent_window_is_the_published_one_and_null_is_none() {
        let kinds = |changes| {
            let model = read_with(changes).unwrap();
            [model.kind(0), model.kind(1)]
        };
        assert_eq!(kinds("{}"), [0, 1]);
        assert_eq!(
            kinds(r#"{"sliding_window": null, "layer_types": ["full_attention", "full_attention"]}"#),
            [0, 0]
        );
    }
}
