//! Weights of one module at a time: borrowed from the file where a graph takes them as they are stored (float32, and what
//! products of `crate::products` take), else widened into one buffer that is reused for the whole run.

use std::{collections::BTreeMap, ops::Range};

use ort::value::DynValue;

use super::{
    RunError,
    session::{Input, Session, floats, halves, value},
};
use crate::products::{Halves, Unit};
use model::{
    arch::{Place, WeightUse},
    checkpoint::{
        Checkpoint, Content, Dtype, Tensor,
        widen::{widen, widen_from},
    },
    onnx,
};

/// The tensors of one place; a recipe lists them next to each other.
pub(super) fn uses(weights: &[WeightUse], place: Place) -> &[WeightUse] {
    let start = weights.iter().position(|w| w.place == place).unwrap_or(weights.len());
    let count = weights[start..].iter().take_while(|w| w.place == place).count();
    &weights[start..start + count]
}

/// The reused buffer.
#[derive(Default)]
pub(super) struct Buffer {
    floats: Vec<f32>,
}

/// The weights of one module, ready to be inputs.
pub(super) struct Staged<'a> {
    weights: Vec<(&'a WeightUse, Weight<'a>)>,
}

/// One weight, where a graph reads it.
pub(super) enum Weight<'a> {
    /// Here.
    Floats(&'a [f32]),
    /// Here, for a product that takes it so.
    Stored(Halves<'a>),
    /// On a device, with what it was made from.
    Value(&'a DynValue, Tensor<'a>),
}

/// Where a weight's elements are.
enum Source<'c> {
    Mapped(&'c [f32]),
    Stored(Halves<'c>),
    Widened(Range<usize>),
}

impl Buffer {
    /// Widen or borrow every weight of `uses`, all as float32; those without a graph input are skipped.
    pub(super) fn stage<'a>(
        &'a mut self,
        checkpoint: &'a Checkpoint,
        uses: &'a [WeightUse],
    ) -> Result<Staged<'a>, RunError> {
        self.fill(None, checkpoint, uses)?;
        self.view(None, checkpoint, uses)
    }

    /// Widen what must be.
    pub(super) fn fill(
        &mut self,
        unit: Option<Unit>,
        checkpoint: &Checkpoint,
        uses: &[WeightUse],
    ) -> Result<(), RunError> {
        let (sources, size) = sources(unit, checkpoint, uses)?;
        let floats = self.room(size);
        for (_, tensor, source) in &sources {
            if let Source::Widened(range) = source {
                widen(tensor, &mut floats[range.clone()]);
            }
        }
        Ok(())
    }

    /// The weights, after [`Buffer::fill`] with the same arguments.
    pub(super) fn view<'a>(
        &'a self,
        unit: Option<Unit>,
        checkpoint: &'a Checkpoint,
        uses: &'a [WeightUse],
    ) -> Result<Staged<'a>, RunError> {
        let (sources, _) = sources(unit, checkpoint, uses)?;
        let weights = sources.into_iter().map(|(weight, _, source)| match source {
            Source::Mapped(mapped) => (weight, Weight::Floats(mapped)),
            Source::Stored(stored) => (weight, Weight::Stored(stored)),
            Source::Widened(range) => (weight, Weight::Floats(&self.floats[range])),
        });
        Ok(Staged::new(weights.collect()))
    }

    /// Some rows of a matrix `[n, row]` (or elements of a vector) as float32, and rows of zeros after them up to `count`.
    pub(super) fn rows<'a>(&'a mut self, tensor: &Tensor<'a>, rows: Range<usize>, count: usize) -> &'a [f32] {
        let row = tensor.elements() / tensor.shape[0].max(1);
        if count == rows.len()
            && let Some(floats) = mapped(tensor, rows.start * row..rows.end * row)
        {
            return floats;
        }
        let floats = self.room(count * row);
        let (given, filling) = floats.split_at_mut(rows.len() * row);
        widen_from(tensor, rows.start * row, given);
        filling.fill(0.0);
        floats
    }

    fn room(&mut self, size: usize) -> &mut [f32] {
        if self.floats.len() < size {
            // Nothing of the old content is needed: free it first, so that both never exist at once.
            self.floats = Vec::new();
            self.floats = vec![0.0; size];
        }
        &mut self.floats[..size]
    }
}

