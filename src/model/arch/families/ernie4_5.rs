//! ERNIE 4.5, dense (`transformers/models/ernie4_5/modeling_ernie4_5.py`): LLaMA with rotary positions on neighbouring
//! components and biases everywhere or nowhere.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::{
    arch::{
        ArchError, Architecture,
        choices::{Biases, Decoder},
        class::Class,
        config::{only, typed},
    },
    nn::rope::Pairs,
};

pub(super) const FAMILY: &str = "ernie4_5";
const CLASS: Class = Class {
    context: 131_072,
    epsilon: (Some("rms_norm_eps"), 1e-5),
    tied: true,
    head_width: Some(128),
    kv_heads: Some(2),
    theta: 500_000.0,
    pairs: Pairs::Neighbours,
    ..Class::like_llama(FAMILY)
};

#[derive(Debug, Deserialize)]
struct Config {
    #[serde(default)]
    use_bias: bool,
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    only(json, &[("compression_ratio", 1.into())])?;
    let c: Config = typed(FAMILY, json)?;
    Ok(Box::new(Decoder { biases: Biases::all(c.use_bias), ..CLASS.decoder(json)? }))
}
