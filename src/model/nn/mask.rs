//! Masks say what keys a query sees: the prelude publishes them, and blocks add them to their scores.

use super::{LONGEST, Scope};
use crate::graph::{Binary, Constant, Dtype, GraphError, Value};

/// Added to the score of a hidden key: far below any score, and its exponential is exactly 0 in float32.
const HIDDEN: f32 = -1e30;

/// A causal mask. Blocks that share its name share the mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mask {
    /// Under which the prelude publishes it and blocks read it.
    pub name: &'static str,
    /// A window of w lets a query see itself and the w-1 tokens before it.
    pub window: Option<usize>,
    /// Chunks of so many tokens: a query sees none of those before its own.
    pub chunk: Option<usize>,
    /// The mask differs by head (ALiBi): `[kv_heads, heads / kv_heads, M, M]` instead of `[M, M]` (query, key).
    pub by_head: bool,
}

impl Mask {
    /// The one mask of a family whose blocks all see alike.
    pub fn everywhere(window: Option<usize>) -> Mask {
        Mask { name: "mask", window, chunk: None, by_head: false }
    }

    /// The mask of one block in a family whose blocks differ by their window.
    pub fn of_layer(window: Option<usize>) -> Mask {
        let name = if window.is_some() { "mask.window" } else { "mask" };
        Mask { name, window, chunk: None, by_head: false }
    }

    /// The mask of one block that sees its own chunk alone.
    pub fn of_chunks(chunk: usize) -> Mask {
        Mask { name: "mask.chunk", chunk: Some(chunk), ..Mask::everywhere(None) }
    }

    /// The one mask of a family with ALiBi.
    pub fn alibi() -> Mask {
        Mask { name: "mask", window: None, chunk: None, by_head: true }
    }

    /// In the prelude: publish the additive mask `[M, M]`. Where the graph was given `segments [M]`, a query sees its own
    /// segment only.
    pub fn publish(self, s: &mut Scope) -> Result<(), GraphError> {
        let mask = self.causal(s)?;
        s.publish(self.name, mask)
    }

    /// In the prelude: publish the mask plus ALiBi (Press et al. 2022), a bias of `slopes[h]` per position of the key.
    /// Softmax ignores what a query's scores have in common, so the position may count from the start of the prompt.
    /// `groups` are those of the attention.
    pub fn publish_alibi(
        self,
        s: &mut Scope,
        [kv, group]: [usize; 2],
        slopes: Vec<f32>,
    ) -> Result<(), GraphError> {
        let slopes = s.constant(Constant::F32(slopes), &[kv, group, 1, 1])?;
        let keys = s.shared_input("slots", Dtype::I64, &[LONGEST])?;
        let keys = s.cast(keys, Dtype::F32)?;
        let bias = s.mul(slopes, keys)?; // [kv, group, 1, M]
        self.publish_biased(s, bias)
    }

    /// [`Mask::publish_alibi`] where the bias is no multiple of the position: `table` has one row of `heads` numbers for
    /// each position of a key.
    pub fn publish_alibi_table(
        self,
        s: &mut Scope,
        [kv, group]: [usize; 2],
        table: Vec<f32>,
    ) -> Result<(), GraphError> {
        let positions = table.len() / (kv * group);
        let table = s.constant(Constant::F32(table), &[positions, kv, group, 1])?;
        let keys = s.shared_input("slots", Dtype::I64, &[LONGEST])?;
        // Only padding, which no query sees, lies beyond the last position.
        let last = s.constant(Constant::I64(vec![positions as i64 - 1]), &[1])?;
        let keys = s.binary(Binary::Min, keys, last)?;
        let rows = s.gather(table, keys)?; // [M, kv, group, 1]
        let bias = s.transpose(rows, &[1, 2, 3, 0])?;
        self.publish_biased(s, bias)
    }

