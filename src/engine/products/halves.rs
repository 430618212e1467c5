//! Elements of two bytes.

use std::ops::Range;

use half::{bf16, f16};

use model::checkpoint::Dtype;

/// Some elements of a weight, as they lie.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Halves<'a> {
    Bf16(&'a [bf16]),
    F16(&'a [f16]),
}

impl<'a> Halves<'a> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Halves::Bf16(elements) => elements.len(),
            Halves::F16(elements) => elements.len(),
        }
    }

    /// # Panics
    /// Where they are not there.
    pub(crate) fn slice(&self, range: Range<usize>) -> Halves<'a> {
        match self {
            Halves::Bf16(elements) => Halves::Bf16(&elements[range]),
            Halves::F16(elements) => Halves::F16(&elements[range]),
        }
    }

    pub(crate) fn dtype(&self) -> Dtype {
        match self {
            Halves::Bf16(_) => Dtype::BF16,
            Halves::F16(_) => Dtype::F16,
        }
    }

    /// No NaN and no infinity.
    pub(crate) fn are_finite(&self) -> bool {
        match self {
            Halves::Bf16(elements) => elements.iter().all(|x| x.is_finite()),
            Halves::F16(elements) => elements.iter().all(|x| x.is_finite()),
        }
    }
}
