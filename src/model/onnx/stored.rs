//! A file in which some products are left to operators of this program: see `engine::products`.

use std::collections::BTreeMap;

use prost::{DecodeError, Message};

use super::{
    encode::Stored,
    proto::{ModelProto, NodeProto, OperatorSetIdProto},
};

/// The domain of the operators.
pub const DOMAIN: &str = "streamgauge";
/// `x [T, in]` f32 as products take it, u32 (`engine::products::Rows`), and T, i64 `[1]`.
pub const ARRANGE: &str = "Arrange";
/// Arranged rows, T, a weight `[out, in]` in bf16, a bias `[out]` in f32 if there is one: to `x · weightᵀ + bias`, f32 `[T, out]`.
pub const LINEAR_BF16: &str = "LinearBf16";
/// The same with a weight in f16.
pub const LINEAR_F16: &str = "LinearF16";

/// `file` with the inputs named in `stored` in bf16 or f16, and the products with them by these operators. Each of them is a
/// factor ([`crate::graph::Graph::is_factor`]) in the graph that `file` was made from.
///
/// # Errors
/// Not a file of [`super::encode`].
pub fn with_stored(file: &[u8], stored: &BTreeMap<String, Stored>) -> Result<Vec<u8>, DecodeError> {
    let mut model = ModelProto::decode(file)?;
    let Some(graph) = &mut model.graph else { return Ok(file.to_vec()) };
    for input in &mut graph.input {
        let name = input.name.as_deref().unwrap_or_default();
        let tensor = input.r#type.as_mut().and_then(|of| of.tensor_type.as_mut());
        if let (Some(tensor), Some(dtype)) = (tensor, stored.get(name)) {
            tensor.elem_type = Some(dtype.data_type());
        }
    }
    // What was arranged already, and its rows.
    let mut arranged = BTreeMap::<String, [String; 2]>::new();
    let mut nodes = Vec::new();
    for node in std::mem::take(&mut graph.node) {
        let linear = node.input.get(1).and_then(|weight| stored.get(weight)).and_then(|dtype| match dtype {
            Stored::BF16 => Some(LINEAR_BF16),
            Stored::F16 => Some(LINEAR_F16),
            Stored::F32 => None,
        });
        match (linear, &node.input[..]) {
            (Some(linear), [x, weight, bias @ ..]) => {
                let rows = arranged.entry(x.clone()).or_insert_with(|| {
                    let rows = [format!("{x}.arranged"), format!("{x}.rows")];
                    nodes.push(of_domain(ARRANGE, vec![x.clone()], rows.to_vec()));
                    rows
                });
                let inputs = rows.iter().chain([weight]).chain(bias).cloned().collect();
                nodes.push(of_domain(linear, inputs, node.output.clone()));
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
    fn rows_are_arranged_once_for_all_that_multiply_them() {
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
        let stored = [("q", Stored::BF16), ("k", Stored::F16)].map(|(name, dtype)| (name.to_string(), dtype));
        let model = ModelProto::decode(&with_stored(&encode(&g), &stored.into()).unwrap()[..]).unwrap();
        let graph = model.graph.unwrap();
        let types: Vec<&str> = graph.node.iter().map(|node| node.op_type.as_deref().unwrap()).collect();
        assert_eq!(types, ["Arrange", "LinearBf16", "LinearF16", "Add", "Gemm"]);
        assert_eq!(graph.node[2].input, ["x.arranged", "x.rows", "k", "bias"]);
        let of = |name: &str| {
            let input = graph.input.iter().find(|input| input.name.as_deref() == Some(name)).unwrap();
            input.r#type.as_ref().unwrap().tensor_type.as_ref().unwrap().elem_type.unwrap()
        };
        assert_eq!(["x", "q", "k", "o", "bias"].map(of), [1, 16, 10, 1, 1]);
    }
}
