//! Granite 3 (`transformers/models/granite/modeling_granite.py`): LLaMA with factors on the embedding, on scores, on what
//! branches write and on logits.

use serde_json::{Map, Value as Json};

use crate::arch::{
    ArchError, Architecture,
    choices::Decoder,
    class::{Class, factor},
};

pub(super) const FAMILY: &str = "granite";
const CLASS: Class = Class::like_llama(FAMILY);

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let factor = |key| factor(FAMILY, json, key).map(|factor| factor.unwrap_or(1.0));
    let scores = factor("attention_multiplier")? as f32;
    Ok(Box::new(Decoder {
        embedding_scale: Some(factor("embedding_multiplier")? as f32),
        write_scale: Some(factor("residual_multiplier")? as f32),
        logit_scale: Some((1.0 / factor("logits_scaling")?) as f32),
        ..CLASS.decoder(json)?.with_score_scale(scores)
    }))
}
