//! Names of what was found, in the order of the flow, and what of a decoder has no value in this graph.

use super::block::{Block, Kind};
use super::head::Head;
use super::model::{Id, Model};
use super::norm::Point;
use super::op;
use super::output::{LOGITS, Missing, Tap};
use crate::onnx::proto::{DimensionProto, TensorShapeProto};

/// Taps of the whole model, and those it cannot have.
///
/// `laid` says that the stream changes its axes on the way; taps then get those it has before the first block.
pub(super) fn name(
    model: &Model<'_>,
    head: &Head,
    blocks: &[Block],
    embedding: Id,
    laid: bool,
) -> (Vec<Tap>, Vec<Missing>) {
    let width = head.norm.and_then(|norm| norm.width).or_else(|| table_width(model, embedding));
    let shape = stream_shape(model, embedding, width);
    let like = blocks.first().map(|block| block.before).filter(|_| laid);
    let mut list = List { model, shape, like, taps: Vec::new(), missing: Vec::new() };
    for (at, block) in blocks.iter().enumerate() {
        let tap = |name: &str| format!("blocks.{at}.hook_{name}");
        if at == 0 {
            list.add(tap("resid_pre"), &[block.before]);
        }
        match &block.attention {
            Some(branch) => list.add(tap("attn_out"), branch),
            None if block.kind == Kind::NoAttention => {
                list.lacks(tap("attn_out"), "its branches have no attention".to_string());
            }
            None => list.hidden(tap("attn_out"), block),
        }
        match block.mid {
            Some(mid) => list.add(tap("resid_mid"), &sum(model, mid)),
            None if block.kind == Kind::Parallel => {
                let reason = "attention and MLP read the same stream (parallel block)".to_string();
                list.lacks(tap("resid_mid"), reason);
            }
            None => list.lacks(tap("resid_mid"), "the block has one branch".to_string()),
        }
        match &block.mlp {
            Some(branch) => list.add(tap("mlp_out"), branch),
            None if block.kind == Kind::AttentionOnly => {
                list.lacks(tap("mlp_out"), "the block has no MLP".to_string());
            }
            None => list.hidden(tap("mlp_out"), block),
        }
        list.add(tap("resid_post"), &sum(model, block.after));
    }
    list.head(head);
    (list.taps, list.missing)
}

struct List<'m, 'a> {
    model: &'m Model<'a>,
    shape: TensorShapeProto,
    like: Option<Id>,
    taps: Vec<Tap>,
    missing: Vec<Missing>,
}

impl List<'_, '_> {
    fn add(&mut self, name: String, values: &[Id]) {
        let shaped = self.like.as_ref().map_or(values, std::slice::from_ref);
        let flowing = shaped.iter().map(|value| &self.model.values[*value]).filter(|value| !value.fixed);
        let declared = flowing.filter_map(|value| value.shape.clone()).next();
        let shape = declared.filter(|shape| !shape.dim.is_empty()).unwrap_or_else(|| self.shape.clone());
        let from = values.iter().map(|value| self.model.place(*value)).collect();
        self.taps.push(Tap { name, values: values.to_vec(), from, shape, like: self.like });
    }

    fn lacks(&mut self, tap: String, reason: String) {
        self.missing.push(Missing { tap, reason });
    }

    fn hidden(&mut self, tap: String, block: &Block) {
        let bias = block.shared_bias.map_or("", |bias| self.model.values[bias].name);
        self.lacks(
            tap,
            format!("the bias {bias:?} is added to the sum of both branches; whose it is cannot be told"),
        );
    }

    fn head(&mut self, head: &Head) {
        let normalized = "ln_final.hook_normalized".to_string();
        match &head.norm {
            Some(norm) => {
                if head.selected {
                    self.like = None;
                }
                if head.selected && self.model.values[norm.output].shape.is_none() {
                    let unnamed = || DimensionProto { dim_value: None, dim_param: None };
                    self.shape.dim.iter_mut().rev().skip(1).for_each(|dim| *dim = unnamed());
                }
                self.add(normalized, &[norm.output]);
            }
            None => {
                let found = self.model.place(match head.end {
                    Point::Value(value) => value,
                    Point::Unnamed(node) => {
                        self.model.nodes[node].outputs.iter().flatten().next().copied().unwrap_or(0)
                    }
                });
                self.lacks(normalized, format!("the unembedding reads {found}, which is no norm"));
            }
        }
        match (head.logits, &head.unembedding) {
            (Some(logits), _) if self.model.values[logits].name == LOGITS => {}
            (Some(logits), _) => {
                self.like = None; // an output has a shape of its own
                self.add(LOGITS.to_string(), &[logits]);
            }
            _ => self.lacks(LOGITS.to_string(), "no product follows the final norm".to_string()),
        }
    }
}

/// A point as values whose sum it is.
fn sum(model: &Model<'_>, point: Point) -> Vec<Id> {
    match point {
        Point::Value(value) => vec![value],
        Point::Unnamed(node) => {
            let node = &model.nodes[node];
            let places = [0, 1, op::skip_bias(node.op)];
            places.iter().filter_map(|place| node.inputs.get(*place).copied().flatten()).collect()
        }
    }
}

fn table_width(model: &Model<'_>, embedding: Id) -> Option<i64> {
    let (node, _) = model.producer(embedding)?;
    let table = (*node.inputs.first()?)?;
    model.values[table].dims.as_ref()?.last().copied().filter(|_| node.op == "Gather")
}

/// The axes of the token ids, and the width. Where ids are laid out anew, only the number of axes is kept.
fn stream_shape(model: &Model<'_>, embedding: Id, width: Option<i64>) -> TensorShapeProto {
    let unknown = DimensionProto { dim_value: None, dim_param: None };
    let mut dim = vec![unknown.clone(); 2];
    if let Some((node, _)) = model.producer(embedding)
        && let Some(mut ids) = model.flowing(node).next()
    {
        ids = model.root(ids);
        if let Some(shape) = &model.values[ids].shape
            && model.values[ids].input
        {
            dim.clone_from(&shape.dim);
        }
    } else if let Some(shape) = &model.values[embedding].shape {
        return shape.clone(); // embeddings as a graph input
    }
    dim.push(DimensionProto { dim_value: width, ..unknown });
    TensorShapeProto { dim }
}
