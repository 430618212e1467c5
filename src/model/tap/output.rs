//! Outputs that a tapped model gets, and those it cannot have.

use super::model::Id;
use super::place::Place;
use crate::onnx::proto::TensorShapeProto;

/// TransformerLens name of the logits, and of the output that has them.
pub(super) const LOGITS: &str = "logits";

/// One output to add.
#[derive(Debug, Clone)]
pub struct Tap {
    /// TransformerLens name.
    pub name: String,
    /// The values whose sum it is; most taps are one value.
    pub(super) values: Vec<Id>,
    /// The nodes that write those values.
    pub from: Vec<Place>,
    pub(super) shape: TensorShapeProto,
    /// The value whose axes it gets, where the stream is laid out anew on its way.
    pub(super) like: Option<Id>,
}

/// A tap that the model cannot have.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Missing {
    /// TransformerLens name.
    pub tap: String,
    /// Why it was not found.
    pub reason: String,
}
