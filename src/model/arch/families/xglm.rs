//! XGLM (`transformers/models/xglm/modeling_xglm.py`): sequential, LayerNorm, biases everywhere, a scaled embedding plus
//! sines and cosines of the position.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::arch::{
    ArchError, Architecture,
    choices::{Biases, Decoder, MlpLayers, NormKind, Norms, Positions},
    class::Class,
    config::{default, only, typed},
    rope::Share,
};

pub(super) const FAMILY: &str = "xglm";
const CLASS: Class = Class {
    names: &[
        ("d_model", "hidden_size"),
        ("num_layers", "num_hidden_layers"),
        ("attention_heads", "num_attention_heads"),
        ("ffn_dim", "intermediate_size"),
    ],
    norm: NormKind::Layer,
    epsilon: (None, 1e-5),
    activation: ("activation_function", "gelu"),
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
    only(json, &[("add_cross_attention", false.into())])?;
    let c: Config = typed(FAMILY, json)?;
    let llama = CLASS.decoder(json)?;
    Ok(Box::new(Decoder {
        embedding_scale: Some(llama.sizes.root_of_width()).filter(|_| c.scale_embedding),
        modules: ["self_attn", ""],
        norms: Norms { last: "layer_norm", ..Norms::before("self_attn_layer_norm", "final_layer_norm") },
        output: "out_proj",
        biases: Biases::all(true),
        mlp: MlpLayers::Plain(["fc1", "fc2"]),
        ..llama.with_positions(Positions::Sinusoids { offset: 2 })
    }))
}
