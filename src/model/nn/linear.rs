//! Linear layers as checkpoints store them.

use super::{Scope, TOKENS};
use crate::graph::{Dim, GraphError, Value};

/// `x [T, in] · wᵀ + b` with `<name>.weight [out, in]` and, if `bias`, `<name>.bias [out]` -> `[T, out]`.
/// The weight is used as stored: no transposed copy.
pub fn linear(
    s: &mut Scope,
    name: &str,
    x: Value,
    (input, output): (usize, usize),
    bias: bool,
) -> Result<Value, GraphError> {
    let mut s = s.at(name);
    let weight = s.weight("weight", &[output, input])?;
    let bias = if bias { Some(s.weight("bias", &[output])?) } else { None };
    s.gemm(x, weight, bias)
}

/// `x [T, in] · w + b` with `<name>.weight [in, out]`, the layout of GPT-2's `Conv1D`, and `<name>.bias [out]`.
pub fn conv1d(
    s: &mut Scope,
    name: &str,
    x: Value,
    (input, output): (usize, usize),
) -> Result<Value, GraphError> {
    let mut s = s.at(name);
    let weight = s.weight("weight", &[input, output])?;
    let bias = s.weight("bias", &[output])?;
    let product = s.matmul(x, weight)?;
    s.add(product, bias)
}

/// [`linear`] onto `heads` heads of width w: `[T, in]` -> `[T, heads, w]`.
pub fn to_heads(
    s: &mut Scope,
    name: &str,
    x: Value,
    input: usize,
    (heads, width): (usize, usize),
    bias: bool,
) -> Result<Value, GraphError> {
    let rows = linear(s, name, x, (input, heads * width), bias)?;
    s.reshape(rows, &[TOKENS, Dim::Fixed(heads), Dim::Fixed(width)])
}
