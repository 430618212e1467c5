//! Weights of experts that are chosen one after another, as SparseMixer does where a model is not trained (Liu et al. 2024,
//! arXiv 2409.12136; `sparsemixer` of `transformers/models/phimoe/modeling_phimoe.py`).

use super::{Scope, numbers::numbers};
use crate::graph::{Binary, GraphError, Reduction, Unary, Value};

/// The weights `[T, 2]` of two experts, each 1 / Σ exp(l - m), m being its own logit. The sum goes over the experts of its
/// round, those that no round before has chosen, whose logits l come near: (m - l) / max(|l|, m) is at most `within`.
///
/// `logits` are `[T, E]`; the best of them in order, `[T, 2]` or more, and the two experts, i64 `[T, 2]`.
pub fn weights(
    s: &mut Scope,
    logits: Value,
    (best, order): (Value, Value),
    experts: usize,
    within: f32,
) -> Result<Value, GraphError> {
    let within = s.scalar(within)?;
    let (zero, one) = (s.scalar(0.0)?, s.scalar(1.0)?);
    let first = s.slice(order, 1, 0, 1)?;
    let all = numbers(s, experts, &[experts])?;
    let taken = s.binary(Binary::Equal, first, all)?; // [T, E]
    let mut round = |index: usize| {
        let most = s.slice(best, 1, index, index + 1)?; // [T, 1]
        let below = s.sub(most, logits)?;
        let size = s.unary(Unary::Abs, logits)?;
        let size = s.binary(Binary::Max, size, most)?;
        let distance = s.div(below, size)?;
        let far = s.binary(Binary::Less, within, distance)?;
        let less = s.unary(Unary::Neg, below)?;
        let part = s.unary(Unary::Exp, less)?;
        let mut part = s.choose(far, zero, part)?;
        if index > 0 {
            part = s.choose(taken, zero, part)?;
        }
        let sum = s.reduce_keep(Reduction::Sum, part)?;
        s.div(one, sum)
    };
    let weights = [round(0)?, round(1)?];
    s.concat(&weights, 1)
}
