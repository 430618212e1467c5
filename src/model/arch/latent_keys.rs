//! Configs with latent attention: their keys, and the decoder they describe.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::{
    ArchError,
    choices::{Decoder, Layer, Qkv},
    class::Class,
    config::typed,
    latent::Latent,
    rope::RopeKeys,
    scaling::magnitude,
    sizes::sizes,
};
use crate::nn::{attention::Attention, rope::Pairs};

/// Sizes where a config does not say them.
#[derive(Clone, Copy, Debug)]
pub(super) struct LatentDefaults {
    /// `q_lora_rank`.
    pub queries: Option<usize>,
    /// `kv_lora_rank`.
    pub rank: usize,
    /// `qk_nope_head_dim`.
    pub still: usize,
    /// `qk_rope_head_dim`.
    pub turning: usize,
    /// `v_head_dim`.
    pub value: usize,
    /// Epsilon of the latents' norms; it is not the config's in the reference.
    pub eps: f64,
}

impl LatentDefaults {
    /// Those of the reference's classes.
    pub(super) const DEEPSEEK: LatentDefaults =
        LatentDefaults { queries: Some(1536), rank: 512, still: 128, turning: 64, value: 128, eps: 1e-6 };
}

#[derive(Debug, Deserialize)]
struct Keys {
    q_lora_rank: Option<usize>,
    kv_lora_rank: Option<usize>,
    qk_nope_head_dim: Option<usize>,
    qk_rope_head_dim: Option<usize>,
    v_head_dim: Option<usize>,
    #[serde(flatten)]
    rope: RopeKeys,
}

/// The decoder that a config of the class describes, with latent attention.
pub(super) fn decoder(
    class: Class,
    json: &Map<String, Json>,
    defaults: LatentDefaults,
) -> Result<Decoder, ArchError> {
    let family = class.family;
    let keys: Keys = typed(family, json)?;
    let queries = if json.contains_key("q_lora_rank") { keys.q_lora_rank } else { defaults.queries };
    let rank = keys.kv_lora_rank.unwrap_or(defaults.rank);
    let still = keys.qk_nope_head_dim.unwrap_or(defaults.still);
    let turning = keys.qk_rope_head_dim.unwrap_or(defaults.turning);
    let value_width = keys.v_head_dim.unwrap_or(defaults.value);
    let given = [
        ("q_lora_rank", queries.unwrap_or(1)),
        ("kv_lora_rank", rank),
        ("qk_nope_head_dim", still),
        ("qk_rope_head_dim", turning),
        ("v_head_dim", value_width),
    ];
    sizes(family, &given)?;
    let mut json = json.clone();
    json.insert("head_dim".to_string(), turning.into()); // as the reference's classes, for the rotary tables
    let decoder = class.decoder(&json)?;
    let first = decoder.layers.get(0).heads;
    if first.kv_heads != first.heads {
        let (heads, found) = (first.heads, first.kv_heads);
        let reason = format!(
            "`num_key_value_heads` = {found}; expected `num_attention_heads` = {heads}: every head has its keys and values"
        );
        return Err(ArchError::Config { family, reason });
    }
    let head_width = still + turning;
    let magnitude = score_magnitude(family, &keys.rope)?;
    let scale = (magnitude * magnitude / (head_width as f64).sqrt()) as f32;
    let heads = Attention { head_width, value_width, scale, ..first };
    let latent = Latent { queries, rank, turning, eps: defaults.eps };
    let decoder = decoder.with_layers(|_, layer| Layer { heads, ..layer });
    Ok(Decoder { qkv: Qkv::Latent(latent), ..decoder })
}

/// The components that turn together where a config has `rope_interleave`.
pub(super) fn pairs(json: &Map<String, Json>) -> Pairs {
    match json.get("rope_interleave") {
        Some(Json::Bool(false)) => Pairs::Halves,
        _ => Pairs::Neighbours,
    }
}

/// The number by whose square a scaling with `mscale_all_dim` multiplies the scores.
fn score_magnitude(family: &'static str, rope: &RopeKeys) -> Result<f64, ArchError> {
    let scaling = rope.nested(family)?;
    let share = scaling.mscale_all_dim.filter(|share| *share != 0.0 && scaling.name() != "default");
    match (share, scaling.factor) {
        (None, _) => Ok(1.0),
        (Some(_), None) => {
            let reason = "`mscale_all_dim` without a `factor` beside it".to_string();
            Err(ArchError::Config { family, reason })
        }
        (Some(share), Some(factor)) => Ok(magnitude(factor, share)),
    }
}
