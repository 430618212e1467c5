//! A foreign ONNX file as a graph of named values. Only what the search needs is read, in place: no tensor is touched.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message;

use super::model::{Id, Model, Node, Value};
use super::op;
use super::wire::{Field, Malformed, Payload, fields, integers};
use crate::onnx::proto::ValueInfoProto;

/// Subgraphs within subgraphs are followed this far: no exporter comes near, and a hostile file ends no stack.
const DEPTH: usize = 32;

/// A file that cannot be read as a graph.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Bytes that are no protobuf message.
    #[error("its bytes are not those of a protobuf message (at byte {})", .0.at)]
    Protobuf(Malformed),
    /// A model without a graph.
    #[error("it holds no graph")]
    NoGraph,
    /// A node that reads a value which no earlier node writes.
    #[error(
        "node {node} reads {value:?} before another node writes it, but nodes must be in the order of the flow"
    )]
    Order {
        /// Name of the node.
        node: String,
        /// Name of the value.
        value: String,
    },
    /// A value that two nodes write.
    #[error("two nodes write {value:?}")]
    Twice {
        /// Name of the value.
        value: String,
    },
    /// Subgraphs within subgraphs beyond a limit.
    #[error("its subgraphs are nested deeper than {DEPTH}")]
    Deep,
}

impl From<Malformed> for ReadError {
    fn from(malformed: Malformed) -> ReadError {
        ReadError::Protobuf(malformed)
    }
}

