//! Weights of one module at a time as float32: borrowed from the file where they are float32 already, else widened
//! into one buffer that is reused for the whole run.

use std::ops::Range;

use super::{
    RunError,
    session::{Input, floats},
};
use crate::{
    arch::WeightUse,
    checkpoint::{
        Checkpoint, Content, Dtype, Tensor,
        widen::{widen, widen_from},
    },
};

/// The reused buffer.
#[derive(Default)]
pub struct Buffer {
    floats: Vec<f32>,
}

/// The weights of one module, ready to be inputs.
pub struct Staged<'a> {
    weights: Vec<(&'a WeightUse, &'a [f32])>,
}

enum Source<'c> {
    Mapped(&'c [f32]),
    Widened(Range<usize>),
}

impl Buffer {
    /// Widen or borrow every weight of `uses`; those without a graph input are skipped.
    pub fn stage<'a>(
        &'a mut self,
        checkpoint: &'a Checkpoint,
        uses: &'a [WeightUse],
    ) -> Result<Staged<'a>, RunError> {
        let mut sources = Vec::new();
        let mut used = 0;
        for weight in uses.iter().filter(|weight| weight.input.is_some()) {
            let tensor = checkpoint.tensor(&weight.tensor)?;
            let source = match mapped(&tensor, 0..tensor.elements()) {
                Some(floats) => Source::Mapped(floats),
                None => {
                    let start = used;
                    used += tensor.elements();
                    Source::Widened(start..used)
                }
            };
            sources.push((weight, tensor, source));
        }
        let floats = self.room(used);
        for (_, tensor, source) in &sources {
            if let Source::Widened(range) = source {
                widen(tensor, &mut floats[range.clone()]);
            }
        }
        let floats: &'a [f32] = floats;
        let weights = sources
            .into_iter()
            .map(|(weight, _, source)| match source {
                Source::Mapped(mapped) => (weight, mapped),
                Source::Widened(range) => (weight, &floats[range]),
            })
            .collect();
        Ok(Staged { weights })
    }

    /// Some rows of a matrix `[n, row]` (or elements of a vector) as float32, and rows of zeros after them up to `count`.
    pub fn rows<'a>(&'a mut self, tensor: &Tensor<'a>, rows: Range<usize>, count: usize) -> &'a [f32] {
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
    pub fn inputs(&self) -> Result<Vec<Input<'a>>, RunError> {
        self.weights
            .iter()
            .map(|(weight, data)| {
                let name = weight.input.as_deref().unwrap_or_default(); // stage() keeps only weights with an input
                floats(name, &weight.shape, data)
            })
            .collect()
    }

    /// The first weight with a NaN or an infinity.
    pub fn first_not_finite(&self) -> Option<String> {
        let damaged = |data: &[f32]| data.iter().any(|x| !x.is_finite());
        self.weights.iter().find(|(_, data)| damaged(data)).map(|(weight, _)| weight.tensor.clone())
    }
}

/// Some elements as they lie, where they are aligned little-endian floats on a little-endian machine.
fn mapped<'a>(tensor: &Tensor<'a>, elements: Range<usize>) -> Option<&'a [f32]> {
    let Content::Stored(bytes) = tensor.content else { return None };
    if tensor.dtype != Dtype::F32 || cfg!(target_endian = "big") {
        return None;
    }
    let size = tensor.dtype.size();
    let bytes = &bytes[elements.start * size..elements.end * size];
    // SAFETY: every bit pattern is a valid f32, and align_to only hands out the aligned middle.
    let (before, floats, after) = unsafe { bytes.align_to::<f32>() };
    (before.is_empty() && after.is_empty()).then_some(floats)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::Made;

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
            let tensor = Tensor { name: "w", dtype: Dtype::F32, shape: &[3], content };
            assert_eq!(mapped(&tensor, 0..3), (shift == 0).then_some(&floats[..]));
            assert_eq!(mapped(&tensor, 1..3), (shift == 0).then_some(&floats[1..]));
        }
        let content = Content::Stored(&bytes);
        assert_eq!(mapped(&Tensor { name: "w", dtype: Dtype::BF16, shape: &[6], content }, 0..6), None);
        let content = Content::Made(&Made::constant(1.0));
        assert_eq!(mapped(&Tensor { name: "w", dtype: Dtype::F32, shape: &[3], content }, 0..3), None);
    }
}
