//! dots.llm1 (`transformers/models/dots1/modeling_dots1.py`): LLaMA with norms on heads of q and k, a window on the blocks from
//! `max_window_layers` on, and DeepSeek V3's experts.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::arch::{
    ArchError, Architecture,
    choices::{Decoder, QkNorm, QkWeights},
    class::Class,
    config::typed,
    deepseek::Sparse,
};

pub(super) const FAMILY: &str = "dots1";
const CLASS: Class =
    Class { kv_heads: Some(32), mlp_bias: None, window: Some(4096), ..Class::like_llama(FAMILY) };
const EXPERTS: Sparse = Sparse {
    experts: None,
    chosen: None,
    shared: None,
    dense: 0,
    width: 1408,
    normalised: false,
    scale: 1.0,
    groups: (1, 1),
    further: 0,
    ..Sparse::V3
};

#[derive(Debug, Deserialize)]
struct Config {
    #[serde(default = "default_unwindowed_layers")]
    max_window_layers: usize,
}

/// Number of blocks before the first with a window.
fn default_unwindowed_layers() -> usize {
    62
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let c: Config = typed(FAMILY, json)?;
    let llama = CLASS.decoder(json)?;
    let windows = CLASS.windows(json, &llama, |block| block >= c.max_window_layers)?;
    let norm = QkNorm::new(["q_norm", "k_norm"], QkWeights::Shared);
    let decoder = Decoder { qk_norm: Some(norm), ..llama.with_windows(&windows) };
    Ok(Box::new(EXPERTS.experts(json, decoder)?))
}
