//! LLaMA 4, the text stack (`transformers/models/llama4/modeling_llama4.py`): LLaMA in which most blocks turn q and k, norm them
//! and see one chunk, and the others see all, without positions, by queries that grow; some blocks have one expert a token, by a
//! logistic score that multiplies what it receives, beside an MLP that every token goes through.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::{
    arch::{
        ArchError, Architecture,
        choices::{Decoder, Layer, MlpLayers, QkNorm, QkWeights, Temperature},
        class::{Class, count_or, factor},
        config::{default, only, typed},
        kinds::limited,
        mixture::{Mixture, Shared, choice},
        sizes::sizes,
    },
    nn::{
        ExpertLayout,
        experts::{Router, Scores},
        mask::Mask,
        rope::Pairs,
    },
};

pub(super) const FAMILY: &str = "llama4_text";
const CLASS: Class = Class {
    context: 131_072,
    epsilon: (Some("rms_norm_eps"), 1e-5),
    head_width: Some(128),
    kv_heads: Some(8),
    mlp_bias: None,
    theta: 500_000.0,
    pairs: Pairs::Neighbours,
    ..Class::like_llama(FAMILY)
};

#[derive(Debug, Deserialize)]
struct Config {
    #[serde(default = "default::yes")]
    use_qk_norm: bool,
    /// Published configs have a number where the class has a switch.
    attn_temperature_tuning: Option<Json>,
    /// 1 for a block that turns q and k, 0 for one that does not; none listed: as the interval says.
    #[serde(default)]
    no_rope_layers: Vec<u8>,
    layer_types: Option<Vec<String>>,
    /// Blocks with experts; `None`: as the step says.
    moe_layers: Option<Vec<usize>>,
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let c: Config = typed(FAMILY, json)?;
    let number = |key, default| count_or(FAMILY, json, key, default);
    let llama = CLASS.decoder(json)?;
    let blocks = llama.sizes.num_hidden_layers;
    let turns = c.turns(blocks, number("no_rope_layer_interval", 4)?.1)?;
    let chunked = c.chunked(&turns)?;
    if json.get("attention_chunk_size").is_some_and(Json::is_null) && chunked.contains(&true) {
        let reason =
            "`attention_chunk_size` is null; expected the tokens of a chunk, which the reference needs"
                .to_string();
        return Err(ArchError::Config { family: FAMILY, reason });
    }
    let (_, chunk) = number("attention_chunk_size", 8192)?;
    let (_, dense_width) = number("intermediate_size_mlp", 16_384)?;
    let routed: Vec<bool> = match &c.moe_layers {
        Some(listed) => (0..blocks).map(|block| listed.contains(&block)).collect(),
        None => {
            let (_, step) = number("interleave_moe_layer_step", 1)?;
            (0..blocks).map(|block| (block + 1).is_multiple_of(step)).collect()
        }
    };
    let width = llama.sizes.intermediate_size;
    sizes(FAMILY, &[("intermediate_size", width)])?;
    let shared = Shared { module: "feed_forward.shared_expert", layers: llama.mlp, width, gate: None };
    let tuned = c.attn_temperature_tuning.is_none_or(|found| found != false && found != 0);
    let temperature = Temperature {
        beta: factor(FAMILY, json, "attn_scale")?.unwrap_or(0.1) as f32,
        original: number("floor_scale", 8192)?.1 as f32,
        first: 1,
        everywhere: false,
    };
    let norm = QkNorm { turned: true, ..QkNorm::new(["", ""], QkWeights::NoneWhereTurned) };
    let decoder = Decoder {
        modules: ["self_attn", "feed_forward"],
        qk_norm: c.use_qk_norm.then_some(norm),
        temperature: tuned.then_some(temperature),
        ..llama.turning_where(|block| turns[block])
    };
    let decoder = decoder.with_layers(|block, layer| {
        let mask = if chunked[block] { Mask::of_chunks(chunk) } else { layer.mask };
        Layer { mask, mlp_width: dense_width, ..layer }
    });
    if !routed.contains(&true) {
        return Ok(Box::new(decoder));
    }
    only(json, &[("num_experts_per_tok", 1.into())])?;
    let (experts, chosen) =
        choice(FAMILY, number("num_local_experts", 16)?, ("num_experts_per_tok", 1), blocks)?;
    let router = Router { scores: Scores::Sigmoid, ..Router::softmax("router", experts, chosen) };
    let mixture = Mixture {
        module: "feed_forward",
        experts: "feed_forward.experts",
        layout: ExpertLayout::Stacked,
        layers: MlpLayers::Columns(["gate_up_proj", "down_proj"]),
        shared: Some(shared),
        weighs_input: true,
        ..Mixture::in_mlp(router, width)
    };
    Ok(Box::new(decoder.with_mixture(mixture, &routed)))
}

impl Config {
    /// Whether q and k of each block turn.
    fn turns(&self, blocks: usize, every: usize) -> Result<Vec<bool>, ArchError> {
        let listed = &self.no_rope_layers;
        if listed.is_empty() {
            return Ok((0..blocks).map(|block| !(block + 1).is_multiple_of(every)).collect());
        }
        if listed.len() >= blocks && listed.iter().all(|one| *one <= 1) {
            return Ok(listed[..blocks].iter().map(|one| *one == 1).collect());
        }
        let reason = format!(
            "`no_rope_layers` has {} numbers; expected a 1 or 0 for each of {blocks} blocks",
            listed.len()
        );
        Err(ArchError::Config { family: FAMILY, reason })
    }

    /// Whether each block sees its own chunk alone: those that turn, unless the types of layers are listed.
    fn chunked(&self, turns: &[bool]) -> Result<Vec<bool>, ArchError> {
        match &self.layer_types {
            Some(types) => {
                limited(FAMILY, turns.len(), types, "chunked_attention", "full_attention, chunked_attention")
            }
            None => Ok(turns.to_vec()),
        }
    }
}
