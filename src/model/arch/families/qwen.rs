//! Qwen, the first (`modeling_qwen.py` beside the weights of Qwen/Qwen-7B): LLaMA with q, k and v in one matrix with a bias, and
//! half of `intermediate_size` inside the MLP. What it changes beyond the trained length is not computed: prompts end there.

use serde_json::{Map, Value as Json};

use crate::arch::{
    ArchError, Architecture, Names,
    choices::{Biases, Decoder, MlpLayers, Norms, Qkv},
    class::{Class, count},
    config::{only, own_names},
    sizes::divided,
};

pub(super) const FAMILY: &str = "qwen";
const CLASS: Class = Class {
    names: &[("kv_channels", "head_dim"), ("rotary_emb_base", "rope_theta")],
    context: 8192,
    epsilon: (Some("layer_norm_epsilon"), 1e-6),
    head_width: Some(128),
    attention_bias: None,
    mlp_bias: None,
    ..Class::like_llama(FAMILY)
};

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    only(json, &[("rotary_pct", 1.into()), ("no_bias", true.into()), ("scale_attn_weights", true.into())])?;
    let mut json = own_names(FAMILY, json, CLASS.names)?;
    if let Some(trained) = count(FAMILY, &json, "seq_length")? {
        json.insert("max_position_embeddings".to_string(), trained.into());
    }
    if let Some(both) = count(FAMILY, &json, "intermediate_size")? {
        let half = divided(FAMILY, ("intermediate_size", both), ("the number of its halves", 2))?;
        json.insert("intermediate_size".to_string(), half.into());
    }
    let llama = CLASS.decoder(&json)?;
    only(&json, &[("num_key_value_heads", llama.sizes.num_attention_heads.into())])?;
    Ok(Box::new(Decoder {
        names: Names { base: &["transformer."], layers: "h", embedding: "wte.weight", ..llama.names },
        modules: ["attn", "mlp"],
        norms: Norms { last: "ln_f", ..Norms::before("ln_1", "ln_2") },
        qkv: Qkv::InTurn("c_attn"),
        output: "c_proj",
        biases: Biases { qkv: true, ..Biases::default() },
        mlp: MlpLayers::Gated(["w2", "w1", "c_proj"]),
        ..llama
    }))
}
