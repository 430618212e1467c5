//! Graph IR to ONNX bytes. The same graph always gives the same bytes: they are part of the identity of a run.

use std::collections::BTreeMap;

use prost::Message;

use super::proto::{
    AttributeProto, DimensionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto,
    StringStringEntryProto, TensorProto, TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto,
};
use crate::checkpoint;
use crate::graph::{Constant, Dim, Dtype, Graph, Node, Op, Value};

/// Operator set of the files: the first one where every reduction takes its axes as an input.
pub const OPSET: i64 = 18;
pub(super) const IR_VERSION: i64 = 8;
const PRODUCER: &str = "streamgauge";
/// The bytes of the producer, which stand in every file after the two bytes of its version.
pub const SIGNATURE: &[u8] = b"\x12\x0bstreamgauge";
const INT: i32 = 2;
const INTS: i32 = 7;
const EXTERNAL: i32 = 1;

/// The place of a weight's bytes, little-endian and row-major, in a file beside the `.onnx` file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct External {
    /// The initialiser's name.
    pub name: String,
    /// The type of its elements.
    pub stored: Stored,
    /// Name of the file.
    pub location: String,
    /// Bytes from its start.
    pub offset: u64,
    /// Bytes.
    pub length: u64,
}

/// The type of an external weight's elements; the graph sees float32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stored {
    /// float32.
    F32,
    /// IEEE half precision.
    F16,
    /// bfloat16.
    BF16,
}

impl Stored {
    /// The type's number in `TensorProto.DataType`.
    pub(super) fn data_type(self) -> i32 {
        match self {
            Stored::F32 => 1,
            Stored::F16 => 10,
            Stored::BF16 => 16,
        }
    }
}

impl From<checkpoint::Dtype> for Stored {
    fn from(dtype: checkpoint::Dtype) -> Stored {
        match dtype {
            checkpoint::Dtype::F32 => Stored::F32,
            checkpoint::Dtype::F16 => Stored::F16,
            checkpoint::Dtype::BF16 => Stored::BF16,
        }
    }
}

/// The graph as the bytes of one `.onnx` file.
pub fn encode(graph: &Graph) -> Vec<u8> {
    encode_with_weights(graph, &BTreeMap::new(), &[])
}

/// The graph with some of its inputs, by name, turned into initialisers that lie in other files. A weight that is not
/// float32 is cast to it. `properties` are pairs of key and value about the file.
pub fn encode_with_weights(
    graph: &Graph,
    weights: &BTreeMap<String, External>,
    properties: &[(&str, String)],
) -> Vec<u8> {
    let names = Names { graph, weights };
    let mut initializer: Vec<TensorProto> =
        graph.constants().iter().map(|(value, elements)| constant(graph, *value, elements)).collect();
    let mut node = Vec::new();
    let mut input = Vec::new();
    for value in graph.inputs() {
        match weights.get(graph.name_of(*value)) {
            None => input.push(value_info(graph, *value)),
            Some(weight) => {
                initializer.push(external(graph, *value, weight));
                node.extend(weight.cast(&names.of(*value)));
            }
        }
    }
    for n in graph.nodes() {
        node.push(encode_node(&names, n, &mut initializer));
    }
    let entry = |key: &str, value: &str| StringStringEntryProto {
        key: Some(key.to_string()),
        value: Some(value.to_string()),
    };
    let model = ModelProto {
        ir_version: Some(IR_VERSION),
        producer_name: Some(PRODUCER.to_string()),
        graph: Some(GraphProto {
            node,
            name: Some(graph.name().to_string()),
            initializer,
            input,
            output: graph.outputs().iter().map(|v| value_info(graph, *v)).collect(),
        }),
        opset_import: vec![OperatorSetIdProto { domain: Some(String::new()), version: Some(OPSET) }],
        metadata_props: properties.iter().map(|(key, value)| entry(key, value)).collect(),
    };
    model.encode_to_vec()
}

/// The names of values in the file.
struct Names<'a> {
    graph: &'a Graph,
    weights: &'a BTreeMap<String, External>,
}

impl Names<'_> {
    fn of(&self, value: Value) -> String {
        let name = self.graph.name_of(value);
        match self.weights.get(name) {
            None => name.to_string(),
            Some(weight) if weight.stored == Stored::F32 => weight.name.clone(),
            Some(weight) => format!("{}.float32", weight.name),
        }
    }
}

impl External {
    /// The node that widens the weight, if it must be.
    fn cast(&self, widened: &str) -> Option<NodeProto> {
        (self.stored != Stored::F32).then(|| NodeProto {
            input: vec![self.name.clone()],
            output: vec![widened.to_string()],
            name: Some(widened.to_string()),
            op_type: Some("Cast".to_string()),
            attribute: vec![int("to", data_type(Dtype::F32).into())],
            domain: None,
        })
    }
}

fn external(graph: &Graph, value: Value, weight: &External) -> TensorProto {
    let entry =
        |key: &str, value: String| StringStringEntryProto { key: Some(key.to_string()), value: Some(value) };
    TensorProto {
        dims: fixed_shape(graph, value).iter().map(|&size| size as i64).collect(),
        data_type: Some(weight.stored.data_type()),
        name: Some(weight.name.clone()),
        raw_data: None,
        external_data: vec![
            entry("location", weight.location.clone()),
            entry("offset", weight.offset.to_string()),
            entry("length", weight.length.to_string()),
        ],
        data_location: Some(EXTERNAL),
    }
}

