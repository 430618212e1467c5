//! HunYuan, dense (`transformers/models/hunyuan_v1_dense/modeling_hunyuan_v1_dense.py`): LLaMA with norms on every query and
//! key head after they are turned, by a base that a fixed factor `alpha` stretches.

use serde_json::{Map, Value as Json};

use crate::arch::{
    ArchError, Architecture,
    choices::{Decoder, QkNorm, QkWeights},
    class::{Class, factor},
    config::only,
    rope::nested_key,
    rope::plain_frequencies,
};

pub(super) const FAMILY: &str = "hunyuan_v1_dense";

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    Ok(Box::new(decoder(FAMILY, json)?))
}

/// A decoder of this class.
pub(super) fn decoder(family: &'static str, json: &Map<String, Json>) -> Result<Decoder, ArchError> {
    only(json, &[("use_qk_norm", true.into()), ("use_cla", false.into())])?;
    let (json, alpha) = without_alpha(family, json)?;
    let class = Class { epsilon: (Some("rms_norm_eps"), 1e-5), mlp_bias: None, ..Class::like_llama(family) };
    let mut llama = class.decoder(&json)?;
    if let Some(alpha) = alpha {
        let width = llama.layers.get(0).heads.head_width as f64;
        let rope = &mut llama.ropes[0];
        let theta = rope.theta * alpha.powf(width / (width - 2.0));
        rope.rotary.frequencies = plain_frequencies(theta, width as usize);
        rope.scaling = "dynamic".to_string();
    }
    let norm = QkNorm::new(["query_layernorm", "key_layernorm"], QkWeights::Shared);
    Ok(Decoder { qk_norm: Some(QkNorm { turned: true, ..norm }), ..llama })
}

/// The config with its rotary parameters unscaled, and `alpha`, where they are a dynamic scaling with one: the reference then
/// reads nothing else of them.
fn without_alpha(
    family: &'static str,
    json: &Map<String, Json>,
) -> Result<(Map<String, Json>, Option<f64>), ArchError> {
    let mut json = json.clone();
    let Some(keys) = nested_key(&json).and_then(|key| json.get_mut(key)?.as_object_mut()) else {
        return Ok((json, None));
    };
    let kind = keys.get("rope_type").or(keys.get("type")).and_then(Json::as_str);
    let alpha = factor(family, keys, "alpha")?.filter(|_| kind == Some("dynamic"));
    if alpha.is_some() {
        keys.retain(|key, _| key == "rope_theta");
    }
    Ok((json, alpha))
}
