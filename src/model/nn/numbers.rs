//! Numbers of experts and of groups, which choices are compared with.

use super::Scope;
use crate::graph::{Constant, GraphError, Value};

/// 0, 1, .. `count` - 1 as i64 of `shape`.
pub(super) fn numbers(s: &mut Scope, count: usize, shape: &[usize]) -> Result<Value, GraphError> {
    s.constant(Constant::I64((0..count as i64).collect()), shape)
}
