//! InternLM 2 and 2.5 (`modeling_internlm2.py` beside the weights of internlm/internlm2-7b): LLaMA under names of its own, with
//! q, k and v in one matrix.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::arch::{
    ArchError, Architecture, Names,
    choices::{Biases, Decoder, MlpLayers, Norms, Qkv},
    class::Class,
    config::{default, typed},
};

pub(super) const FAMILY: &str = "internlm2";
const CLASS: Class = Class { mlp_bias: None, ..Class::like_llama(FAMILY) };

#[derive(Debug, Deserialize)]
struct Config {
    /// Of attention.
    #[serde(default = "default::yes")]
    bias: bool,
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let c: Config = typed(FAMILY, json)?;
    let llama = CLASS.decoder(json)?;
    Ok(Box::new(Decoder {
        names: Names { embedding: "tok_embeddings.weight", unembedding: &["output.weight"], ..llama.names },
        modules: ["attention", "feed_forward"],
        norms: Norms::before("attention_norm", "ffn_norm"),
        qkv: Qkv::ByGroup("wqkv"),
        output: "wo",
        biases: Biases::attention(c.bias),
        mlp: MlpLayers::Gated(["w1", "w3", "w2"]),
        ..llama
    }))
}
