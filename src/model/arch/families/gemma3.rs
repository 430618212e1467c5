//! Gemma 3, text (`transformers/models/gemma3/modeling_gemma3.py`): Gemma 2 without a cap on scores, with norms on every
//! query and key head; five blocks with a sliding window and a rotary base of their own for each block that sees all.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::{
    arch::{
        ArchError, Architecture,
        choices::{Biases, Decoder, Layer, Norm, NormKind, Norms, QkNorm, QkWeights},
        config::{activation, default, only, typed},
        kinds::{sliding, windows},
        rope::{RopeDefaults, RopeKeys},
        sizes::{Sizes, positive, sizes},
    },
    nn::attention::Attention,
};

pub(super) const FAMILY: &str = "gemma3_text";

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
    #[serde(default = "default_pattern")]
    sliding_window_pattern: usize,
    rope_local_base_freq: Option<f64>,
    final_logit_softcapping: Option<f64>,
    #[serde(default = "default::yes")]
    tie_word_embeddings: bool,
    #[serde(flatten)]
    rope: RopeKeys,
}

fn default_scalar() -> f64 {
    256.0
}

/// Length of the pattern of blocks whose last one sees all.
fn default_pattern() -> usize {
    6
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let mut c: Config = typed(FAMILY, json)?;
    // The reference reads `attn_logit_softcapping` and computes nothing with it.
    only(json, &[("use_bidirectional_attention", false.into()), ("attn_logit_softcapping", Json::Null)])?;
    c.sizes.kv_heads_or(json, 4);
    c.sizes.head_dim.get_or_insert(256);
    let scalar = positive(FAMILY, "query_pre_attn_scalar", c.query_pre_attn_scalar)?;
    let heads = Attention { scale: (1.0 / scalar.sqrt()) as f32, ..c.sizes.attention(FAMILY)? };
    let cap = c.final_logit_softcapping.map(|cap| positive(FAMILY, "final_logit_softcapping", cap));
    let logit_cap = cap.transpose()?.map(|cap| cap as f32);
    let pattern = c.sliding_window_pattern;
    sizes(FAMILY, &[("sliding_window_pattern", pattern)])?;
    let (layers, types) = (c.sizes.num_hidden_layers, c.layer_types.as_deref());
    let slides = sliding(FAMILY, layers, types, |layer| !(layer + 1).is_multiple_of(pattern))?;
    let windows = windows(FAMILY, &slides, c.sliding_window)?;
    let norm = Norm::new(NormKind::RmsFromOne, FAMILY, "rms_norm_eps", c.rms_norm_eps)?;
    let [global, local] = c.rope.by_layer_type(FAMILY, c.rope_local_base_freq)?;
    let local_defaults = RopeDefaults::like_llama(heads, c.sizes.max_position_embeddings);
    let global = global.resolve(FAMILY, RopeDefaults { theta: 1_000_000.0, ..local_defaults })?;
    let local = local.resolve(FAMILY, local_defaults)?.named("rotary.local");
    let activation = activation("hidden_activation", &c.hidden_activation)?;
    let embedding_scale = Some(c.sizes.root_of_width());
    let tied = c.tie_word_embeddings;
    let llama = Decoder::like_llama(FAMILY, (c.sizes, heads), norm, global.clone(), activation, tied);
    let gemma3 = Decoder {
        embedding_scale,
        norms: Norms::around(
            ["input_layernorm", "post_attention_layernorm"],
            ["pre_feedforward_layernorm", "post_feedforward_layernorm"],
        ),
        qk_norm: Some(QkNorm::new(["q_norm", "k_norm"], QkWeights::Shared)),
        biases: Biases::attention(c.attention_bias),
        ropes: vec![global, local],
        logit_cap,
        ..llama.with_windows(&windows)
    };
    let rope = |layer: usize| Some(usize::from(windows[layer].is_some()));
    Ok(Box::new(gemma3.with_layers(|index, layer| Layer { rope: rope(index), ..layer })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        arch::{families::tests::small, rope::Share},
        nn::rope::Pairs,
    };

    fn rotary(config: &str) -> Result<[RopeKeys; 2], ArchError> {
        let json = small(FAMILY, config);
        read(&json)?;
        let c: Config = typed(FAMILY, &json)?;
        c.rope.by_layer_type(FAMILY, c.rope_local_base_freq)
    }

    #[test]
    fn two_bases_and_nested_parameters_mean_the_same() {
        let defaults =
            RopeDefaults { head_width: 4, context: 8, theta: 7.0, share: Share::Whole, pairs: Pairs::Halves };
        let resolved =
            |config: &str| rotary(config).unwrap().map(|keys| keys.resolve(FAMILY, defaults).unwrap());
        let old = resolved(
            r#"{"rope_theta": 5e5, "rope_local_base_freq": 1e3, "rope_scaling": {"rope_type": "linear", "factor": 8.0}}"#,
        );
        let new = resolved(
            r#"{"rope_parameters": {"sliding_attention": {"rope_type": "default", "rope_theta": 1e3},
                "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 5e5}}}"#,
        );
        assert_eq!(old, new);
        assert_eq!([old[0].theta, old[1].theta], [5e5, 1e3]);
        assert_eq!([old[0].scaling.as_str(), old[1].scaling.as_str()], ["linear", "default"]);
        // The original context stands in the parameters themselves, else it is the whole context.
        let yarn = |more: &str| {
            resolved(&format!(r#"{{"rope_scaling": {{"rope_type": "yarn", "factor": 4.0}}{more}}}"#))
        };
        assert_eq!(yarn(r#", "original_max_position_embeddings": 2"#), yarn(""));
        // The base of the blocks that see all is not that of the others.
        assert_eq!(resolved(r#"{"rope_theta": 5e5}"#)[1].theta, 7.0);
    }

    #[test]
    fn what_is_not_computed_is_refused_by_its_key() {
        for (changes, named) in [
            (r#"{"attn_logit_softcapping": 50.0}"#, "`attn_logit_softcapping` is 50.0"),
            (r#"{"use_bidirectional_attention": true}"#, "`use_bidirectional_attention` is true"),
            (r#"{"sliding_window_pattern": 0}"#, "`sliding_window_pattern` = 0"),
            (r#"{"rope_parameters": {"rope_type": "linear", "factor": 8.0}}"#, "full_attention"),
            (r#"{"rope_scaling": {"type": "linear", "factor": 8.0}}"#, "`rope_scaling` has `type`"),
        ] {
            let message = rotary(changes).unwrap_err().to_string();
            assert!(message.contains(named), "{message}");
        }
    }
}
