//! What a run needs of memory, known before it starts, and how the prompts of a run are grouped to stay within a limit.

use super::{
    RunError,
    batch::{self, Group, Limits, Sharing},
    vocabulary,
};
use crate::{
    arch::{Place, Recipe, WeightUse},
    checkpoint::{Checkpoint, Dtype},
};

/// The program, the runtime's library and a tokenizer of 128,000 tokens.
const PROGRAM: u64 = 200 << 20;
/// Copies of a block's activations that the runtime holds at a time, at most: rows as wide as the stream, rows as wide as the
/// widest matrix, values of attention heads, attention scores. Measured on the shapes of `make bench`.
const STREAM_ROWS: usize = 24;
const WIDE_ROWS: usize = 6;
const HEAD_ROWS: usize = 8;
const SCORES: usize = 5;

/// Anonymous memory of a run in bytes, at most: what the machine must have. Pages of the checkpoint's files come on top and
/// can be evicted at will.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// The largest module's weights in float32, where the file does not hold them so.
    pub weights: u64,
    /// Activations of the largest group of prompts inside one block.
    pub activations: u64,
    /// The stream of all prompts between two blocks, and rows that are kept for the loss and the lens.
    pub streams: u64,
}

impl Needs {
    pub fn total(&self) -> u64 {
        PROGRAM + self.weights + self.activations + self.streams
    }

    pub(super) fn of(
        recipe: &Recipe,
        checkpoint: &Checkpoint,
        weights: &[WeightUse],
        groups: &[Group],
        kept_rows: usize,
    ) -> Needs {
        let floats = |count: usize| 4 * count as u64;
        let widened = |uses: &[&WeightUse]| -> usize {
            let stored = |weight: &&&WeightUse| {
                checkpoint.tensor(&weight.tensor).is_ok_and(|tensor| tensor.dtype == Dtype::F32)
            };
            uses.iter().filter(|weight| !stored(weight)).map(|weight| weight.shape.iter().product::<usize>()).sum()
        };
        let (mut largest, mut widest) = (0, recipe.width());
        for layer in 0..recipe.blocks() {
            let block: Vec<&WeightUse> = weights.iter().filter(|w| w.place == Place::Block(layer)).collect();
            largest = largest.max(widened(&block));
            widest = block.iter().flat_map(|weight| &weight.shape).copied().fold(widest, usize::max);
        }
        let head = vocabulary::ROWS.min(recipe.vocabulary()) * recipe.embedding_width();
        let activations = groups.iter().map(|group| {
            let (rows, slots) = (group.tokens(), group.slots.len());
            let padded = group.paths * slots;
            rows * (STREAM_ROWS * recipe.width() + WIDE_ROWS * widest)
                + padded * HEAD_ROWS * recipe.width()
                + SCORES * group.paths * recipe.heads() * slots * slots
        });
        let rows: usize = groups.iter().map(Group::tokens).sum();
        Needs {
            weights: floats(largest.max(head)),
            activations: floats(activations.max().unwrap_or(0)),
            streams: floats((rows + kept_rows) * recipe.width()),
        }
    }
}

/// Groups of prompts that keep a run within `limit` bytes, as large as that allows, and what it then needs.
///
/// # Errors
/// [`RunError::Memory`] where the smallest groups, a path each, need more.
pub(super) fn fit(
    recipe: &Recipe,
    checkpoint: &Checkpoint,
    weights: &[WeightUse],
    prompts: &[Vec<u32>],
    (sharing, kept_rows): (Sharing, usize),
    limit: Option<u64>,
) -> Result<(Vec<Group>, Needs), RunError> {
    let mut limits = Limits::default();
    loop {
        let groups = batch::groups(prompts, recipe.heads(), sharing, limits);
        let needs = Needs::of(recipe, checkpoint, weights, &groups, kept_rows);
        match limit {
            Some(limit) if needs.total() > limit => match limits.halved() {
                Some(less) => limits = less,
                None => return Err(RunError::Memory { needs, limit }),
            },
            _ => return Ok((groups, needs)),
        }
    }
}
