//! DBRX (`transformers/models/dbrx/modeling_dbrx.py`): LLaMA with LayerNorm without bias, one matrix for q, k and v, whose
//! components may be bounded, and experts in every block, all in three matrices.

use serde_json::{Map, Value as Json};

use crate::{
    arch::{
        ArchError, Architecture, Initial, Names,
        choices::{Decoder, MlpLayers, NormKind, Norms, Qkv},
        class::{Class, count_or, factor, number},
        config::{as_meant, only, own_names},
        mixture::{Mixture, choice},
    },
    nn::{ExpertLayout, experts::Router},
};

pub(super) const FAMILY: &str = "dbrx";
const CLASS: Class = Class {
    names: &[
        ("d_model", "hidden_size"),
        ("n_layers", "num_hidden_layers"),
        ("n_heads", "num_attention_heads"),
        ("max_seq_len", "max_position_embeddings"),
    ],
    norm: NormKind::LayerWithoutBias,
    epsilon: (None, 1e-5),
    attention_bias: None,
    mlp_bias: None,
    ..Class::like_llama(FAMILY)
};

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let mut json = own_names(FAMILY, json, CLASS.names)?;
    only(&json, &[("tie_word_embeddings", false.into())])?;
    let (attention, experts) = (within(&json, "attn_config")?, within(&json, "ffn_config")?);
    // The authors' code turns by the base that stands here, and transformers 5.23 by the one beside, or by 10000: two must be one, and
    // one that stands here alone, as in the published config, is taken as the authors meant it.
    match (number(FAMILY, &attention, "rope_theta")?, number(FAMILY, &json, "rope_theta")?) {
        (Some(inside), Some(beside)) if inside != beside => {
            let reason = format!("`rope_theta` = {beside} and {inside} in `attn_config`; expected one base");
            return Err(ArchError::Config { family: FAMILY, reason });
        }
        (Some(inside), None) => {
            json.insert("rope_theta".to_string(), inside.into());
        }
        _ => {}
    }
    let of_experts = |key, default| count_or(FAMILY, &experts, key, default);
    let (_, heads) = count_or(FAMILY, &attention, "kv_n_heads", 1)?;
    let (_, width) = of_experts("ffn_hidden_size", 3584)?;
    json.insert("num_key_value_heads".to_string(), heads.into());
    json.insert("intermediate_size".to_string(), width.into());
    if let Some(name) = experts.get("ffn_act_fn").and_then(|activation| activation.get("name")) {
        json.insert("hidden_act".to_string(), name.clone());
    }
    // The sum of weights is their first norm; null leaves them as they are.
    let given = json.get("ffn_config").and_then(|config| config.get("moe_normalize_expert_weights"));
    let normalised = !given.is_some_and(Json::is_null);
    only(&experts, &[("moe_normalize_expert_weights", 1.into())])?;
    let llama = CLASS.decoder(&json)?;
    let blocks = llama.sizes.num_hidden_layers;
    let (experts, chosen) =
        choice(FAMILY, of_experts("moe_num_experts", 4)?, of_experts("moe_top_k", 1)?, blocks)?;
    let mixture = Mixture {
        module: "ffn",
        experts: "ffn.experts.mlp",
        layout: ExpertLayout::InRows,
        layers: MlpLayers::Rows(["w1", "v1", "w2"]),
        ..Mixture::in_mlp(Router { normalised, ..Router::softmax("router.layer", experts, chosen) }, width)
    };
    Ok(Box::new(Decoder {
        names: Names { base: &["transformer."], layers: "blocks", embedding: "wte.weight", ..llama.names },
        modules: ["norm_attn_norm.attn", "ffn"],
        norms: Norms { last: "norm_f", ..Norms::before("norm_attn_norm.norm_1", "norm_attn_norm.norm_2") },
        qkv: Qkv::InTurn("Wqkv"),
        qkv_clip: factor(FAMILY, &attention, "clip_qkv")?.map(|bound| bound as f32),
        output: "out_proj",
        // The module of attention has the word for norms in its name.
        initial: |tensor| tensor.contains(".attn.").then_some(Initial::Narrower(1.0)),
        ..llama.with_mixture(mixture, &vec![true; blocks])
    }))
}

/// The config of a part; what it does not say is the class's.
fn within(json: &Map<String, Json>, key: &str) -> Result<Map<String, Json>, ArchError> {
    match json.get(key) {
        None => Ok(Map::new()),
        Some(Json::Object(keys)) => Ok(as_meant(keys)),
        Some(found) => {
            let reason = format!("`{key}` = {found}; expected an object");
            Err(ArchError::Config { family: FAMILY, reason })
        }
    }
}
