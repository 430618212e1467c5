//! Splits a graph in two at an input: what must be known before the input can be made, and what follows from it.

use super::{Graph, Value};

impl Graph {
    /// This graph as two, with these names, if it has an input `at`: one of all that does not depend on the input, and one of
    /// all that does. The first gives its share of the outputs and whatever the second reads of it, under the names of the
    /// values.
    pub fn split(&self, at: &str, [before, after]: [&str; 2]) -> Option<[Graph; 2]> {
        let input = self.inputs().iter().copied().find(|input| self.name_of(*input) == at)?;
        let mut later = vec![input];
        for node in self.nodes() {
            if node.inputs.iter().any(|input| later.contains(input)) {
                later.extend(&node.outputs);
            }
        }
        let is_later = |value: &Value| later.contains(value);
        let made_before: Vec<Value> = self
            .nodes()
            .iter()
            .flat_map(|node| &node.outputs)
            .copied()
            .filter(|value| !is_later(value))
            .collect();
        let mut carried: Vec<Value> = Vec::new();
        for node in self.nodes().iter().filter(|node| node.outputs.iter().any(is_later)) {
            let read = node.inputs.iter().filter(|value| made_before.contains(value));
            carried.extend(read.filter(|value| !self.outputs().contains(value)));
        }
        carried.sort_by_key(|value| self.nodes().iter().position(|node| node.outputs.contains(value)));
        carried.dedup();
        let (mut first, mut second) = (self.clone(), self.clone());
        (first.name, second.name) = (before.to_string(), after.to_string());
        first.outputs.retain(|output| !is_later(output));
        first.outputs.extend(&carried);
        first.prune(|_| false);
        second.outputs.retain(is_later);
        second.nodes.retain(|node| node.outputs.iter().any(is_later));
        second.inputs.extend(made_before);
        second.prune(|_| false);
        Some([first, second])
    }
}

#[cfg(test)]
mod tests {
    use crate::graph::{Dim, Dtype, Graph};

    #[test]
    fn the_halves_hold_every_node_once_and_meet_in_what_is_carried() {
        let mut g = Graph::new("whole");
        let shape = [Dim::Named("T")];
        let [x, w, y] = ["x", "w", "y"].map(|name| g.input(name, Dtype::F32, &shape).unwrap());
        let doubled = g.scale(x, 2.0).unwrap();
        let asked = g.add(doubled, w).unwrap();
        g.output("asked", asked).unwrap();
        let sum = g.add(doubled, y).unwrap();
        let sum = g.add(sum, asked).unwrap();
        g.output("sum", sum).unwrap();
        let [before, after] = g.split("y", ["before", "after"]).unwrap();
        let names = |g: &Graph, values: &[crate::graph::Value]| -> Vec<String> {
            values.iter().map(|value| g.name_of(*value).to_string()).collect()
        };
        let carried = g.name_of(doubled);
        assert_eq!(names(&before, before.inputs()), ["x", "w"]);
        assert_eq!(names(&before, before.outputs()), ["asked", carried]);
        assert_eq!(names(&after, after.inputs()), ["y", carried, "asked"]);
        assert_eq!(names(&after, after.outputs()), ["sum"]);
        assert_eq!(before.nodes().len() + after.nodes().len(), g.nodes().len());
        assert_eq!((before.constants().len(), after.constants().len()), (1, 0));
        assert!(g.split("z", ["before", "after"]).is_none());
    }
}
