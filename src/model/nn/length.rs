//! The Euclidean norm of rows of any size that float32 can hold, subnormal numbers included.

use super::{Scope, TOKENS};
use crate::graph::{Binary, GraphError, Reduction, Value};

/// Below this norm squares of float32 numbers lose digits, down to all of them: they end at 1.4e-45.
pub const SMALL: f32 = 1e-15;
/// A power of two, so that multiplying by it is exact: squares of the smallest float32, 2^-149, times this are normal, and
/// so are those of the largest divided by it.
const SCALE: f32 = (1_u128 << 100) as f32;

/// The norms `[T]` of the rows of `x [T, D]`. A row whose squares would leave float32 at either end is scaled before they are
/// taken; the norm of every other row is the plain one, bit for bit.
pub fn length(s: &mut Scope, x: Value) -> Result<Value, GraphError> {
    let (scaled, factor) = scaled(s, x)?;
    let norm = s.reduce_keep(Reduction::L2, scaled)?;
    let norm = s.div(norm, factor)?;
    s.reshape(norm, &[TOKENS])
}

/// The rows of `x [T, D]` divided by their norms; a row of zeros stays one.
pub fn direction(s: &mut Scope, x: Value) -> Result<Value, GraphError> {
    let (scaled, _) = scaled(s, x)?;
    let norm = s.reduce_keep(Reduction::L2, scaled)?;
    // No scaled row but one of zeros is as short.
    let shortest = s.scalar(SMALL)?;
    let norm = s.binary(Binary::Max, norm, shortest)?;
    s.div(scaled, norm)
}

/// The rows of `x [T, D]` times their factors `[T, 1]`, by which their squares lie within float32.
fn scaled(s: &mut Scope, x: Value) -> Result<(Value, Value), GraphError> {
    let plain = s.reduce_keep(Reduction::L2, x)?;
    let [small, large, up, down, one] =
        [SMALL, f32::MAX, SCALE, 1.0 / SCALE, 1.0].map(|number| s.scalar(number));
    let too_large = s.binary(Binary::Less, large?, plain)?;
    let too_small = s.binary(Binary::Less, plain, small?)?;
    let factor = s.choose(too_large, down?, one?)?;
    let factor = s.choose(too_small, up?, factor)?; // [T, 1]
    Ok((s.mul(x, factor)?, factor))
}
