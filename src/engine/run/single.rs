//! One graph by itself, to see what the runtime makes of it.

use super::{
    RunError, Runtime,
    session::{self, Session},
};
use model::{graph::Graph, onnx};

/// Numbers that a graph takes, row-major.
#[derive(Clone, Copy, Debug)]
pub enum Numbers<'a> {
    /// float32.
    Floats(&'a [f32]),
    /// int64.
    Integers(&'a [i64]),
}

/// One output, float32, of a graph that is given these inputs, each with its name and its shape.
///
/// # Errors
/// What the runtime refuses, and an output that the graph does not have.
pub fn evaluate(
    runtime: &Runtime,
    graph: &Graph,
    inputs: &[(&str, &[usize], Numbers<'_>)],
    output: &str,
) -> Result<Vec<f32>, RunError> {
    let mut session = Session::new(runtime, graph.name(), &onnx::encode(graph), 1)?;
    let inputs = inputs.iter().map(|&(name, shape, numbers)| match numbers {
        Numbers::Floats(data) => session::floats(name, shape, data),
        Numbers::Integers(data) => session::integers(name, shape, data),
    });
    session.run(inputs.collect::<Result<_, _>>()?)?.floats(output)
}
