//! nanochat (`transformers/models/nanochat/modeling_nanochat.py`): LLaMA with RMSNorm without weights, also on the embedding
//! and, after they are turned, on every query and key head; an MLP without a gate; a soft cap on logits. Heads turn backwards.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::arch::{
    ArchError, Architecture,
    choices::{Decoder, MlpLayers, NormKind, QkNorm, QkWeights},
    class::Class,
    config::typed,
    sizes::positive,
};

pub(super) const FAMILY: &str = "nanochat";
const CLASS: Class = Class {
    norm: NormKind::RmsWithoutWeight,
    activation: ("hidden_act", "relu2"),
    mlp_bias: None,
    ..Class::like_llama(FAMILY)
};

#[derive(Debug, Deserialize)]
struct Config {
    /// Null is none.
    #[serde(default = "default_cap")]
    final_logit_softcapping: Option<f64>,
}

fn default_cap() -> Option<f64> {
    Some(15.0)
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let c: Config = typed(FAMILY, json)?;
    let cap = c.final_logit_softcapping.map(|cap| positive(FAMILY, "final_logit_softcapping", cap));
    let logit_cap = cap.transpose()?.map(|cap| cap as f32);
    let mut llama = CLASS.decoder(json)?;
    llama.ropes.iter_mut().for_each(|rope| rope.rotary.frequencies.backwards());
    let norm = QkNorm::new(["q_norm", "k_norm"], QkWeights::Shared);
    Ok(Box::new(Decoder {
        embedding_norm: Some("norm"),
        qk_norm: Some(QkNorm { turned: true, ..norm }),
        mlp: MlpLayers::Plain(["fc1", "fc2"]),
        logit_cap,
        ..llama
    }))
}
