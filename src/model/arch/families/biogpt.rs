//! BioGPT (`transformers/models/biogpt/modeling_biogpt.py`): sequential, LayerNorm, biases everywhere, a scaled embedding
//! plus learned positions that start at row 2.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::arch::{
    ArchError, Architecture, Names,
    choices::{Biases, Decoder, MlpLayers, NormKind, Norms, Positions},
    class::Class,
    config::{default, typed},
    rope::Share,
};

pub(super) const FAMILY: &str = "biogpt";
const CLASS: Class = Class {
    context: 1024,
    norm: NormKind::Layer,
    // The config has a key for it, which the reference's class does not read.
    epsilon: (None, 1e-5),
    activation: ("hidden_act", "gelu"),
    tied: true,
    share: Share::Even(0.0),
    ..Class::like_llama(FAMILY)
};

#[derive(Debug, Deserialize)]
struct Config {
    #[serde(default = "default::yes")]
    scale_embedding: bool,
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let c: Config = typed(FAMILY, json)?;
    let llama = CLASS.decoder(json)?;
    Ok(Box::new(Decoder {
        names: Names { base: &["biogpt."], unembedding: &["output_projection.weight"], ..llama.names },
        embedding_scale: Some(llama.sizes.root_of_width()).filter(|_| c.scale_embedding),
        modules: ["self_attn", ""],
        norms: Norms { last: "layer_norm", ..Norms::before("self_attn_layer_norm", "final_layer_norm") },
        output: "out_proj",
        biases: Biases::all(true),
        mlp: MlpLayers::Plain(["fc1", "fc2"]),
        ..llama.with_positions(Positions::Learned { table: "embed_positions", offset: 2 })
    }))
}
