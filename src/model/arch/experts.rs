//! Blocks with experts as graphs: what comes before them, what follows, and one expert by itself.

use super::{ArchError, Architecture};
use crate::{
    graph::{Dim, Dtype, Graph},
    nn::{ExpertLayout, Scope, experts::EXPERTS},
};

/// The experts of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Experts {
    /// Where they lie, relative to the block, e.g. `mlp.experts`.
    pub module: &'static str,
    /// E.
    pub count: usize,
    /// K, how many a token chooses.
    pub chosen: usize,
    /// How their tensors lie there.
    pub layout: ExpertLayout,
}

/// The graphs of a kind of blocks with experts. Whoever runs them takes the choice from the first graph, gives the rows to the
/// experts, and their weighted sum to the last.
#[derive(Debug)]
pub struct Routed {
    /// What is known of the block.
    pub experts: Experts,
    /// The block up to the experts, see [`EXPERT_INPUT`](crate::nn::experts::EXPERT_INPUT) and its neighbours. It also gives what the
    /// graph after them reads of it.
    pub before: Graph,
    /// The block from the experts on, which takes their sum as [`EXPERTS`].
    pub after: Graph,
    /// One expert: `rows [T, D]` to `given [T, D]`, with its weights as inputs.
    pub expert: Graph,
}

impl Routed {
    /// The graphs for a kind of blocks, if it has experts; `block` is its whole graph.
    pub(super) fn of(
        arch: &dyn Architecture,
        kind: usize,
        block: &Graph,
        stream: &[Dim],
    ) -> Result<Option<Routed>, ArchError> {
        let name = |part: &str| format!("{}-{part}", block.name());
        let Some(experts) = arch.experts(kind) else { return Ok(None) };
        let halves = block.split(EXPERTS, [&name("before"), &name("after")]);
        let Some([before, after]) = halves else { return Err(ArchError::NoExperts { kind }) };
        let mut expert = Graph::new(&name("expert"));
        let mut s = Scope::new(&mut expert);
        let rows = s.input("rows", Dtype::F32, stream)?;
        let given = arch.expert(kind, &mut s, rows)?;
        s.output("given", given)?;
        Ok(Some(Routed { experts, before, after, expert }))
    }
}
