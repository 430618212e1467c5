//! A file in which some products are left to operators of this program: see `crate::tiles`.

use std::collections::{BTreeMap, BTreeSet};

use prost::{DecodeError, Message};

use super::{
    encode::Stored,
    proto::{ModelProto, NodeProto, OperatorSetIdProto},
};

/// The domain of the operators.
pub const DOMAIN: &str = "streamgauge";
/// `x [T, in]` f32 to its parts, u32 (`crate::tiles::Split`), and T, i64 `[1]`.
pub const SPLIT: &str = "Split";
/// Parts, T, a weight `[out, in]` in bf16, a bias `[out]` in f32 if there is one: to `x · weightᵀ + bias`, f32 `[T, out]`.
pub const LINEAR: &str = "Linear";

/// `file` with the inputs named in `stored` in bf16, and the products with them by [`SPLIT`] and [`LINEAR`]. Each of them is a
/// factor ([`crate::graph::Graph::is_factor`]) in the graph that `file` was made from.
///
/// # Errors
/// Not a file of [`super::encode`].
pub fn with_stored(file: &[u8], stored: &BTreeSet<String>) -> Result<Vec<u8>, DecodeError> {
    let mut model = ModelProto::decode(file)?;
    let Some(graph) = &mut model.graph else { return Ok(file.to_vec()) };
    for input in &mut graph.input {
        let name = input.name.as_deref().unwrap_or_default();
        let tensor = input.r#type.as_mut().and_then(|of| of.tensor_type.as_mut());
        if let Some(tensor) = tensor.filter(|_| stored.contains(name)) {
            tensor.elem_type = Some(Stored::BF16.data_type());
        }
    }
    // What was split already: its parts and its rows.
    let mut split = BTreeMap::<String, [String; 2]>::new();
    let mut nodes = Vec::new();
    for node in std::mem::take(&mut graph.node) {
        match &node.input[..] {
            [x, weight, bias @ ..] if stored.contains(weight) => {
                let parts = split.entry(x.clone()).or_insert_with(|| {
                    let parts = [format!("{x}.parts"), format!("{x}.rows")];
                    nodes.push(of_domain(SPLIT, vec![x.clone()], parts.to_vec()));
                    parts
                });
                let inputs = parts.iter().chain([weight]).chain(bias).cloned().collect();
                nodes.push(of_domain(LINEAR, inputs, node.output.clone()));
            }
            _ => nodes.push(node),
        }
    }
    graph.node = nodes;
    model.opset_import.push(OperatorSetIdProto { domain: Some(DOMAIN.to_string()), version: Some(1) });
    Ok(model.encode_to_vec())
}

fn of_domain(operator: &str, input: Vec<String>, output: Vec<String>) -> NodeProto {
    NodeProto {
        name: output.first().cloned(),
        input,
        output,
        op_type: Some(operator.to_string()),
        attribute: Vec::new(),
        domain: Some(DOMAIN.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        graph::{Dim, Dtype, Graph},
        onnx::encode,
    };

    #[test]
    fn rows_are_split_once_for_all_that_multiply_them() {
        let mut g = Graph::new("test");
        let shape: [Dim; 2] = [4.into(), 4.into()];
        let mut input = |name: &str| g.input(name, Dtype::F32, &shape).unwrap();
        let [x, q, k, o] = ["x", "q", "k", "o"].map(&mut input);
        let bias = g.input("bias", Dtype::F32, &[4.into()]).unwrap();
        let a = g.gemm(x, q, None).unwrap();
        let b = g.gemm(x, k, Some(bias)).unwrap();
        let c = g.add(a, b).unwrap();
        let d = g.gemm(c, o, None).unwrap();
        g.output("y", d).unwrap();
        let model =
            ModelProto::decode(&with_stored(&encode(&g), &["q", "k"].map(String::from).into()).unwrap()[..])
                .unwrap();
        let graph = model.graph.unwrap();
        let types: Vec<&str> = graph.node.iter().map(|node| node.op_type.as_deref().unwrap()).collect();
        assert_eq!(types, ["Split", "Linear", "Linear", "Add", "Gemm"]);
        assert_eq!(graph.node[2].input, ["x.parts", "x.rows", "k", "bias"]);
        let of = |name: &str| {
            let input = graph.input.iter().find(|input| input.name.as_deref() == Some(name)).unwrap();
            input.r#type.as_ref().unwrap().tensor_type.as_ref().unwrap().elem_type.unwrap()
        };
        assert_eq!(["x", "q", "k", "o", "bias"].map(of), [1, 16, 16, 1, 1]);
    }
}
