//! What a product is made of: rows, a weight with its bias, and a way to run tasks on threads.

use super::Halves;

/// Calls a function with each of `0..n` once, on any threads, and returns when all are done. Tasks write what is theirs alone by
/// their number: one that was called twice at once, or beyond `n`, would write where another does.
pub(crate) type Each<'e> = &'e dyn Fn(usize, &(dyn Fn(usize) + Sync));

/// Rows of float32, repacked in the order in which a [`Unit`](super::Unit) multiplies them, as u32 bit patterns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rows<'a> {
    /// As many as [`Unit::size`](super::Unit::size) says; rows and inputs that are not there are zeros.
    pub bits: &'a [u32],
    pub rows: usize,
    pub inputs: usize,
}

/// A matrix `[outputs, inputs]`, row by row, with what is added to its products.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Linear<'a, W = Halves<'a>> {
    pub weight: W,
    pub bias: Option<&'a [f32]>,
    pub outputs: usize,
}

impl<'a> Linear<'a> {
    /// The same product with another form of the weight.
    pub(super) fn with<W>(self, weight: W) -> Linear<'a, W> {
        Linear { weight, bias: self.bias, outputs: self.outputs }
    }
}
