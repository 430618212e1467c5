//! The products of `crate::tiles` as operators of the runtime.

use std::cell::RefCell;

use half::bf16;
use ort::{
    operator::{
        ComputeContext, Kernel, KernelContext, Operator, OperatorDomain, OperatorInput, OperatorOutput,
    },
    value::TensorElementType::{Bfloat16, Float32, Int64, Uint32},
};

use crate::{
    onnx::{DOMAIN, LINEAR, SPLIT},
    tiles::{Each, Linear, Split, Tiles},
};

/// The operators that a file of [`crate::onnx::with_stored`] asks for.
///
/// # Errors
/// What the runtime refuses.
pub fn operators(tiles: Tiles) -> ort::Result<OperatorDomain> {
    OperatorDomain::new(DOMAIN)?.add(Splitting(tiles))?.add(Multiplying(tiles))
}

#[derive(Clone, Copy)]
struct Splitting(Tiles);

#[derive(Clone, Copy)]
struct Multiplying(Tiles);

impl Operator for Splitting {
    type Kernel<'attr> = Splitting;

    fn name(&self) -> &str {
        SPLIT
    }

    fn inputs(&self) -> impl IntoIterator<Item = OperatorInput> {
        [OperatorInput::required(Float32)]
    }

    fn outputs(&self) -> impl IntoIterator<Item = OperatorOutput> {
        [OperatorOutput::required(Uint32), OperatorOutput::required(Int64)]
    }

    fn create_kernel<'attr>(&self, _: &KernelContext<'attr>) -> ort::Result<Splitting> {
        Ok(*self)
    }
}

impl Operator for Multiplying {
    type Kernel<'attr> = Multiplying;

    fn name(&self) -> &str {
        LINEAR
    }

    fn inputs(&self) -> impl IntoIterator<Item = OperatorInput> {
        let required = [Uint32, Int64, Bfloat16].map(OperatorInput::required);
        required.into_iter().chain([OperatorInput::optional(Float32)])
    }

    fn outputs(&self) -> impl IntoIterator<Item = OperatorOutput> {
        [OperatorOutput::required(Float32)]
    }

    fn create_kernel<'attr>(&self, _: &KernelContext<'attr>) -> ort::Result<Multiplying> {
        Ok(*self)
    }
}

impl Kernel for Splitting {
    fn compute(&mut self, context: &ComputeContext) -> ort::Result<()> {
        let x = context.input(0)?.ok_or_else(missing)?;
        let (shape, x) = x.try_extract_tensor::<f32>()?;
        let [rows, inputs] = matrix(shape)?;
        let mut count = context.output(1, [1_usize])?.ok_or_else(missing)?;
        count.try_extract_tensor_mut::<i64>()?.1[0] = rows as i64;
        let mut pairs = context.output(0, [Split::size(rows, inputs)])?.ok_or_else(missing)?;
        let pairs = pairs.try_extract_tensor_mut::<u32>()?.1;
        in_parallel(context, |each| self.0.split(x, inputs, pairs, each))
    }
}

impl Kernel for Multiplying {
    fn compute(&mut self, context: &ComputeContext) -> ort::Result<()> {
        let required = |index: usize| context.input(index)?.ok_or_else(missing);
        let (pairs, rows, weight) = (required(0)?, required(1)?, required(2)?);
        let (shape, weight) = weight.try_extract_tensor::<bf16>()?;
        let [outputs, inputs] = matrix(shape)?;
        let rows = rows.try_extract_tensor::<i64>()?.1[0] as usize;
        let bias = if context.num_inputs()? > 3 { context.input(3)? } else { None };
        let bias = match &bias {
            Some(bias) => Some(bias.try_extract_tensor::<f32>()?.1),
            None => None,
        };
        let mut out = context.output(0, [rows, outputs])?.ok_or_else(missing)?;
        let out = out.try_extract_tensor_mut::<f32>()?.1;
        let x = Split { pairs: pairs.try_extract_tensor::<u32>()?.1, rows, inputs };
        if x.pairs.len() != Split::size(rows, inputs) || bias.is_some_and(|bias| bias.len() != outputs) {
            let reason =
                format!("a weight {shape:?} does not belong to {rows} rows in {} pairs", x.pairs.len());
            return Err(ort::Error::new(reason));
        }
        in_parallel(context, |each| self.0.product(x, Linear { weight, bias, outputs }, out, each))
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
        [rows, columns] if columns > 0 => Ok([rows as usize, columns as usize]), // the runtime's sizes are not negative
        _ => Err(ort::Error::new(format!("expected a matrix with columns, found {shape:?}"))),
    }
}

fn missing() -> ort::Error {
    ort::Error::new("an input or output is missing")
}
