//! SmolLM3 (`transformers/models/smollm3/modeling_smollm3.py`): LLaMA in which every fourth block sees no positions.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::arch::{
    ArchError, Architecture,
    class::{Class, count},
    config::typed,
};

pub(super) const FAMILY: &str = "smollm3";
const CLASS: Class =
    Class { context: 32_768, tied: true, kv_heads: Some(4), theta: 2_000_000.0, ..Class::like_llama(FAMILY) };

#[derive(Debug, Deserialize)]
struct Config {
    /// 1 for a block that turns q and k, 0 for one that does not.
    no_rope_layers: Option<Vec<u8>>,
    #[serde(default)]
    use_sliding_window: bool,
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let c: Config = typed(FAMILY, json)?;
    let llama = CLASS.decoder(json)?;
    let (layers, every) =
        (llama.sizes.num_hidden_layers, count(FAMILY, json, "no_rope_layer_interval")?.unwrap_or(4));
    let turns = match c.no_rope_layers {
        None => (0..layers).map(|layer| !(layer + 1).is_multiple_of(every)).collect(),
        Some(given) if given.len() >= layers && given.iter().all(|one| *one <= 1) => {
            given.iter().map(|one| *one == 1).collect::<Vec<bool>>()
        }
        Some(given) => {
            let reason = format!(
                "`no_rope_layers` has {} numbers; expected a 1 or 0 for each of {layers} blocks",
                given.len()
            );
            return Err(ArchError::Config { family: FAMILY, reason });
        }
    };
    let windows = CLASS.windows(json, &llama, |layer| c.use_sliding_window && !turns[layer])?;
    Ok(Box::new(llama.with_windows(&windows).turning_where(|layer| turns[layer])))
}
