//! The graph and how it grows: inputs, constants, nodes, outputs.

use std::collections::BTreeMap;

use super::{Dim, Dtype, GraphError, Op, infer::infer, op::Unary, show};

/// Handle of a value of one graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value(usize);

/// Elements of a constant, row-major.
#[derive(Clone, Debug, PartialEq)]
pub enum Constant {
    /// float32.
    F32(Vec<f32>),
    /// 64-bit integers.
    I64(Vec<i64>),
}

/// One operation; its outputs are values made by it.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The operator.
    pub op: Op,
    /// The values it reads, in the order of the operator.
    pub inputs: Vec<Value>,
    /// The values it makes: one, but for `TopK`.
    pub outputs: Vec<Value>,
}

#[derive(Clone, Debug, PartialEq)]
struct Slot {
    name: String,
    dtype: Dtype,
    shape: Vec<Dim>,
}

/// A graph under construction or finished; nodes lie in the order they were added, which is a valid order to run them.
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
    pub(super) name: String,
    slots: Vec<Slot>,
    pub(super) inputs: Vec<Value>,
    pub(super) outputs: Vec<Value>,
    constants: Vec<(Value, Constant)>,
    pub(super) nodes: Vec<Node>,
    /// Values made here that [`Graph::shared_input`] answers with instead of declaring an input.
    given: BTreeMap<String, Value>,
}

impl Graph {
    /// A graph of nothing.
    pub fn new(name: &str) -> Graph {
        Graph {
            name: name.to_string(),
            slots: Vec::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            constants: Vec::new(),
            nodes: Vec::new(),
            given: BTreeMap::new(),
        }
    }

    /// The name of its file, without `.onnx`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Declared inputs, in order.
    pub fn inputs(&self) -> &[Value] {
        &self.inputs
    }

    /// Published outputs, in order.
    pub fn outputs(&self) -> &[Value] {
        &self.outputs
    }

    /// Constants with their elements.
    pub fn constants(&self) -> &[(Value, Constant)] {
        &self.constants
    }

    /// Nodes in the order they were added.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The name of a value of this graph.
    pub fn name_of(&self, value: Value) -> &str {
        &self.slots[value.0].name
    }

    /// Its element type.
    pub fn dtype(&self, value: Value) -> Dtype {
        self.slots[value.0].dtype
    }

    /// Its shape.
    pub fn shape(&self, value: Value) -> &[Dim] {
        &self.slots[value.0].shape
    }

    /// A new input; its name must be free.
    pub fn input(&mut self, name: &str, dtype: Dtype, shape: &[Dim]) -> Result<Value, GraphError> {
        self.refuse_taken(name)?;
        let value = self.slot(name.to_string(), dtype, shape.to_vec());
        self.inputs.push(value);
        Ok(value)
    }

    /// From here on `name` means `value` to [`Graph::shared_input`]: one graph then does what several did.
    pub fn give(&mut self, name: &str, value: Value) {
        self.given.insert(name.to_string(), value);
    }

    /// The value given under `name`, if one was.
    pub fn given(&self, name: &str) -> Option<Value> {
        self.given.get(name).copied()
    }

    /// A value that several building blocks share: given before, else an input. The first call declares it, later ones
    /// must agree.
    pub fn shared_input(&mut self, name: &str, dtype: Dtype, shape: &[Dim]) -> Result<Value, GraphError> {
        let declared = || self.inputs.iter().copied().find(|v| self.name_of(*v) == name);
        let Some(value) = self.given(name).or_else(declared) else {
            return self.input(name, dtype, shape);
        };
        if (self.dtype(value), self.shape(value)) != (dtype, shape) {
            return Err(GraphError::Redeclared {
                graph: self.name.clone(),
                name: name.to_string(),
                before: show(self.dtype(value), self.shape(value)),
                after: show(dtype, shape),
            });
        }
        Ok(value)
    }

