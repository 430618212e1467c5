//! BLOOM (`transformers/models/bloom/modeling_bloom.py`): sequential, LayerNorm, also right after the embedding, ALiBi,
//! fused and interleaved q, k, v.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::{
    arch::{
        ArchError, Architecture, Block, Branch, Names, ValueLayout,
        config::{default, only, own_names, typed},
        sizes::{Sizes, epsilon},
    },
    graph::{GraphError, Value},
    nn::{
        Scope,
        activation::Activation,
        attention::{Attention, attend, split_fused},
        linear::linear,
        mask::{Mask, alibi_slopes},
        mlp::{Mlp, feed_forward},
        norm::layer_norm,
    },
};
use number::facts::ModelFacts;

pub(super) const FAMILY: &str = "bloom";
/// No key of the config.
const ACTIVATION: Activation = Activation::GeluTanh;

#[derive(Debug, Deserialize)]
struct Config {
    hidden_size: usize,
    n_layer: usize,
    n_head: usize,
    vocab_size: usize,
    #[serde(default = "default_context")]
    seq_length: usize,
    #[serde(default = "default::eps_1e5")]
    layer_norm_epsilon: f64,
    #[serde(default = "default::yes")]
    tie_word_embeddings: bool,
}

/// ALiBi has no longest position and the class no key for one; every BLOOM was trained on prompts of this length.
fn default_context() -> usize {
    2048
}

#[derive(Debug)]
struct Bloom {
    config: Config,
    sizes: Sizes,
    heads: Attention,
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    only(
        json,
        &[
            ("apply_residual_connection_post_layernorm", false.into()),
            ("slow_but_exact", false.into()), // with `pretraining_tp` above 1 it leaves out biases
        ],
    )?;
    let pairs =
        [("n_embed", "hidden_size"), ("num_hidden_layers", "n_layer"), ("num_attention_heads", "n_head")];
    let config: Config = typed(FAMILY, &own_names(FAMILY, json, &pairs)?)?;
    let sizes = Sizes {
        hidden_size: config.hidden_size,
        num_hidden_layers: config.n_layer,
        num_attention_heads: config.n_head,
        num_key_value_heads: None,
        head_dim: None,
        intermediate_size: config.hidden_size.saturating_mul(4),
        vocab_size: config.vocab_size,
        max_position_embeddings: config.seq_length,
    };
    let heads = sizes.attention(FAMILY)?;
    epsilon(FAMILY, "layer_norm_epsilon", config.layer_norm_epsilon)?;
    Ok(Box::new(Bloom { config, sizes, heads }))
}

impl Architecture for Bloom {
    fn facts(&self) -> ModelFacts {
        ModelFacts {
            norm: Some("layernorm".to_string()),
            mlp: Some(ACTIVATION.mlp_name(false).to_string()),
            residual: Some("sequential".to_string()),
            positions: Some("alibi".to_string()),
            tied: Some(self.config.tie_word_embeddings),
            ..self.sizes.facts(FAMILY, &self.heads)
        }
    }

    fn names(&self) -> Names {
        Names {
            base: &["", "transformer."],
            layers: "h",
            embedding: "word_embeddings.weight",
            unembedding: &["lm_head.weight"],
            unembedding_bias: None,
            tied: self.config.tie_word_embeddings,
            buffers: &[".self_attention.bias", ".self_attention.masked_bias"],
            further: 0,
        }
    }

    fn prelude(&self, s: &mut Scope, rows: Value, _positions: Value) -> Result<Value, GraphError> {
        Mask::alibi().publish_alibi(s, self.heads.groups(), alibi_slopes(self.heads.heads))?;
        self.norm(s, "word_embeddings_layernorm", rows)
    }

    fn block(&self, _kind: usize, s: &mut Scope, x: Value) -> Result<Block, GraphError> {
        let normed = self.norm(s, "input_layernorm", x)?;
        let attention = Branch::bare(normed, self.attention(&mut s.at("self_attention"), normed)?);
        Block::sequential(s, x, attention, |s, x| {
            let normed = self.norm(s, "post_attention_layernorm", x)?;
            let (width, inner) = (self.sizes.hidden_size, self.sizes.intermediate_size);
            let mlp = Mlp { width, inner, activation: ACTIVATION, bias: true };
            Ok(Branch::bare(
                normed,
                feed_forward(&mut s.at("mlp"), ["dense_h_to_4h", "dense_4h_to_h"], normed, mlp)?,
            ))
        })
    }

    fn final_norm(&self, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        self.norm(s, "ln_f", x)
    }

    fn values(&self) -> (String, ValueLayout) {
        ("self_attention.query_key_value.weight".to_string(), ValueLayout::ByGroup)
    }
}

impl Bloom {
    fn norm(&self, s: &mut Scope, name: &str, x: Value) -> Result<Value, GraphError> {
        layer_norm(s, name, x, &[self.config.hidden_size], self.config.layer_norm_epsilon, true)
    }

    fn attention(&self, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        let width = self.config.hidden_size;
        let fused = linear(s, "query_key_value", x, (width, 3 * width), true)?;
        let qkv = split_fused(s, self.heads, fused)?;
        let mixed = attend(s, self.heads, qkv, None, Mask::alibi())?;
        linear(s, "dense", mixed, (width, width), true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_the_residual_stream_is_refused_and_the_context_is_what_the_config_says() {
        let config = |more: &str| {
            let text = format!(r#"{{"n_embed": 8, "n_layer": 2, "n_head": 2, "vocab_size": 5 {more}}}"#);
            read(&serde_json::from_str(&text).unwrap())
        };
        assert_eq!(config("").unwrap().facts().context, Some(2048));
        assert_eq!(config(r#", "seq_length": 4096"#).unwrap().facts().context, Some(4096));
        for key in ["apply_residual_connection_post_layernorm", "slow_but_exact"] {
            let message = config(&format!(r#", "{key}": true"#)).unwrap_err().to_string();
            assert!(message.contains(&format!("`{key}` is true")), "{message}");
        }
    }
}
