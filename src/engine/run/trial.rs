//! One small graph, run when a device is chosen: a provider registers long before it touches its card, and a card that is
//! full, too new or without its libraries should be known while there is still the processor to go on with.

use super::{
    RunError, Runtime,
    session::{Session, fault, floats},
};
use model::{
    arch::ArchError,
    graph::{Dim, Dtype, Graph, GraphError, Reduction},
    onnx,
};

const SIDE: usize = 16;

/// A matrix product and the norms of its rows: on a CUDA card that takes cuBLAS and cuDNN.
///
/// # Errors
/// What the runtime refuses, and a wrong number.
pub(super) fn trial(runtime: &Runtime) -> Result<(), RunError> {
    let graph = graph().map_err(ArchError::from)?;
    let ones = vec![1.0; SIDE * SIDE];
    let shape = [SIDE, SIDE];
    let mut session = Session::new(runtime, "trial", &onnx::encode(&graph), SIDE)?;
    let inputs = vec![floats("x", &shape, &ones)?, floats("w", &shape, &ones)?];
    let norms = session.run(inputs)?.floats("norms")?;
    // Rows of n times n have the norm √n n, exact for a square n.
    let expected = (SIDE as f32).sqrt() * SIDE as f32;
    if norms.iter().all(|norm| *norm == expected) {
        return Ok(());
    }
    Err(fault("trial", format!("expected norms of {expected}, found {norms:?}")))
}

fn graph() -> Result<Graph, GraphError> {
    let mut graph = Graph::new("trial");
    let shape = [Dim::Fixed(SIDE), Dim::Fixed(SIDE)];
    let x = graph.input("x", Dtype::F32, &shape)?;
    let w = graph.input("w", Dtype::F32, &shape)?;
    let product = graph.gemm(x, w, None)?;
    let norms = graph.reduce(Reduction::L2, product)?;
    graph.output("norms", norms)?;
    Ok(graph)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_passes() {
        trial(&Runtime::load(None).unwrap()).unwrap();
    }
}
