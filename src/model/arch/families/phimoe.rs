//! Phi-3.5 with experts (`transformers/models/phimoe/modeling_phimoe.py`): LLaMA with LayerNorm, biases, and two experts a token,
//! chosen one after the other.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::{
    arch::{
        ArchError, Architecture, Names,
        choices::{Decoder, NormKind},
        class::{Class, count_or, number},
        config::{only, typed},
        mixture::{Mixture, choice},
        rope::nested_key,
    },
    nn::experts::{Router, Scores},
};

pub(super) const FAMILY: &str = "phimoe";
const CLASS: Class = Class {
    context: 131_072,
    norm: NormKind::Layer,
    epsilon: (Some("rms_norm_eps"), 1e-5),
    kv_heads: Some(8),
    mlp_bias: None,
    theta: 1_000_000.0,
    ..Class::like_llama(FAMILY)
};
/// Experts of a token: the class always takes two, and another number is refused.
const CHOSEN: u64 = 2;

#[derive(Debug, Deserialize)]
struct Config {
    #[serde(default)]
    lm_head_bias: bool,
    router_jitter_noise: Option<f64>,
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    only(json, &[("num_experts_per_tok", CHOSEN.into())])?;
    let c: Config = typed(FAMILY, json)?;
    let (json, magnitude) = without_magnitudes(json)?;
    let mut llama = CLASS.decoder(&json)?;
    if let Some(magnitude) = magnitude {
        let frequencies = &mut llama.ropes[0].rotary.frequencies;
        frequencies.factor = magnitude as f32;
        frequencies.beyond = None;
    }
    let windows = CLASS.windows(&json, &llama, |_| true)?;
    let blocks = llama.sizes.num_hidden_layers;
    let experts = count_or(FAMILY, &json, "num_local_experts", 16)?;
    let (experts, chosen) = choice(FAMILY, experts, ("num_experts_per_tok", CHOSEN as usize), blocks)?;
    let noise = c.router_jitter_noise.unwrap_or(0.01);
    if !(noise.is_finite() && noise >= 0.0) {
        let reason = format!("`router_jitter_noise` = {noise}; expected a number of at least 0");
        return Err(ArchError::Config { family: FAMILY, reason });
    }
    let within = 2.0 * noise;
    let router = Router {
        scores: Scores::Rounds { within: within as f32 },
        ..Router::softmax("gate", experts, chosen)
    };
    let mixture = Mixture::in_sparse_block(router, llama.sizes.intermediate_size);
    let names = Names { unembedding_bias: c.lm_head_bias.then_some("lm_head.bias"), ..llama.names };
    let decoder = Decoder { names, ..llama };
    Ok(Box::new(decoder.with_window(windows[0]).with_mixture(mixture, &vec![true; blocks])))
}

/// The config without the factors on cosines and sines of a longrope, and the factor. The class takes the frequencies of short
/// prompts for prompts of any length, and another factor for those beyond the original context.
fn without_magnitudes(json: &Map<String, Json>) -> Result<(Map<String, Json>, Option<f64>), ArchError> {
    let mut json = json.clone();
    let Some(keys) = nested_key(&json).and_then(|key| json.get_mut(key)?.as_object_mut()) else {
        return Ok((json, None));
    };
    let refuse = |reason| Err(ArchError::Config { family: FAMILY, reason });
    let kind = keys.get("rope_type").or(keys.get("type")).and_then(Json::as_str);
    let kind = kind.unwrap_or("default").to_string();
    let (short, long) = (number(FAMILY, keys, "short_mscale")?, number(FAMILY, keys, "long_mscale")?);
    keys.retain(|key, _| !["short_mscale", "long_mscale"].contains(&key.as_str()));
    match (kind.as_str(), short, long) {
        ("default", ..) => Ok((json, None)),
        ("longrope" | "su", Some(short), Some(long)) if short == long => Ok((json, Some(short))),
        ("longrope" | "su", ..) => {
            let said =
                |found: Option<f64>| found.map_or("not given".to_string(), |found| format!("= {found}"));
            let (short, long) = (said(short), said(long));
            refuse(format!("`short_mscale` {short} and `long_mscale` {long}; expected both, and equal"))
        }
        _ => {
            let (key, known) = ("rope_type".to_string(), "default and longrope for this family");
            Err(ArchError::Unsupported { key, found: kind, known })
        }
    }
}
