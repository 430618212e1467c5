//! MiniCPM3 (`transformers/models/minicpm3/modeling_minicpm3.py`): MiniCPM with latent attention, in which halves turn.

use serde_json::{Map, Value as Json};

use crate::arch::{
    ArchError, Architecture,
    choices::Decoder,
    class::{Class, factor},
    latent_keys::{self, LatentDefaults},
};

pub(super) const FAMILY: &str = "minicpm3";
const CLASS: Class = Class {
    context: 32_768,
    epsilon: (Some("rms_norm_eps"), 1e-5),
    tied: true,
    kv_heads: Some(40),
    ..Class::like_llama(FAMILY)
};
const LATENT: LatentDefaults =
    LatentDefaults { queries: Some(768), rank: 256, still: 64, turning: 32, ..LatentDefaults::DEEPSEEK };

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let mut json = json.clone();
    let number = |key| json.get(key).and_then(Json::as_u64);
    if let Some((width, heads)) = number("hidden_size").zip(number("num_attention_heads")) {
        json.entry("v_head_dim").or_insert_with(|| width.checked_div(heads).unwrap_or(0).into());
    }
    let decoder = latent_keys::decoder(CLASS, &json, LATENT)?;
    let (width, blocks) = (decoder.sizes.hidden_size as f64, decoder.sizes.num_hidden_layers as f64);
    // Absent is the class's number, null no scaling.
    let factor = |key, absent, null| -> Result<f64, ArchError> {
        let default = if json.contains_key(key) { null } else { absent };
        Ok(factor(FAMILY, &json, key)?.unwrap_or(default))
    };
    Ok(Box::new(Decoder {
        embedding_scale: Some(factor("scale_emb", 12.0, 12.0)? as f32),
        write_scale: Some((factor("scale_depth", 1.4, blocks.sqrt())? / blocks.sqrt()) as f32),
        logit_scale: Some((factor("dim_model_base", 256.0, width)? / width) as f32),
        initializer_range: 0.1,
        ..decoder
    }))
}
