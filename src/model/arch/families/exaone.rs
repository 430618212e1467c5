//! EXAONE 3 and 3.5 (`modeling_exaone.py` beside the weights of LGAI-EXAONE/EXAONE-3.5-7.8B-Instruct): LLaMA under GPT's names.

use serde_json::{Map, Value as Json};

use crate::arch::{
    ArchError, Architecture, Names,
    choices::{Decoder, MlpLayers, Norms},
    class::Class,
};

pub(super) const FAMILY: &str = "exaone";
const CLASS: Class = Class {
    names: &[("num_layers", "num_hidden_layers")],
    epsilon: (Some("layer_norm_epsilon"), 1e-5),
    activation: ("activation_function", "silu"),
    attention_bias: None,
    mlp_bias: None,
    ..Class::like_llama(FAMILY)
};

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let llama = CLASS.decoder(json)?;
    Ok(Box::new(Decoder {
        names: Names { base: &["transformer."], layers: "h", embedding: "wte.weight", ..llama.names },
        modules: ["attn.attention", "mlp"],
        norms: Norms { last: "ln_f", ..Norms::before("ln_1", "ln_2") },
        output: "out_proj",
        mlp: MlpLayers::Gated(["c_fc_0", "c_fc_1", "c_proj"]),
        ..llama
    }))
}
