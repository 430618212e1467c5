//! Youtu-LLM (`transformers/models/youtu/modeling_youtu.py`): LLaMA with latent attention.

use serde_json::{Map, Value as Json};

use crate::arch::{
    ArchError, Architecture,
    choices::Decoder,
    class::Class,
    latent_keys::{self, LatentDefaults},
};

pub(super) const FAMILY: &str = "youtu";
const CLASS: Class =
    Class { context: 131_072, tied: true, kv_heads: Some(16), mlp_bias: None, ..Class::like_llama(FAMILY) };

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let class = Class { pairs: latent_keys::pairs(json), ..CLASS };
    let decoder = latent_keys::decoder(class, json, LatentDefaults::DEEPSEEK)?;
    let initializer_range = 2.0 / (5.0 * decoder.sizes.hidden_size as f64).sqrt();
    Ok(Box::new(Decoder { initializer_range, ..decoder }))
}
