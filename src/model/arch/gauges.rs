//! What leaves the graphs of prelude and blocks beside the stream: for every tap a number for each token, reduced in the
//! graph, so that what leaves the runtime is O(T).

use super::{ArchError, Block, NamedBranch};
use crate::{
    graph::{GraphError, Reduction, Unary, Value},
    nn::{
        Scope,
        length::{SMALL, direction, length},
    },
};
use number::observation::{ATTENTION, Axes, NamedTap, TAPS, named};

/// The output of a graph that gives a tap of the stream, which itself is the output `stream`.
pub fn stream_gauge(stream: &str, tap: &str) -> String {
    // The bytes of graphs are part of stored keys, so the first taps keep the names that these outputs have had.
    match tap {
        "resid" => format!("{stream}_norm"),
        "max_abs" => format!("{stream}_max"),
        other => format!("{stream}_{other}"),
    }
}

/// The output of a block's graph that gives a tap. Of `write_cosine` it is the dot product of the two vectors.
pub fn block_gauge(tap: &NamedTap) -> String {
    // As for `stream_gauge`: in the graphs attention has its long name.
    let branch = match tap.branch.as_deref() {
        Some(ATTENTION) => "attention",
        other => other.unwrap_or_default(),
    };
    match tap.tap.name {
        "{branch}_module_in" => format!("{branch}_input"),
        "{branch}_module_out" => format!("{branch}_output"),
        "{branch}_out" => format!("{branch}_write"),
        "{branch}_off_diagonal" => off_diagonal_gauge(tap.branch.as_deref()),
        "write_cosine" => "write_dot".to_string(),
        _ => tap.name.clone(),
    }
}

/// The output that gives attention off the diagonal of a branch, `[T, H]`.
fn off_diagonal_gauge(branch: Option<&str>) -> String {
    match branch {
        None | Some(ATTENTION) => "off_diagonal".to_string(),
        Some(branch) => format!("{branch}_off_diagonal"),
    }
}

/// Every tap of the stream `x [T, D]`.
pub(super) fn of_stream(s: &mut Scope, stream: &str, x: Value) -> Result<(), ArchError> {
    for tap in TAPS.iter().filter(|tap| tap.axes == Axes::Stream) {
        let value = match tap.name {
            "resid" => s.reduce(Reduction::L2, x)?,
            "max_abs" => {
                let magnitude = s.unary(Unary::Abs, x)?;
                s.reduce(Reduction::Max, magnitude)?
            }
            other => return Err(ArchError::NoFormula { tap: other }),
        };
        s.output(&stream_gauge(stream, tap.name), value)?;
    }
    Ok(())
}

/// The rows that a block's taps are right for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rows {
    /// Those whose squares lie within float32, which is quick. The norms of others are those that [`is_lost`] knows.
    Usual,
    /// Of any size. In place of the dot product of what is kept and what is written there is [`LOST_COSINE`].
    AnySize,
}

/// The output that is the cosine of what is kept and what is written, right for rows of any size.
pub const LOST_COSINE: &str = "write_cosine";

impl Rows {
    /// The norms `[T]` of rows.
    fn norms(self, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        match self {
            Rows::Usual => s.reduce(Reduction::L2, x),
            Rows::AnySize => length(s, x),
        }
    }
}

/// Whether a norm is none that float32's squares give.
pub fn is_lost(norm: f32) -> bool {
    norm < SMALL || norm.is_infinite()
}

/// Every tap of a block that the stream `x [T, D]` enters; attention has given its own.
pub(super) fn of_block(
    s: &mut Scope,
    x: Value,
    block: &Block,
    kind: usize,
    rows: Rows,
) -> Result<(), ArchError> {
    let kept = match block.carry {
        Some(carry) => s.mul(x, carry)?,
        None => x,
    };
    // Not the stream after less what is kept of the stream before: beside a large stream that would lose the write's digits.
    let mut writes = block.branches.iter().map(|named| named.branch.write);
    let first = writes.next().ok_or(ArchError::NoBranch { kind })?;
    let write = writes.try_fold(first, |sum, write| s.add(sum, write))?;
    let [left, right] = match rows {
        Rows::Usual => [kept, write],
        Rows::AnySize => [direction(s, kept)?, direction(s, write)?],
    };
    let product = s.mul(left, right)?;
    let dot = s.reduce(Reduction::Sum, product)?;
    let names: Vec<&str> = block.branches.iter().map(|branch| branch.name).collect();
    for tap in named(&names).iter().filter(|tap| tap.tap.axes == Axes::Blocks) {
        let of_branch = || {
            let mut branches = block.branches.iter();
            let found = branches.find(|NamedBranch { name, .. }| tap.branch.as_deref() == Some(*name));
            found.map(|found| found.branch).ok_or(ArchError::NoFormula { tap: tap.tap.name })
        };
        let vector = match tap.tap.name {
            "{branch}_module_in" => of_branch()?.input,
            "{branch}_module_out" => of_branch()?.output,
            "{branch}_out" => of_branch()?.write,
            "write" => write,
            "kept" if block.carry.is_none() => continue,
            "kept" => kept,
            "write_cosine" => {
                let output = match rows {
                    Rows::Usual => block_gauge(tap),
                    Rows::AnySize => LOST_COSINE.to_string(),
                };
                s.output(&output, dot)?;
                continue;
            }
            // A router gives its own.
            _ if tap.tap.optional => continue,
            other => return Err(ArchError::NoFormula { tap: other }),
        };
        let norm = rows.norms(s, vector)?;
        s.output(&block_gauge(tap), norm)?;
    }
    Ok(())
}
