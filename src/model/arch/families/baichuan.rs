//! Baichuan 1 and 2 (`modeling_baichuan.py` beside the weights of baichuan-inc/Baichuan2-7B-Base and -13B-Base): LLaMA with q, k
//! and v in one matrix. The 13B has ALiBi and no key for positions; the second generation, known by its vocabulary, reads the
//! head's rows with length 1.

use serde_json::{Map, Value as Json};

use crate::{
    arch::{
        ArchError, Architecture,
        choices::{Decoder, Qkv},
        class::{Class, count},
        config::only,
    },
    nn::mask::alibi_slopes,
};

pub(super) const FAMILY: &str = "baichuan";
const CLASS: Class =
    Class { context: 4096, attention_bias: None, mlp_bias: None, ..Class::like_llama(FAMILY) };
/// Of the second generation.
const VOCABULARY: usize = 125_696;

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let mut json = json.clone();
    let rotary = json.contains_key("max_position_embeddings");
    if let (false, Some(context)) = (rotary, count(FAMILY, &json, "model_max_length")?) {
        json.insert("max_position_embeddings".to_string(), context.into());
    }
    let mut llama = CLASS.decoder(&json)?;
    llama.sizes.without_head_dim(FAMILY)?;
    only(&json, &[("num_key_value_heads", llama.sizes.num_attention_heads.into())])?;
    let baichuan =
        Decoder { qkv: Qkv::InTurn("W_pack"), unit_head: llama.sizes.vocab_size == VOCABULARY, ..llama };
    let slopes = alibi_slopes(baichuan.sizes.num_attention_heads);
    Ok(Box::new(if rotary { baichuan } else { baichuan.with_alibi(slopes) }))
}
