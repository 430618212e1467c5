//! Rotary positions (Su et al. 2021), half-split pairs: component i turns with component i + r/2.

use super::{Scope, TOKENS};
use crate::graph::{Constant, Dim, Dtype, GraphError, Unary, Value};

/// Angles per position: `pairs` = r/2 frequencies, and a factor on the tables (1 unless the scaling has one).
#[derive(Clone, Debug, PartialEq)]
pub struct Frequencies {
    /// Radians per position, `[r/2]`.
    pub inverse: Vec<f32>,
    pub factor: f32,
}

/// Cosines and sines of every token, each `[T, 1, r/2]`.
#[derive(Clone, Copy, Debug)]
pub struct Tables {
    cos: Value,
    sin: Value,
}

/// In the prelude: compute the tables from `positions i64 [T]` and publish them as `<name>.cos`, `<name>.sin`.
pub fn publish_tables(
    s: &mut Scope,
    name: &str,
    positions: Value,
    frequencies: &Frequencies,
) -> Result<(), GraphError> {
    let pairs = frequencies.inverse.len();
    let positions = s.cast(positions, Dtype::F32)?;
    let positions = s.reshape(positions, &[TOKENS, 1.into(), 1.into()])?;
    let inverse = s.constant(Constant::F32(frequencies.inverse.clone()), &[pairs])?;
    let angles = s.mul(positions, inverse)?; // [T, 1, r/2]
    for (function, unary) in [("cos", Unary::Cos), ("sin", Unary::Sin)] {
        let table = s.unary(unary, angles)?;
        let table = s.scale(table, frequencies.factor)?;
        s.output(&format!("{name}.{function}"), table)?;
    }
    Ok(())
}

/// In a block: the tables that the prelude published under `name`.
pub fn tables(s: &mut Scope, name: &str, frequencies: &Frequencies) -> Result<Tables, GraphError> {
    let shape = [TOKENS, Dim::Fixed(1), Dim::Fixed(frequencies.inverse.len())];
    Ok(Tables {
        cos: s.shared_input(&format!("{name}.cos"), Dtype::F32, &shape)?,
        sin: s.shared_input(&format!("{name}.sin"), Dtype::F32, &shape)?,
    })
}

/// Turn the first r components of every head of `x [T, heads, head_width]`; the others pass.
pub fn rotate(s: &mut Scope, x: Value, head_width: usize, tables: Tables) -> Result<Value, GraphError> {
    let Some(Dim::Fixed(half)) = s.shape(tables.cos).last().copied() else {
        unreachable!("tables() declares the last dimension as fixed")
    };
    let first = s.slice(x, 2, 0, half)?; // [T, heads, r/2]
    let second = s.slice(x, 2, half, 2 * half)?;
    let (a, b) = (s.mul(first, tables.cos)?, s.mul(second, tables.sin)?);
    let (c, d) = (s.mul(second, tables.cos)?, s.mul(first, tables.sin)?);
    let mut parts = vec![s.sub(a, b)?, s.add(c, d)?];
    if 2 * half < head_width {
        parts.push(s.slice(x, 2, 2 * half, head_width)?);
    }
    s.concat(&parts, 2)
}
