//! What a walk through a model takes: matrix products, and so time, known before it.

use super::{
    RunError,
    batch::Group,
    vocabulary::{ROWS, Unembedding},
    weights::stored,
};
use crate::{
    arch::{Place, Recipe, WeightUse},
    checkpoint::Checkpoint,
    observation::SCALES,
    progress::{Product, Products, Work},
    tiles::Tiles,
};

/// What a walk of these groups has to do.
///
/// # Errors
/// A missing tensor.
pub(super) fn work(
    tiles: Option<Tiles>,
    recipe: &Recipe,
    checkpoint: &Checkpoint,
    weights: &[WeightUse],
    groups: &[Group],
) -> Result<Work, RunError> {
    let (mut by_runtime, mut on_tiles) = (Products::default(), Products::default());
    let block = weights.iter().filter(|w| matches!(w.place, Place::Block(_)) && w.input.is_some());
    for weight in block {
        let [a, b] = weight.shape[..] else { continue };
        let stored = stored(tiles, weight, &checkpoint.tensor(&weight.tensor)?).is_some();
        let products = if stored { &mut on_tiles } else { &mut by_runtime };
        for group in groups {
            let product = Product { rows: group.tokens(), inputs: a.min(b), outputs: a.max(b) };
            products.add(product, product);
        }
    }
    let unembedding = Unembedding::find(tiles, recipe, checkpoint, weights)?;
    let products = if unembedding.stored.is_some() { &mut on_tiles } else { &mut by_runtime };
    for group in groups {
        let rows = group.last.len() * (1 + SCALES.len());
        let product = Product { rows, inputs: recipe.embedding_width(), outputs: recipe.vocabulary() };
        products.add(product, Product { outputs: ROWS.min(recipe.vocabulary()), ..product });
    }
    Ok(Work {
        tokens: groups.iter().flat_map(|group| &group.rows).map(|rows| rows.len() as u64).sum(),
        rows: groups.iter().map(|group| group.tokens() as u64).sum(),
        by_runtime,
        on_tiles,
    })
}
