//! The residual stream: from the last block back to the embedding, one addition after the other.
//!
//! An addition belongs to the stream when one operand, the stream, is read by all others, the branches, through at
//! least one product with weights. That holds for plain additions and for the sums inside fused skip norms, for
//! branches one after the other and side by side, and needs no name and no template of an exporter.

use std::collections::VecDeque;

use super::model::{Id, Model, Node};
use super::norm::Point;
use super::op;

/// Operands of one sum: stream, attention, MLP and one to spare.
const MOST_TERMS: usize = 4;
/// Additions opened in search of the stream among the operands.
const MOST_OPENED: usize = 3;

/// What is added to the stream: values whose sum it is.
pub(super) type Branch = Vec<Id>;

/// What one branch does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Added {
    Attention(Branch),
    /// No attention in it.
    Other(Branch),
    /// Both read the same stream.
    Parallel {
        attention: Branch,
        other: Branch,
    },
    /// Both read the same stream, and a bias was added to their sum: whose it is cannot be told.
    ParallelMixed {
        bias: Id,
    },
}

/// One addition to the stream.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub before: Id,
    pub after: Point,
    pub added: Added,
    /// Operator that adds: a plain one or a fused skip norm.
    pub form: String,
    /// The addition is done on other axes than the stream before or after has, e.g. `[B * T, D]`.
    pub laid: bool,
}

/// How a branch reads the stream.
#[derive(Clone, Copy)]
struct Reads {
    product: bool,
    attention: bool,
}

/// The additions in the order of the flow, and where the first one reads from.
pub(super) fn follow(model: &Model<'_>, end: Point) -> (Vec<Step>, Point) {
    let mut steps = Vec::new();
    let mut at = end;
    while let Some(step) = step_to(model, at) {
        at = Point::Value(step.before);
        steps.push(step);
    }
    steps.reverse();
    (steps, at)
}

/// What a value is computed from.
pub(super) struct Behind {
    /// The rows of the embedding table, if a table is looked up.
    pub embedding: Option<Id>,
    /// Attention, or more than the one product that may project an embedding: blocks lie behind it.
    pub blocks: bool,
}

pub(super) fn behind(model: &Model<'_>, value: Id) -> Behind {
    let mut seen = vec![false; model.nodes.len()];
    let mut queue: Vec<Id> = vec![value];
    let (mut products, mut attention, mut lookups) = (0, false, Vec::new());
    while let Some(value) = queue.pop() {
        let Some((at, _)) = model.values[value].producer.filter(|(at, _)| !seen[*at]) else { continue };
        seen[at] = true;
        let node = &model.nodes[at];
        if op::SHAPE.contains(&node.op) || model.values[value].fixed {
            continue;
        }
        products += usize::from(op::PRODUCT.contains(&node.op));
        attention |= op::ATTENTION.contains(&node.op) || node.op == "Softmax";
        if is_lookup(model, node) {
            // Positions are looked up as well; token ids have a name that exporters agree on.
            let by_token = model.flowing(node).any(|ids| model.values[model.root(ids)].name == "input_ids");
            lookups.push((!by_token, at, value));
        }
        queue.extend(node.inputs.iter().flatten().chain(&node.captured));
    }
    let embedding = lookups.into_iter().min().map(|(_, _, value)| value);
    Behind { embedding, blocks: attention || products > 1 }
}

/// A table of rows read by ids that flow.
fn is_lookup(model: &Model<'_>, node: &Node<'_>) -> bool {
    let rows = |table: Id| model.values[table].dims.as_ref().is_none_or(|dims| dims.len() == 2);
    let fixed = |place: usize| node.inputs.get(place).copied().flatten().filter(|v| model.values[*v].fixed);
    op::LOOKUP.contains(&node.op) && fixed(0).is_some_and(rows) && model.flowing(node).next().is_some()
        || node.op == "EmbedLayerNormalization"
}

/// Values of a sum that flow, and constants in it.
#[derive(Clone)]
struct Terms {
    flowing: Vec<Id>,
    fixed: Vec<Id>,
    opened: usize,
}

fn step_to(model: &Model<'_>, after: Point) -> Option<Step> {
    let first = terms(model, after)?;
    let form = match after {
        Point::Unnamed(node) => model.nodes[node].op,
        Point::Value(value) => model.producer(model.stem(value).0)?.0.op,
    };
    let laid_after = matches!(after, Point::Value(value) if model.stem(value).1);
    let mut queue = VecDeque::from([first]);
    while let Some(sum) = queue.pop_front() {
        if let Some((stream, branches)) = split(model, &sum) {
            let (before, laid_before) = model.stem(stream);
            let added = classify(model, before, &branches, &sum.fixed);
            let laid = laid_before || laid_after;
            return Some(Step { before, after, added, form: form.to_string(), laid });
        }
        if sum.opened == MOST_OPENED {
            continue;
        }
        for (at, term) in sum.flowing.iter().enumerate() {
            let Some(inner) = terms(model, Point::Value(*term)) else { continue };
            let mut opened = sum.clone();
            opened.flowing.splice(at..=at, inner.flowing);
            opened.fixed.extend(inner.fixed);
            opened.opened += 1;
            if opened.flowing.len() <= MOST_TERMS {
                queue.push_back(opened);
            }
        }
    }
    None
}

