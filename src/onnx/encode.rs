//! Graph IR to ONNX bytes. The same graph always gives the same bytes: they are part of the identity of a run.

use prost::Message;

use super::proto::{
    AttributeProto, DimensionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto,
    TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto,
};
use crate::graph::{Constant, Dim, Dtype, Graph, Node, Op, Value};

/// Operator set of the files: the first one where every reduction takes its axes as an input.
pub const OPSET: i64 = 18;
const IR_VERSION: i64 = 8;
const INT: i32 = 2;
const INTS: i32 = 7;

/// The graph as the bytes of one `.onnx` file.
pub fn encode(graph: &Graph) -> Vec<u8> {
    let mut initializer: Vec<TensorProto> =
        graph.constants().iter().map(|(value, elements)| constant(graph, *value, elements)).collect();
    let mut node = Vec::new();
    for n in graph.nodes() {
        node.push(encode_node(graph, n, &mut initializer));
    }
    let model = ModelProto {
        ir_version: Some(IR_VERSION),
        producer_name: Some("streamgauge".to_string()),
        graph: Some(GraphProto {
            node,
            name: Some(graph.name().to_string()),
            initializer,
            input: graph.inputs().iter().map(|v| value_info(graph, *v)).collect(),
            output: graph.outputs().iter().map(|v| value_info(graph, *v)).collect(),
        }),
        opset_import: vec![OperatorSetIdProto { domain: Some(String::new()), version: Some(OPSET) }],
    };
    model.encode_to_vec()
}

fn encode_node(graph: &Graph, node: &Node, initializer: &mut Vec<TensorProto>) -> NodeProto {
    let name = graph.name_of(node.outputs[0]).to_string(); // every operator has an output
    let mut input: Vec<String> = node.inputs.iter().map(|v| graph.name_of(*v).to_string()).collect();
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
        Op::TopK { k } => parameter("k", &[*k as i64]),
        Op::Unary(_) | Op::Binary(_) | Op::MatMul | Op::GatherNd | Op::Relabel(_) | Op::Where => {}
    }
    NodeProto {
        input,
        output: node.outputs.iter().map(|v| graph.name_of(*v).to_string()).collect(),
        name: Some(name),
        op_type: Some(node.op.name().to_string()),
        attribute,
    }
}

fn int(name: &str, i: i64) -> AttributeProto {
    AttributeProto { name: Some(name.to_string()), i: Some(i), r#type: Some(INT), ..Default::default() }
}

fn constant(graph: &Graph, value: Value, elements: &Constant) -> TensorProto {
    let fixed = |d: &Dim| if let Dim::Fixed(size) = d { *size } else { 0 }; // constants have fixed shapes only
    let shape: Vec<usize> = graph.shape(value).iter().map(fixed).collect();
    tensor(graph.name_of(value), &shape, elements)
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
