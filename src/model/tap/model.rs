//! The graph of a foreign decoder: values, the nodes that write them, and steps from one to another.

use std::collections::{BTreeMap, BTreeSet};

use super::op;
use super::place::Place;
use crate::onnx::proto::TensorShapeProto;

/// Index of a value.
pub(super) type Id = usize;

/// A graph over the bytes of its file.
pub(super) struct Model<'a> {
    pub nodes: Vec<Node<'a>>,
    pub values: Vec<Value<'a>>,
    pub outputs: Vec<Id>,
    /// Files that hold tensors, relative to the model's folder.
    pub external: BTreeSet<&'a str>,
    /// Names of model-local functions.
    pub functions: BTreeSet<&'a str>,
    /// Where the message of the graph lies in the file: tag, payload, end. The last one if there are several.
    pub span: (usize, usize, usize),
    /// Every value by its name.
    pub names: BTreeMap<&'a str, Id>,
}

#[derive(Default)]
pub(super) struct Node<'a> {
    pub name: &'a str,
    pub op: &'a str,
    /// `None` is an input left out.
    pub inputs: Vec<Option<Id>>,
    pub outputs: Vec<Option<Id>>,
    /// Values of this graph that the node's subgraphs read.
    pub captured: Vec<Id>,
}

#[derive(Default)]
pub(super) struct Value<'a> {
    pub name: &'a str,
    /// Node and place among its outputs; graph inputs and initialisers have none.
    pub producer: Option<(usize, usize)>,
    /// The same in every run: computed from initialisers and constants alone.
    pub fixed: bool,
    /// Of initialisers and constants.
    pub dims: Option<Vec<i64>>,
    /// As the file declares it.
    pub shape: Option<TensorShapeProto>,
    /// A graph input that no initialiser fills.
    pub input: bool,
}

impl<'a> Model<'a> {
    /// The value of this name, if the graph has one.
    pub(super) fn find(&self, name: &str) -> Option<Id> {
        self.names.get(name).copied()
    }

    /// The node that writes a value, and the place among its outputs.
    pub(super) fn producer(&self, value: Id) -> Option<(&Node<'a>, usize)> {
        self.values[value].producer.map(|(node, place)| (&self.nodes[node], place))
    }

    /// The inputs a node has.
    pub(super) fn inputs<'m>(&'m self, node: &'m Node<'a>) -> impl Iterator<Item = Id> + 'm {
        node.inputs.iter().flatten().copied()
    }

    /// The inputs that differ between runs.
    pub(super) fn flowing<'m>(&'m self, node: &'m Node<'a>) -> impl Iterator<Item = Id> + 'm {
        self.inputs(node).filter(|value| !self.values[*value].fixed)
    }

    /// What a value was before casts, and before it was quantised and back.
    pub(super) fn root(&self, mut value: Id) -> Id {
        let first =
            |node: &Node<'a>| node.inputs.first().copied().flatten().filter(|v| !self.values[*v].fixed);
        while let Some((node, 0)) = self.producer(value) {
            let Some(from) = first(node) else { break };
            value = match node.op {
                "Cast" | "CastLike" | "Dropout" | "Identity" => from,
                "DequantizeLinear" => match self.producer(from) {
                    Some((back, 0)) if back.op.ends_with("QuantizeLinear") => match first(back) {
                        Some(before) => before,
                        None => break,
                    },
                    // What was quantised was never a number of the stream's type.
                    _ => break,
                },
                _ => break,
            };
        }
        value
    }

    /// What a value was before casts and before its axes were laid out anew, and whether they were.
    pub(super) fn stem(&self, value: Id) -> (Id, bool) {
        let (mut at, mut laid) = (self.root(value), false);
        while let Some((node, 0)) = self.producer(at)
            && op::LAYOUT.contains(&node.op)
            && let Some(Some(from)) = node.inputs.first()
            && !self.values[*from].fixed
        {
            (at, laid) = (self.root(*from), true);
        }
        (at, laid)
    }

    /// One element, so that a product with it scales all.
    pub(super) fn is_scalar(&self, value: Id) -> bool {
        self.values[value].dims.as_ref().is_some_and(|dims| dims.iter().all(|&size| size == 1))
    }

    /// How messages name a value: by the node that writes it.
    pub(super) fn place(&self, value: Id) -> Place {
        let name = self.values[value].name.to_string();
        match self.values[value].producer {
            Some((node, _)) => Place { value: Some(name), ..self.node_place(node) },
            None => Place {
                node: String::new(),
                op: if self.values[value].input { "graph input" } else { "initialiser" }.to_string(),
                value: Some(name),
            },
        }
    }

    pub(super) fn node_place(&self, node: usize) -> Place {
        let Node { name, op, .. } = &self.nodes[node];
        let name = if name.is_empty() { format!("#{node}") } else { name.to_string() };
        Place { node: name, op: op.to_string(), value: None }
    }
}