/// The operands of the addition that a point is, if it is one.
fn terms(model: &Model<'_>, point: Point) -> Option<Terms> {
    let skip_sum = |node: &Node<'_>| {
        let places = [0, 1, op::skip_bias(node.op)];
        places.iter().filter_map(|place| node.inputs.get(*place).copied().flatten()).collect()
    };
    let all: Vec<Id> = match point {
        Point::Unnamed(node) => skip_sum(&model.nodes[node]),
        Point::Value(value) => {
            let (node, place) = model.producer(model.stem(value).0)?;
            match (node.op, place) {
                ("Add" | "Sum", _) => model.inputs(node).collect(),
                (fused, 3) if op::SKIP_NORM.contains(&fused) => skip_sum(node),
                _ => return None,
            }
        }
    };
    let (fixed, flowing): (Vec<Id>, Vec<Id>) = all.into_iter().partition(|value| model.values[*value].fixed);
    (!flowing.is_empty()).then_some(Terms { flowing, fixed, opened: 0 })
}

/// The operand that all others read, and those.
fn split(model: &Model<'_>, sum: &Terms) -> Option<(Id, Vec<(Id, Reads)>)> {
    if sum.flowing.len() < 2 {
        return None;
    }
    sum.flowing.iter().enumerate().find_map(|(at, stream)| {
        let others = sum.flowing.iter().enumerate().filter(|(other, _)| *other != at);
        let branches: Option<Vec<(Id, Reads)>> =
            others.map(|(_, branch)| Some((*branch, reads(model, *stream, *branch)?))).collect();
        Some((*stream, branches?))
    })
}

fn classify(model: &Model<'_>, stream: Id, branches: &[(Id, Reads)], fixed: &[Id]) -> Added {
    let mut parts = branches.to_vec();
    let mut fixed = fixed.to_vec();
    // `x + (attention + mlp)`: one branch, which is a sum of both.
    if let [(whole, Reads { attention: true, .. })] = branches {
        let (parted, biases) = parted(model, *whole);
        let read = |part: &Id| Some((*part, reads(model, stream, *part)?));
        if let Some(found) = parted.iter().map(read).collect::<Option<Vec<_>>>()
            && found.iter().any(|(_, reads)| !reads.attention)
        {
            parts = found;
            fixed.extend(biases);
        }
    }
    let (attention, other): (Vec<_>, Vec<_>) = parts.into_iter().partition(|(_, reads)| reads.attention);
    let values = |parts: Vec<(Id, Reads)>, bias: &[Id]| -> Branch {
        parts.into_iter().map(|(value, _)| value).chain(bias.iter().copied()).collect()
    };
    match (attention.is_empty(), other.is_empty(), fixed.as_slice()) {
        (false, true, bias) => Added::Attention(values(attention, bias)),
        (true, _, bias) => Added::Other(values(other, bias)),
        (false, false, []) => {
            Added::Parallel { attention: values(attention, &[]), other: values(other, &[]) }
        }
        (false, false, [bias, ..]) => Added::ParallelMixed { bias: *bias },
    }
}

/// The values that a branch is the sum of, and the constants in that sum.
fn parted(model: &Model<'_>, whole: Id) -> (Vec<Id>, Vec<Id>) {
    let (mut flowing, mut fixed) = (vec![whole], Vec::new());
    while let [only] = flowing.as_slice()
        && let Some(inner) = terms(model, Point::Value(*only))
    {
        fixed.extend(inner.fixed);
        flowing = inner.flowing;
    }
    (flowing, fixed)
}

/// How `branch` reads `stream`; `None` if it does not, or through no product.
///
/// Nodes stand in the order of the flow, so only those between the two matter. The norm of a fused skip norm counts as
/// reading its sum. Reading a shape is not reading.
fn reads(model: &Model<'_>, stream: Id, branch: Id) -> Option<Reads> {
    let stream = model.stem(stream).0;
    let last = model.values[branch].producer?.0;
    let source = model.values[stream].producer.map(|(node, _)| node);
    let first = source.map_or(0, |node| node + 1);
    if last < first {
        return None;
    }
    let within = |node: usize, marks: &[bool]| node >= first && marks[node - first];
    let inputs = |node: usize| {
        let node = &model.nodes[node];
        let all = node.inputs.iter().flatten().chain(&node.captured).copied();
        all.filter(move |_| !op::SHAPE.contains(&node.op))
    };
    let producer = |value: Id| model.values[value].producer.map(|(node, _)| node);

    let mut depends = vec![false; last + 1 - first];
    for node in first..=last {
        depends[node - first] = inputs(node).any(|value| {
            value == stream
                || producer(value).is_some_and(|from| Some(from) == source || within(from, &depends))
        });
    }
    if !depends[last - first] {
        return None;
    }
    let mut needed = vec![false; last + 1 - first];
    needed[last - first] = true;
    for node in (first..=last).rev().filter(|node| depends[node - first]).collect::<Vec<_>>() {
        if needed[node - first] {
            for from in inputs(node).filter_map(producer).filter(|from| *from >= first && *from <= last) {
                needed[from - first] = true;
            }
        }
    }
    let mut found = Reads { product: false, attention: false };
    // After a softmax, so that a product of two activations is one of attention weights and values; the router of a
    // mixture of experts has a softmax too, but multiplies by weights.
    let mut soft = vec![false; last + 1 - first];
    for node in (first..=last).filter(|node| depends[node - first] && needed[node - first]) {
        let this = &model.nodes[node];
        let is_product = op::PRODUCT.contains(&this.op);
        let after_softmax = inputs(node).filter_map(producer).any(|from| within(from, &soft));
        let of_activations =
            this.inputs.iter().take(2).flatten().filter(|v| !model.values[**v].fixed).count() == 2;
        let is_attention =
            op::ATTENTION.contains(&this.op) || (is_product && after_softmax && of_activations);
        found.attention |= is_attention;
        found.product |= is_product || is_attention;
        soft[node - first] = this.op == "Softmax" || after_softmax;
    }
    found.product.then_some(found)
}
