//! Causal softmax attention with grouped key/value heads.
//!
//! Token rows arrive packed and are laid out per prompt, `[P, M, ..]` with the padding at the end, so that a prompt's
//! sums do not depend on the other prompts. A real query never sees padding: it lies after every real token, and the
//! causal mask hides what comes later. Rows of padded queries are finite and never gathered back.

use super::{LONGEST, PROMPTS, Scope, TOKENS, activation};
use crate::graph::{Binary, Constant, Dim, Dtype, GraphError, Reduction, Value};

/// Added to the score of a hidden key: far below any score, and its exponential is exactly 0 in float32.
const HIDDEN: f32 = -1e30;

#[derive(Clone, Copy, Debug)]
pub struct Attention {
    pub heads: usize,
    /// Divides `heads`; query head h reads key/value head h / (heads / kv_heads).
    pub kv_heads: usize,
    pub head_width: usize,
    /// Factor on the scores, usually 1/√head_width.
    pub scale: f32,
    /// On the scores, before the mask (gemma2).
    pub softcap: Option<f32>,
}

impl Attention {
    /// Key/value heads, and the query heads that read each.
    fn groups(self) -> [usize; 2] {
        [self.kv_heads, self.heads / self.kv_heads]
    }
}

/// In the prelude: publish the additive mask `[M, M]` (query, key) as `name`. A window of w lets a query see itself
/// and the w-1 tokens before it. Where the graph was given `segments [M]`, a query sees its own segment only.
pub fn publish_mask(s: &mut Scope, name: &str, window: Option<usize>) -> Result<(), GraphError> {
    let mask = causal(s, window)?;
    s.publish(name, mask)
}

/// The name of a mask in families whose blocks differ by their window.
pub fn mask_name(window: Option<usize>) -> &'static str {
    if window.is_some() { "mask.window" } else { "mask" }
}

/// In the prelude: publish the mask plus ALiBi (Press et al. 2022), a bias of `slopes[h]` per position of the key,
/// `[kv_heads, heads / kv_heads, M, M]`. Softmax ignores what a query's scores have in common, so the position may
/// count from the start of the prompt.
pub fn publish_alibi_mask(
    s: &mut Scope,
    name: &str,
    attention: Attention,
    slopes: Vec<f32>,
) -> Result<(), GraphError> {
    let [kv, group] = attention.groups();
    let slopes = s.constant(Constant::F32(slopes), &[kv, group, 1, 1])?;
    let keys = s.shared_input("slots", Dtype::I64, &[LONGEST])?;
    let keys = s.cast(keys, Dtype::F32)?;
    let bias = s.mul(slopes, keys)?; // [kv, group, 1, M]
    publish_biased_mask(s, name, bias)
}

/// [`publish_alibi_mask`] where the bias is no multiple of the position: `table` has one row of `heads` numbers for
/// each position of a key.
pub fn publish_alibi_table_mask(
    s: &mut Scope,
    name: &str,
    attention: Attention,
    table: Vec<f32>,
) -> Result<(), GraphError> {
    let [kv, group] = attention.groups();
    let positions = table.len() / attention.heads;
    let table = s.constant(Constant::F32(table), &[positions, kv, group, 1])?;
    let keys = s.shared_input("slots", Dtype::I64, &[LONGEST])?;
    // Only padding, which no query sees, lies beyond the last position.
    let last = s.constant(Constant::I64(vec![positions as i64 - 1]), &[1])?;
    let keys = s.binary(Binary::Min, keys, last)?;
    let rows = s.gather(table, keys)?; // [M, kv, group, 1]
    let bias = s.transpose(rows, &[1, 2, 3, 0])?;
    publish_biased_mask(s, name, bias)
}

