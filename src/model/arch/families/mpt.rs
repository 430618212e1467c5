//! MPT (`transformers/models/mpt/modeling_mpt.py`): sequential, LayerNorm without bias, ALiBi, no biases, one matrix for q, k
//! and v, whose components may be bounded.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::{
    arch::{
        ArchError, Architecture, Names,
        choices::{Decoder, MlpLayers, NormKind, Norms, Qkv},
        class::{Class, factor},
        config::{as_meant, only, own_names, typed},
        rope::Share,
    },
    nn::mask::interleaved_slopes,
};

pub(super) const FAMILY: &str = "mpt";
const CLASS: Class = Class {
    names: &[
        ("d_model", "hidden_size"),
        ("n_layers", "num_hidden_layers"),
        ("n_heads", "num_attention_heads"),
        ("max_seq_len", "max_position_embeddings"),
    ],
    norm: NormKind::LayerWithoutBias,
    epsilon: (Some("layer_norm_epsilon"), 1e-5),
    activation: ("activation", "gelu"),
    tied: true,
    attention_bias: None,
    mlp_bias: None,
    share: Share::Even(0.0),
    ..Class::like_llama(FAMILY)
};

#[derive(Debug, Default, Deserialize)]
struct Config {
    #[serde(default)]
    attn_config: Map<String, Json>,
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let mut json = own_names(FAMILY, json, CLASS.names)?;
    only(&json, &[("no_bias", true.into()), ("logit_scale", Json::Null), ("expansion_ratio", 4.into())])?;
    let c: Config = typed(FAMILY, &json)?;
    let attention = as_meant(&c.attn_config);
    only(
        &attention,
        &[
            ("alibi", true.into()),
            ("alibi_bias_max", 8.into()), // the class computes with 8, the authors' code with what is there
            ("attn_type", "multihead_attention".into()),
            ("prefix_lm", false.into()),
            ("qk_ln", false.into()),
            ("rope", false.into()),
            ("sliding_window_size", (-1).into()),
        ],
    )?;
    let within = |key| factor(FAMILY, &attention, key).map(|found| found.map(|found| found as f32));
    if let Some(width) = json.get("hidden_size").and_then(Json::as_u64) {
        json.insert("intermediate_size".to_string(), width.saturating_mul(4).into());
    }
    let llama = CLASS.decoder(&json)?;
    let heads = llama.layers.get(0).heads;
    let slopes = interleaved_slopes(heads.heads);
    let scale = within("softmax_scale")?.unwrap_or(heads.scale);
    // A bound of 0 is none.
    let bounded = attention.get("clip_qkv").is_some_and(|bound| bound.as_f64() != Some(0.0));
    Ok(Box::new(Decoder {
        names: Names { base: &["transformer."], layers: "blocks", embedding: "wte.weight", ..llama.names },
        modules: ["attn", "ffn"],
        norms: Norms { last: "norm_f", ..Norms::before("norm_1", "norm_2") },
        qkv: Qkv::InTurn("Wqkv"),
        qkv_clip: if bounded { within("clip_qkv")? } else { None },
        output: "out_proj",
        mlp: MlpLayers::Plain(["up_proj", "down_proj"]),
        ..llama.with_alibi(slopes).with_score_scale(scale)
    }))
}
