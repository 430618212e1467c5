//! What can be wrong with a config, or with a checkpoint that it describes.

use super::Place;
use crate::{
    checkpoint::{CheckpointError, is_gguf},
    graph::GraphError,
};

use std::path::Path;

/// An error of the model at this path, with its file named once and as what it is: a GGUF file has no `config.json`.
pub fn of_model(at: &Path, error: &ArchError) -> String {
    match error {
        ArchError::Checkpoint(error) => error.to_string(),
        other if is_gguf(at) => {
            let text = other.to_string();
            let said =
                text.strip_prefix("config.json").map(|rest| format!("the config of its metadata{rest}"));
            format!("{}: {}", at.display(), said.unwrap_or(text))
        }
        other => format!("{}: {other}", at.display()),
    }
}

fn meant(alike: &Option<&'static str>) -> String {
    alike.map_or_else(String::new, |name| format!(", {name:?} is"))
}

/// A config that no recipe can be made from, or a checkpoint that does not fit its config.
#[derive(Debug, thiserror::Error)]
pub enum ArchError {
    /// A config that does not name its family.
    #[error("config.json: no `model_type`; expected one of those that `streamgauge families` lists")]
    NoModelType,
    /// A family that is not known.
    #[error("config.json: model_type {found:?} is not known{}; `streamgauge families` lists those that are", meant(.alike))]
    UnknownFamily {
        /// `model_type` of the config.
        found: String,
        /// The known name that is spelled most like it, if one is.
        alike: Option<&'static str>,
    },
    /// A family of which it is known why it is not computed.
    #[error(
        "config.json: model_type {found:?} is not computed: {reason}; `streamgauge families` lists those that are"
    )]
    NotComputed {
        /// `model_type` of the config.
        found: String,
        /// What stands in the way.
        reason: &'static str,
    },
    /// A config that its family cannot be read from.
    #[error("config.json of model_type {family:?}: {reason}")]
    Config {
        /// `model_type`.
        family: &'static str,
        /// What is wrong, and what was expected.
        reason: String,
    },
    /// A model without blocks, width, vocabulary or context.
    #[error("config.json: a model with no {name}; expected at least 1")]
    Empty {
        /// Which size.
        name: &'static str,
    },
    /// A kind of block that has experts and does not compute with them.
    #[error(
        "blocks of kind {kind} have experts that their graph does not ask for; expected nn::experts::mixed in it"
    )]
    NoExperts {
        /// Number of the kind.
        kind: usize,
    },
    /// A kind of block that leaves the stream as it is.
    #[error("blocks of kind {kind} write nothing to the stream; expected at least one branch")]
    NoBranch {
        /// Number of the kind.
        kind: usize,
    },
    /// A tap that is declared and not computed.
    #[error("the tap {tap} is declared and has no formula; model::arch::gauges gives every tap its own")]
    NoFormula {
        /// The tap as it is declared.
        tap: &'static str,
    },
    /// A key whose value names something that is not computed.
    #[error("config.json: `{key}` is {found:?}; this instrument computes {known} and ignores nothing")]
    Unsupported {
        /// The key.
        key: String,
        /// The value of the key.
        found: String,
        /// Names that are known.
        known: &'static str,
    },
    /// A key whose value asks for another computation than this family's.
    #[error(
        "config.json: `{key}` is {found}; this instrument computes only {computed} for this family, and ignores nothing"
    )]
    Refused {
        /// The key.
        key: String,
        /// The value of the key.
        found: String,
        /// The value that is computed.
        computed: String,
    },
    /// Weights that are quantised in a way that is not read.
    #[error(
        "config.json: the weights are quantised in a way that is not read ({found}): take a checkpoint that is quantised so, or \
         the one that they were made from"
    )]
    Quantised {
        /// What the config says, and what is read.
        found: String,
    },
    /// A weight of another shape than the config says.
    #[error(
        "tensor {tensor} ({place}) has shape {found:?} in the checkpoint; config.json asks for {expected:?}"
    )]
    WeightShape {
        /// Name in the checkpoint.
        tensor: String,
        /// Where it is used.
        place: Place,
        /// Shape that the config asks for.
        expected: Vec<usize>,
        /// Shape in the checkpoint.
        found: Vec<usize>,
    },
    /// A weight of a block that the config has no use for.
    #[error(
        "tensor {tensor} is in the checkpoint, but nothing in config.json uses it ({blocks} blocks): config and weights \
         do not belong together; download both again from one revision"
    )]
    Unused {
        /// Name in the checkpoint.
        tensor: String,
        /// Blocks that the config has.
        blocks: usize,
    },
    /// An intervention that this model does not allow.
    #[error("the intervention cannot be made: {reason}")]
    Intervention {
        /// What is wrong, and what was expected.
        reason: String,
    },
    /// The checkpoint itself cannot be read.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Graphs that do not fit together.
    #[error(transparent)]
    Graph(#[from] GraphError),
}
