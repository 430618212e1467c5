//! StarCoder, SantaCoder (`transformers/models/gpt_bigcode/modeling_gpt_bigcode.py`): sequential, LayerNorm, learned
//! positions, biases everywhere, one matrix for q, k and v; usually one key/value head.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::arch::{
    ArchError, Architecture, Names,
    choices::{Biases, Decoder, MlpLayers, NormKind, Norms, Positions, Qkv},
    class::Class,
    config::{default, only, typed},
    rope::Share,
};

pub(super) const FAMILY: &str = "gpt_bigcode";
const CLASS: Class = Class {
    names: &[
        ("n_embd", "hidden_size"),
        ("n_layer", "num_hidden_layers"),
        ("n_head", "num_attention_heads"),
        ("n_inner", "intermediate_size"),
        ("n_positions", "max_position_embeddings"),
    ],
    context: 1024,
    norm: NormKind::Layer,
    epsilon: (Some("layer_norm_epsilon"), 1e-5),
    activation: ("activation_function", "gelu_pytorch_tanh"),
    tied: true,
    share: Share::Even(0.0),
    ..Class::like_llama(FAMILY)
};

#[derive(Debug, Deserialize)]
struct Config {
    n_embd: Option<usize>,
    hidden_size: Option<usize>,
    n_head: Option<usize>,
    num_attention_heads: Option<usize>,
    #[serde(default = "default::yes")]
    multi_query: bool,
    #[serde(default = "default::yes")]
    scale_attn_weights: bool,
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    only(json, &[("add_cross_attention", false.into())])?;
    let c: Config = typed(FAMILY, json)?;
    let mut json = json.clone();
    if let (false, Some(width)) = (json.contains_key("n_inner"), c.n_embd.or(c.hidden_size)) {
        json.insert("n_inner".to_string(), width.saturating_mul(4).into());
    }
    let heads = if c.multi_query { Some(1) } else { c.n_head.or(c.num_attention_heads) };
    json.extend(heads.map(|heads| ("num_key_value_heads".to_string(), heads.into())));
    let llama = CLASS.decoder(&json)?;
    let scale = if c.scale_attn_weights { llama.layers.get(0).heads.scale } else { 1.0 };
    Ok(Box::new(Decoder {
        names: Names {
            base: &["transformer."],
            layers: "h",
            embedding: "wte.weight",
            buffers: &[".attn.bias", ".attn.masked_bias"],
            ..llama.names
        },
        modules: ["attn", "mlp"],
        norms: Norms { last: "ln_f", ..Norms::before("ln_1", "ln_2") },
        qkv: Qkv::ByGroup("c_attn"),
        output: "c_proj",
        biases: Biases::all(true),
        mlp: MlpLayers::Plain(["c_fc", "c_proj"]),
        ..llama.with_positions(Positions::Learned { table: "wpe", offset: 0 }).with_score_scale(scale)
    }))
}
