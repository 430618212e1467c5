//! How rows are laid out for the tile unit.

use half::bf16;

/// Rows of a tile, and its columns of four bytes.
pub(super) const SIDE: usize = 16;
/// Inputs of a tile.
pub(super) const INPUTS: usize = 2 * SIDE;
/// bf16 numbers that sum to a float32 number.
pub(super) const PARTS: usize = 3;
/// Pairs of bf16 in a tile.
pub(super) const TILE: usize = SIDE * SIDE;
/// Pairs of the same rows and inputs, all parts.
pub(super) const STEP: usize = PARTS * TILE;

/// A product with a matrix in bf16.
pub(super) type Linear<'a> = crate::products::Linear<'a, &'a [bf16]>;

/// Pairs of so many rows, each number in its three parts, in the order in which the tile unit takes them: rows by 16, inputs
/// by 32, parts, pairs of inputs, rows. Rows and inputs that are not there are zeros.
pub(in crate::products) fn size(rows: usize, inputs: usize) -> usize {
    rows.div_ceil(SIDE) * inputs.div_ceil(INPUTS) * STEP
}