impl<'a> Model<'a> {
    /// Reads a `.onnx` file. Several `graph` fields are one graph, as protobuf merges them.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Model<'a>, ReadError> {
        let mut model = Model {
            nodes: Vec::new(),
            values: Vec::new(),
            outputs: Vec::new(),
            external: BTreeSet::new(),
            functions: BTreeSet::new(),
            span: (0, 0, 0),
            names: BTreeMap::new(),
        };
        let mut graphs = Vec::new();
        for field in fields(bytes) {
            let field = field?;
            match field.number {
                7 => {
                    model.span = (field.span.0, field.span.1 - field.bytes().len(), field.span.1);
                    graphs.push(field.bytes());
                }
                25 => model.functions.extend(text_field(field.bytes(), 1)?),
                _ => {}
            }
        }
        if graphs.is_empty() {
            return Err(ReadError::NoGraph);
        }
        // Initialisers and inputs first: nodes before them in the file may read them.
        for graph in &graphs {
            model.declare(graph)?;
        }
        for graph in &graphs {
            for field in fields(graph) {
                let field = field?;
                if field.number == 1 {
                    model.node(field.bytes())?;
                }
            }
        }
        for graph in &graphs {
            model.describe(graph)?;
        }
        Ok(model)
    }

    fn id(&mut self, name: &'a str) -> Id {
        *self.names.entry(name).or_insert_with(|| {
            self.values.push(Value { name, ..Value::default() });
            self.values.len() - 1
        })
    }

    fn declare(&mut self, graph: &'a [u8]) -> Result<(), ReadError> {
        let mut inputs = Vec::new();
        for field in fields(graph) {
            let field = field?;
            match field.number {
                5 => {
                    let tensor = Tensor::read(field.bytes(), &mut self.external)?;
                    let id = self.id(tensor.name);
                    (self.values[id].fixed, self.values[id].dims) = (true, Some(tensor.dims));
                }
                15 => {
                    for values in message_field(field.bytes(), 1)? {
                        let tensor = Tensor::read(values, &mut self.external)?;
                        let id = self.id(tensor.name);
                        self.values[id].fixed = true;
                    }
                }
                11 => inputs.extend(text_field(field.bytes(), 1)?),
                _ => {}
            }
        }
        for name in inputs {
            let id = self.id(name);
            self.values[id].input = !self.values[id].fixed;
        }
        Ok(())
    }

    fn node(&mut self, bytes: &'a [u8]) -> Result<(), ReadError> {
        let mut node = Node::default();
        let (mut inputs, mut outputs, mut captured) = (Vec::new(), Vec::new(), BTreeSet::new());
        let mut dims = None;
        for field in fields(bytes) {
            let field = field?;
            match field.number {
                1 => inputs.push(field.text()?),
                2 => outputs.push(field.text()?),
                3 => node.name = field.text()?,
                4 => node.op = field.text()?,
                5 => {
                    if let Some(found) = self.attribute(field.bytes(), &mut captured, 0)? {
                        dims = Some(found);
                    }
                }
                _ => {}
            }
        }
        let at = self.nodes.len();
        let mut fixed = !op::SUBGRAPH.contains(&node.op);
        for name in inputs {
            if name.is_empty() {
                node.inputs.push(None);
                continue;
            }
            let Some(id) = self.find(name).filter(|id| self.is_written(*id)) else {
                return Err(ReadError::Order { node: format!("{:?}", node.name), value: name.to_string() });
            };
            fixed &= self.values[id].fixed;
            node.inputs.push(Some(id));
        }
        // Names of the subgraph's own values are not values of this graph.
        node.captured = captured.into_iter().filter_map(|name| self.find(name)).collect();
        for (place, name) in outputs.into_iter().enumerate() {
            if name.is_empty() {
                node.outputs.push(None);
                continue;
            }
            let id = self.id(name);
            if self.is_written(id) {
                return Err(ReadError::Twice { value: name.to_string() });
            }
            let value = &mut self.values[id];
            value.producer = Some((at, place));
            value.fixed = fixed;
            if node.op == "Constant" {
                value.dims = Some(dims.clone().unwrap_or_default()); // value_float and its kin are scalars
            }
            node.outputs.push(Some(id));
        }
        self.nodes.push(node);
        Ok(())
    }

    fn is_written(&self, id: Id) -> bool {
        let value = &self.values[id];
        value.input || value.fixed || value.producer.is_some()
    }

    /// Dimensions of a tensor attribute; what subgraphs read goes into `captured`.
    fn attribute(
        &mut self,
        bytes: &'a [u8],
        captured: &mut BTreeSet<&'a str>,
        depth: usize,
    ) -> Result<Option<Vec<i64>>, ReadError> {
        let mut dims = None;
        for field in fields(bytes) {
            let field = field?;
            match (field.number, field.payload) {
                (5, Payload::Bytes(tensor)) => dims = Some(Tensor::read(tensor, &mut self.external)?.dims),
                // Lists (value_floats, value_ints), packed or not, are no scalars whatever their length.
                (7 | 8, _) => dims = Some(vec![-1]),
                (6 | 11, Payload::Bytes(graph)) => self.subgraph(graph, captured, depth + 1)?,
                _ => {}
            }
        }
        Ok(dims)
    }

    fn subgraph(
        &mut self,
        graph: &'a [u8],
        captured: &mut BTreeSet<&'a str>,
        depth: usize,
    ) -> Result<(), ReadError> {
        if depth > DEPTH {
            return Err(ReadError::Deep);
        }
        for node in message_field(graph, 1)? {
            for field in fields(node) {
                let field = field?;
                match field.number {
                    1 => _ = captured.insert(field.text()?),
                    5 => _ = self.attribute(field.bytes(), captured, depth)?,
                    _ => {}
                }
            }
        }
        for tensor in message_field(graph, 5)? {
            Tensor::read(tensor, &mut self.external)?;
        }
        captured.extend(
            message_field(graph, 12)?.iter().filter_map(|output| text_field(output, 1).ok().flatten()),
        );
        Ok(())
    }

    /// Outputs, and the shapes that the file declares.
    fn describe(&mut self, graph: &'a [u8]) -> Result<(), ReadError> {
        for field in fields(graph) {
            let field = field?;
            if !matches!(field.number, 11..=13) {
                continue;
            }
            let Some(id) = text_field(field.bytes(), 1)?.and_then(|name| self.find(name)) else { continue };
            if field.number == 12 {
                self.outputs.push(id);
            }
            let info = ValueInfoProto::decode(field.bytes()).map_err(|_| Malformed { at: field.span.0 })?;
            let shape = info.r#type.and_then(|t| t.tensor_type).and_then(|t| t.shape);
            self.values[id].shape = shape.or(self.values[id].shape.take());
        }
        Ok(())
    }
}

struct Tensor<'a> {
    name: &'a str,
    dims: Vec<i64>,
}

impl<'a> Tensor<'a> {
    fn read(bytes: &'a [u8], external: &mut BTreeSet<&'a str>) -> Result<Tensor<'a>, Malformed> {
        let mut tensor = Tensor { name: "", dims: Vec::new() };
        for field in fields(bytes) {
            let field = field?;
            match field.number {
                1 => tensor.dims.extend(integers(&field)?),
                8 => tensor.name = field.text()?,
                13 if text_field(field.bytes(), 1)? == Some("location") => {
                    external.extend(text_field(field.bytes(), 2)?);
                }
                _ => {}
            }
        }
        Ok(tensor)
    }
}

/// The last text of this number in a message, as protobuf reads a field that is not repeated.
fn text_field(message: &[u8], number: u64) -> Result<Option<&str>, Malformed> {
    let mut found = None;
    for field in fields(message) {
        let field = field?;
        if field.number == number {
            found = Some(field.text()?);
        }
    }
    Ok(found)
}

/// The messages of this number.
fn message_field(message: &[u8], number: u64) -> Result<Vec<&[u8]>, Malformed> {
    let mut found = Vec::new();
    for field in fields(message) {
        let field: Field<'_> = field?;
        if field.number == number {
            found.push(field.bytes());
        }
    }
    Ok(found)
}
