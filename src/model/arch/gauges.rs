//! What leaves the graphs of prelude and blocks beside the stream: for every tap a number for each token, reduced in the
//! graph, so that what leaves the runtime is O(T).

use super::{ArchError, Block, NamedBranch};
use crate::{
    graph::{GraphError, Reduction, Unary, Value},
    nn::{Scope, length::SMALL},
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

/// How a tap's norms are taken of rows.
pub(super) type Norm = fn(&mut Scope, Value) -> Result<Value, GraphError>;

/// The norms `[T]` of rows as they are, which is quick. Of those that [`is_lost`] the squares have left float32; then
/// [`length`](crate::nn::length::length) is the norm.
pub(super) fn plain(s: &mut Scope, x: Value) -> Result<Value, GraphError> {
    s.reduce(Reduction::L2, x)
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
    norm: Norm,
) -> Result<(), ArchError> {
    let kept = match block.carry {
        Some(carry) => s.mul(x, carry)?,
        None => x,
    };
    // Not the stream after less what is kept of the stream before: beside a large stream that would lose the write's digits.
    let mut writes = block.branches.iter().map(|named| named.branch.write);
    let first = writes.next().ok_or(ArchError::NoBranch { kind })?;
    let write = writes.try_fold(first, |sum, write| s.add(sum, write))?;
    let product = s.mul(kept, write)?;
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
                s.output(&block_gauge(tap), dot)?;
                continue;
            }
            other => return Err(ArchError::NoFormula { tap: other }),
        };
        let norm = norm(s, vector)?;
        s.output(&block_gauge(tap), norm)?;
    }
    Ok(())
}
