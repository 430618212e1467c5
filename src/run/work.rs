//! What a walk through a model takes: matrix products, and so time, known before it.

use super::{RunError, batch::Group, weights::stored};
use crate::{
    arch::{Place, Recipe, WeightUse},
    checkpoint::Checkpoint,
    observation::SCALES,
    progress::{Product, Work},
    tiles::Tiles,
};

impl Work {
    pub(super) fn of(recipe: &Recipe, weights: &[WeightUse], groups: &[Group]) -> Work {
        let matrices: u64 = matrices(weights).map(|(_, [a, b])| (a * b) as u64).sum();
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

/// The largest product of a walk.
pub(super) fn largest(
    tiles: Option<Tiles>,
    checkpoint: &Checkpoint,
    weights: &[WeightUse],
    groups: &[Group],
) -> Result<Product, RunError> {
    let rows = groups.iter().map(Group::tokens).max().unwrap_or(1);
    let matrix = matrices(weights).max_by_key(|(_, [a, b])| a * b);
    let (mut on_tiles, [a, b]) = (false, matrix.map_or([1, 1], |(_, sizes)| sizes));
    if let Some((weight, _)) = matrix {
        on_tiles = stored(tiles, weight, &checkpoint.tensor(&weight.tensor)?).is_some();
    }
    Ok(Product { rows, inputs: a.min(b), outputs: a.max(b), on_tiles })
}

/// The matrices of all blocks.
fn matrices(weights: &[WeightUse]) -> impl Iterator<Item = (&WeightUse, [usize; 2])> + '_ {
    let block = weights.iter().filter(|w| matches!(w.place, Place::Block(_)) && w.input.is_some());
    block.filter_map(|weight| Some((weight, <[usize; 2]>::try_from(&weight.shape[..]).ok()?)))
}
