//! What a walk through a model takes: matrix products, and so time, known before it.

use super::batch::Group;
use crate::{
    arch::{Place, Recipe, WeightUse},
    observation::SCALES,
    progress::Work,
};

impl Work {
    pub(super) fn of(recipe: &Recipe, weights: &[WeightUse], groups: &[Group]) -> Work {
        let matrices: u64 = matrices(weights).map(|[a, b]| (a * b) as u64).sum();
        let rows: u64 = groups.iter().map(|group| group.tokens() as u64).sum();
        let last: u64 = groups.iter().map(|group| group.last.len() as u64).sum();
        let read_out = last * (1 + SCALES.len()) as u64;
        let unembedding = (recipe.vocabulary() * recipe.embedding_width()) as u64;
        Work {
            tokens: groups.iter().flat_map(|group| &group.rows).map(|rows| rows.len() as u64).sum(),
            rows,
            operations: 2 * (rows * matrices + read_out * unembedding),
        }
    }
}

/// Rows, inputs and outputs of the largest product of a walk.
pub(super) fn largest(weights: &[WeightUse], groups: &[Group]) -> [usize; 3] {
    let rows = groups.iter().map(Group::tokens).max().unwrap_or(1);
    let [a, b] = matrices(weights).max_by_key(|[a, b]| a * b).unwrap_or([1, 1]);
    [rows, a.min(b), a.max(b)]
}

/// The matrices of all blocks.
fn matrices(weights: &[WeightUse]) -> impl Iterator<Item = [usize; 2]> + '_ {
    let block = weights.iter().filter(|w| matches!(w.place, Place::Block(_)) && w.input.is_some());
    block.filter_map(|weight| <[usize; 2]>::try_from(&weight.shape[..]).ok())
}
