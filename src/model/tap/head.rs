//! From the logits back to the end of the residual stream: unembedding, then the final norm.

use std::path::Path;

use super::error::TapError;
use super::model::{Id, Model};
use super::norm::{Norm, Point, norm_at};
use super::op;
use super::output::LOGITS;
use super::place::Place;
use super::remedy;

/// What lies behind the last block.
pub(super) struct Head {
    /// The graph output that the search began at, if it is the logits.
    pub logits: Option<Id>,
    pub unembedding: Option<Place>,
    pub norm: Option<Norm>,
    /// The final norm sees chosen positions only, e.g. the last one.
    pub selected: bool,
    /// The stream after the last block.
    pub end: Point,
}

/// The head of the output named `logits`, else of the only output that has one.
///
/// # Errors
/// No output leads to a norm or an unembedding, or several do.
pub(super) fn find(model: &Model<'_>, file: &Path) -> Result<Head, TapError> {
    let named = model.outputs.iter().copied().find(|output| model.values[*output].name == LOGITS);
    let candidates = named.map_or(model.outputs.clone(), |logits| vec![logits]);
    let (mut heads, mut stopped) = (Vec::new(), Vec::new());
    for output in &candidates {
        match head_of(model, *output) {
            Ok(head) => heads.push((*output, head)),
            Err(place) => stopped.push((*output, place)),
        }
    }
    // A file may give out the final norm beside the logits.
    if heads.iter().filter(|(_, head)| head.logits.is_some()).count() == 1 {
        heads.retain(|(_, head)| head.logits.is_some());
    }
    let name = |value: Id| model.values[value].name.to_string();
    match (heads.len(), stopped.as_slice()) {
        (1, _) => Ok(heads.remove(0).1),
        (0, []) => Err(TapError::NoLogits {
            file: file.to_path_buf(),
            reason: "the graph has no outputs".to_string(),
        }),
        (0, [(output, place), ..]) => Err(TapError::NoHead {
            file: file.to_path_buf(),
            output: name(*output),
            place: model.place(*place),
            next: remedy::of(model, *place),
        }),
        _ => {
            let names: Vec<String> = heads.iter().map(|(output, _)| name(*output)).collect();
            let reason =
                format!("several outputs lead to the end of a residual stream ({})", names.join(", "));
            Err(TapError::NoLogits { file: file.to_path_buf(), reason })
        }
    }
}

/// Follows one graph output back to the stream; the value where that stopped, if it did.
fn head_of(model: &Model<'_>, output: Id) -> Result<Head, Id> {
    let mut unembedding = None;
    let mut selected = false;
    let mut at = output;
    loop {
        if let Some(norm) = norm_at(model, at) {
            let (end, before) = match norm.input {
                Point::Value(value) => unselect(model, value),
                unnamed => (unnamed, false),
            };
            let logits = unembedding.is_some().then_some(output);
            return Ok(Head { logits, unembedding, norm: Some(norm), selected: selected || before, end });
        }
        let Some((node, _)) = model.producer(at) else { return Err(at) };
        let flowing: Vec<Id> = model.flowing(node).collect();
        at = match (node.op, flowing.as_slice()) {
            (op, [from, ..]) if op::PRODUCT.contains(&op) && unembedding.is_none() => {
                unembedding = Some(model.place(at));
                *from
            }
            (op, [from, ..]) if op::RETYPE.contains(&op) => *from,
            (op, [from, ..]) if op::LAYOUT.contains(&op) => *from,
            (op, [from, ..]) if op::SELECT.contains(&op) && node.inputs.first() == Some(&Some(*from)) => {
                selected |= unembedding.is_some();
                *from
            }
            ("Tanh", [only]) => *only,
            // Scaling of activations or logits, and the bias of the unembedding.
            (op, [only])
                if op::ELEMENTWISE.contains(&op)
                    && (unembedding.is_none() || model.inputs(node).any(|v| model.is_scalar(v))) =>
            {
                *only
            }
            // An integer product and the scale of what was quantised on the way.
            ("Mul", [_, _]) if unembedding.is_none() => match flowing.iter().find(|v| is_product(model, **v))
            {
                Some(product) => *product,
                None => return Err(at),
            },
            _ if unembedding.is_some() => {
                return Ok(Head {
                    logits: Some(output),
                    unembedding,
                    norm: None,
                    selected,
                    end: Point::Value(at),
                });
            }
            _ => return Err(at),
        };
    }
}

fn is_product(model: &Model<'_>, value: Id) -> bool {
    model.producer(model.root(value)).is_some_and(|(node, _)| op::PRODUCT.contains(&node.op))
}

/// Back over the selection of positions between the last block and the final norm.
fn unselect(model: &Model<'_>, value: Id) -> (Point, bool) {
    let (mut at, mut selected) = (model.root(value), false);
    while let (stem, _) = model.stem(at)
        && let Some((node, 0)) = model.producer(stem)
        && op::SELECT.contains(&node.op)
        && let Some(Some(from)) = node.inputs.first()
        && !model.values[*from].fixed
    {
        (at, selected) = (model.root(*from), true);
    }
    (Point::Value(at), selected)
}
