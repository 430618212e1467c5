//! Apertus (`transformers/models/apertus/modeling_apertus.py`): RMSNorm, norms on every query and key head, rotary
//! positions, an MLP without a gate whose activation xIELU is learned per block.

use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::{
    ArchError, Architecture, Block, Branch, Initial, Names,
    config::{Sizes, epsilon, only, typed},
    rope::{Rope, RopeDefaults, RopeKeys},
};
use crate::{
    graph::{GraphError, Value},
    nn::{
        Scope,
        activation::xielu,
        attention::{self, Attention, attend},
        linear::{linear, to_heads},
        norm::rms_norm,
        rope::{self, Pairs},
    },
};
use number::facts::ModelFacts;

const FAMILY: &str = "apertus";

#[derive(Debug, Deserialize)]
struct Config {
    #[serde(flatten)]
    sizes: Sizes,
    #[serde(default = "default_eps")]
    rms_norm_eps: f64,
    #[serde(default)]
    attention_bias: bool,
    #[serde(default)]
    tie_word_embeddings: bool,
    #[serde(flatten)]
    rope: RopeKeys,
}

fn default_eps() -> f64 {
    1e-5
}

/// Where the config has no `rope_parameters`; `rope_scaling` still wins over it.
fn default_rope() -> Map<String, Json> {
    let parameters = json!({
        "rope_type": "llama3",
        "rope_theta": 12e6,
        "factor": 8.0,
        "original_max_position_embeddings": 8192,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
    });
    parameters.as_object().cloned().unwrap_or_default()
}

#[derive(Debug)]
struct Apertus {
    config: Config,
    heads: Attention,
    rope: Rope,
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let mut config: Config = typed(FAMILY, json)?;
    // Published configs state three switches that the reference does not have.
    let (xielu, no) = ("xielu".into(), Json::Bool(false));
    only(
        json,
        &[("hidden_act", xielu), ("mlp_bias", no.clone()), ("post_norm", no), ("qk_norm", true.into())],
    )?;
    let heads = config.sizes.attention(FAMILY)?;
    epsilon(FAMILY, "rms_norm_eps", config.rms_norm_eps)?;
    config.rope.rope_parameters.get_or_insert_with(default_rope);
    let (head_width, context) = (heads.head_width, config.sizes.max_position_embeddings);
    let defaults = RopeDefaults { head_width, context, theta: 12e6, share: 1.0 };
    let rope = config.rope.resolve(FAMILY, defaults)?.whole(FAMILY, head_width)?;
    Ok(Box::new(Apertus { config, heads, rope }))
}

impl Architecture for Apertus {
    fn facts(&self) -> ModelFacts {
        ModelFacts {
            norm: Some("rmsnorm".to_string()),
            mlp: Some("xielu".to_string()),
            residual: Some("sequential".to_string()),
            tied: Some(self.config.tie_word_embeddings),
            ..self.rope.facts(self.config.sizes.facts(FAMILY, &self.heads))
        }
    }

    fn names(&self) -> Names {
        Names::like_llama(self.config.tie_word_embeddings)
    }

    /// `XIELUActivation` of `transformers/activations.py`: both parameters act as 0.8, past softplus and what is added.
    fn initial(&self, tensor: &str) -> Option<Initial> {
        let acts_as = |value: f64| Initial::Constant(value.exp_m1().ln() as f32);
        match tensor.rsplit_once("act_fn.")?.1 {
            "alpha_p" => Some(acts_as(0.8)),
            "alpha_n" => Some(acts_as(0.8 - 0.5)),
            "beta" => Some(Initial::Constant(0.5)),
            "eps" => Some(Initial::Constant(-1e-6)),
            _ => None,
        }
    }

    fn prelude(&self, s: &mut Scope, rows: Value, positions: Value) -> Result<Value, GraphError> {
        rope::publish_tables(s, "rotary", positions, &self.rope.frequencies)?;
        attention::publish_mask(s, "mask", None)?;
        Ok(rows)
    }

    fn block(&self, _kind: usize, s: &mut Scope, x: Value) -> Result<Block, GraphError> {
        let normed = self.norm(s, "attention_layernorm", x)?;
        let attention = Branch::bare(normed, self.attention(&mut s.at("self_attn"), normed)?);
        Block::sequential(s, x, attention, |s, x| {
            let normed = self.norm(s, "feedforward_layernorm", x)?;
            let (width, inner) = (self.config.sizes.hidden_size, self.config.sizes.intermediate_size);
            let s = &mut s.at("mlp");
            let up = linear(s, "up_proj", normed, (width, inner), false)?;
            let bent = xielu(s, up)?;
            Ok(Branch::bare(normed, linear(s, "down_proj", bent, (inner, width), false)?))
        })
    }

    fn final_norm(&self, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        self.norm(s, "norm", x)
    }
}

impl Apertus {
    fn norm(&self, s: &mut Scope, name: &str, x: Value) -> Result<Value, GraphError> {
        rms_norm(s, name, x, self.config.sizes.hidden_size, self.config.rms_norm_eps)
    }

    fn attention(&self, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
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
        let mask = attention::mask(s, "mask")?;
        let mixed = attend(s, self.heads, [q, k, v], mask)?;
        linear(s, "o_proj", mixed, (heads * w, width), *bias)
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
    fn a_config_without_rotary_parameters_has_the_published_ones() {
        let rope = |changes| {
            let facts = read_with(changes).unwrap().facts();
            (facts.rope_theta.unwrap(), facts.rope_scaling.unwrap())
        };
        // As the reference: the defaults come whole, with their base.
        for changes in ["{}", r#"{"rope_theta": 500.0, "rope_scaling": null}"#] {
            assert_eq!(rope(changes), (12e6, "llama3".to_string()));
        }
        let linear = r#"{"rope_theta": 500.0, "rope_scaling": {"rope_type": "linear", "factor": 2.0}}"#;
        assert_eq!(rope(linear), (500.0, "linear".to_string()));
        assert_eq!(rope(r#"{"rope_parameters": {"rope_type": "default"}}"#), (12e6, "default".to_string()));
    }

    #[test]
    fn switches_that_the_reference_does_not_have_are_refused() {
        assert!(read_with(r#"{"qk_norm": true, "post_norm": false, "mlp_bias": false}"#).is_ok());
        for (changes, named) in [
            (r#"{"qk_norm": false}"#, "`qk_norm` is false"),
            (r#"{"post_norm": true}"#, "`post_norm` is true"),
            (r#"{"hidden_act": "silu"}"#, "`hidden_act` is \"silu\""),
        ] {
            let message = read_with(changes).unwrap_err().to_string();
            assert!(message.contains(named), "{message}");
        }
    }
}
