//! Positions that are added to the stream: learned, or sines and cosines.

use super::{Scope, TOKENS};
use crate::graph::{Constant, Dtype, GraphError, Unary, Value};

/// `x [T, D]` plus the row of `<name>.weight [context + offset, D]` that belongs to each of `positions [T]`; the first
/// `offset` rows belong to none.
pub fn add_learned(
    s: &mut Scope,
    name: &str,
    x: Value,
    positions: Value,
    (context, offset): (usize, usize),
    width: usize,
) -> Result<Value, GraphError> {
    let table = s.at(name).weight("weight", &[context + offset, width])?;
    let rows = if offset == 0 {
        positions
    } else {
        let offset = s.constant(Constant::I64(vec![offset as i64]), &[1])?;
        s.add(positions, offset)?
    };
    let rows = s.gather(table, rows)?;
    s.add(x, rows)
}

/// `x [T, D]` plus, for each of `positions [T]` and `offset`, the sines of D/2 frequencies and then their cosines; the
/// frequencies fall from 1 to 1/10000 by equal ratios, and the last component of an odd D gets nothing
/// (`transformers/models/xglm/modeling_xglm.py`, after tensor2tensor).
pub fn add_sinusoids(
    s: &mut Scope,
    x: Value,
    positions: Value,
    offset: usize,
    width: usize,
) -> Result<Value, GraphError> {
    let half = width / 2;
    let step = 10_000f64.ln() / (half.max(2) - 1) as f64;
    let frequencies = (0..half).map(|i| (-step * i as f64).exp() as f32).collect();
    let frequencies = s.constant(Constant::F32(frequencies), &[half])?;
    let positions = s.cast(positions, Dtype::F32)?;
    let positions = s.reshape(positions, &[TOKENS, 1.into()])?;
    let first = s.scalar(offset as f32)?;
    let positions = s.add(positions, first)?;
    let angles = s.mul(positions, frequencies)?; // [T, D/2]
    let mut parts = vec![s.unary(Unary::Sin, angles)?, s.unary(Unary::Cos, angles)?];
    if !width.is_multiple_of(2) {
        parts.push(s.scale(positions, 0.0)?);
    }
    let rows = s.concat(&parts, 1)?;
    s.add(x, rows)
}
