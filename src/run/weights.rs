//! Weights of one module at a time as float32: borrowed from the file where they are float32 already, else widened
//! into one buffer that is reused for the whole run.

use std::ops::Range;

use super::{
    RunError,
    session::{Input, floats},
};
use crate::{
    arch::WeightUse,
    checkpoint::{Checkpoint, Dtype, Tensor, widen::widen_bytes},
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
            let source = match mapped(tensor.dtype, tensor.bytes) {
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
                widen_bytes(tensor.dtype, tensor.bytes, &mut floats[range.clone()]);
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
        let size = row * tensor.dtype.size();
        let bytes = &tensor.bytes[rows.start * size..rows.end * size];
        if count == rows.len()
            && let Some(floats) = mapped(tensor.dtype, bytes)
        {
            return floats;
        }
        let floats = self.room(count * row);
        let (given, filling) = floats.split_at_mut(rows.len() * row);
        widen_bytes(tensor.dtype, bytes, given);
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

/// The bytes as they lie, where they are aligned little-endian floats on a little-endian machine.
fn mapped(dtype: Dtype, bytes: &[u8]) -> Option<&[f32]> {
    if dtype != Dtype::F32 || cfg!(target_endian = "big") {
        return None;
    }
    // SAFETY: every bit pattern is a valid f32, and align_to only hands out the aligned middle.
    let (before, floats, after) = unsafe { bytes.align_to::<f32>() };
    (before.is_empty() && after.is_empty()).then_some(floats)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_aligned_floats_are_borrowed() {
        let floats = [1.0f32, -2.0, 3.5];
        let bytes: Vec<u8> = floats.iter().flat_map(|x| x.to_le_bytes()).collect();
        let mut padded = [0u8; 32];
        let aligned = padded.as_ptr().align_offset(4);
        for shift in [0, 1] {
            let start = aligned + shift;
            padded[start..start + 12].copy_from_slice(&bytes);
            let found = mapped(Dtype::F32, &padded[start..start + 12]);
            assert_eq!(found, (shift == 0).then_some(&floats[..]));
        }
        assert_eq!(mapped(Dtype::BF16, &bytes), None);
    }
}
