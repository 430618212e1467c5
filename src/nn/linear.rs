//! Linear layers as checkpoints store them.

use super::Scope;
use crate::graph::{GraphError, Value};

/// `x [T, in] · wᵀ + b` with `<name>.weight [out, in]` and, if `bias`, `<name>.bias [out]` -> `[T, out]`.
/// The weight is used as it lies: no transposed copy.
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
