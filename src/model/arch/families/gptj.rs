//! GPT-J (`transformers/models/gptj/modeling_gptj.py`): parallel, one LayerNorm, rotary positions on neighbouring
//! components of a part of each head, head with a bias.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::{
    arch::{
        ArchError, Architecture, Block, Branch, Names, ValueLayout,
        config::{activation, default, own_names, typed},
        rope::Rope,
        sizes::{Sizes, epsilon},
    },
    graph::{GraphError, Value},
    nn::{
        Scope,
        activation::Activation,
        attention::{Attention, attend},
        linear::{linear, to_heads},
        mask::Mask,
        mlp::{Mlp, feed_forward},
        norm::layer_norm,
        rope::Pairs,
    },
};
use number::facts::ModelFacts;

pub(super) const FAMILY: &str = "gptj";
/// No key of the config.
const THETA: f64 = 10_000.0;

#[derive(Debug, Deserialize)]
struct Config {
    n_embd: usize,
    n_layer: usize,
    n_head: usize,
    n_inner: Option<usize>,
    n_positions: usize,
    vocab_size: usize,
    #[serde(default = "default_rotary_dim")]
    rotary_dim: usize,
    #[serde(default = "default::eps_1e5")]
    layer_norm_epsilon: f64,
    #[serde(default = "default::gelu_new")]
    activation_function: String,
    #[serde(default)]
    tie_word_embeddings: bool,
}

fn default_rotary_dim() -> usize {
    64
}

#[derive(Debug)]
struct GptJ {
    config: Config,
    sizes: Sizes,
    heads: Attention,
    rope: Rope,
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
    let rope = Rope::plain(FAMILY, THETA, config.rotary_dim, heads.head_width, Pairs::Neighbours)?;
    let activation = activation("activation_function", &config.activation_function)?;
    Ok(Box::new(GptJ { config, sizes, heads, rope, activation }))
}

impl Architecture for GptJ {
    fn facts(&self) -> ModelFacts {
        ModelFacts {
            norm: Some("layernorm".to_string()),
            mlp: Some(self.activation.mlp_name(false).to_string()),
            residual: Some("parallel".to_string()),
            tied: Some(self.config.tie_word_embeddings),
            ..self.rope.facts(self.sizes.facts(FAMILY, &self.heads))
        }
    }

    fn names(&self) -> Names {
        Names {
            base: &["transformer."],
            layers: "h",
            embedding: "wte.weight",
            unembedding: &["lm_head.weight"],
            unembedding_bias: Some("lm_head.bias"),
            tied: self.config.tie_word_embeddings,
            buffers: &[".attn.bias", ".attn.masked_bias"],
            further: 0,
        }
    }

    fn prelude(&self, s: &mut Scope, rows: Value, positions: Value) -> Result<Value, GraphError> {
        self.rope.rotary.publish(s, positions)?;
        Mask::everywhere(None).publish(s)?;
        Ok(rows)
    }

    fn block(&self, _kind: usize, s: &mut Scope, x: Value) -> Result<Block, GraphError> {
        let normed = self.norm(s, "ln_1", x)?;
        let attention = Branch::bare(normed, self.attention(&mut s.at("attn"), normed)?);
        let (width, inner) = (self.config.n_embd, self.sizes.intermediate_size);
        let mlp = Mlp { width, inner, activation: self.activation, bias: true };
        let mlp = Branch::bare(normed, feed_forward(&mut s.at("mlp"), ["fc_in", "fc_out"], normed, mlp)?);
        Block::parallel(s, x, attention, mlp)
    }

    fn final_norm(&self, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        self.norm(s, "ln_f", x)
    }

    fn values(&self) -> (String, ValueLayout) {
        ("attn.v_proj.weight".to_string(), ValueLayout::Apart)
    }
}

impl GptJ {
    fn norm(&self, s: &mut Scope, name: &str, x: Value) -> Result<Value, GraphError> {
        layer_norm(s, name, x, &[self.config.n_embd], self.config.layer_norm_epsilon, true)
    }

    fn attention(&self, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        let (width, heads) = (self.config.n_embd, (self.heads.heads, self.heads.head_width));
        let q = to_heads(s, "q_proj", x, width, heads, false)?;
        let k = to_heads(s, "k_proj", x, width, heads, false)?;
        let v = to_heads(s, "v_proj", x, width, heads, false)?;
        let mixed = attend(s, self.heads, [q, k, v], Some(&self.rope.rotary), Mask::everywhere(None))?;
        linear(s, "out_proj", mixed, (width, width), false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_rotary_components_than_a_head_has_are_refused() {
        let config = r#"{"n_embd": 64, "n_layer": 1, "n_head": 2, "n_positions": 4, "vocab_size": 5}"#;
        let message = read(&serde_json::from_str(config).unwrap()).unwrap_err().to_string();
        assert!(message.contains("64 of 32 components"), "{message}"); // rotary_dim is 64 unless said
    }
}
