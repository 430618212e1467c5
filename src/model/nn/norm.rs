//! Normalisation over the last axis, float32, written out in primitive operators: the mean is subtracted before
//! squaring, so a large common offset costs no precision.

use super::Scope;
use crate::graph::{Binary, GraphError, Reduction, Unary, Value};

/// LayerNorm (Ba et al. 2016) with `<name>.weight` and, if `bias`, `<name>.bias`, both of `shape`: `[width]`, or
/// `[heads, head_width]` where every head has its own.
pub fn layer_norm(
    s: &mut Scope,
    name: &str,
    x: Value,
    shape: &[usize],
    eps: f64,
    bias: bool,
) -> Result<Value, GraphError> {
    let mut s = s.at(name);
    let normed = standardise(&mut s, x, eps)?;
    let weight = s.weight("weight", shape)?;
    let scaled = s.mul(normed, weight)?;
    if !bias {
        return Ok(scaled);
    }
    let bias = s.weight("bias", shape)?;
    s.add(scaled, bias)
}

/// `(x - mean) / sqrt(variance + eps)` over the last axis, without weights.
pub fn standardise(s: &mut Scope, x: Value, eps: f64) -> Result<Value, GraphError> {
    let mean = s.reduce_keep(Reduction::Mean, x)?;
    let centred = s.sub(x, mean)?;
    unit_rms(s, centred, eps)
}

/// RMSNorm (Zhang & Sennrich 2019) with `<name>.weight` of `shape`, as in [`layer_norm`].
pub fn rms_norm(s: &mut Scope, name: &str, x: Value, shape: &[usize], eps: f64) -> Result<Value, GraphError> {
    let mut s = s.at(name);
    let normed = unit_rms(&mut s, x, eps)?;
    let weight = s.weight("weight", shape)?;
    s.mul(normed, weight)
}

/// RMSNorm whose stored weight is the distance from 1 (gemma).
pub fn rms_norm_from_one(
    s: &mut Scope,
    name: &str,
    x: Value,
    shape: &[usize],
    eps: f64,
) -> Result<Value, GraphError> {
    let mut s = s.at(name);
    let normed = unit_rms(&mut s, x, eps)?;
    let weight = s.weight("weight", shape)?;
    let one = s.scalar(1.0)?;
    let weight = s.add(weight, one)?;
    s.mul(normed, weight)
}

/// LayerNorm with a bias, whose stored weight is the distance from 1 (nemotron).
pub fn layer_norm_from_one(
    s: &mut Scope,
    name: &str,
    x: Value,
    shape: &[usize],
    eps: f64,
) -> Result<Value, GraphError> {
    let mut s = s.at(name);
    let normed = standardise(&mut s, x, eps)?;
    let weight = s.weight("weight", shape)?;
    let one = s.scalar(1.0)?;
    let weight = s.add(weight, one)?;
    let scaled = s.mul(normed, weight)?;
    let bias = s.weight("bias", shape)?;
    s.add(scaled, bias)
}

/// `x / sqrt(mean(x²) + eps)` over the last axis: RMSNorm without a weight.
pub fn unit_rms(s: &mut Scope, x: Value, eps: f64) -> Result<Value, GraphError> {
    let square = s.mul(x, x)?;
    let mean = s.reduce_keep(Reduction::Mean, square)?;
    let eps = s.scalar(eps as f32)?;
    let shifted = s.add(mean, eps)?;
    let root = s.unary(Unary::Sqrt, shifted)?;
    s.binary(Binary::Div, x, root)
}