    /// Publish a value under a name of its own; its name must be free.
    pub fn output(&mut self, name: &str, value: Value) -> Result<(), GraphError> {
        self.refuse_taken(name)?;
        // Inputs, constants and values that are already outputs keep their names: the second name gets a node.
        let made_here = self.nodes.iter().any(|node| node.outputs.contains(&value));
        let value = if made_here && !self.outputs.contains(&value) {
            value
        } else {
            self.unary(Unary::Identity, value)?
        };
        self.slots[value.0].name = name.to_string();
        self.outputs.push(value);
        Ok(())
    }

    /// A constant of this shape, with one element per cell.
    pub fn constant(&mut self, elements: Constant, shape: &[usize]) -> Result<Value, GraphError> {
        let (dtype, found) = match &elements {
            Constant::F32(x) => (Dtype::F32, x.len()),
            Constant::I64(x) => (Dtype::I64, x.len()),
        };
        let dims: Vec<Dim> = shape.iter().map(|&size| Dim::Fixed(size)).collect();
        if found != shape.iter().product::<usize>() {
            return Err(GraphError::ConstantSize {
                graph: self.name.clone(),
                shape: show(dtype, &dims),
                found,
            });
        }
        let value = self.slot(format!("constant_{}", self.constants.len()), dtype, dims);
        self.constants.push((value, elements));
        Ok(value)
    }

    /// An f32 constant of rank 0.
    pub fn scalar(&mut self, x: f32) -> Result<Value, GraphError> {
        self.constant(Constant::F32(vec![x]), &[])
    }

    /// Publish only the outputs whose names are wanted; [`Graph::prune`] drops what then has no use.
    pub fn keep_outputs(&mut self, wanted: impl Fn(&str) -> bool) {
        let slots = &self.slots;
        self.outputs.retain(|output| wanted(&slots[output.0].name));
    }

    /// Drop what no output needs: nodes, constants, and of the inputs those that `spare` does not hold back.
    pub fn prune(&mut self, spare: impl Fn(&str) -> bool) {
        let mut needed = vec![false; self.slots.len()];
        for output in &self.outputs {
            needed[output.0] = true;
        }
        for node in self.nodes.iter().rev() {
            if node.outputs.iter().any(|output| needed[output.0]) {
                node.inputs.iter().for_each(|input| needed[input.0] = true);
            }
        }
        self.nodes.retain(|node| node.outputs.iter().any(|output| needed[output.0]));
        self.constants.retain(|(value, _)| needed[value.0]);
        let slots = &self.slots;
        self.inputs.retain(|input| needed[input.0] || spare(&slots[input.0].name));
    }

    pub(super) fn add_one(&mut self, op: Op, inputs: &[Value]) -> Result<Value, GraphError> {
        Ok(self.insert(op, inputs)?[0]) // inference gives every operator at least one output
    }

    pub(super) fn insert(&mut self, op: Op, inputs: &[Value]) -> Result<Vec<Value>, GraphError> {
        let types: Vec<_> = inputs.iter().map(|v| (self.dtype(*v), self.shape(*v).to_vec())).collect();
        let made = infer(&op, &types).map_err(|reason| GraphError::Mismatch {
            graph: self.name.clone(),
            op: op.name().to_string(),
            inputs: types.iter().map(|(d, s)| show(*d, s)).collect::<Vec<_>>().join(", "),
            reason,
        })?;
        let stem = format!("{}_{}", op.name(), self.nodes.len());
        let outputs: Vec<Value> = made
            .into_iter()
            .enumerate()
            .map(|(i, (dtype, shape))| {
                let name = if i == 0 { stem.clone() } else { format!("{stem}_{i}") };
                self.slot(name, dtype, shape)
            })
            .collect();
        self.nodes.push(Node { op, inputs: inputs.to_vec(), outputs: outputs.clone() });
        Ok(outputs)
    }

    fn slot(&mut self, name: String, dtype: Dtype, shape: Vec<Dim>) -> Value {
        self.slots.push(Slot { name, dtype, shape });
        Value(self.slots.len() - 1)
    }