fn encode_node(names: &Names<'_>, node: &Node, initializer: &mut Vec<TensorProto>) -> NodeProto {
    let name = names.of(node.outputs[0]); // every operator has an output
    let mut input: Vec<String> = node.inputs.iter().map(|v| names.of(*v)).collect();
    let mut parameter = |role: &str, elements: &[i64]| {
        let name = format!("{name}.{role}");
        initializer.push(tensor(&name, &[elements.len()], &Constant::I64(elements.to_vec())));
        input.push(name);
    };
    let mut attribute = Vec::new();
    match &node.op {
        Op::Gemm => attribute.push(int("transB", 1)),
        Op::Cast(dtype) => attribute.push(int("to", data_type(*dtype).into())),
        Op::Concat { axis } => attribute.push(int("axis", *axis as i64)),
        Op::Gather => attribute.push(int("axis", 0)),
        Op::Softmax => attribute.push(int("axis", -1)),
        Op::Transpose(order) => attribute.push(AttributeProto {
            name: Some("perm".to_string()),
            ints: order.iter().map(|&axis| axis as i64).collect(),
            r#type: Some(INTS),
            ..Default::default()
        }),
        // 0 copies the dimension at the same place of the input; inference has checked that it is the same.
        Op::Reshape(target) => {
            let dim = |d: &Dim| if let Dim::Fixed(size) = d { *size as i64 } else { 0 };
            parameter("shape", &target.iter().map(dim).collect::<Vec<_>>());
        }
        Op::Slice { axis, start, end } => {
            parameter("starts", &[*start as i64]);
            parameter("ends", &[*end as i64]);
            parameter("axes", &[*axis as i64]);
        }
        Op::Reduce { keep, .. } => {
            parameter("axes", &[-1]);
            attribute.push(int("keepdims", i64::from(*keep)));
        }
        Op::Unsqueeze | Op::Squeeze => parameter("axes", &[0]),
        Op::TopK { k } => parameter("k", &[*k as i64]),
        Op::Unary(_) | Op::Binary(_) | Op::MatMul | Op::GatherNd | Op::Relabel(_) | Op::Where => {}
    }
    NodeProto {
        input,
        output: node.outputs.iter().map(|v| names.of(*v)).collect(),
        name: Some(name),
        op_type: Some(node.op.name().to_string()),
        attribute,
        domain: None,
    }
}

pub(super) fn int(name: &str, i: i64) -> AttributeProto {
    AttributeProto { name: Some(name.to_string()), i: Some(i), r#type: Some(INT), ..Default::default() }
}

fn constant(graph: &Graph, value: Value, elements: &Constant) -> TensorProto {
    tensor(graph.name_of(value), &fixed_shape(graph, value), elements)
}

/// The fixed dimensions of a constant or a weight, which have no others.
fn fixed_shape(graph: &Graph, value: Value) -> Vec<usize> {
    let fixed = |d: &Dim| if let Dim::Fixed(size) = d { *size } else { 0 };
    graph.shape(value).iter().map(fixed).collect()
}

fn tensor(name: &str, shape: &[usize], elements: &Constant) -> TensorProto {
    let (dtype, raw) = match elements {
        Constant::F32(x) => (Dtype::F32, x.iter().flat_map(|x| x.to_le_bytes()).collect()),
        Constant::I64(x) => (Dtype::I64, x.iter().flat_map(|x| x.to_le_bytes()).collect()),
    };
    TensorProto {
        dims: shape.iter().map(|&size| size as i64).collect(),
        data_type: Some(data_type(dtype)),
        name: Some(name.to_string()),
        raw_data: Some(raw),
        external_data: Vec::new(),
        data_location: None,
    }
}

fn value_info(graph: &Graph, value: Value) -> ValueInfoProto {
    let dim = graph
        .shape(value)
        .iter()
        .map(|dim| match dim {
            Dim::Fixed(size) => DimensionProto { dim_value: Some(*size as i64), dim_param: None },
            Dim::Named(name) => DimensionProto { dim_value: None, dim_param: Some((*name).to_string()) },
        })
        .collect();
    let tensor_type = TensorTypeProto {
        elem_type: Some(data_type(graph.dtype(value))),
        shape: Some(TensorShapeProto { dim }),
    };
    ValueInfoProto {
        name: Some(graph.name_of(value).to_string()),
        r#type: Some(TypeProto { tensor_type: Some(tensor_type) }),
    }
}

fn data_type(dtype: Dtype) -> i32 {
    match dtype {
        Dtype::F32 => 1,
        Dtype::I64 => 7,
        Dtype::Bool => 9,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes worked out by hand from `onnx.proto`: one Identity from `x` to `y`, both f32[T].
    #[test]
    fn a_small_graph_has_the_bytes_of_the_standard() {
        let mut g = Graph::new("g");
        let x = g.input("x", Dtype::F32, &[Dim::Named("T")]).unwrap();
        g.output("y", x).unwrap();
        let value = |name: u8| {
            [b"\x0a\x01", &[name][..], b"\x12\x0b\x0a\x09\x08\x01\x12\x05\x0a\x03\x12\x01T"].concat()
        };
        let node = b"\x0a\x01x\x12\x01y\x1a\x01y\x22\x08Identity";
        let mut graph = [&[0x0a, node.len() as u8][..], node, b"\x12\x01g"].concat();
        for (tag, name) in [(0x5a, b'x'), (0x62, b'y')] {
            let info = value(name);
            graph.extend([tag, info.len() as u8]);
            graph.extend(info);
        }
        let mut model = b"\x08\x08\x12\x0bstreamgauge\x3a".to_vec();
        model.push(graph.len() as u8);
        model.extend(graph);
        model.extend(b"\x42\x04\x0a\x00\x10\x12");
        assert_eq!(encode(&g), model);
    }
}
