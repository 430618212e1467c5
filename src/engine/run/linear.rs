//! The products of `crate::products` as operators of the runtime.

use std::{cell::RefCell, marker::PhantomData};

use half::{bf16, f16};
use ort::{
    operator::{
        ComputeContext, Kernel, KernelContext, Operator, OperatorDomain, OperatorInput, OperatorOutput,
    },
    value::{
        PrimitiveTensorElementType,
        TensorElementType::{Float32, Int64, Uint32},
    },
};

use crate::products::{Each, Halves, Linear, Rows, Unit};
use model::onnx::{ARRANGE, DOMAIN, LINEAR_BF16, LINEAR_F16};

/// The operators that a file of [`model::onnx::with_stored`] asks for.
///
/// # Errors
/// What the runtime refuses.
pub(super) fn operators(unit: Unit) -> ort::Result<OperatorDomain> {
    OperatorDomain::new(DOMAIN)?
        .add(Arranging(unit))?
        .add(Multiplying::<bf16>(unit, PhantomData))?
        .add(Multiplying::<f16>(unit, PhantomData))
}

#[derive(Clone, Copy)]
struct Arranging(Unit);

/// With weights of this type.
#[derive(Clone, Copy)]
struct Multiplying<T>(Unit, PhantomData<T>);

/// Elements of a weight.
trait Half: PrimitiveTensorElementType + Copy + Send + Sync + 'static {
    const OPERATOR: &str;

    fn halves(elements: &[Self]) -> Halves<'_>;
}

impl Half for bf16 {
    const OPERATOR: &str = LINEAR_BF16;

    fn halves(elements: &[bf16]) -> Halves<'_> {
        Halves::Bf16(elements)
    }
}

impl Half for f16 {
    const OPERATOR: &str = LINEAR_F16;

    fn halves(elements: &[f16]) -> Halves<'_> {
        Halves::F16(elements)
    }
}

impl Operator for Arranging {
    type Kernel<'attr> = Arranging;

    fn name(&self) -> &str {
        ARRANGE
    }

    fn inputs(&self) -> impl IntoIterator<Item = OperatorInput> {
        [OperatorInput::required(Float32)]
    }

    fn outputs(&self) -> impl IntoIterator<Item = OperatorOutput> {
        [OperatorOutput::required(Uint32), OperatorOutput::required(Int64)]
    }

    fn create_kernel<'attr>(&self, _: &KernelContext<'attr>) -> ort::Result<Arranging> {
        Ok(*self)
    }
}

impl<T: Half> Operator for Multiplying<T> {
    type Kernel<'attr> = Multiplying<T>;

    fn name(&self) -> &str {
        T::OPERATOR
    }

    fn inputs(&self) -> impl IntoIterator<Item = OperatorInput> {
        let required = [Uint32, Int64, T::into_tensor_element_type()].map(OperatorInput::required);
        required.into_iter().chain([OperatorInput::optional(Float32)])
    }

    fn outputs(&self) -> impl IntoIterator<Item = OperatorOutput> {
        [OperatorOutput::required(Float32)]
    }

    fn create_kernel<'attr>(&self, _: &KernelContext<'attr>) -> ort::Result<Multiplying<T>> {
        Ok(*self)
    }
}

impl Kernel for Arranging {
    fn compute(&mut self, context: &ComputeContext) -> ort::Result<()> {
        let x = context.input(0)?.ok_or_else(missing)?;
        let (shape, x) = x.try_extract_tensor::<f32>()?;
        let [rows, inputs] = matrix(shape)?;
        let mut count = context.output(1, [1_usize])?.ok_or_else(missing)?;
        count.try_extract_tensor_mut::<i64>()?.1[0] = rows as i64;
        let mut bits = context.output(0, [self.0.size(rows, inputs)])?.ok_or_else(missing)?;
        let bits = bits.try_extract_tensor_mut::<u32>()?.1;
        in_parallel(context, |each| self.0.arrange(x, inputs, bits, each))
    }
}

