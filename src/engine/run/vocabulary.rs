//! The vocabulary in pieces: rows of the unembedding as the head's graphs take them.

use std::{collections::BTreeMap, ops::Range};

use half::{bf16, f16};
use ort::value::DynValue;

use super::{
    RunError, Runtime,
    session::{Input, floats, halves, value},
    upload::Upload,
    weights::{Buffer, mapped, stored, uses},
};
use crate::products::{Halves, Unit};
use model::{
    arch::{Place, Recipe, UNEMBEDDING, WeightUse},
    checkpoint::{Checkpoint, Tensor},
    onnx,
};

/// Rows of the vocabulary per piece at most.
pub(super) const ROWS: usize = 8192;

/// Pieces are filled up to a multiple of this: where the runtime starts to sum a row in whole vectors depends on where it
/// lies in memory, and rows of such pieces lie alike, whatever prompts run together.
const WHOLE: usize = 16;
/// What is added to the logits of filling rows: far below any logit, and its exponential is exactly 0 in float32.
const NOT_A_TOKEN: f32 = -1e30;

/// The unembedding, where it lies.
pub(super) struct Unembedding<'a> {
    matrix: Tensor<'a>,
    /// Its elements, if products take them as they are stored.
    pub stored: Option<Halves<'a>>,
}

/// Bytes that hold a piece, at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Room {
    /// Of the buffer that weights are widened into.
    pub widened: usize,
    /// Beside that buffer.
    pub filled: usize,
}

impl<'a> Unembedding<'a> {
    /// # Errors
    /// A missing tensor.
    pub(super) fn find(
        unit: Option<Unit>,
        recipe: &Recipe,
        checkpoint: &'a Checkpoint,
        weights: &[WeightUse],
    ) -> Result<Unembedding<'a>, RunError> {
        let matrix = checkpoint.tensor(&recipe.unembedding_name(checkpoint))?;
        let weight = uses(weights, Place::Unembedding).first();
        let stored = weight.and_then(|weight| stored(unit, weight, &matrix));
        Ok(Unembedding { matrix, stored })
    }

    /// How many rows.
    pub(super) fn tokens(&self) -> usize {
        self.matrix.shape[0] // a matrix, as the recipe has checked
    }

    /// What [`Vocabulary::each_piece`] takes.
    pub(super) fn room(&self) -> Room {
        let width = self.width();
        let mut room = Room::default();
        for ids in pieces(self.tokens()) {
            let (count, whole) = (padding(&ids).len(), ids.len().is_multiple_of(WHOLE));
            match self.stored {
                Some(_) if whole => {}
                Some(_) => room.filled = room.filled.max(count * width * size_of::<u16>()),
                None if whole && mapped(&self.matrix, ids.start * width..ids.end * width).is_some() => {}
                None => room.widened = room.widened.max(count * width * size_of::<f32>()),
            }
        }
        room
    }

    fn width(&self) -> usize {
        self.matrix.elements() / self.tokens().max(1)
    }
}

/// The unembedding and its bias.
pub(super) struct Vocabulary<'a> {
    unembedding: Unembedding<'a>,
    bias: Option<Tensor<'a>>,
    upload: Option<Upload<'a>>,
}

/// One piece, as the graphs take it.
pub(super) struct Piece<'a> {
    /// Token ids.
    pub ids: Range<usize>,
    /// Name of the matrix.
    tensor: &'a str,
    width: usize,
    rows: Rows<'a>,
    bias: Option<&'a [f32]>,
    padding: Vec<f32>,
}

