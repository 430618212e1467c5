//! Finds the inputs that a graph only multiplies with.

use super::{Graph, Op, Value};

impl Graph {
    /// Says whether a value is used, and only as the weight of a [`Op::Gemm`].
    pub fn is_factor(&self, value: Value) -> bool {
        let factor = |node: &super::Node| {
            node.op == Op::Gemm
                && node.inputs[1] == value
                && node.inputs.iter().filter(|v| **v == value).count() == 1
        };
        let mut uses = self.nodes().iter().filter(|node| node.inputs.contains(&value)).peekable();
        uses.peek().is_some() && uses.all(factor) && !self.outputs().contains(&value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Dim, Dtype};

    #[test]
    fn a_factor_is_a_factor_everywhere() {
        let mut g = Graph::new("test");
        let shape: [Dim; 2] = [4.into(), 4.into()];
        let mut input = |name: &str| g.input(name, Dtype::F32, &shape).unwrap();
        let [x, twice, also_added, unused] = ["x", "twice", "also added", "unused"].map(&mut input);
        let y = g.gemm(x, twice, None).unwrap();
        let z = g.gemm(y, twice, None).unwrap();
        let w = g.gemm(z, also_added, None).unwrap();
        let sum = g.add(w, also_added).unwrap();
        g.output("sum", sum).unwrap();
        assert_eq!([x, twice, also_added, unused].map(|v| g.is_factor(v)), [false, true, false, false]);
    }
}