    fn refuse_taken(&self, name: &str) -> Result<(), GraphError> {
        if self.slots.iter().any(|slot| slot.name == name) {
            return Err(GraphError::DuplicateName { graph: self.name.clone(), name: name.to_string() });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: Dim = Dim::Named("T");

    #[test]
    fn a_matrix_product_of_unequal_inner_sizes_is_refused_where_it_is_written() {
        let mut g = Graph::new("test");
        let x = g.input("x", Dtype::F32, &[T, 8.into()]).unwrap();
        let w = g.input("w", Dtype::F32, &[3.into(), 9.into()]).unwrap();
        let message = g.gemm(x, w, None).unwrap_err().to_string();
        assert_eq!(message, "graph test: Gemm over f32[T, 8], f32[3, 9]: inner sizes differ: 8 and 9");
    }

    #[test]
    fn a_name_is_given_once() {
        let mut g = Graph::new("test");
        let x = g.input("x", Dtype::F32, &[T]).unwrap();
        assert!(matches!(g.input("x", Dtype::F32, &[T]), Err(GraphError::DuplicateName { .. })));
        assert!(matches!(g.output("x", x), Err(GraphError::DuplicateName { .. })));
        assert!(matches!(g.shared_input("x", Dtype::I64, &[T]), Err(GraphError::Redeclared { .. })));
    }

    #[test]
    fn an_input_can_be_published_under_a_second_name() {
        let mut g = Graph::new("test");
        let x = g.input("x", Dtype::F32, &[T]).unwrap();
        g.output("y", x).unwrap();
        assert_eq!((g.name_of(g.inputs()[0]), g.name_of(g.outputs()[0])), ("x", "y"));
    }

    #[test]
    fn named_dimensions_keep_their_place_in_a_reshape() {
        let mut g = Graph::new("test");
        let x = g.input("x", Dtype::F32, &[T, 12.into()]).unwrap();
        let y = g.reshape(x, &[T, 3.into(), 4.into()]).unwrap();
        assert_eq!(g.shape(y), [T, 3.into(), 4.into()]);
        assert!(g.reshape(x, &[3.into(), T, 4.into()]).is_err());
        assert!(g.reshape(x, &[T, 3.into(), 5.into()]).is_err());
    }

    #[test]
    fn pruning_leaves_what_the_outputs_need_and_what_is_spared() {
        let mut g = Graph::new("test");
        let x = g.input("x", Dtype::F32, &[T]).unwrap();
        let w = g.input("w", Dtype::F32, &[T]).unwrap();
        g.input("spared", Dtype::F32, &[T]).unwrap();
        g.mul(x, w).unwrap();
        let doubled = g.scale(x, 2.0).unwrap();
        g.output("y", doubled).unwrap();
        g.prune(|name| name == "spared");
        let names: Vec<&str> = g.inputs().iter().map(|input| g.name_of(*input)).collect();
        assert_eq!((names, g.nodes().len(), g.constants().len()), (vec!["x", "spared"], 1, 1));
    }

    #[test]
    fn a_given_value_answers_for_a_shared_input() {
        let mut g = Graph::new("test");
        let x = g.input("x", Dtype::F32, &[T]).unwrap();
        let doubled = g.scale(x, 2.0).unwrap();
        g.give("table", doubled);
        assert_eq!(g.shared_input("table", Dtype::F32, &[T]).unwrap(), doubled);
        assert!(matches!(g.shared_input("table", Dtype::I64, &[T]), Err(GraphError::Redeclared { .. })));
    }

    #[test]
    fn dtypes_do_not_mix() {
        let mut g = Graph::new("test");
        let x = g.input("x", Dtype::F32, &[T]).unwrap();
        let i = g.input("i", Dtype::I64, &[T]).unwrap();
        assert!(g.add(x, i).is_err());
        assert!(g.gather(x, x).is_err());
        let rows = g.gather(x, i).unwrap();
        assert_eq!((g.dtype(rows), g.shape(rows)), (Dtype::F32, &[T][..]));
    }
}
