//! CodeGen (`transformers/models/codegen/modeling_codegen.py`): parallel, one LayerNorm, rotary positions on neighbouring
//! components of a part of each head, a bias in the head; q, v and k lie in one matrix of four shards.

use serde_json::{Map, Value as Json};

use crate::{
    arch::{
        ArchError, Architecture, Names,
        choices::{Biases, Decoder, MlpLayers, NormKind, Norms, Qkv, Residual},
        class::{Class, count},
        config::own_names,
        rope::{Rope, Share},
        sizes::divided,
    },
    nn::rope::Pairs,
};

pub(super) const FAMILY: &str = "codegen";
const THETA: f64 = 10_000.0;
const SHARDS: usize = 4;
const CLASS: Class = Class {
    names: &[
        ("n_embd", "hidden_size"),
        ("n_layer", "num_hidden_layers"),
        ("n_head", "num_attention_heads"),
        ("n_inner", "intermediate_size"),
        ("n_positions", "max_position_embeddings"),
    ],
    norm: NormKind::Layer,
    epsilon: (Some("layer_norm_epsilon"), 1e-5),
    activation: ("activation_function", "gelu_new"),
    share: Share::Even(0.0),
    ..Class::like_llama(FAMILY)
};

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let mut json = own_names(FAMILY, json, CLASS.names)?;
    if let (false, Some(width)) =
        (json.contains_key("intermediate_size"), json.get("hidden_size").and_then(Json::as_u64))
    {
        json.insert("intermediate_size".to_string(), width.saturating_mul(4).into());
    }
    let llama = CLASS.decoder(&json)?;
    let heads = llama.layers.get(0).heads;
    divided(FAMILY, ("n_head", heads.heads), ("the number of shards", SHARDS))?;
    let turning = count(FAMILY, &json, "rotary_dim")?.unwrap_or(64);
    let rope = Rope::plain(FAMILY, THETA, turning, heads.head_width, Pairs::Neighbours)?;
    Ok(Box::new(Decoder {
        names: Names {
            base: &["transformer."],
            layers: "h",
            embedding: "wte.weight",
            unembedding_bias: Some("lm_head.bias"),
            buffers: &[".attn.causal_mask", ".attn.bias", ".attn.masked_bias"],
            ..llama.names
        },
        modules: ["attn", "mlp"],
        residual: Residual::Parallel,
        norms: Norms { last: "ln_f", ..Norms::shared("ln_1") },
        qkv: Qkv::Shards("qkv_proj", SHARDS),
        output: "out_proj",
        biases: Biases { mlp: true, ..Biases::default() },
        ropes: vec![rope],
        mlp: MlpLayers::Plain(["fc_in", "fc_out"]),
        ..llama
    }))
}