fn publish_biased_mask(s: &mut Scope, name: &str, bias: Value) -> Result<(), GraphError> {
    let mask = causal(s, None)?;
    let mask = s.add(bias, mask)?;
    s.publish(name, mask)
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

/// In a block: the mask that the prelude published under `name`.
pub fn mask(s: &mut Scope, name: &str) -> Result<Value, GraphError> {
    s.shared_input(name, Dtype::F32, &[LONGEST, LONGEST])
}

/// In a block: the mask that [`publish_alibi_mask`] published under `name`.
pub fn alibi_mask(s: &mut Scope, name: &str, attention: Attention) -> Result<Value, GraphError> {
    let [kv, group] = attention.groups();
    s.shared_input(name, Dtype::F32, &[kv.into(), group.into(), LONGEST, LONGEST])
}

/// 0 where a query sees a key, [`HIDDEN`] elsewhere, `[M, M]`.
fn causal(s: &mut Scope, window: Option<usize>) -> Result<Value, GraphError> {
    let slots = s.shared_input("slots", Dtype::I64, &[LONGEST])?; // 0, 1, .. M-1
    let slots = s.cast(slots, Dtype::F32)?;
    let query = s.reshape(slots, &[LONGEST, 1.into()])?;
    let mut seen = s.binary(Binary::LessOrEqual, slots, query)?; // key <= query
    if let Some(window) = window {
        let window = s.scalar(window as f32)?;
        let distance = s.sub(query, slots)?;
        let near = s.binary(Binary::Less, distance, window)?;
        seen = s.binary(Binary::And, seen, near)?;
    }
    if let Some(segments) = s.given("segments") {
        let query = s.reshape(segments, &[LONGEST, 1.into()])?;
        let together = s.binary(Binary::Equal, segments, query)?;
        seen = s.binary(Binary::And, seen, together)?;
    }
    let (zero, hidden) = (s.scalar(0.0)?, s.scalar(HIDDEN)?);
    s.choose(seen, zero, hidden)
}

/// q, k, v from one projection that lies key/value head by key/value head, each with the queries of its group, its key,
/// its value: `[T, kv_heads·(heads / kv_heads + 2)·w]`.
pub fn split_fused(s: &mut Scope, attention: Attention, fused: Value) -> Result<[Value; 3], GraphError> {
    let ([kv, group], w) = (attention.groups(), attention.head_width);
    let fused = s.reshape(fused, &[TOKENS, kv.into(), ((group + 2) * w).into()])?;
    let mut q = s.slice(fused, 2, 0, group * w)?;
    if group > 1 {
        q = s.reshape(q, &[TOKENS, attention.heads.into(), w.into()])?;
    }
    let k = s.slice(fused, 2, group * w, (group + 1) * w)?;
    let v = s.slice(fused, 2, (group + 1) * w, (group + 2) * w)?;
    Ok([q, k, v])
}

/// q `[T, heads, w]`, k and v `[T, kv_heads, w]` -> `[T, heads·w]`. Key/value heads are not repeated: their group of
/// query heads is a broadcast dimension of the products. `mask` broadcasts to `[P, kv_heads, group, M, M]`. On the way
/// `off_diagonal [T, heads]` is measured: the probability with which each token attends to others than itself.
pub fn attend(
    s: &mut Scope,
    attention: Attention,
    [q, k, v]: [Value; 3],
    mask: Value,
) -> Result<Value, GraphError> {
    let Attention { heads, kv_heads, head_width, scale, softcap } = attention;
    let [kv, g, w] = [kv_heads, heads / kv_heads, head_width].map(Dim::Fixed);
    let q = s.scale(q, scale)?;
    let q = to_prompts(s, q)?; // [P, M, heads, w]
    let q = s.reshape(q, &[PROMPTS, LONGEST, kv, g, w])?;
    let q = s.transpose(q, &[0, 2, 3, 1, 4])?; // [P, kv, group, M, w]
    let k = to_prompts(s, k)?;
    let k = s.reshape(k, &[PROMPTS, LONGEST, kv, 1.into(), w])?;
    let k = s.transpose(k, &[0, 2, 3, 4, 1])?; // [P, kv, 1, w, M]
    let v = to_prompts(s, v)?;
    let v = s.reshape(v, &[PROMPTS, LONGEST, kv, 1.into(), w])?;
    let v = s.transpose(v, &[0, 2, 3, 1, 4])?; // [P, kv, 1, M, w]

    let mut scores = s.matmul(q, k)?; // [P, kv, group, M, M]
    if let Some(cap) = softcap {
        scores = activation::softcap(s, scores, cap)?;
    }
    let masked = s.add(scores, mask)?;
    let weights = s.softmax(masked)?;
    s.gauge("off_diagonal", |s| off_diagonal(s, weights, heads))?;
    let mixed = s.matmul(weights, v)?; // [P, kv, group, M, w]
    let mixed = s.transpose(mixed, &[0, 3, 1, 2, 4])?; // [P, M, kv, group, w]
    let mixed = s.reshape(mixed, &[PROMPTS, LONGEST, Dim::Fixed(heads * head_width)])?;
    to_tokens(s, mixed)
}

/// From `weights [P, kv_heads, group, M, M]` what each token gives to others, `[T, heads]`. The others are summed: one less
/// the diagonal would lose its digits where a token attends to hardly anything else.
fn off_diagonal(s: &mut Scope, weights: Value, heads: usize) -> Result<Value, GraphError> {
    let slots = s.shared_input("slots", Dtype::I64, &[LONGEST])?;
    let query = s.reshape(slots, &[LONGEST, 1.into()])?;
    let itself = s.binary(Binary::Equal, slots, query)?;
    let (zero, one) = (s.scalar(0.0)?, s.scalar(1.0)?);
    let others = s.choose(itself, zero, one)?; // [M, M]
    let given = s.mul(weights, others)?;
    let given = s.reduce(Reduction::Sum, given)?; // [P, kv, group, M]
    let given = s.transpose(given, &[0, 3, 1, 2])?;
    let given = s.reshape(given, &[PROMPTS, LONGEST, heads.into()])?;
    to_tokens(s, given)
}

/// Packed rows `[T, ..]` laid out per prompt, `[P, M, ..]`. In a graph that keeps prompts apart by `segments`, all tokens
/// are one prompt.
fn to_prompts(s: &mut Scope, x: Value) -> Result<Value, GraphError> {
    if s.given("segments").is_some() {
        let one = s.unsqueeze(x)?;
        let shape = [&[PROMPTS, LONGEST], &s.shape(x)[1..]].concat();
        return s.relabel(one, &shape);
    }
    // Row of the packed tokens for each prompt and slot; padding points at row 0.
    let rows = s.shared_input("to_prompts", Dtype::I64, &[PROMPTS, LONGEST])?;
    s.gather(x, rows)
}

/// The inverse of [`to_prompts`].
fn to_tokens(s: &mut Scope, x: Value) -> Result<Value, GraphError> {
    if s.given("segments").is_some() {
        let shape = [&[Dim::Fixed(1), TOKENS], &s.shape(x)[2..]].concat();
        let one = s.relabel(x, &shape)?;
        return s.squeeze(one);
    }
    // Prompt and slot of each packed token.
    let cells = s.shared_input("to_tokens", Dtype::I64, &[TOKENS, 2.into()])?;
    s.gather_nd(x, cells)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_beyond_a_power_of_two_of_heads_lie_between_the_others() {
        assert_eq!(alibi_slopes(4), [0.25, 0.0625, 0.015_625, 0.003_906_25]);
        assert_eq!(alibi_slopes(3), [0.062_5, 0.003_906_25, 0.25]);
        assert_eq!(alibi_slopes(1), [0.003_906_25]);
    }
}
