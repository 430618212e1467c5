//! Queries that grow with the position, so that attention over long prompts stays sharp.

use super::{Scope, TOKENS};
use crate::graph::{Dtype, GraphError, Unary, Value};

const NAME: &str = "temperature";

/// In the prelude: publish the factor `1 + beta · ln(1 + ⌊position / original⌋)` of every token, `[T, 1, 1]`
/// (`get_llama_4_attn_scale` of `transformers/models/ministral3/modeling_ministral3.py`); `first` is the position of a prompt's
/// first token.
pub fn publish(
    s: &mut Scope,
    positions: Value,
    (beta, original): (f32, f32),
    first: usize,
) -> Result<(), GraphError> {
    let mut positions = s.cast(positions, Dtype::F32)?;
    if first > 0 {
        let first = s.scalar(first as f32)?;
        positions = s.add(positions, first)?;
    }
    let positions = s.reshape(positions, &[TOKENS, 1.into(), 1.into()])?;
    let original = s.scalar(original)?;
    let times = s.div(positions, original)?;
    let times = s.cast(times, Dtype::I64)?; // rounds down
    let times = s.cast(times, Dtype::F32)?;
    let one = s.scalar(1.0)?;
    let times = s.add(times, one)?;
    let growth = s.unary(Unary::Log, times)?;
    let growth = s.scale(growth, beta)?;
    let factor = s.add(growth, one)?;
    s.publish(NAME, factor)
}

/// In a block: `x [T, heads, w]` times the factor of its token.
pub fn apply(s: &mut Scope, x: Value) -> Result<Value, GraphError> {
    let factor = s.shared_input(NAME, Dtype::F32, &[TOKENS, 1.into(), 1.into()])?;
    s.mul(x, factor)
}
