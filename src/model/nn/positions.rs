//! Positions that are learned: a table with one row for each.

use super::Scope;
use crate::graph::{Constant, GraphError, Value};

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
