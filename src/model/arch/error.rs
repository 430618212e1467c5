//! What can be wrong with a config, or with a checkpoint that it describes.

use super::Place;
use crate::{checkpoint::CheckpointError, graph::GraphError};

/// A config that no recipe can be made from, or a checkpoint that does not fit its config.
#[derive(Debug, thiserror::Error)]
pub enum ArchError {
    #[error("config.json: no `model_type`; expected one of: {known}")]
    NoModelType { known: String },
    #[error("config.json: model_type {found:?} is not known; known are: {known}")]
    UnknownFamily { found: String, known: String },
    #[error("config.json of model_type {family:?}: {reason}")]
    Config { family: &'static str, reason: String },
    #[error("config.json: a model with no {name}; expected at least 1")]
    Empty { name: &'static str },
    #[error("blocks of kind {kind} write nothing to the stream; expected at least one branch")]
    NoBranch { kind: usize },
    #[error("config.json: `{key}` is {found:?}; this instrument computes {known} and ignores nothing")]
    Unsupported { key: String, found: String, known: &'static str },
    #[error(
        "config.json: `{key}` is {found}; this instrument computes only {computed} for this family, and ignores nothing"
    )]
    Refused { key: String, found: String, computed: String },
    #[error(
        "config.json: the weights are quantised (`quantization_config`: {found}); expected float32, float16 or bfloat16 \
         weights: take the checkpoint they were made from"
    )]
    Quantised { found: String },
    #[error(
        "tensor {tensor} ({place}) has shape {found:?} in the checkpoint; config.json asks for {expected:?}"
    )]
    WeightShape { tensor: String, place: Place, expected: Vec<usize>, found: Vec<usize> },
    #[error(
        "tensor {tensor} is in the checkpoint, but nothing in config.json uses it ({blocks} blocks): config and weights \
         do not belong together; download both again from one revision"
    )]
    Unused { tensor: String, blocks: usize },
    #[error("the intervention cannot be made: {reason}")]
    Intervention { reason: String },
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error(transparent)]
    Graph(#[from] GraphError),
}
