//! What a walk through a model takes: matrix products, and so time, known before it.

use super::{
    RunError,
    batch::Group,
    readout::SLICE,
    vocabulary::{ROWS, Unembedding},
    weights::{stored, taken, uses},
};
use crate::products::Unit;
use base::progress::{Product, Products, Work};
use model::{
    arch::{Place, Recipe, Routed, WeightUse},
    checkpoint::Checkpoint,
};
use number::observation::SCALES;

/// What a walk of these groups has to do, with so many rows kept for the loss and the lens.
///
/// # Errors
/// A missing tensor.
pub(super) fn work(
    unit: Option<Unit>,
    recipe: &Recipe,
    checkpoint: &Checkpoint,
    weights: &[WeightUse],
    groups: &[Group],
    kept: usize,
) -> Result<Work, RunError> {
    let (mut by_runtime, mut as_stored) = (Products::default(), Products::default());
    let block = weights.iter().filter(|w| matches!(w.place, Place::Block(_)) && w.input.is_some());
    for weight in block {
        let [a, b] = weight.shape[..] else { continue };
        let stored = stored(unit, weight, &checkpoint.tensor(&weight.tensor)?).is_some();
        let products = if stored { &mut as_stored } else { &mut by_runtime };
        for group in groups {
            let product = Product { rows: group.tokens(), inputs: a.min(b), outputs: a.max(b) };
            products.add(product, product);
        }
    }
    for layer in 0..recipe.blocks() {
        let Some(Routed { experts, .. }) = recipe.routed(layer) else { continue };
        let one = uses(weights, Place::Expert(layer, 0));
        for weight in one {
            let [a, b] = weight.taken()[..] else { continue };
            let stored = stored(unit, weight, &taken(checkpoint, weight)?).is_some();
            let products = if stored { &mut as_stored } else { &mut by_runtime };
            for group in groups {
                let rows = group.real_rows() * experts.chosen;
                let product = Product { rows, inputs: a.min(b), outputs: a.max(b) };
                products.add(product, Product { rows: rows.div_ceil(experts.count), ..product });
            }
        }
    }
    let unembedding = Unembedding::find(unit, recipe, checkpoint, weights)?;
    let products = if unembedding.stored.is_some() { &mut as_stored } else { &mut by_runtime };
    let last = groups.iter().map(|group| group.last.len() * (1 + SCALES.len()));
    for (rows, at_once) in last.map(|rows| (rows, rows)).chain([(kept, SLICE.min(kept))]) {
        let product = Product { rows, inputs: recipe.embedding_width(), outputs: recipe.vocabulary() };
        products.add(product, Product { rows: at_once, outputs: ROWS.min(recipe.vocabulary()), ..product });
    }
    Ok(Work {
        tokens: groups.iter().flat_map(|group| &group.rows).map(|rows| rows.len() as u64).sum(),
        rows: groups.iter().map(|group| group.tokens() as u64).sum(),
        by_runtime,
        as_stored,
    })
}
