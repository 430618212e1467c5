//! Granite with experts beside an MLP that every token goes through
//! (`transformers/models/granitemoeshared/modeling_granitemoeshared.py`).

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::granitemoe::{self, LAYERS};
use crate::arch::{ArchError, Architecture, config::typed, mixture::Shared, sizes::sizes};

pub(super) const FAMILY: &str = "granitemoeshared";

#[derive(Debug, Deserialize)]
struct Config {
    /// 0: no such MLP.
    #[serde(default)]
    shared_intermediate_size: usize,
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let c: Config = typed(FAMILY, json)?;
    let width = c.shared_intermediate_size;
    sizes(FAMILY, &[("shared_intermediate_size", width.max(1))])?;
    let shared = Shared { module: "shared_mlp", layers: LAYERS, width, gate: None };
    Ok(Box::new(granitemoe::decoder(FAMILY, json, (width > 0).then_some(shared))?))
}
