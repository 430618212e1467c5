//! Apertus (`transformers/models/apertus/modeling_apertus.py`): LLaMA with norms on every query and key head and an MLP
//! without a gate, whose activation xIELU is learned per block.

use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use crate::{
    arch::{
        ArchError, Architecture, Initial,
        choices::{Biases, Decoder, MlpLayers, Norm, Norms, QkNorm, QkWeights},
        config::{default, only, typed},
        rope::{RopeDefaults, RopeKeys},
        sizes::Sizes,
    },
    nn::activation::Activation,
};

pub(super) const FAMILY: &str = "apertus";

#[derive(Debug, Deserialize)]
struct Config {
    #[serde(flatten)]
    sizes: Sizes,
    #[serde(default = "default::eps_1e5")]
    rms_norm_eps: f64,
    #[serde(default)]
    attention_bias: bool,
    #[serde(default)]
    tie_word_embeddings: bool,
    #[serde(flatten)]
    rope: RopeKeys,
}

/// The parameters of a config without `rope_parameters`; its `rope_scaling` still wins over them.
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

/// `XIELUActivation` of `transformers/activations.py`: both parameters act as 0.8, past softplus and what is added.
fn initial(tensor: &str) -> Option<Initial> {
    let acts_as = |value: f64| Initial::Constant(value.exp_m1().ln() as f32);
    match tensor.rsplit_once("act_fn.")?.1 {
        "alpha_p" => Some(acts_as(0.8)),
        "alpha_n" => Some(acts_as(0.8 - 0.5)),
        "beta" => Some(Initial::Constant(0.5)),
        "eps" => Some(Initial::Constant(-1e-6)),
        _ => None,
    }
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let mut c: Config = typed(FAMILY, json)?;
    // Published configs state three switches that the reference does not have.
    let (xielu, no) = ("xielu".into(), Json::Bool(false));
    only(
        json,
        &[("hidden_act", xielu), ("mlp_bias", no.clone()), ("post_norm", no), ("qk_norm", true.into())],
    )?;
    let heads = c.sizes.attention(FAMILY)?;
    let norm = Norm::rms(FAMILY, "rms_norm_eps", c.rms_norm_eps)?;
    if c.rope.rope_parameters.is_none() {
        c.rope.rope_parameters = Some(default_rope());
        if c.rope.rope_scaling.as_ref().is_none_or(Map::is_empty) {
            c.rope.rope_theta = None; // the defaults come whole, with their base
        }
    }
    let defaults = RopeDefaults::like_llama(heads, c.sizes.max_position_embeddings);
    let rope = c.rope.resolve(FAMILY, RopeDefaults { theta: 12e6, ..defaults })?;
    let tied = c.tie_word_embeddings;
    let llama = Decoder::like_llama(FAMILY, (c.sizes, heads), norm, rope, Activation::Xielu, tied);
    Ok(Box::new(Decoder {
        norms: Norms::before("attention_layernorm", "feedforward_layernorm"),
        qk_norm: Some(QkNorm::new(["q_norm", "k_norm"], QkWeights::Shared)),
        biases: Biases::attention(c.attention_bias),
        mlp: MlpLayers::Plain(["up_proj", "down_proj"]),
        initial,
        ..llama
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::families::tests::small;

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
