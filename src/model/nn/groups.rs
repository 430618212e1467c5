//! Groups of experts: a router that may choose only within the best groups of a row, after the routers of DeepSeek V2 and V3
//! (arXiv 2405.04434, 2412.19437).

use super::{Scope, numbers::numbers};
use crate::graph::{Binary, GraphError, Reduction, Value};

/// Experts of equal groups, in the order of their numbers, of which only some groups are open to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Groups {
    /// G, which divides the number of experts.
    pub count: usize,
    /// Open groups, fewer than G.
    pub open: usize,
    /// A group is ranked by the sum of this many of its best experts: at least 1, at most all that it has.
    pub best: usize,
}

impl Groups {
    /// How many experts a row may choose among, of E.
    pub fn candidates(self, experts: usize) -> usize {
        experts / self.count * self.open
    }

    /// `ranked [T, E]` with -1e30 added for experts of closed groups; and the ranks of the open groups and the best closed one,
    /// the best first, `[T, open + 1]`.
    pub(super) fn limited(
        self,
        s: &mut Scope,
        ranked: Value,
        experts: usize,
    ) -> Result<(Value, Value), GraphError> {
        let Groups { count, open, best } = self;
        let tokens = s.shape(ranked)[0];
        let ranked = s.reshape(ranked, &[tokens, count.into(), (experts / count).into()])?;
        let (leaders, _) = s.top_k(ranked, best)?;
        let groups = s.reduce(Reduction::Sum, leaders)?; // [T, G]
        let (leading, order) = s.top_k(groups, open + 1)?;
        let order = s.slice(order, 1, 0, open)?;
        let places = s.reshape(order, &[tokens, 1.into(), open.into()])?;
        let all = numbers(s, count, &[count, 1])?;
        let is_there = s.binary(Binary::Equal, places, all)?; // [T, G, open]
        let (zero, low) = (s.scalar(0.0)?, s.scalar(-1e30)?);
        let offset = s.choose(is_there, zero, low)?;
        let offset = s.reduce_keep(Reduction::Max, offset)?; // [T, G, 1]
        let limited = s.add(ranked, offset)?;
        Ok((s.reshape(limited, &[tokens, experts.into()])?, leading))
    }
}
