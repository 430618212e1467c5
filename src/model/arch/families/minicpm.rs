//! MiniCPM, dense (`modeling_minicpm.py` beside the weights of openbmb/MiniCPM-2B-sft-bf16): LLaMA with factors on the embedding,
//! on what branches write, by the number of blocks, and on what the head reads, by the width.

use serde_json::{Map, Value as Json};

use crate::arch::{
    ArchError, Architecture,
    choices::Decoder,
    class::{Class, factor},
    config::only,
};

pub(super) const FAMILY: &str = "minicpm";
const CLASS: Class = Class { tied: true, mlp_bias: None, ..Class::like_llama(FAMILY) };

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    only(json, &[("sparse_config", Json::Null), ("num_experts", 0.into())])?;
    let factor = |key| factor(FAMILY, json, key).map(|factor| factor.unwrap_or(1.0));
    let llama = CLASS.decoder(json)?;
    let (width, blocks) = (llama.sizes.hidden_size as f64, llama.sizes.num_hidden_layers as f64);
    Ok(Box::new(Decoder {
        embedding_scale: Some(factor("scale_emb")? as f32),
        write_scale: Some((factor("scale_depth")? / blocks.sqrt()) as f32),
        logit_scale: Some((factor("dim_model_base")? / width) as f32),
        ..llama
    }))
}
