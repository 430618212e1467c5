//! Gated MLPs of experts whose matrices lie otherwise than linear layers: tensors without `.weight`, some of which rows are
//! multiplied by as they lie.

use super::{
    Scope,
    mlp::{Mlp, halves_product},
};
use crate::graph::{Binary, GraphError, Unary, Value};

/// The bounds of gate and up, and the steepness of the gate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounded {
    /// On the gate within the logistic function.
    pub alpha: f32,
    /// Up is clamped to [-limit, limit], the gate to at most limit.
    pub limit: f32,
}

/// `down(act(gate) · up)` with `<gate and up> [D, 2·inner]`, the gate's columns first, and `<down> [inner, D]`.
pub fn columns(s: &mut Scope, names: [&str; 2], x: Value, mlp: Mlp) -> Result<Value, GraphError> {
    let Mlp { width, inner, .. } = mlp;
    let both = s.weight(names[0], &[width, 2 * inner])?;
    let both = s.matmul(x, both)?;
    let product = halves_product(s, both, mlp)?;
    let down = s.weight(names[1], &[inner, width])?;
    s.matmul(product, down)
}

/// `down((up + 1) · gate · sigmoid(alpha · gate))`, gate and up bounded, with biases `<name>_bias`; the columns of
/// `<gate and up> [D, 2·inner]` are those of gate and up in turn (`GptOssExperts` of
/// `transformers/models/gpt_oss/modeling_gpt_oss.py`).
pub fn pairs(
    s: &mut Scope,
    names: [&str; 2],
    x: Value,
    (width, inner): (usize, usize),
    Bounded { alpha, limit }: Bounded,
) -> Result<Value, GraphError> {
    let both = affine(s, names[0], x, [width, 2 * inner])?;
    let tokens = s.shape(both)[0];
    let both = s.reshape(both, &[tokens, inner.into(), 2.into()])?;
    let mut part = |index: usize| {
        let part = s.slice(both, 2, index, index + 1)?;
        s.reshape(part, &[tokens, inner.into()])
    };
    let (gate, up) = (part(0)?, part(1)?);
    let (most, least, one) = (s.scalar(limit)?, s.scalar(-limit)?, s.scalar(1.0)?);
    let gate = s.binary(Binary::Min, gate, most)?;
    let up = s.binary(Binary::Max, up, least)?;
    let up = s.binary(Binary::Min, up, most)?;
    let steep = s.scale(gate, alpha)?;
    let share = s.unary(Unary::Sigmoid, steep)?;
    let gate = s.mul(gate, share)?;
    let up = s.add(up, one)?;
    let product = s.mul(up, gate)?;
    affine(s, names[1], product, [inner, width])
}

/// `down(act(gate(x)) · up(x))`, all three `[inner, D]`; names: gate, up, down.
pub fn rows(s: &mut Scope, names: [&str; 3], x: Value, mlp: Mlp) -> Result<Value, GraphError> {
    let Mlp { width, inner, activation, .. } = mlp;
    let [gate, up, down] = names;
    let gate = s.weight(gate, &[inner, width])?;
    let gate = s.gemm(x, gate, None)?;
    let gate = activation.apply(s, gate)?;
    let up = s.weight(up, &[inner, width])?;
    let up = s.gemm(x, up, None)?;
    let product = s.mul(gate, up)?;
    let down = s.weight(down, &[inner, width])?;
    s.matmul(product, down)
}

/// `x · w + b` with `<name>` of `shape` and `<name>_bias`.
fn affine(s: &mut Scope, name: &str, x: Value, shape: [usize; 2]) -> Result<Value, GraphError> {
    let weight = s.weight(name, &shape)?;
    let bias = s.weight(&format!("{name}_bias"), &shape[1..])?;
    let product = s.matmul(x, weight)?;
    s.add(product, bias)
}
