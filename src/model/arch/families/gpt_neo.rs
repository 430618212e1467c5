//! GPT-Neo (`transformers/models/gpt_neo/modeling_gpt_neo.py`): sequential, LayerNorm, learned positions, global and
//! local attention in turn, scores without 1/√head_width.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::{
    arch::{
        ArchError, Architecture, Block, Branch, LayerFacts, Names, ValueLayout,
        config::{activation, default, own_names, typed},
        kinds::Kinds,
        sizes::{Sizes, epsilon, sizes},
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
        positions::add_learned,
    },
};
use number::facts::ModelFacts;

pub(super) const FAMILY: &str = "gpt_neo";

#[derive(Debug, Deserialize)]
struct Config {
    hidden_size: usize,
    num_layers: usize,
    num_heads: usize,
    intermediate_size: Option<usize>,
    vocab_size: usize,
    max_position_embeddings: usize,
    /// `global` or `local` for each block; wins over `attention_types`.
    attention_layers: Option<Vec<String>>,
    /// Some types, and how often they come in this order.
    attention_types: Option<Vec<(Vec<String>, usize)>>,
    #[serde(default = "default_window")]
    window_size: usize,
    #[serde(default = "default::eps_1e5")]
    layer_norm_epsilon: f64,
    #[serde(default = "default::gelu_new")]
    activation_function: String,
    #[serde(default = "default::yes")]
    tie_word_embeddings: bool,
}

fn default_window() -> usize {
    256
}

#[derive(Debug)]
struct GptNeo {
    config: Config,
    sizes: Sizes,
    heads: Attention,
    /// The window of a local block.
    windows: Kinds<Option<usize>>,
    activation: Activation,
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let pairs = [("num_hidden_layers", "num_layers"), ("num_attention_heads", "num_heads")];
    let config: Config = typed(FAMILY, &own_names(FAMILY, json, &pairs)?)?;
    let sizes = Sizes {
        hidden_size: config.hidden_size,
        num_hidden_layers: config.num_layers,
        num_attention_heads: config.num_heads,
        num_key_value_heads: None,
        head_dim: None,
        intermediate_size: config.intermediate_size.unwrap_or(config.hidden_size.saturating_mul(4)),
        vocab_size: config.vocab_size,
        max_position_embeddings: config.max_position_embeddings,
    };
    let heads = Attention { scale: 1.0, ..sizes.attention(FAMILY)? };
    epsilon(FAMILY, "layer_norm_epsilon", config.layer_norm_epsilon)?;
    let windows = Kinds::new(config.windows()?);
    let activation = activation("activation_function", &config.activation_function)?;
    Ok(Box::new(GptNeo { config, sizes, heads, windows, activation }))
}

impl Config {
    /// The window of each block.
    fn windows(&self) -> Result<Vec<Option<usize>>, ArchError> {
        sizes(FAMILY, &[("window_size", self.window_size)])?;
        let default = || vec![(vec!["global".to_string(), "local".to_string()], 12)];
        let layers: Vec<String> = self.attention_layers.clone().unwrap_or_else(|| {
            let types = self.attention_types.clone().unwrap_or_else(default);
            let types = types.into_iter().filter(|(names, _)| !names.is_empty());
            types
                .flat_map(|(names, times)| std::iter::repeat_n(names, times).flatten())
                .take(self.num_layers + 1) // enough to see that there are too many
                .collect()
        });
        if layers.len() != self.num_layers {
            let reason = format!(
                "`attention_layers` or `attention_types` describe {} blocks{}; expected one type for each of `num_layers` = {}",
                layers.len(),
                if layers.len() > self.num_layers { " or more" } else { "" },
                self.num_layers
            );
            return Err(ArchError::Config { family: FAMILY, reason });
        }
        layers
            .into_iter()
            .map(|name| match name.as_str() {
                "global" => Ok(None),
                "local" => Ok(Some(self.window_size)),
                _ => Err(ArchError::Unsupported {
                    key: "attention_types".to_string(),
                    found: name,
                    known: "global, local",
                }),
            })
            .collect()
    }
}

