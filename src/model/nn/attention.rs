//! Causal softmax attention with grouped key/value heads: all that happens after q, k and v, for every family.
//!
//! Token rows arrive packed and are laid out per prompt, `[P, M, ..]` with the padding at the end, so that a prompt's
//! sums do not depend on the other prompts. A real query never sees padding: it lies after every real token, and the
//! causal mask hides what comes later. Rows of padded queries are finite and never gathered back.

use super::{LONGEST, PROMPTS, Scope, TOKENS, activation, mask::Mask, rope::Rotary};
use crate::graph::{Binary, Dim, Dtype, GraphError, Reduction, Unary, Value};

/// The heads of a layer, and how their scores are made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Attention {
    /// Query heads.
    pub heads: usize,
    /// Divides `heads`; query head h reads key/value head h / (heads / kv_heads).
    pub kv_heads: usize,
    /// w, components of one head of q and k.
    pub head_width: usize,
    /// v, components of one head of values, nearly everywhere w.
    pub value_width: usize,
    /// Factor on the scores, usually 1/√head_width.
    pub scale: f32,
    /// On the scores, before the mask (gemma2).
    pub softcap: Option<f32>,
}

impl Attention {
    /// Key/value heads, and the query heads that read each.
    pub fn groups(self) -> [usize; 2] {
        [self.kv_heads, self.heads / self.kv_heads]
    }
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

/// Attention after q `[T, heads, w]`, k `[T, kv_heads, w]` and v `[T, kv_heads, v]` -> `[T, heads·v]`, before the output
/// projection: q and k are turned where the layer has rotary positions, then every query mixes the values of the keys that its
/// mask shows.
pub fn attend(
    s: &mut Scope,
    attention: Attention,
    [q, k, v]: [Value; 3],
    rotary: Option<&Rotary>,
    mask: Mask,
) -> Result<Value, GraphError> {
    attend_beside(s, attention, [q, k, v], (rotary, mask), None)
}

/// [`attend`] where each query head has a logit beside its scores, if `sinks [heads]` are given: what attention this takes goes
/// to no token.
pub fn attend_beside(
    s: &mut Scope,
    attention: Attention,
    [q, k, v]: [Value; 3],
    (rotary, mask): (Option<&Rotary>, Mask),
    sinks: Option<Value>,
) -> Result<Value, GraphError> {
    let [q, k] = rotary.map_or(Ok([q, k]), |rotary| turn(s, attention, [q, k], rotary))?;
    let mask = mask.input(s, attention.groups())?;
    mix(s, attention, [q, k, v], mask, sinks)
}

/// q and k turned to their positions; [`attend`] does so itself unless it is given no rotary positions.
pub fn turn(
    s: &mut Scope,
    attention: Attention,
    [q, k]: [Value; 2],
    rotary: &Rotary,
) -> Result<[Value; 2], GraphError> {
    let Attention { heads, kv_heads, head_width: w, .. } = attention;
    if rotary.turning() == 0 {
        return Ok([q, k]);
    }
    let tables = rotary.tables(s)?;
    Ok([rotary.turn(s, q, (heads, w), tables)?, rotary.turn(s, k, (kv_heads, w), tables)?])
}

/// Softmax over the masked scores, and the values it mixes. Key/value heads are not repeated: their group of query heads is
/// a broadcast dimension of the products. `mask` broadcasts to `[P, kv_heads, group, M, M]`. On the way `off_diagonal
/// [T, heads]` is measured: the probability with which each token attends to others than itself.
fn mix(
    s: &mut Scope,
    attention: Attention,
    [q, k, v]: [Value; 3],
    mask: Value,
    sinks: Option<Value>,
) -> Result<Value, GraphError> {
    let Attention { heads, kv_heads, head_width, value_width, scale, softcap } = attention;
    let [kv, g, w, v_width] = [kv_heads, heads / kv_heads, head_width, value_width].map(Dim::Fixed);
    let q = s.scale(q, scale)?;
    let q = to_prompts(s, q)?; // [P, M, heads, w]
    let q = s.reshape(q, &[PROMPTS, LONGEST, kv, g, w])?;
    let q = s.transpose(q, &[0, 2, 3, 1, 4])?; // [P, kv, group, M, w]
    let k = to_prompts(s, k)?;
    let k = s.reshape(k, &[PROMPTS, LONGEST, kv, 1.into(), w])?;
    let k = s.transpose(k, &[0, 2, 3, 4, 1])?; // [P, kv, 1, w, M]
    let v = to_prompts(s, v)?;
    let v = s.reshape(v, &[PROMPTS, LONGEST, kv, 1.into(), v_width])?;
    let v = s.transpose(v, &[0, 2, 3, 1, 4])?; // [P, kv, 1, M, v]

    let mut scores = s.matmul(q, k)?; // [P, kv, group, M, M]
    if let Some(cap) = softcap {
        scores = activation::softcap(s, scores, cap)?;
    }
    let masked = s.add(scores, mask)?;
    let weights = match sinks {
        None => s.softmax(masked)?,
        Some(sinks) => softmax_beside(s, masked, sinks, attention.groups())?,
    };
    s.gauge("off_diagonal", |s| off_diagonal(s, weights, heads))?;
    let mixed = s.matmul(weights, v)?; // [P, kv, group, M, v]
    let mixed = s.transpose(mixed, &[0, 3, 1, 2, 4])?; // [P, M, kv, group, w]
    let mixed = s.reshape(mixed, &[PROMPTS, LONGEST, Dim::Fixed(heads * value_width)])?;
    to_tokens(s, mixed)
}

/// Softmax over `scores [P, kv_heads, group, M, M]` and one logit more of each head, `sinks [heads]`, without the latter's share.
fn softmax_beside(
    s: &mut Scope,
    scores: Value,
    sinks: Value,
    [kv, group]: [usize; 2],
) -> Result<Value, GraphError> {
    let sinks = s.reshape(sinks, &[kv.into(), group.into(), 1.into(), 1.into()])?;
    let most = s.reduce_keep(Reduction::Max, scores)?; // [P, kv, group, M, 1]
    let most = s.binary(Binary::Max, most, sinks)?;
    let (below, own) = (s.sub(scores, most)?, s.sub(sinks, most)?);
    let (parts, own) = (s.unary(Unary::Exp, below)?, s.unary(Unary::Exp, own)?);
    let sum = s.reduce_keep(Reduction::Sum, parts)?;
    let sum = s.add(sum, own)?;
    s.div(parts, sum)
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