enum Rows<'a> {
    Floats(&'a [f32]),
    Stored(Halves<'a>),
    /// On a device, with what went there.
    There(DynValue, &'a [f32]),
}

impl<'a> Vocabulary<'a> {
    /// # Errors
    /// A missing tensor, what the runtime refuses.
    pub(super) fn new(
        runtime: &'a Runtime,
        checkpoint: &'a Checkpoint,
        recipe: &Recipe,
        weights: &[WeightUse],
    ) -> Result<Vocabulary<'a>, RunError> {
        let unembedding = Unembedding::find(runtime.unit(), recipe, checkpoint, weights)?;
        let bias = recipe.unembedding_bias_name().map(|name| checkpoint.tensor(name)).transpose()?;
        Ok(Vocabulary { unembedding, bias, upload: Upload::of(runtime)? })
    }

    /// How many there are.
    pub(super) fn tokens(&self) -> usize {
        self.unembedding.tokens()
    }

    /// The inputs that the graphs take as they are stored.
    pub(super) fn stored(&self) -> BTreeMap<String, onnx::Stored> {
        self.unembedding
            .stored
            .iter()
            .map(|halves| (UNEMBEDDING.to_string(), halves.dtype().into()))
            .collect()
    }

    /// Calls `each` with every piece; each is widened once if it must be, into `buffer`, and goes to a device once, for all
    /// that it is multiplied with there.
    ///
    /// # Errors
    /// What the runtime refuses, and the first error of `each`.
    pub(super) fn each_piece(
        &self,
        buffer: &mut Buffer,
        mut each: impl FnMut(&Piece<'_>) -> Result<(), RunError>,
    ) -> Result<(), RunError> {
        let (matrix, width) = (&self.unembedding.matrix, self.unembedding.width());
        let mut bias_buffer = Buffer::default();
        let mut filled = (Vec::new(), Vec::new()); // one of the two is used
        for ids in pieces(self.tokens()) {
            let padding = padding(&ids);
            let count = padding.len();
            let staging = tracing::info_span!("stage head", tokens_from = ids.start).entered();
            let bias = self.bias.as_ref().map(|bias| bias_buffer.rows(bias, ids.clone(), count));
            let rows = match (self.unembedding.stored, &self.upload) {
                (Some(stored), _) => {
                    let rows = stored.slice(ids.start * width..ids.end * width);
                    Rows::Stored(match rows {
                        _ if count == ids.len() => rows,
                        Halves::Bf16(rows) => {
                            filled.0 = with_zeros(rows, bf16::ZERO, count * width, filled.0);
                            Halves::Bf16(&filled.0)
                        }
                        Halves::F16(rows) => {
                            filled.1 = with_zeros(rows, f16::ZERO, count * width, filled.1);
                            Halves::F16(&filled.1)
                        }
                    })
                }
                (None, None) => Rows::Floats(buffer.rows(matrix, ids.clone(), count)),
                (None, Some(upload)) => {
                    let rows = buffer.rows(matrix, ids.clone(), count);
                    Rows::There(upload.put(&[count, width], rows)?, rows)
                }
            };
            drop(staging);
            each(&Piece { tensor: matrix.name, width, rows, bias, padding, ids })?;
        }
        Ok(())
    }
}

impl<'a> Piece<'a> {
    /// What every graph over logits takes of a piece.
    pub(super) fn inputs(&'a self) -> Result<Vec<Input<'a>>, RunError> {
        let count = self.padding.len();
        let shape = [count, self.width];
        let rows = match &self.rows {
            Rows::Floats(rows) => floats(UNEMBEDDING, &shape, rows)?,
            Rows::Stored(rows) => halves(UNEMBEDDING, &shape, *rows)?,
            Rows::There(there, _) => value(UNEMBEDDING, there),
        };
        let mut inputs = vec![rows, floats("padding", &[count], &self.padding)?];
        if let Some(bias) = self.bias {
            inputs.push(floats("unembedding_bias", &[count], bias)?);
        }
        Ok(inputs)
    }

    /// Logits of this piece are not finite.
    pub(super) fn not_finite(&self) -> RunError {
        let damaged = match &self.rows {
            Rows::Floats(rows) | Rows::There(_, rows) => rows.iter().any(|x| !x.is_finite()),
            Rows::Stored(rows) => !rows.are_finite(),
        };
        RunError::NotFinite { place: Place::Unembedding, tensor: damaged.then(|| self.tensor.to_string()) }
    }
}

/// `rows` and zeros up to `size`, in the room of `before`.
fn with_zeros<T: Copy>(rows: &[T], zero: T, size: usize, mut before: Vec<T>) -> Vec<T> {
    before.clear();
    before.reserve_exact(size); // growing would double it
    before.extend_from_slice(rows);
    before.resize(size, zero);
    before
}

/// Pieces of nearly equal size, so that none is too small to hold the top tokens.
fn pieces(vocabulary: usize) -> Vec<Range<usize>> {
    let count = vocabulary.div_ceil(ROWS);
    (0..count).map(|i| i * vocabulary / count..(i + 1) * vocabulary / count).collect()
}

/// What is added to the logits of a filled piece, one number a row.
fn padding(ids: &Range<usize>) -> Vec<f32> {
    let filled = ids.len().next_multiple_of(WHOLE);
    (0..filled).map(|row| if row < ids.len() { 0.0 } else { NOT_A_TOKEN }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use number::observation::TOP_K;

    #[test]
    fn a_filled_piece_has_whole_vectors_and_tells_tokens_from_filling() {
        for piece in [0..16, 5..6, 8192..16_383] {
            let padding = padding(&piece);
            assert!(padding.len().is_multiple_of(WHOLE) && padding.len() < piece.len() + WHOLE);
            assert!(padding[..piece.len()].iter().all(|x| *x == 0.0));
            assert!(padding[piece.len()..].iter().all(|x| (x - 1e6).exp() == 0.0 && (x + 1e6).exp() == 0.0));
        }
    }

    #[test]
    fn pieces_cover_the_vocabulary_and_none_is_tiny() {
        for vocabulary in [1, 5, 8192, 8193, 128_256] {
            let pieces = pieces(vocabulary);
            assert_eq!((pieces[0].start, pieces[pieces.len() - 1].end), (0, vocabulary));
            assert!(pieces.windows(2).all(|w| w[0].end == w[1].start));
            assert!(pieces.iter().all(|p| p.len() <= ROWS && p.len() >= TOP_K.min(vocabulary)));
        }
    }
}