impl<'a> Staged<'a> {
    /// Each with a graph input.
    pub(super) fn new(weights: Vec<(&'a WeightUse, Weight<'a>)>) -> Staged<'a> {
        Staged { weights }
    }

    pub(super) fn inputs(&self) -> Result<Vec<Input<'a>>, RunError> {
        self.inputs_where(|_| true)
    }

    /// Those that a graph takes which has some of the module's weights.
    pub(super) fn inputs_of(&self, session: &Session) -> Result<Vec<Input<'a>>, RunError> {
        self.inputs_where(|name| session.inputs().any(|input| input == name))
    }

    fn inputs_where(&self, wanted: impl Fn(&str) -> bool) -> Result<Vec<Input<'a>>, RunError> {
        self.weights
            .iter()
            .filter(|(weight, _)| weight.input.as_deref().is_some_and(&wanted))
            .map(|(weight, data)| {
                let name = weight.input.as_deref().unwrap_or_default(); // as new() asks for
                match data {
                    Weight::Floats(data) => floats(name, weight.taken(), data),
                    Weight::Stored(data) => halves(name, weight.taken(), *data),
                    Weight::Value(data, _) => Ok(value(name, data)),
                }
            })
            .collect()
    }

    /// The graph inputs of weights that come as they are stored.
    pub(super) fn stored(&self) -> BTreeMap<String, onnx::Stored> {
        let stored = self.weights.iter().filter_map(|(weight, data)| match data {
            Weight::Stored(data) => Some((weight.input.clone()?, data.dtype().into())),
            _ => None,
        });
        stored.collect()
    }

    /// The first weight with a NaN or an infinity.
    pub(super) fn first_not_finite(&self) -> Option<String> {
        let damaged = |data: &Weight<'_>| match data {
            Weight::Floats(data) => data.iter().any(|x| !x.is_finite()),
            Weight::Stored(data) => !data.are_finite(),
            Weight::Value(_, tensor) => {
                let mut data = vec![0.0; tensor.elements()];
                widen(tensor, &mut data);
                data.iter().any(|x| !x.is_finite())
            }
        };
        self.weights.iter().find(|(_, data)| damaged(data)).map(|(weight, _)| weight.tensor.clone())
    }
}

/// The weights that a graph takes as inputs, with what it takes of their tensors.
pub(super) fn used<'a>(
    checkpoint: &'a Checkpoint,
    uses: &'a [WeightUse],
) -> impl Iterator<Item = Result<(&'a WeightUse, Tensor<'a>), RunError>> {
    let used = uses.iter().filter(|weight| weight.input.is_some());
    used.map(move |weight| Ok((weight, taken(checkpoint, weight)?)))
}

/// What is taken of a weight's tensor.
pub(super) fn taken<'a>(checkpoint: &'a Checkpoint, weight: &'a WeightUse) -> Result<Tensor<'a>, RunError> {
    let tensor = checkpoint.tensor(&weight.tensor)?;
    Ok(weight.part.as_ref().map_or(tensor, |part| tensor.part(part.first, &part.shape)))
}

/// How many elements [`Buffer::fill`] widens.
pub(super) fn widened(
    unit: Option<Unit>,
    checkpoint: &Checkpoint,
    uses: &[WeightUse],
) -> Result<usize, RunError> {
    Ok(sources(unit, checkpoint, uses)?.1)
}

