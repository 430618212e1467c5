//! The graphs of a recipe: prelude, one block of each kind, final norm, head and tail.

use super::{
    ArchError, Architecture, Routed,
    gauges::{self, Rows},
};
use crate::{
    graph::{Binary, Dim, Dtype, Graph, Reduction, Unary, Value},
    nn::{CHUNK, PROMPTS, ROWS, Scope, TOKENS, length::length},
};
use number::{facts::ModelFacts, observation::TOP_K};

/// The graphs of a recipe. Every weight is an input named `w:` and the tensor's name relative to its module.
///
/// | graph | inputs besides weights | outputs |
/// |---|---|---|
/// | prelude | `rows f32 [T, E]`, `positions i64 [T]`, `slots i64 [M]`, `lengths i64 [T]` | `stream [T, D]` and its gauges, tables and masks |
/// | block | `stream`, `slots`, `to_prompts i64 [P, M]`, `to_tokens i64 [T, 2]`, tables and masks | `next [T, D]` and its gauges, those of the block |
/// | block before experts | as block | of its outputs those that need no expert; `expert_input [T, D]`, `expert_choice i64 [T, K]`, `expert_weight [T, K]`; what the graph after reads |
/// | expert | `rows [R, D]` | `given [R, D]` |
/// | block after experts | `experts [T, D]`, what the graph before gives | the other outputs of block |
/// | final | `stream`, `rows i64 [R]`, `factors [R, 1]` | `final_norm [T]`, `hidden [R, E]` |
/// | head | `hidden`, `unembedding [C, E]` and its bias, `padding [C]`, `plain i64 [P]`, `unscaled i64 [R]` | `max`, `largest`, `rest`, `weighted`, `below` `[P]`, `top_logits`, `top_rows` `[P, K]`, `shift [R]` |
/// | tail | `hidden`, `unembedding` and its bias, `padding`, `wanted i64 [R, 2]` | `max`, `largest`, `rest`, `weighted`, `wanted_logit` `[R]` |
///
/// Gauges are the taps of a stream ([`stream_gauge`](super::stream_gauge)) and of a block
/// ([`block_gauge`](super::block_gauge)), `[T]`; attention off the diagonal is `[T, H]`.
///
/// D is the width of the stream and E that of the embedding, the same in nearly every family; `lengths` says how many
/// tokens a token's prompt has. A graph has only those inputs that it uses.
///
/// `final` reads the given rows of the stream out, each multiplied by its factor before the norm. Head and tail see C rows
/// of the vocabulary at a time: with m the largest logit of the piece, `largest` is how many logits are m, `rest`
/// Σ exp(l-m) of the others, which beside them would lose its digits where one token is nearly certain, and `weighted`
/// Σ (l-m)·exp(l-m), from which pieces combine to the entropy of the whole. `padding` is 0 for a row of the vocabulary, and
/// far below any logit for one that fills the piece up.
///
/// The head is for the last positions: of those rows that `plain` names it also gives the largest logits and minus the
/// smallest (`below`), and of every row how far some logit lies from that of the row that `unscaled` names (`shift`). The
/// tail is for many rows; `wanted` names one logit of each.
#[derive(Debug)]
pub struct Modules {
    /// What happens to the embedding rows before the first block.
    pub prelude: Graph,
    /// One per kind of block.
    pub blocks: Vec<Graph>,
    /// The same with gauges that are right for rows of any size, which takes longer: for where a norm is one that
    /// [`is_lost`](super::is_lost).
    pub scaled: Vec<Graph>,
    /// For every kind of block its graphs in pieces, where it has experts.
    pub routed: Vec<Option<Routed>>,
    /// The names of its branches, for every kind of block.
    pub branches: Vec<Vec<&'static str>>,
    /// The norm after the last block, and what the head reads.
    pub final_norm: Graph,
    /// The logits of last positions.
    pub head: Graph,
    /// The logits of many rows.
    pub tail: Graph,
}