impl<T: Half> Kernel for Multiplying<T> {
    fn compute(&mut self, context: &ComputeContext) -> ort::Result<()> {
        let required = |index: usize| context.input(index)?.ok_or_else(missing);
        let (bits, rows, weight) = (required(0)?, required(1)?, required(2)?);
        let (shape, weight) = weight.try_extract_tensor::<T>()?;
        let [outputs, inputs] = matrix(shape)?;
        let rows = rows.try_extract_tensor::<i64>()?.1[0] as usize;
        let bias = if context.num_inputs()? > 3 { context.input(3)? } else { None };
        let bias = match &bias {
            Some(bias) => Some(bias.try_extract_tensor::<f32>()?.1),
            None => None,
        };
        let x = Rows { bits: bits.try_extract_tensor::<u32>()?.1, rows, inputs };
        if x.bits.len() != self.0.size(rows, inputs) || bias.is_some_and(|bias| bias.len() != outputs) {
            return Err(ort::Error::new(format!("a weight {shape:?} does not belong to these {rows} rows")));
        }
        let mut out = context.output(0, [rows, outputs])?.ok_or_else(missing)?;
        let out = out.try_extract_tensor_mut::<f32>()?.1;
        let linear = Linear { weight: T::halves(weight), bias, outputs };
        in_parallel(context, |each| self.0.product(x, linear, out, each))
    }
}

