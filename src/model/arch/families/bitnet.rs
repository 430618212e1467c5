//! BitNet b1.58 (`transformers/models/bitnet/modeling_bitnet.py`): LLaMA with a squared ReLU in its gate and a norm before
//! the last matrix of each branch. Weights are computed with as they are stored; packed ternary ones are not read.

use serde_json::{Map, Value as Json};

use crate::arch::{ArchError, Architecture, choices::Decoder, class::Class};

pub(super) const FAMILY: &str = "bitnet";
const CLASS: Class = Class {
    epsilon: (Some("rms_norm_eps"), 1e-5),
    activation: ("hidden_act", "relu2"),
    kv_heads: Some(5),
    mlp_bias: None,
    theta: 500_000.0,
    ..Class::like_llama(FAMILY)
};

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    Ok(Box::new(Decoder {
        inner_norms: [Some("attn_sub_norm"), Some("ffn_sub_norm")],
        ..CLASS.decoder(json)?
    }))
}
