//! Finding a normalisation, as one operator or decomposed, and the value it normalises.

use super::model::{Id, Model};
use super::op;

/// A point of the stream. The sum inside a fused skip norm may have no name in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Point {
    Value(Id),
    /// The sum that this skip-norm node computes and does not give out.
    Unnamed(usize),
}

/// A normalisation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Norm {
    pub output: Id,
    pub input: Point,
    /// The fused operator, or "decomposed".
    pub form: &'static str,
    /// Size of its gain, which is the width of the stream.
    pub width: Option<i64>,
}

/// The normalisation whose output this value is. Decomposed ones are recognised by what they are, not by a template:
/// the input, scaled and shifted by constants and by statistics (reductions) of the input itself.
pub(super) fn norm_at(model: &Model<'_>, output: Id) -> Option<Norm> {
    let mut at = output;
    let mut width = None;
    let mut normalised = None;
    loop {
        let (node, place) = model.producer(at)?;
        let reduced = reduction_of(model, at);
        if normalised == Some(model.root(at)) && reduced.is_none() {
            return Some(Norm { output, input: Point::Value(model.root(at)), form: "decomposed", width });
        }
        if let Some((rest, source)) = reduced {
            (at, normalised) = (rest, Some(source));
            continue;
        }
        let fused = op::NORM.iter().chain(op::SKIP_NORM).find(|form| **form == node.op);
        if let (Some(form), 0, None) = (fused, place, normalised) {
            let own = model.inputs(node).find_map(|gain| vector(model, gain));
            let input = match op::SKIP_NORM.contains(form) {
                true => sum_of(model, model.values[at].producer?.0),
                false => Point::Value((*node.inputs.first()?)?),
            };
            return Some(Norm { output, input, form, width: width.or(own) });
        }
        at = match node.op {
            "Cast" | "CastLike" | "Identity" => (*node.inputs.first()?)?,
            _ if op::ELEMENTWISE.contains(&node.op) && normalised.is_none() => {
                let mut flowing = model.flowing(node);
                let (only, None) = (flowing.next()?, flowing.next()) else { return None };
                width = width.or(model.inputs(node).find_map(|gain| vector(model, gain)));
                only
            }
            _ => return None,
        };
    }
}

/// The sum of a skip norm, by its name if it has one.
pub(super) fn sum_of(model: &Model<'_>, node: usize) -> Point {
    match model.nodes[node].outputs.get(3) {
        Some(Some(sum)) => Point::Value(*sum),
        _ => Point::Unnamed(node),
    }
}

/// Length of a constant of one axis.
fn vector(model: &Model<'_>, value: Id) -> Option<i64> {
    match model.values[value].dims.as_deref() {
        Some([size]) if *size > 1 => Some(*size),
        _ => None,
    }
}

/// For `x * statistic(y)`, `x / statistic(y)` or `x - statistic(y)`: x, and y before casts.
fn reduction_of(model: &Model<'_>, value: Id) -> Option<(Id, Id)> {
    let (node, _) = model.producer(value)?;
    if !matches!(node.op, "Mul" | "Div" | "Sub") {
        return None;
    }
    let (left, right) = ((*node.inputs.first()?)?, (*node.inputs.get(1)?)?);
    if let Some(source) = statistic(model, right) {
        return Some((left, source));
    }
    let source = statistic(model, left).filter(|_| node.op == "Mul")?;
    Some((right, source))
}

/// What a statistic such as `1/sqrt(mean(x²) + ε)` is computed from, before casts.
fn statistic(model: &Model<'_>, mut value: Id) -> Option<Id> {
    loop {
        let (node, _) = model.producer(value)?;
        if op::REDUCE.contains(&node.op) {
            return power(model, (*node.inputs.first()?)?);
        }
        value = match node.op {
            "Abs" | "Add" | "Cast" | "Clip" | "Div" | "Identity" | "Max" | "Mul" | "Pow" | "Reciprocal"
            | "Sqrt" => {
                let mut flowing = model.flowing(node);
                let (only, None) = (flowing.next()?, flowing.next()) else { return None };
                only
            }
            _ => return None,
        };
    }
}

/// The base of `x²` or `|x|`, or the value itself; before casts.
fn power(model: &Model<'_>, value: Id) -> Option<Id> {
    let value = model.root(value);
    let Some((node, _)) = model.producer(value) else { return Some(value) };
    let base = match node.op {
        "Abs" | "Pow" => (*node.inputs.first()?)?,
        "Mul" if node.inputs.len() == 2 && node.inputs[0] == node.inputs[1] => node.inputs[0]?,
        _ => return Some(value),
    };
    Some(model.root(base))
}
