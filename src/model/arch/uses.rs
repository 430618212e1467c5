//! The tensors of a checkpoint that a recipe reads, and where it uses them.

use std::fmt;

use serde::Serialize;

use crate::{
    graph::{Dim, Graph},
    nn::{ExpertLayout, WEIGHT},
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
    /// An expert of a block: the block's index and the expert's.
    Expert(usize, usize),
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
    /// What is taken of it, where that is not all.
    pub part: Option<Part>,
    /// Where it is used.
    pub place: Place,
    /// Graph input that takes it; `None` for tensors that are read row by row (embedding and head).
    pub input: Option<String>,
    /// The graphs that take it only multiply rows with it.
    pub factor: bool,
}

/// A part of a tensor: numbers that follow each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Numbers of the tensor before it.
    pub first: usize,
    /// Its own shape.
    pub shape: Vec<usize>,
}

impl Place {
    /// Whether this is one of several experts, which not every token goes through.
    pub fn is_expert(self) -> bool {
        matches!(self, Place::Expert(..))
    }
}

impl WeightUse {
    /// The shape in which the graph takes it.
    pub fn taken(&self) -> &[usize] {
        self.part.as_ref().map_or(&self.shape, |part| &part.shape)
    }
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
            Place::Expert(layer, expert) => write!(f, "expert {expert} of block {layer}"),
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
                part: None,
                input: Some(name.to_string()),
                factor: graph.is_factor(*input),
            })
        })
        .collect()
}

/// The weights of one of `count` experts that lie so: [`declared`] by the graph of any of them.
pub(super) fn of_expert(
    graph: &Graph,
    prefix: &str,
    (layout, count): (ExpertLayout, usize),
    place: Place,
) -> Vec<WeightUse> {
    let Place::Expert(_, index) = place else { return Vec::new() };
    match layout {
        ExpertLayout::Apart => declared(graph, &format!("{prefix}{index}."), place),
        ExpertLayout::Stacked | ExpertLayout::InRows => {
            let mut uses = declared(graph, prefix, place);
            for weight in &mut uses {
                let shape = weight.shape.clone();
                match weight.shape.first_mut() {
                    Some(rows) if layout == ExpertLayout::InRows => *rows *= count,
                    _ => weight.shape.insert(0, count),
                }
                weight.part = Some(Part { first: index * shape.iter().product::<usize>(), shape });
            }
            uses
        }
    }
}

/// The graph has this input, and only multiplies rows with it.
pub(super) fn multiplies(graph: &Graph, name: &str) -> bool {
    graph.inputs().iter().any(|input| graph.name_of(*input) == name && graph.is_factor(*input))
}
