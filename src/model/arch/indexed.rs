//! DeepSeek's sparse attention (DeepSeek V3.2): an indexer chooses for every token the `index_topk` tokens that attention sees. In a
//! prompt of at most so many it chooses all, and attention is dense; there its tensors decide nothing, and they are not read.

use serde_json::{Map, Value as Json};

use super::{
    ArchError, Architecture, Names, PromptLimit,
    choices::Decoder,
    class::{Class, count},
    config::only,
    deepseek::Sparse,
    latent_keys::{self, LatentDefaults},
};

/// How the names of tensors end that are not read: the indexer's, and their scales where they are stored in fp8.
const INDEXER: &[&str] = &[
    ".indexer.k_norm.bias",
    ".indexer.k_norm.weight",
    ".indexer.weights_proj.weight",
    ".indexer.wk.weight",
    ".indexer.wk.weight_scale_inv",
    ".indexer.wq_b.weight",
    ".indexer.wq_b.weight_scale_inv",
];

/// The model that a config of the class describes, for prompts of up to `index_topk` tokens.
pub(super) fn model(
    class: Class,
    json: &Map<String, Json>,
    latent: LatentDefaults,
    experts: Sparse,
) -> Result<Box<dyn Architecture>, ArchError> {
    only(
        json,
        &[
            ("moe_layer_freq", 1.into()),
            ("rope_interleave", true.into()),
            ("scoring_func", "sigmoid".into()),
            ("topk_method", "noaux_tc".into()),
        ],
    )?;
    let tokens = count(class.family, json, "index_topk")?.unwrap_or(2048);
    let beyond = "attention sees only the tokens that an indexer chooses";
    let decoder = latent_keys::decoder(class, json, latent)?;
    let decoder = experts.experts(json, decoder)?;
    Ok(Box::new(Decoder {
        limit: Some(PromptLimit { tokens, key: "index_topk", beyond }),
        names: Names { buffers: INDEXER, ..decoder.names },
        ..decoder
    }))
}
