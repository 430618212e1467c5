//! Normalisation over the last axis, float32, written out in primitive operators: the mean is subtracted before
//! squaring, so a large common offset costs no precision.

use super::Scope;
use crate::graph::{Binary, GraphError, Reduction, Unary, Value};

/// LayerNorm (Ba et al. 2016) with `<name>.weight` and, if `bias`, `<name>.bias`, both `[width]`.
pub fn layer_norm(
    s: &mut Scope,
    name: &str,
    x: Value,
    width: usize,
    eps: f64,
    bias: bool,
) -> Result<Value, GraphError> {
    let mut s = s.at(name);
    let mean = s.reduce_keep(Reduction::Mean, x)?; // [T, 1]
    let centred = s.sub(x, mean)?;
    let normed = unit_rms(&mut s, centred, eps)?;
    let weight = s.weight("weight", &[width])?;
    let scaled = s.mul(normed, weight)?;
    if !bias {
        return Ok(scaled);
    }
    let bias = s.weight("bias", &[width])?;
    s.add(scaled, bias)
}

/// RMSNorm (Zhang & Sennrich 2019) with `<name>.weight [width]`.
pub fn rms_norm(s: &mut Scope, name: &str, x: Value, width: usize, eps: f64) -> Result<Value, GraphError> {
    let mut s = s.at(name);
    let normed = unit_rms(&mut s, x, eps)?;
    let weight = s.weight("weight", &[width])?;
    s.mul(normed, weight)
}

/// `x / sqrt(mean(x²) + eps)` over the last axis.
fn unit_rms(s: &mut Scope, x: Value, eps: f64) -> Result<Value, GraphError> {
    let square = s.mul(x, x)?;
    let mean = s.reduce_keep(Reduction::Mean, square)?;
    let eps = s.scalar(eps as f32)?;
    let shifted = s.add(mean, eps)?;
    let root = s.unary(Unary::Sqrt, shifted)?;
    s.binary(Binary::Div, x, root)
}
