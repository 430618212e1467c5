//! Seed-OSS (`transformers/models/seed_oss/modeling_seed_oss.py`): LLaMA with biases on q, k and v, and one on the
//! projection after attention where the config has it.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::arch::{
    ArchError, Architecture,
    choices::{Biases, Decoder},
    class::Class,
    config::typed,
};

pub(super) const FAMILY: &str = "seed_oss";
const CLASS: Class = Class {
    context: 524_288,
    head_width: Some(128),
    kv_heads: Some(8),
    attention_bias: Some(true),
    ..Class::like_llama(FAMILY)
};

#[derive(Debug, Deserialize)]
struct Config {
    #[serde(default)]
    attention_out_bias: bool,
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let c: Config = typed(FAMILY, json)?;
    let llama = CLASS.decoder(json)?;
    Ok(Box::new(Decoder { biases: Biases { output: c.attention_out_bias, ..llama.biases }, ..llama }))
}
