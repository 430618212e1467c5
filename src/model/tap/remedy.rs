//! What users are told about the place where a search ended.

use super::model::{Id, Model};
use super::norm::norm_at;
use super::op;

/// What the operator at which a search ended says about the model, and what to do about it.
pub(super) fn of(model: &Model<'_>, value: Id) -> String {
    let Some((node, _)) = model.producer(value) else {
        return "it is read by no block; give the decoder with its blocks".to_string();
    };
    let is_norm = op::NORM.contains(&node.op) || op::SKIP_NORM.contains(&node.op);
    if op::SUBGRAPH.contains(&node.op) {
        "subgraphs are not searched; export the decoder without merging (with and without past in one file)"
            .to_string()
    } else if model.functions.contains(node.op) {
        "model-local functions are not searched; inline them first (onnx.inliner.inline_local_functions)"
            .to_string()
    } else if is_norm || norm_at(model, value).is_some() {
        "the stream itself is normalised here (post-norm blocks), so there is no one residual stream to tap"
            .to_string()
    } else {
        format!("{} is not an addition of a branch that reads the stream", node.op)
    }
}
