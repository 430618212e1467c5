//! The tensors of a checkpoint that a recipe reads, and where it uses them.

use std::fmt;

use serde::Serialize;

use crate::{
    graph::{Dim, Graph},
    nn::WEIGHT,
};

/// Where a tensor is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The rows of the vocabulary that prompts begin with.
    Embedding,
    /// Between those rows and the first block.
    Prelude,
    /// The block with this index.
    Block(usize),
    /// After the last block, up to what the head reads.
    FinalNorm,
    /// The rows of the vocabulary that logits are of.
    Unembedding,
}

/// One tensor of a checkpoint and what the recipe expects of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeightUse {
    /// Name in the checkpoint.
    pub tensor: String,
    /// As the config asks for it.
    pub shape: Vec<usize>,
    /// Where it is used.
    pub place: Place,
    /// Graph input that takes it; `None` for tensors that are read row by row (embedding and head).
    pub input: Option<String>,
    /// The graphs that take it only multiply rows with it.
    pub factor: bool,
}

/// The weight of the final norm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FinalNormWeight {
    /// Name in the checkpoint.
    pub tensor: String,
    /// The norm multiplies by 1 + weight.
    pub from_one: bool,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Embedding => f.write_str("embedding"),
            Place::Prelude => f.write_str("before the first block"),
            Place::Block(layer) => write!(f, "block {layer}"),
            Place::FinalNorm => f.write_str("final norm"),
            Place::Unembedding => f.write_str("unembedding"),
        }
    }
}

/// The weights that a graph takes, under their names in a checkpoint that has `prefix` before them.
pub(super) fn declared(graph: &Graph, prefix: &str, place: Place) -> Vec<WeightUse> {
    let size = |dim: &Dim| if let Dim::Fixed(size) = dim { *size } else { 0 }; // weights are declared with fixed sizes
    graph
        .inputs()
        .iter()
        .filter_map(|input| {
            let name = graph.name_of(*input);
            let relative = name.strip_prefix(WEIGHT)?;
            Some(WeightUse {
                tensor: format!("{prefix}{relative}"),
                shape: graph.shape(*input).iter().map(size).collect(),
                place,
                input: Some(name.to_string()),
                factor: graph.is_factor(*input),
            })
        })
        .collect()
}

/// The graph has this input, and only multiplies rows with it.
pub(super) fn multiplies(graph: &Graph, name: &str) -> bool {
    graph.inputs().iter().any(|input| graph.name_of(*input) == name && graph.is_factor(*input))
}
