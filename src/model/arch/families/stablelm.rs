//! StableLM (`transformers/models/stablelm/modeling_stablelm.py`): LLaMA with LayerNorm and rotary positions on a part of
//! each head; parallel with one norm and a norm for every head of q and k in the 12b.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::arch::{
    ArchError, Architecture,
    choices::{Biases, Decoder, Norm, NormKind, Norms, QkNorm, QkWeights, Residual},
    config::{activation, default, typed},
    rope::{RopeDefaults, RopeKeys, Share},
    sizes::Sizes,
};

pub(super) const FAMILY: &str = "stablelm";

#[derive(Debug, Deserialize)]
struct Config {
    #[serde(flatten)]
    sizes: Sizes,
    #[serde(default = "default::eps_1e5")]
    layer_norm_eps: f64,
    #[serde(default = "default::silu")]
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

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let mut c: Config = typed(FAMILY, json)?;
    c.sizes.without_head_dim(FAMILY)?;
    c.sizes.num_key_value_heads.get_or_insert(32);
    let heads = c.sizes.attention(FAMILY)?;
    let norm = Norm::new(NormKind::Layer, FAMILY, "layer_norm_eps", c.layer_norm_eps)?;
    let defaults = RopeDefaults::like_llama(heads, c.sizes.max_position_embeddings);
    let rope = c.rope.resolve(FAMILY, RopeDefaults { share: Share::Even(0.25), ..defaults })?;
    let activation = activation("hidden_act", &c.hidden_act)?;
    let qk_norm = QkNorm::new(["q_layernorm", "k_layernorm"], QkWeights::Listed);
    let llama = Decoder::like_llama(FAMILY, (c.sizes, heads), norm, rope, activation, c.tie_word_embeddings);
    let (residual, norms) = if c.use_parallel_residual {
        (Residual::Parallel, Norms::shared("input_layernorm"))
    } else {
        (llama.residual, llama.norms)
    };
    Ok(Box::new(Decoder {
        residual,
        norms,
        qk_norm: Some(qk_norm).filter(|_| c.qk_layernorm),
        biases: Biases { qkv: c.use_qkv_bias, ..Biases::default() },
        ..llama
    }))
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