/// The input of the head's graphs that takes rows of the unembedding.
pub const UNEMBEDDING: &str = "unembedding";

impl Modules {
    pub(super) fn build(arch: &dyn Architecture, facts: &ModelFacts) -> Result<Modules, ArchError> {
        let stream = [TOKENS, Dim::Fixed(size(facts.width))];
        let embedding = Dim::Fixed(arch.embedding_width().unwrap_or(size(facts.width)));
        let bias = arch.names().unembedding_bias.is_some();
        let kinds = (0..size(facts.blocks)).map(|layer| arch.kind(layer) + 1).max().unwrap_or(0);
        let named = |kind: usize| format!("block-{kind}");
        let blocks: Vec<(Graph, Vec<&'static str>)> = (0..kinds)
            .map(|kind| block(arch, kind, &named(kind), &stream, Rows::Usual))
            .collect::<Result<_, _>>()?;
        let scaled = |kind| Ok(block(arch, kind, &scaled_name(&named(kind)), &stream, Rows::AnySize)?.0);
        let scaled = (0..kinds).map(scaled).collect::<Result<_, ArchError>>()?;
        let (blocks, branches): (Vec<Graph>, Vec<_>) = blocks.into_iter().unzip();
        let routed = blocks.iter().enumerate().map(|(kind, block)| Routed::of(arch, kind, block, &stream));
        let routed = routed.collect::<Result<_, _>>()?;
        Ok(Modules {
            prelude: prelude(arch, embedding)?,
            blocks,
            scaled,
            routed,
            branches,
            final_norm: final_norm(arch, &stream)?,
            head: head(arch, embedding, bias, TOP_K.min(size(facts.vocabulary)))?,
            tail: tail(arch, embedding, bias)?,
        })
    }
}

fn prelude(arch: &dyn Architecture, embedding: Dim) -> Result<Graph, ArchError> {
    let mut graph = Graph::new("prelude");
    let mut s = Scope::new(&mut graph);
    let rows = s.input("rows", Dtype::F32, &[TOKENS, embedding])?;
    let positions = s.input("positions", Dtype::I64, &[TOKENS])?;
    let h = arch.prelude(&mut s, rows, positions)?;
    s.output("stream", h)?;
    gauges::of_stream(&mut s, "stream", h)?;
    Ok(graph)
}

/// The name of the graph among [`Modules::scaled`] for one among [`Modules::blocks`].
pub fn scaled_name(block: &str) -> String {
    format!("{block}-scaled")
}

/// The graph of a block, and the names of its branches.
fn block(
    arch: &dyn Architecture,
    kind: usize,
    name: &str,
    stream: &[Dim],
    rows: Rows,
) -> Result<(Graph, Vec<&'static str>), ArchError> {
    let mut graph = Graph::new(name);
    let mut s = Scope::new(&mut graph);
    let x = s.input("stream", Dtype::F32, stream)?;
    let block = arch.block(kind, &mut s, x)?;
    s.output("next", block.stream)?;
    gauges::of_stream(&mut s, "next", block.stream)?;
    gauges::of_block(&mut s, x, &block, kind, rows)?;
    let names = block.branches.iter().map(|branch| branch.name).collect();
    Ok((graph, names))
}

fn final_norm(arch: &dyn Architecture, stream: &[Dim]) -> Result<Graph, ArchError> {
    let mut graph = Graph::new("final");
    let mut s = Scope::new(&mut graph);
    let x = s.input("stream", Dtype::F32, stream)?;
    let rows = s.input("rows", Dtype::I64, &[ROWS])?;
    let factors = s.input("factors", Dtype::F32, &[ROWS, 1.into()])?;
    let normed = arch.final_norm(&mut s, x)?;
    let norm = length(&mut s, normed)?;
    s.output("final_norm", norm)?;
    let chosen = s.gather(x, rows)?;
    let scaled = s.mul(chosen, factors)?;
    let normed = arch.final_norm(&mut s, scaled)?;
    let hidden = arch.project_out(&mut s, normed)?;
    s.output("hidden", hidden)?;
    Ok(graph)
}

fn head(arch: &dyn Architecture, width: Dim, bias: bool, k: usize) -> Result<Graph, ArchError> {
    let mut graph = Graph::new("head");
    let mut s = Scope::new(&mut graph);
    let all = logits(arch, &mut s, width, bias)?;
    let plain = s.input("plain", Dtype::I64, &[PROMPTS])?;
    let unscaled = s.input("unscaled", Dtype::I64, &[ROWS])?;
    let padding = s.shared_input("padding", Dtype::F32, &[CHUNK])?;
    let logits = s.gather(all, plain)?; // [P, C]
    let negative = s.unary(Unary::Neg, logits)?;
    let negative = s.add(negative, padding)?;
    let below = s.reduce(Reduction::Max, negative)?;
    s.output("below", below)?;
    let origin = s.gather(all, unscaled)?;
    let change = s.sub(all, origin)?;
    let change = s.unary(Unary::Abs, change)?;
    let shift = s.reduce(Reduction::Max, change)?;
    s.output("shift", shift)?;
    let logits = s.add(logits, padding)?;
    let (top_logits, top_rows) = s.top_k(logits, k)?;
    s.output("top_logits", top_logits)?;
    s.output("top_rows", top_rows)?;
    sums(&mut s, logits, PROMPTS)?;
    Ok(graph)
}

fn tail(arch: &dyn Architecture, width: Dim, bias: bool) -> Result<Graph, ArchError> {
    let mut graph = Graph::new("tail");
    let mut s = Scope::new(&mut graph);
    let logits = logits(arch, &mut s, width, bias)?;
    let wanted = s.input("wanted", Dtype::I64, &[ROWS, 2.into()])?;
    let wanted = s.gather_nd(logits, wanted)?;
    s.output("wanted_logit", wanted)?;
    let padding = s.shared_input("padding", Dtype::F32, &[CHUNK])?;
    let logits = s.add(logits, padding)?;
    sums(&mut s, logits, ROWS)?;
    Ok(graph)
}

/// Logits `[R, C]` of a piece of the vocabulary; what fills it up is not marked yet.
fn logits(arch: &dyn Architecture, s: &mut Scope, width: Dim, bias: bool) -> Result<Value, ArchError> {
    let hidden = s.input("hidden", Dtype::F32, &[ROWS, width])?;
    let rows = s.input(UNEMBEDDING, Dtype::F32, &[CHUNK, width])?;
    let bias = if bias { Some(s.input("unembedding_bias", Dtype::F32, &[CHUNK])?) } else { None };
    Ok(arch.logits(s, hidden, rows, bias)?)
}

/// What of `logits [.., C]` of one piece combines to the distribution over the whole vocabulary.
fn sums(s: &mut Scope, logits: Value, rows: Dim) -> Result<(), ArchError> {
    let max = s.reduce_keep(Reduction::Max, logits)?;
    let below = s.sub(logits, max)?;
    let exp = s.unary(Unary::Exp, below)?;
    let weighted = s.mul(below, exp)?;
    let (zero, one) = (s.scalar(0.0)?, s.scalar(1.0)?);
    let smaller = s.binary(Binary::Less, below, zero)?;
    let (rest, largest) = (s.choose(smaller, exp, zero)?, s.choose(smaller, zero, one)?);
    let (rest, largest) = (s.reduce(Reduction::Sum, rest)?, s.reduce(Reduction::Sum, largest)?);
    let weighted = s.reduce(Reduction::Sum, weighted)?;
    let max = s.reshape(max, &[rows])?;
    for (name, value) in [("max", max), ("largest", largest), ("rest", rest), ("weighted", weighted)] {
        s.output(name, value)?;
    }
    Ok(())
}

pub(super) fn size(fact: Option<u32>) -> usize {
    fact.unwrap_or(0) as usize // families state these facts; see Architecture::facts
}