    /// In a block: the mask as the prelude published it.
    pub fn input(self, s: &mut Scope, [kv, group]: [usize; 2]) -> Result<Value, GraphError> {
        if !self.by_head {
            return s.shared_input(self.name, Dtype::F32, &[LONGEST, LONGEST]);
        }
        s.shared_input(self.name, Dtype::F32, &[kv.into(), group.into(), LONGEST, LONGEST])
    }

    fn publish_biased(self, s: &mut Scope, bias: Value) -> Result<(), GraphError> {
        let mask = self.causal(s)?;
        let mask = s.add(bias, mask)?;
        s.publish(self.name, mask)
    }

    /// 0 where a query sees a key, [`HIDDEN`] elsewhere, `[M, M]`.
    fn causal(self, s: &mut Scope) -> Result<Value, GraphError> {
        let slots = s.shared_input("slots", Dtype::I64, &[LONGEST])?; // 0, 1, .. M-1
        let slots = s.cast(slots, Dtype::F32)?;
        let query = s.reshape(slots, &[LONGEST, 1.into()])?;
        let mut seen = s.binary(Binary::LessOrEqual, slots, query)?; // key <= query
        if let Some(window) = self.window {
            let window = s.scalar(window as f32)?;
            let distance = s.sub(query, slots)?;
            let near = s.binary(Binary::Less, distance, window)?;
            seen = s.binary(Binary::And, seen, near)?;
        }
        if let Some(chunk) = self.chunk {
            let chunk = s.scalar(chunk as f32)?;
            let chunks = s.div(slots, chunk)?;
            let chunks = s.cast(chunks, Dtype::I64)?; // rounds down
            let of_query = s.reshape(chunks, &[LONGEST, 1.into()])?;
            let together = s.binary(Binary::Equal, chunks, of_query)?;
            seen = s.binary(Binary::And, seen, together)?;
        }
        if let Some(segments) = s.given("segments") {
            let query = s.reshape(segments, &[LONGEST, 1.into()])?;
            let together = s.binary(Binary::Equal, segments, query)?;
            seen = s.binary(Binary::And, seen, together)?;
        }
        let (zero, hidden) = (s.scalar(0.0)?, s.scalar(HIDDEN)?);
        s.choose(seen, zero, hidden)
    }
}

/// ALiBi's slopes: for a power of two of heads n, 2^(-8·1/n), 2^(-8·2/n), ..; the heads beyond it take every other slope of
/// the next power of two.
pub fn alibi_slopes(heads: usize) -> Vec<f32> {
    let n = 1usize << heads.max(1).ilog2();
    let slope = |i: usize, n: usize| (-8.0 * i as f64 / n as f64).exp2() as f32;
    let whole = (1..=n).map(|i| slope(i, n));
    let between = (0..heads - n).map(|i| slope(2 * i + 1, 2 * n));
    whole.chain(between).collect()
}

/// ALiBi's slopes as MPT orders them: where the heads are no power of two, every other slope of the
/// next power first.
pub fn interleaved_slopes(heads: usize) -> Vec<f32> {
    let n = heads.max(1).next_power_of_two();
    let slope = |i: usize| (-8.0 * i as f64 / n as f64).exp2() as f32;
    if n == heads {
        return (1..=n).map(slope).collect();
    }
    let (even, odd) = ((2..=n).step_by(2), (1..=n).step_by(2));
    even.chain(odd).take(heads).map(slope).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_beyond_a_power_of_two_of_heads_lie_between_the_others() {
        assert_eq!(alibi_slopes(4), [0.25, 0.0625, 0.015_625, 0.003_906_25]);
        assert_eq!(alibi_slopes(3), [0.062_5, 0.003_906_25, 0.25]);
        assert_eq!(alibi_slopes(1), [0.003_906_25]);
        assert_eq!(interleaved_slopes(4), alibi_slopes(4));
        assert_eq!(interleaved_slopes(3), [0.062_5, 0.003_906_25, 0.25]);
        let six = [2, 4, 6, 8, 1, 3].map(|i| (-f64::from(i)).exp2() as f32);
        assert_eq!(interleaved_slopes(6), six);
    }
}