/// Calls the tasks of `compute` on the runtime's own threads.
fn in_parallel(context: &ComputeContext, compute: impl FnOnce(Each<'_>)) -> ort::Result<()> {
    let result = RefCell::new(Ok(()));
    compute(&|count, task| {
        if let Err(error) = context.par_for(count, count, task) {
            *result.borrow_mut() = Err(error);
        }
    });
    result.into_inner()
}

fn matrix(shape: &[i64]) -> ort::Result<[usize; 2]> {
    match *shape {
        // The runtime's sizes are not negative.
        [rows, columns] if columns > 0 => Ok([rows as usize, columns as usize]),
        _ => Err(ort::Error::new(format!("expected a matrix with columns, found {shape:?}"))),
    }
}

fn missing() -> ort::Error {
    ort::Error::new("an input or output is missing")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::{
        Multiplier, Runtime,
        session::{Input, Session, floats, halves},
    };
    use model::{
        graph::{Dim, Dtype, Graph},
        onnx::{Stored, encode, with_stored},
    };

    fn numbers(count: usize, step: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * step) % 1009) as f32 / 504.5 - 1.0).collect()
    }

    fn graph([rows, inputs, outputs]: [usize; 3], with_bias: bool) -> Vec<u8> {
        let mut g = Graph::new("linear");
        let [rows, inputs, outputs] = [rows, inputs, outputs].map(Dim::Fixed);
        let x = g.input("x", Dtype::F32, &[rows, inputs]).unwrap();
        let w = g.input("w", Dtype::F32, &[outputs, inputs]).unwrap();
        let bias = with_bias.then(|| g.input("bias", Dtype::F32, &[outputs]).unwrap());
        let y = g.gemm(x, w, bias).unwrap();
        g.output("y", y).unwrap();
        encode(&g)
    }

    /// One product of random numbers with `weight`, on one thread or on all.
    fn product(
        runtime: &Runtime,
        file: &[u8],
        [rows, inputs, outputs]: [usize; 3],
        weight: Input<'_>,
        bias: Option<&[f32]>,
        threads: bool,
    ) -> Vec<f32> {
        let mut session =
            Session::new(runtime, "linear", file, if threads { usize::MAX } else { 0 }).unwrap();
        let x = numbers(rows * inputs, 7919);
        let mut given = vec![floats("x", &[rows, inputs], &x).unwrap(), weight];
        given.extend(bias.map(|bias| floats("bias", &[outputs], bias).unwrap()));
        session.run(given).unwrap().floats("y").unwrap()
    }

    #[test]
    fn a_product_with_a_weight_as_stored_is_the_runtime_s() {
        let runtime = Runtime::load(None).unwrap();
        for multiplier in [Multiplier::Own, Multiplier::EmulatedTiles] {
            let own = runtime.clone().with_multiplier(multiplier);
            let Some(unit) = own.unit() else { continue };
            for size @ [_, inputs, outputs] in [
                [40, 1024, 768],
                [64, 1040, 513],
                [300, 257, 1000],
                [40, 700, 33],
                [7, 2100, 16],
                [13, 90, 64],
            ] {
                let floating = numbers(outputs * inputs, 104_729);
                let bf16s: Vec<bf16> = floating.iter().map(|x| bf16::from_f32(*x)).collect();
                let f16s: Vec<f16> = floating.iter().map(|x| f16::from_f32(*x)).collect();
                let bias = numbers(outputs, 31);
                for (stored, widened, bias) in [
                    (Halves::Bf16(&bf16s), bf16s.iter().map(|x| x.to_f32()).collect::<Vec<f32>>(), None),
                    (Halves::F16(&f16s), f16s.iter().map(|x| x.to_f32()).collect(), Some(&bias[..])),
                ] {
                    if !unit.takes(stored.dtype()) {
                        continue;
                    }
                    let shape = [outputs, inputs];
                    let file = graph(size, bias.is_some());
                    let taking =
                        with_stored(&file, &[("w".to_string(), stored.dtype().into())].into()).unwrap();
                    let plain = floats("w", &shape, &widened).unwrap();
                    // A thread with all outputs sums in the order of ours, which threads do not change.
                    let expected = product(&runtime, &file, size, plain, bias, false);
                    let weight = || halves("w", &shape, stored).unwrap();
                    let found = product(&own, &taking, size, weight(), bias, true);
                    assert!(found == product(&own, &taking, size, weight(), bias, false), "{unit}, {size:?}");
                    if matches!(unit, Unit::Fma(_)) {
                        assert!(found == expected, "{unit}, {size:?}: not the same bits");
                    }
                    let apart = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                    assert!(apart < 1e-6 * inputs as f32, "{unit}, {size:?}: {apart}");
                }
            }
        }
    }

    #[test]
    fn sessions_that_begin_at_once_share_the_domain() {
        let own = Runtime::load(None).unwrap().with_multiplier(Multiplier::EmulatedTiles);
        let file = with_stored(&graph([2, 32, 3], false), &[("w".to_string(), Stored::BF16)].into()).unwrap();
        std::thread::scope(|scope| {
            let open = || (0..50).for_each(|_| drop(Session::new(&own, "linear", &file, 0).unwrap()));
            (0..8).for_each(|_| drop(scope.spawn(open)));
        });
    }

    #[test]
    fn what_does_not_belong_together_is_refused() {
        let own = Runtime::load(None).unwrap().with_multiplier(Multiplier::EmulatedTiles);
        let mut g = Graph::new("linear");
        let [rows, inputs, outputs] = ["T", "I", "O"].map(Dim::Named);
        let x = g.input("x", Dtype::F32, &[rows, inputs]).unwrap();
        let w = g.input("w", Dtype::F32, &[outputs, inputs]).unwrap();
        let y = g.gemm(x, w, None).unwrap();
        g.output("y", y).unwrap();
        let file = with_stored(&encode(&g), &[("w".to_string(), Stored::BF16)].into()).unwrap();
        let mut session = Session::new(&own, "linear", &file, 0).unwrap();
        let (x, w) = (numbers(64, 3), vec![bf16::ONE; 66]);
        let mut refused = |rows: usize, shape: [usize; 2]| {
            let x = floats("x", &[rows, 32], &x[..rows * 32]).unwrap();
            let w = halves("w", &shape, Halves::Bf16(&w[..shape[0] * shape[1]])).unwrap();
            session.run(vec![x, w]).err().map(|error| error.to_string())
        };
        assert_eq!([refused(2, [2, 32]), refused(0, [2, 32])], [None, None]);
        assert!(refused(2, [1, 66]).unwrap().contains("does not belong to these 2 rows"));
        assert!(refused(2, [33, 0]).unwrap().contains("expected a matrix with columns"));
    }
}
