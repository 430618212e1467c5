//! VaultGemma (`transformers/models/vaultgemma/modeling_vaultgemma.py`): Gemma 2 without norms after the branches.

use serde_json::{Map, Value as Json};

use super::gemma2;
use crate::arch::{
    ArchError, Architecture,
    choices::{Decoder, Norms},
};

pub(super) const FAMILY: &str = "vaultgemma";

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    Ok(Box::new(Decoder {
        norms: Norms::before("input_layernorm", "pre_feedforward_layernorm"),
        ..gemma2::decoder(FAMILY, json)?
    }))
}
