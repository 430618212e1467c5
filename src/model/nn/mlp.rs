//! MLPs: gated or plain.

use super::{Scope, activation::Activation, linear::linear};
use crate::graph::{GraphError, Value};

/// Widths and options of an MLP.
#[derive(Clone, Copy, Debug)]
pub struct Mlp {
    /// D, what it reads and gives.
    pub width: usize,
    /// Components between the two layers.
    pub inner: usize,
    /// On the inner components.
    pub activation: Activation,
    /// All its linear layers have biases.
    pub bias: bool,
}

/// `down(act(gate(x)) · up(x))`, names in that order: gate, up, down.
pub fn gated(s: &mut Scope, names: [&str; 3], x: Value, mlp: Mlp) -> Result<Value, GraphError> {
    let [gate, up, down] = names;
    let product = gated_product(s, [gate, up], x, mlp)?;
    linear(s, down, product, (mlp.inner, mlp.width), mlp.bias)
}

/// `act(gate(x)) · up(x)`, which [`gated`] leads down; names: gate, up.
pub fn gated_product(s: &mut Scope, names: [&str; 2], x: Value, mlp: Mlp) -> Result<Value, GraphError> {
    let [gate, up] = names;
    let gate = linear(s, gate, x, (mlp.width, mlp.inner), mlp.bias)?;
    let gate = mlp.activation.apply(s, gate)?;
    let up = linear(s, up, x, (mlp.width, mlp.inner), mlp.bias)?;
    s.mul(gate, up)
}

/// [`gated`] with the rows of the gate above those of up in one matrix; names: gate and up, down.
pub fn gated_fused(s: &mut Scope, names: [&str; 2], x: Value, mlp: Mlp) -> Result<Value, GraphError> {
    let fused = linear(s, names[0], x, (mlp.width, 2 * mlp.inner), mlp.bias)?;
    let product = halves_product(s, fused, mlp)?;
    linear(s, names[1], product, (mlp.inner, mlp.width), mlp.bias)
}

/// [`gated_fused`] without biases, of tensors with these very names.
pub fn gated_tensors(s: &mut Scope, names: [&str; 2], x: Value, mlp: Mlp) -> Result<Value, GraphError> {
    let both = s.weight(names[0], &[2 * mlp.inner, mlp.width])?;
    let fused = s.gemm(x, both, None)?;
    let product = halves_product(s, fused, mlp)?;
    let down = s.weight(names[1], &[mlp.width, mlp.inner])?;
    s.gemm(product, down, None)
}

/// `act(first half) · second half` of `fused [T, 2·inner]`.
pub(super) fn halves_product(s: &mut Scope, fused: Value, mlp: Mlp) -> Result<Value, GraphError> {
    let gate = s.slice(fused, 1, 0, mlp.inner)?;
    let gate = mlp.activation.apply(s, gate)?;
    let up = s.slice(fused, 1, mlp.inner, 2 * mlp.inner)?;
    s.mul(gate, up)
}

/// `out(act(in(x)))`, names in that order: in, out.
pub fn feed_forward(s: &mut Scope, names: [&str; 2], x: Value, mlp: Mlp) -> Result<Value, GraphError> {
    let inner = linear(s, names[0], x, (mlp.width, mlp.inner), mlp.bias)?;
    let inner = mlp.activation.apply(s, inner)?;
    linear(s, names[1], inner, (mlp.inner, mlp.width), mlp.bias)
}
