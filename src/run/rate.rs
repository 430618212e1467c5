//! How fast the runtime multiplies matrices here: the limit that a walk is held against.

use std::time::{Duration, Instant};

use half::bf16;

use super::{
    RunError, Runtime,
    session::{Session, fault, floats, tensor, value},
    upload::Upload,
};
use crate::{
    arch::ArchError,
    graph::{Dim, Dtype, Graph, GraphError},
    onnx::{self, with_stored},
    progress::Product,
};

const WEIGHT: &str = "w";
/// Products at most; the fastest counts, as others may have waited for the machine.
const MOST: usize = 8;

/// Floating-point operations per second of a product of `[rows, inputs]` with a weight `[outputs, inputs]` as it lies, in
/// float32 on all cores, on their tile registers, or on the runtime's device with both factors there. Takes three products at
/// least, more where `budget` allows.
///
/// # Errors
/// What the runtime refuses.
pub fn product_rate(runtime: &Runtime, product: Product, budget: Duration) -> Result<f64, RunError> {
    let Product { rows, inputs, outputs, on_tiles } = product;
    let graph = onnx::encode(&graph(product).map_err(ArchError::from)?);
    let graph = match on_tiles {
        true => with_stored(&graph, &[WEIGHT.to_string()].into()).map_err(|e| fault("product", e))?,
        false => graph,
    };
    let mut session = Session::new(runtime, "product", &graph, inputs)?;
    // Numbers that neither vanish nor grow.
    let number = |i: usize| ((i * 7919) % 1009) as f32 / 1009.0 - 0.5;
    let x: Vec<f32> = (0..rows * inputs).map(number).collect();
    let weights = (0..outputs * inputs).map(number);
    // One of the two: the matrix is as large as the model's largest.
    let (mut w, mut stored) = (Vec::new(), Vec::new());
    match on_tiles {
        true => stored.extend(weights.map(bf16::from_f32)),
        false => w.extend(weights),
    }
    let (x_shape, w_shape) = ([rows, inputs], [outputs, inputs]);
    let there = match Upload::of(runtime)? {
        None => None,
        Some(upload) => Some((upload.put(&x_shape, &x)?, upload.put(&w_shape, &w)?)),
    };
    let mut fastest = Duration::MAX;
    let start = Instant::now();
    for round in 0..MOST {
        let inputs = match &there {
            Some((x, w)) => vec![value("x", x), value(WEIGHT, w)],
            None if on_tiles => vec![floats("x", &x_shape, &x)?, tensor(WEIGHT, &w_shape, &stored)?],
            None => vec![floats("x", &x_shape, &x)?, floats(WEIGHT, &w_shape, &w)?],
        };
        let one = Instant::now();
        session.run_reading(inputs, &[])?;
        fastest = fastest.min(one.elapsed());
        if round >= 2 && start.elapsed() > budget {
            break;
        }
    }
    Ok(2.0 * (rows * inputs * outputs) as f64 / fastest.as_secs_f64().max(1e-9))
}

fn graph(Product { rows, inputs, outputs, .. }: Product) -> Result<Graph, GraphError> {
    let mut graph = Graph::new("product");
    let x = graph.input("x", Dtype::F32, &[Dim::Fixed(rows), Dim::Fixed(inputs)])?;
    let w = graph.input(WEIGHT, Dtype::F32, &[Dim::Fixed(outputs), Dim::Fixed(inputs)])?;
    let product = graph.gemm(x, w, None)?;
    graph.output("product", product)?;
    Ok(graph)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_has_a_rate() {
        let runtime = Runtime::load(None).unwrap();
        for runtime in [runtime.clone(), runtime.rehearsing()] {
            let on_tiles = runtime.tiles().is_some();
            let product = Product { rows: 16, inputs: 64, outputs: 32, on_tiles };
            let rate = product_rate(&runtime, product, Duration::ZERO).unwrap();
            assert!(rate > 1e6 && rate < 1e15, "{rate}");
        }
    }
}