/// The elements of a weight that the unit's products take as they lie.
pub(super) fn stored<'c>(unit: Option<Unit>, weight: &WeightUse, tensor: &Tensor<'c>) -> Option<Halves<'c>> {
    let Content::Stored(bytes) = tensor.content else { return None };
    if !weight.factor || !unit?.takes(tensor.dtype) {
        return None;
    }
    match tensor.dtype {
        Dtype::BF16 => as_they_lie(bytes).map(Halves::Bf16),
        Dtype::F16 => as_they_lie(bytes).map(Halves::F16),
        Dtype::F32 => None,
    }
}

/// Where each weight's elements are, in the order of `uses`, and how many are widened.
#[allow(clippy::type_complexity)]
fn sources<'a>(
    unit: Option<Unit>,
    checkpoint: &'a Checkpoint,
    uses: &'a [WeightUse],
) -> Result<(Vec<(&'a WeightUse, Tensor<'a>, Source<'a>)>, usize), RunError> {
    let mut sources = Vec::new();
    let mut size = 0;
    for found in used(checkpoint, uses) {
        let (weight, tensor) = found?;
        let floats = || mapped(&tensor, 0..tensor.elements()).map(Source::Mapped);
        let source = match stored(unit, weight, &tensor).map(Source::Stored).or_else(floats) {
            Some(source) => source,
            None => {
                let start = size;
                size += tensor.elements();
                Source::Widened(start..size)
            }
        };
        sources.push((weight, tensor, source));
    }
    Ok((sources, size))
}

/// Some elements as they lie, where they are aligned little-endian floats on a little-endian machine.
pub(super) fn mapped<'a>(tensor: &Tensor<'a>, elements: Range<usize>) -> Option<&'a [f32]> {
    let Content::Stored(bytes) = tensor.content else { return None };
    if tensor.dtype != Dtype::F32 {
        return None;
    }
    let size = tensor.dtype.size();
    as_they_lie(&bytes[elements.start * size..elements.end * size])
}

/// A number of which every bit pattern is one.
///
/// # Safety
/// Every bit pattern of the type's size is a valid value, and it has no padding.
pub(super) unsafe trait Plain {}
// SAFETY: IEEE 754 gives every pattern a meaning.
unsafe impl Plain for f32 {}
// SAFETY: a u16 inside.
unsafe impl Plain for half::f16 {}
// SAFETY: a u16 inside.
unsafe impl Plain for half::bf16 {}

/// Stored bytes as numbers, where they are aligned and the machine is little-endian as they are.
pub(super) fn as_they_lie<T: Plain>(bytes: &[u8]) -> Option<&[T]> {
    if cfg!(target_endian = "big") {
        return None;
    }
    // SAFETY: every bit pattern is a valid T, and align_to only hands out the aligned middle.
    let (before, numbers, after) = unsafe { bytes.align_to::<T>() };
    (before.is_empty() && after.is_empty()).then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::checkpoint::Made;

    #[test]
    fn only_aligned_floats_are_borrowed() {
        let floats = [1.0f32, -2.0, 3.5];
        let bytes: Vec<u8> = floats.iter().flat_map(|x| x.to_le_bytes()).collect();
        let mut padded = [0u8; 32];
        let aligned = padded.as_ptr().align_offset(4);
        for shift in [0, 1] {
            let start = aligned + shift;
            padded[start..start + 12].copy_from_slice(&bytes);
            let content = Content::Stored(&padded[start..start + 12]);
            let tensor = Tensor { name: "w", dtype: Dtype::F32, shape: &[3], content, first: 0 };
            assert_eq!(mapped(&tensor, 0..3), (shift == 0).then_some(&floats[..]));
            assert_eq!(mapped(&tensor, 1..3), (shift == 0).then_some(&floats[1..]));
        }
        let content = Content::Stored(&bytes);
        assert_eq!(
            mapped(&Tensor { name: "w", dtype: Dtype::BF16, shape: &[6], content, first: 0 }, 0..6),
            None
        );
        let content = Content::Made(&Made::constant(1.0));
        assert_eq!(
            mapped(&Tensor { name: "w", dtype: Dtype::F32, shape: &[3], content, first: 0 }, 0..3),
            None
        );
    }
}
