//! Additions to the stream, grouped into blocks.

use super::chain::{Added, Branch, Step};
use super::model::Id;
use super::norm::Point;

/// How the branches of a block read the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The MLP reads the stream after the attention.
    Sequential,
    /// Both read the stream before the block.
    Parallel,
    /// Attention and no MLP.
    AttentionOnly,
    /// No attention: two other branches, or one.
    NoAttention,
}

/// One block.
#[derive(Debug, Clone)]
pub(super) struct Block {
    pub kind: Kind,
    pub before: Id,
    pub mid: Option<Point>,
    pub after: Point,
    pub attention: Option<Branch>,
    pub mlp: Option<Branch>,
    /// A bias added to the sum of both branches of a parallel block, which hides each.
    pub shared_bias: Option<Id>,
}

/// Why additions make no blocks.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ungrouped {
    NoAttention,
    /// The attention at this addition is followed by another one with no MLP between, elsewhere by an MLP.
    AttentionTwice(Point),
}

/// Blocks in the order of the flow. An MLP belongs to the branch before it.
pub(super) fn group(steps: &[Step]) -> Result<Vec<Block>, Ungrouped> {
    let mut blocks = Vec::new();
    let mut rest = steps;
    while let Some((last, before)) = rest.split_last() {
        rest = before;
        let alone = |kind| Block {
            kind,
            before: last.before,
            mid: None,
            after: last.after,
            attention: None,
            mlp: None,
            shared_bias: None,
        };
        blocks.push(match &last.added {
            Added::Parallel { attention, other } => Block {
                attention: Some(attention.clone()),
                mlp: Some(other.clone()),
                ..alone(Kind::Parallel)
            },
            Added::ParallelMixed { bias } => Block { shared_bias: Some(*bias), ..alone(Kind::Parallel) },
            Added::Attention(branch) => {
                Block { attention: Some(branch.clone()), ..alone(Kind::AttentionOnly) }
            }
            Added::Other(mlp) => {
                let mut block = Block { mlp: Some(mlp.clone()), ..alone(Kind::NoAttention) };
                if let Some((first, before)) = rest.split_last()
                    && matches!(first.added, Added::Attention(_) | Added::Other(_))
                {
                    rest = before;
                    (block.before, block.mid) = (first.before, Some(first.after));
                    if let Added::Attention(branch) = &first.added {
                        (block.kind, block.attention) = (Kind::Sequential, Some(branch.clone()));
                    }
                }
                block
            }
        });
    }
    blocks.reverse();
    if blocks.iter().all(|block| block.kind == Kind::NoAttention) {
        return Err(Ungrouped::NoAttention);
    }
    if blocks.iter().any(|block| block.kind == Kind::Sequential)
        && let Some(twice) = blocks.iter().find(|block| block.kind == Kind::AttentionOnly)
    {
        return Err(Ungrouped::AttentionTwice(twice.after));
    }
    Ok(blocks)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `A` attention, `M` other, `P` both side by side; the stream's values are numbered along it.
    fn steps(kinds: &str) -> Vec<Step> {
        let added = |kind| match kind {
            'A' => Added::Attention(vec![100]),
            'M' => Added::Other(vec![101]),
            _ => Added::Parallel { attention: vec![100], other: vec![101] },
        };
        let step = |(at, kind)| Step {
            before: at,
            after: Point::Value(at + 1),
            added: added(kind),
            form: "Add".to_string(),
            laid: false,
        };
        kinds.chars().enumerate().map(step).collect()
    }

    fn kinds(of: &str) -> Vec<Kind> {
        group(&steps(of)).unwrap().iter().map(|block| block.kind).collect()
    }

    #[test]
    fn an_mlp_belongs_to_the_branch_before_it() {
        use Kind::{AttentionOnly, NoAttention, Parallel, Sequential};
        assert_eq!(kinds("AMAM"), [Sequential, Sequential]);
        assert_eq!(kinds("PP"), [Parallel, Parallel]);
        assert_eq!(kinds("MMAM"), [NoAttention, Sequential]);
        assert_eq!(kinds("AA"), [AttentionOnly, AttentionOnly]);
        let blocks = group(&steps("AMAM")).unwrap();
        assert_eq!(
            (blocks[1].before, blocks[1].mid, blocks[1].after),
            (2, Some(Point::Value(3)), Point::Value(4))
        );
    }

    #[test]
    fn additions_that_make_no_numbered_blocks_are_refused() {
        assert_eq!(group(&steps("MMMM")).unwrap_err(), Ungrouped::NoAttention);
        assert_eq!(group(&[]).unwrap_err(), Ungrouped::NoAttention);
        assert_eq!(group(&steps("AAMAAM")).unwrap_err(), Ungrouped::AttentionTwice(Point::Value(1)));
    }
}