impl Architecture for GptNeo {
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
            base: &["transformer."],
            layers: "h",
            embedding: "wte.weight",
            unembedding: &["lm_head.weight"],
            unembedding_bias: None,
            tied: self.config.tie_word_embeddings,
            buffers: &[".attn.attention.bias", ".attn.attention.masked_bias"],
            further: 0,
        }
    }

    fn layer(&self, layer: usize) -> LayerFacts {
        let window = *self.windows.get(self.windows.of(layer));
        LayerFacts { window, ..LayerFacts::of(&self.facts()) }
    }

    fn kind(&self, layer: usize) -> usize {
        self.windows.of(layer)
    }

    fn prelude(&self, s: &mut Scope, rows: Value, positions: Value) -> Result<Value, GraphError> {
        for window in self.windows.iter() {
            mask(*window).publish(s)?;
        }
        let c = &self.config;
        add_learned(s, "wpe", rows, positions, (c.max_position_embeddings, 0), c.hidden_size)
    }

    fn block(&self, kind: usize, s: &mut Scope, x: Value) -> Result<Block, GraphError> {
        let normed = self.norm(s, "ln_1", x)?;
        let mask = mask(*self.windows.get(kind));
        // Before the weights: the order of inputs is part of the graph's identity.
        mask.input(s, self.heads.groups())?;
        let attention = Branch::bare(normed, self.attention(&mut s.at("attn.attention"), normed, mask)?);
        Block::sequential(s, x, attention, |s, x| {
            let normed = self.norm(s, "ln_2", x)?;
            let (width, inner) = (self.sizes.hidden_size, self.sizes.intermediate_size);
            let mlp = Mlp { width, inner, activation: self.activation, bias: true };
            Ok(Branch::bare(normed, feed_forward(&mut s.at("mlp"), ["c_fc", "c_proj"], normed, mlp)?))
        })
    }

    fn final_norm(&self, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        self.norm(s, "ln_f", x)
    }

    fn values(&self) -> (String, ValueLayout) {
        ("attn.attention.v_proj.weight".to_string(), ValueLayout::Apart)
    }
}

impl GptNeo {
    fn norm(&self, s: &mut Scope, name: &str, x: Value) -> Result<Value, GraphError> {
        layer_norm(s, name, x, &[self.config.hidden_size], self.config.layer_norm_epsilon, true)
    }

    fn attention(&self, s: &mut Scope, x: Value, mask: Mask) -> Result<Value, GraphError> {
        let (width, heads) = (self.config.hidden_size, (self.heads.heads, self.heads.head_width));
        let q = to_heads(s, "q_proj", x, width, heads, false)?;
        let k = to_heads(s, "k_proj", x, width, heads, false)?;
        let v = to_heads(s, "v_proj", x, width, heads, false)?;
        let mixed = attend(s, self.heads, [q, k, v], None, mask)?;
        linear(s, "out_proj", mixed, (width, width), true)
    }
}

fn mask(window: Option<usize>) -> Mask {
    let name = if window.is_some() { "local" } else { "global" };
    Mask { name, ..Mask::of_layer(window) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_without_a_type_and_types_without_a_block_are_refused() {
        let refuse = |types: &str| {
            let text = format!(
                r#"{{"hidden_size": 8, "num_layers": 2, "num_heads": 2, "max_position_embeddings": 4, "vocab_size": 5,
                    {types}}}"#
            );
            read(&serde_json::from_str(&text).unwrap()).unwrap_err().to_string()
        };
        let message = refuse(r#""attention_types": null"#); // global and local in turn, 12 times
        assert!(message.contains("describe 3 blocks or more"), "{message}");
        let message = refuse(r#""attention_types": [[[], 99999999999], [["global"], 1]]"#);
        assert!(message.contains("describe 1 blocks; expected"), "{message}");
        let message = refuse(r#""attention_layers": ["global", "sparse"]"#);
        assert!(message.contains("\"sparse\"") && message.contains("global, local"), "{message}");
    }
}
