//! FlexOlmo (`transformers/models/flex_olmo/modeling_flex_olmo.py`): OLMo 2 with experts in every block, whose weights are the
//! router's probabilities as they are unless the config wants them to add up to 1.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::{
    arch::{
        ArchError, Architecture,
        choices::{Decoder, Norms, QkNorm, QkWeights},
        class::{Class, count_or},
        config::typed,
        mixture::{Mixture, choice},
    },
    nn::experts::Router,
};

pub(super) const FAMILY: &str = "flex_olmo";
const CLASS: Class = Class { context: 4_096, mlp_bias: None, theta: THETA, ..Class::like_llama(FAMILY) };
const THETA: f64 = 500_000.0;

#[derive(Debug, Deserialize)]
struct Config {
    #[serde(default)]
    norm_topk_prob: bool,
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let c: Config = typed(FAMILY, json)?;
    let number = |key, default| count_or(FAMILY, json, key, default);
    let llama = CLASS.decoder(json)?;
    let blocks = llama.sizes.num_hidden_layers;
    let (experts, chosen) =
        choice(FAMILY, number("num_experts", 7)?, number("num_experts_per_tok", 5)?, blocks)?;
    let router = Router { normalised: c.norm_topk_prob, ..Router::softmax("gate", experts, chosen) };
    let mixture = Mixture::in_mlp(router, llama.sizes.intermediate_size);
    Ok(Box::new(Decoder {
        norms: Norms::after("post_attention_layernorm", "post_feedforward_layernorm"),
        qk_norm: Some(QkNorm::new(["q_norm", "k_norm"], QkWeights::Whole)),
        ..llama.with_mixture(mixture, &vec![true; blocks])
    }))
}
