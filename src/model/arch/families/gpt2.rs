//! GPT-2 and everything with `model_type: gpt2` (`transformers/models/gpt2/modeling_gpt2.py`): sequential, LayerNorm,
//! learned positions, weights stored `[in, out]`.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::{
    arch::{
        ArchError, Architecture, Block, Branch, Initial, Names, ValueLayout,
        config::{activation, default, only, own_names, typed},
        kinds::Kinds,
        sizes::{Sizes, epsilon},
    },
    graph::{GraphError, Value},
    nn::{
        Scope, TOKENS,
        activation::Activation,
        attention::{Attention, attend},
        linear::conv1d,
        mask::Mask,
        norm::layer_norm,
        positions::add_learned,
    },
};
use number::facts::ModelFacts;

pub(super) const FAMILY: &str = "gpt2";

#[derive(Debug, Deserialize)]
struct Config {
    n_embd: usize,
    n_layer: usize,
    n_head: usize,
    n_inner: Option<usize>,
    n_positions: usize,
    vocab_size: usize,
    #[serde(default = "default::eps_1e5")]
    layer_norm_epsilon: f64,
    #[serde(default = "default::gelu_new")]
    activation_function: String,
    #[serde(default = "default::yes")]
    scale_attn_weights: bool,
    #[serde(default)]
    scale_attn_by_inverse_layer_idx: bool,
    #[serde(default = "default::yes")]
    tie_word_embeddings: bool,
}

#[derive(Debug)]
struct Gpt2 {
    config: Config,
    sizes: Sizes,
    heads: Attention,
    /// Factor on the scores.
    scales: Kinds<f32>,
    activation: Activation,
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let json = own_names(
        FAMILY,
        json,
        &[
            ("hidden_size", "n_embd"),
            ("num_hidden_layers", "n_layer"),
            ("num_attention_heads", "n_head"),
            ("max_position_embeddings", "n_positions"),
        ],
    )?;
    only(&json, &[("add_cross_attention", false.into())])?;
    let config: Config = typed(FAMILY, &json)?;
    let sizes = Sizes {
        hidden_size: config.n_embd,
        num_hidden_layers: config.n_layer,
        num_attention_heads: config.n_head,
        num_key_value_heads: None,
        head_dim: None,
        intermediate_size: config.n_inner.unwrap_or(config.n_embd.saturating_mul(4)),
        vocab_size: config.vocab_size,
        max_position_embeddings: config.n_positions,
    };
    let heads = sizes.attention(FAMILY)?;
    epsilon(FAMILY, "layer_norm_epsilon", config.layer_norm_epsilon)?;
    let width_scale = if config.scale_attn_weights { heads.scale } else { 1.0 };
    let inverse = config.scale_attn_by_inverse_layer_idx;
    let scale = |layer: usize| if inverse { width_scale / (layer + 1) as f32 } else { width_scale };
    let scales = Kinds::new((0..config.n_layer).map(scale));
    let activation = activation("activation_function", &config.activation_function)?;
    Ok(Box::new(Gpt2 { config, sizes, heads, scales, activation }))
}

impl Architecture for Gpt2 {
    fn facts(&self) -> ModelFacts {
        ModelFacts {
            norm: Some("layernorm".to_string()),
            mlp: Some(self.activation.mlp_name(false).to_string()),
            residual: Some("sequential".to_string()),
            positions: Some("learned".to_string()),
            tied: Some(self.config.tie_word_embeddings),
            ..self.sizes.facts(FAMILY, &self.heads)
        }
    }

    fn names(&self) -> Names {
        Names {
            base: &["", "transformer."],
            layers: "h",
            embedding: "wte.weight",
            unembedding: &["lm_head.weight"],
            unembedding_bias: None,
            tied: self.config.tie_word_embeddings,
            buffers: &[".attn.bias", ".attn.masked_bias"],
            further: 0,
        }
    }

    /// Layers that write to the stream begin narrower, by the root of the number of writes.
    fn initial(&self, tensor: &str) -> Option<Initial> {
        let writes = 2.0 * self.config.n_layer as f64;
        tensor.ends_with("c_proj.weight").then(|| Initial::Narrower(1.0 / writes.sqrt()))
    }

    fn kind(&self, layer: usize) -> usize {
        self.scales.of(layer)
    }

    fn prelude(&self, s: &mut Scope, rows: Value, positions: Value) -> Result<Value, GraphError> {
        Mask::everywhere(None).publish(s)?;
        add_learned(s, "wpe", rows, positions, (self.config.n_positions, 0), self.config.n_embd)
    }

    fn block(&self, kind: usize, s: &mut Scope, x: Value) -> Result<Block, GraphError> {
        let normed = self.norm(s, "ln_1", x)?;
        let heads = Attention { scale: *self.scales.get(kind), ..self.heads };
        let attention = Branch::bare(normed, self.attention(&mut s.at("attn"), heads, normed)?);
        Block::sequential(s, x, attention, |s, x| {
            let normed = self.norm(s, "ln_2", x)?;
            let (mut s, width, inner) = (s.at("mlp"), self.config.n_embd, self.sizes.intermediate_size);
            let inside = conv1d(&mut s, "c_fc", normed, (width, inner))?;
            let inside = self.activation.apply(&mut s, inside)?;
            Ok(Branch::bare(normed, conv1d(&mut s, "c_proj", inside, (inner, width))?))
        })
    }

    fn final_norm(&self, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        self.norm(s, "ln_f", x)
    }

    fn values(&self) -> (String, ValueLayout) {
        ("attn.c_attn.weight".to_string(), ValueLayout::ColumnsAfterKeys)
    }
}

impl Gpt2 {
    fn norm(&self, s: &mut Scope, name: &str, x: Value) -> Result<Value, GraphError> {
        layer_norm(s, name, x, &[self.config.n_embd], self.config.layer_norm_epsilon, true)
    }

    fn attention(&self, s: &mut Scope, heads: Attention, x: Value) -> Result<Value, GraphError> {
        let width = self.config.n_embd;
        // All queries, then all keys, then all values.
        let fused = conv1d(s, "c_attn", x, (width, 3 * width))?;
        let mut part = |i: usize| {
            let part = s.slice(fused, 1, i * width, (i + 1) * width)?;
            s.reshape(part, &[TOKENS, heads.heads.into(), heads.head_width.into()])
        };
        let qkv = [part(0)?, part(1)?, part(2)?];
        let mixed = attend(s, heads, qkv, None, Mask::everywhere(None))?;
        conv1d(s, "c_proj", mixed, (width, width))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cross_attention_is_refused_and_the_standard_names_of_sizes_are_read() {
        let config = |more: &str| {
            let text = format!(
                r#"{{"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "n_positions": 4, "vocab_size": 5
                    {more}}}"#
            );
            read(&serde_json::from_str(&text).unwrap())
        };
        let facts = config("").unwrap().facts();
        assert_eq!(
            (facts.width, facts.blocks, facts.mlp_width, facts.tied),
            (Some(8), Some(2), Some(32), Some(true))
        );
        let message = config(r#", "add_cross_attention": true"#).unwrap_err().to_string();
        assert!(message.contains("`add_cross_attention` is true"), "{message}");
        let message = config(r#", "activation_function": "snake""#).unwrap_err().to_string();
        assert!(message.contains("`activation_function` is \"snake\""), "{message}");
    }
}
