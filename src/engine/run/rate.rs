//! How fast matrices are multiplied here: the limit that a walk is held against.

use std::time::{Duration, Instant};

use half::bf16;

use super::{
    RunError, Runtime,
    session::{Session, fault, floats, tensor, value},
    upload::Upload,
};
use base::progress::{Product, Products, Work};
use model::{
    arch::ArchError,
    graph::{Dim, Dtype, Graph, GraphError},
    onnx::{self, Stored, with_stored},
};

const WEIGHT: &str = "w";
/// Products at most; the fastest counts, as others may have waited for the machine.
const MOST: usize = 8;
/// Elements of a weight at most, more than caches hold: larger ones reach no other rate, and take memory.
const MOST_ELEMENTS: usize = 1 << 24;

/// Floating-point operations per second that products reach here; none of a kind of which there was no work.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    by_runtime: Option<f64>,
    as_stored: Option<f64>,
}

impl Rates {
    /// Of the largest products of some work, as far as a weight of [`MOST_ELEMENTS`] goes. Takes three products of a kind at
    /// least, more where `budget` allows.
    ///
    /// # Errors
    /// What the runtime refuses.
    pub fn measure(runtime: &Runtime, work: &Work, budget: Duration) -> Result<Rates, RunError> {
        let of = |products: &Products, as_stored: bool| {
            let part = products.operations as f64 / work.operations().max(1) as f64;
            let rate = || rate(runtime, products.largest, as_stored, budget.mul_f64(part));
            (products.operations > 0).then(rate).transpose()
        };
        Ok(Rates { by_runtime: of(&work.by_runtime, false)?, as_stored: of(&work.as_stored, true)? })
    }

    /// How long the products of some work take at these rates.
    pub fn seconds(&self, work: &Work) -> f64 {
        let seconds = |products: &Products, rate: Option<f64>| match products.operations {
            0 => 0.0,
            operations => operations as f64 / rate.unwrap_or(f64::NAN),
        };
        seconds(&work.by_runtime, self.by_runtime) + seconds(&work.as_stored, self.as_stored)
    }

    /// Bytes that measuring holds beside what the products of the walk held themselves.
    pub(super) fn room(work: &Work) -> usize {
        let of = |products: &Products, element: usize| {
            let Product { rows, inputs, outputs } = cut(products.largest);
            rows * inputs * size_of::<f32>() + outputs * inputs * element
        };
        of(&work.by_runtime, size_of::<f32>()).max(of(&work.as_stored, size_of::<bf16>()))
    }
}

/// A weight of a size at which the rate is that of larger ones.
fn cut(product: Product) -> Product {
    let outputs = product.outputs.min(MOST_ELEMENTS / product.inputs.max(1)).max(1);
    Product { outputs, ..product }
}

/// Of a product with a weight as it lies, in float32 by the runtime, or by what takes it as stored, or on the runtime's device with
/// both factors there.
fn rate(runtime: &Runtime, largest: Product, as_stored: bool, budget: Duration) -> Result<f64, RunError> {
    let product @ Product { rows, inputs, outputs } = cut(largest);
    let graph = onnx::encode(&graph(product).map_err(ArchError::from)?);
    let graph = match as_stored {
        true => with_stored(&graph, &[(WEIGHT.to_string(), Stored::BF16)].into())
            .map_err(|e| fault("product", e))?,
        false => graph,
    };
    let mut session = Session::new(runtime, "product", &graph, inputs)?;
    // Numbers that neither vanish nor grow.
    let number = |i: usize| ((i * 7919) % 1009) as f32 / 1009.0 - 0.5;
    let x: Vec<f32> = (0..rows * inputs).map(number).collect();
    let weights = (0..outputs * inputs).map(number);
    let (mut w, mut stored) = (Vec::new(), Vec::new()); // one of the two
    match as_stored {
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
            None if as_stored => vec![floats("x", &x_shape, &x)?, tensor(WEIGHT, &w_shape, &stored)?],
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

fn graph(Product { rows, inputs, outputs }: Product) -> Result<Graph, GraphError> {
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
    use crate::run::Multiplier;

    fn products(operations: u64, largest: Product) -> Products {
        Products { operations, largest }
    }

    #[test]
    fn each_kind_of_product_has_its_own_rate() {
        let runtime = Runtime::load(None).unwrap().with_multiplier(Multiplier::EmulatedTiles);
        let some = products(1_000_000, Product { rows: 64, inputs: 512, outputs: 512 });
        let (by_runtime, as_stored) =
            (Work { by_runtime: some, ..Work::default() }, Work { as_stored: some, ..Work::default() });
        let both = Work { by_runtime: some, as_stored: some, ..Work::default() };
        let rates = Rates::measure(&runtime, &both, Duration::ZERO).unwrap();
        let [a, b] = [by_runtime, as_stored].map(|work| rates.seconds(&work));
        assert!([a, b].iter().all(|seconds| (1e-9..1.0).contains(seconds)), "{a} {b}");
        assert!(b > 2.0 * a, "the runtime's are faster than emulated ones: {a} {b}");
        assert_eq!(rates.seconds(&both), a + b);
        // Of a kind without work none is measured; a device multiplies itself.
        let rates = Rates::measure(&runtime.rehearsing(), &by_runtime, Duration::ZERO).unwrap();
        assert!(rates.by_runtime.is_some() && rates.as_stored.is_none());
        assert_eq!(rates.seconds(&Work::default()), 0.0);
    }

    #[test]
    fn a_large_weight_is_cut_so_that_measuring_takes_little_memory() {
        let largest = Product { rows: 400, inputs: 8192, outputs: 28_672 };
        let work = |by_runtime, as_stored| Work { by_runtime, as_stored, ..Work::default() };
        let (some, none) = (products(1, largest), Products::default());
        let x = 4 * 400 * 8192;
        assert_eq!(Rates::room(&work(some, none)), x + 4 * MOST_ELEMENTS);
        assert_eq!(Rates::room(&work(none, some)), x + 2 * MOST_ELEMENTS);
        assert_eq!(Rates::room(&work(none, none)), 0);
    }
}
