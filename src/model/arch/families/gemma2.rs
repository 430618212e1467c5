//! Gemma 2 (`transformers/models/gemma2/modeling_gemma2.py`): Gemma with a norm before and after each branch, soft caps on
//! scores and logits, and a sliding window in every other block.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::{
    arch::{
        ArchError, Architecture,
        choices::{Biases, Decoder, Norm, NormKind, Norms},
        config::{activation, default, only, typed},
        kinds::{sliding, windows},
        rope::{RopeDefaults, RopeKeys},
        sizes::{Sizes, positive},
    },
    nn::attention::Attention,
};

pub(super) const FAMILY: &str = "gemma2";

#[derive(Debug, Deserialize)]
struct Config {
    #[serde(flatten)]
    sizes: Sizes,
    #[serde(default = "default::eps_1e6")]
    rms_norm_eps: f64,
    #[serde(default = "default::gelu_tanh")]
    hidden_activation: String,
    #[serde(default)]
    attention_bias: bool,
    #[serde(default = "default_scalar")]
    query_pre_attn_scalar: f64,
    #[serde(default = "default::window")]
    sliding_window: Option<usize>,
    layer_types: Option<Vec<String>>,
    #[serde(default = "default_score_cap")]
    attn_logit_softcapping: Option<f64>,
    #[serde(default = "default_logit_cap")]
    final_logit_softcapping: Option<f64>,
    #[serde(default = "default::yes")]
    tie_word_embeddings: bool,
    #[serde(flatten)]
    rope: RopeKeys,
}

fn default_scalar() -> f64 {
    256.0
}

// Where the key is absent; null means no cap.

fn default_score_cap() -> Option<f64> {
    Some(50.0)
}

fn default_logit_cap() -> Option<f64> {
    Some(30.0)
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    Ok(Box::new(decoder(FAMILY, json)?))
}

/// A decoder of this family, or of one that names it otherwise and changes something.
pub(super) fn decoder(family: &'static str, json: &Map<String, Json>) -> Result<Decoder, ArchError> {
    let mut c: Config = typed(family, json)?;
    only(json, &[("use_bidirectional_attention", false.into())])?;
    c.sizes.kv_heads_or(json, 4);
    c.sizes.head_dim.get_or_insert(256);
    let cap = |key, cap: Option<f64>| match cap {
        Some(cap) => positive(family, key, cap).map(|cap| Some(cap as f32)),
        None => Ok(None),
    };
    let scalar = positive(family, "query_pre_attn_scalar", c.query_pre_attn_scalar)?;
    let heads = Attention {
        scale: (1.0 / scalar.sqrt()) as f32,
        softcap: cap("attn_logit_softcapping", c.attn_logit_softcapping)?,
        ..c.sizes.attention(family)?
    };
    let logit_cap = cap("final_logit_softcapping", c.final_logit_softcapping)?;
    let (layers, types) = (c.sizes.num_hidden_layers, c.layer_types.as_deref());
    let slides = sliding(family, layers, types, |layer| layer % 2 == 0)?;
    let windows = windows(family, &slides, c.sliding_window)?;
    let norm = Norm::new(NormKind::RmsFromOne, family, "rms_norm_eps", c.rms_norm_eps)?;
    let rope = c.rope.resolve(family, RopeDefaults::like_llama(heads, c.sizes.max_position_embeddings))?;
    let activation = activation("hidden_activation", &c.hidden_activation)?;
    let embedding_scale = Some(c.sizes.root_of_width());
    let llama = Decoder::like_llama(family, (c.sizes, heads), norm, rope, activation, c.tie_word_embeddings);
    Ok(Decoder {
        embedding_scale,
        norms: Norms::around(
            ["input_layernorm", "post_attention_layernorm"],
            ["pre_feedforward_layernorm", "post_feedforward_layernorm"],
        ),
        biases: Biases::attention(c.attention_bias),
        logit_cap,
        ..llama.with_windows(&windows)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::families::tests::small;

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
