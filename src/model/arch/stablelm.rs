//! StableLM (`transformers/models/stablelm/modeling_stablelm.py`): LayerNorm, grouped heads, rotary positions on a part of
//! each head, gated MLP; parallel with one norm (12b) or sequential, and a norm for every head of q and k (12b).

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
        activation::{Activation, Mlp, gated},
        attention::{self, Attention, attend},
        linear::{linear, to_heads},
        norm::{layer_norm, standardise},
        rope::{self, Pairs},
    },
};
use number::facts::ModelFacts;

const FAMILY: &str = "stablelm";

#[derive(Debug, Deserialize)]
struct Config {
    #[serde(flatten)]
    sizes: Sizes,
    #[serde(default = "default_eps")]
    layer_norm_eps: f64,
    #[serde(default = "default_act")]
    hidden_act: String,
    #[serde(default)]
    use_qkv_bias: bool,
    #[serde(default)]
    qk_layernorm: bool,
    #[serde(default)]
    use_parallel_residual: bool,
    #[serde(default)]
    tie_word_embeddings: bool,
    #[serde(flatten)]
    rope: RopeKeys,
}

fn default_eps() -> f64 {
    1e-5
}

fn default_act() -> String {
    "silu".to_string()
}

#[derive(Debug)]
struct StableLm {
    config: Config,
    heads: Attention,
    rope: Rope,
    activation: Activation,
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let mut config: Config = typed(FAMILY, json)?;
    config.sizes.without_head_dim(FAMILY)?;
    config.sizes.num_key_value_heads.get_or_insert(32);
    let heads = config.sizes.attention(FAMILY)?;
    epsilon(FAMILY, "layer_norm_eps", config.layer_norm_eps)?;
    let (head_width, context) = (heads.head_width, config.sizes.max_position_embeddings);
    let rope =
        config.rope.resolve(FAMILY, RopeDefaults { head_width, context, theta: 10_000.0, share: 0.25 })?;
    let activation = activation(&config.hidden_act)?;
    Ok(Box::new(StableLm { config, heads, rope, activation }))
}

impl Architecture for StableLm {
    fn facts(&self) -> ModelFacts {
        let c = &self.config;
        ModelFacts {
            norm: Some("layernorm".to_string()),
            mlp: Some(self.activation.mlp_name(true).to_string()),
            residual: Some(if c.use_parallel_residual { "parallel" } else { "sequential" }.to_string()),
            tied: Some(c.tie_word_embeddings),
            ..self.rope.facts(c.sizes.facts(FAMILY, &self.heads))
        }
    }

    fn names(&self) -> Names {
        Names::like_llama(self.config.tie_word_embeddings)
    }

    fn prelude(&self, s: &mut Scope, rows: Value, positions: Value) -> Result<Value, GraphError> {
        rope::publish_tables(s, "rotary", positions, &self.rope.frequencies)?;
        attention::publish_mask(s, "mask", None)?;
        Ok(rows)
    }

    fn block(&self, _kind: usize, s: &mut Scope, x: Value) -> Result<Block, GraphError> {
        let normed = self.norm(s, "input_layernorm", x)?;
        let attention = Branch::bare(normed, self.attention(&mut s.at("self_attn"), normed)?);
        if self.config.use_parallel_residual {
            let mlp = Branch::bare(normed, self.mlp(s, normed)?);
            return Block::parallel(s, x, attention, mlp);
        }
        Block::sequential(s, x, attention, |s, x| {
            let normed = self.norm(s, "post_attention_layernorm", x)?;
            Ok(Branch::bare(normed, self.mlp(s, normed)?))
        })
    }

    fn final_norm(&self, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        self.norm(s, "norm", x)
    }
}

impl StableLm {
    fn norm(&self, s: &mut Scope, name: &str, x: Value) -> Result<Value, GraphError> {
        layer_norm(s, name, x, &[self.config.sizes.hidden_size], self.config.layer_norm_eps, true)
    }

    fn mlp(&self, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        let (width, inner) = (self.config.sizes.hidden_size, self.config.sizes.intermediate_size);
        let mlp = Mlp { width, inner, activation: self.activation, bias: false };
        gated(&mut s.at("mlp"), ["gate_proj", "up_proj", "down_proj"], x, mlp)
    }

    fn attention(&self, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        let Attention { heads, kv_heads, head_width: w, .. } = self.heads;
        let (width, bias) = (self.config.sizes.hidden_size, self.config.use_qkv_bias);
        let mut q = to_heads(s, "q_proj", x, width, (heads, w), bias)?;
        let mut k = to_heads(s, "k_proj", x, width, (kv_heads, w), bias)?;
        let v = to_heads(s, "v_proj", x, width, (kv_heads, w), bias)?;
        if self.config.qk_layernorm {
            q = self.norm_of_each_head(&mut s.at("q_layernorm"), q, heads)?;
            k = self.norm_of_each_head(&mut s.at("k_layernorm"), k, kv_heads)?;
        }
        let tables = rope::tables(s, "rotary", &self.rope.frequencies)?;
        let q = rope::rotate(s, q, (heads, w), tables, Pairs::Halves)?;
        let k = rope::rotate(s, k, (kv_heads, w), tables, Pairs::Halves)?;
        let mask = attention::mask(s, "mask")?;
        let mixed = attend(s, self.heads, [q, k, v], mask)?;
        linear(s, "o_proj", mixed, (width, width), false)
    }

    /// `x [T, heads, w]`, each head with a weight `norms.<head>.weight [w]` and no bias.
    fn norm_of_each_head(&self, s: &mut Scope, x: Value, heads: usize) -> Result<Value, GraphError> {
        let w = self.heads.head_width;
        let normed = standardise(s, x, self.config.layer_norm_eps)?;
        let weights: Vec<Value> = (0..heads)
            .map(|head| {
                let weight = s.weight(&format!("norms.{head}.weight"), &[w])?;
                s.reshape(weight, &[1.into(), w.into()])
            })
            .collect::<Result<_, _>>()?;
        let weights = s.concat(&weights, 0)?; // [heads, w]
        s.mul(normed, weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_key_value_heads_are_the_32_of_the_class() {
        let read = |heads: usize| {
            let text = format!(
                r#"{{"hidden_size": 512, "num_hidden_layers": 1, "num_attention_heads": {heads}, "intermediate_size": 8,
                    "vocab_size": 5, "max_position_embeddings": 4}}"#
            );
            read(&serde_json::from_str(&text).unwrap())
        };
        assert_eq!(read(64).unwrap().facts().kv_heads, Some(32));
        assert!(read(8).unwrap_err().to_string().contains("`num_key_value_heads` = 32"));
    }
}
