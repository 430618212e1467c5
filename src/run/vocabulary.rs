//! The vocabulary in pieces: rows of the unembedding as the head's graphs take them.

use std::ops::Range;

use ort::value::DynValue;

use super::{
    RunError, Runtime,
    session::{Input, floats, value},
    upload::Upload,
    weights::Buffer,
};
use crate::{
    arch::{Place, Recipe},
    checkpoint::Checkpoint,
};

/// Rows of the vocabulary per piece at most.
pub(super) const ROWS: usize = 8192;

/// Pieces are filled up to a multiple of this: where the runtime starts to sum a row in whole vectors depends on where it
/// lies in memory, and rows of such pieces lie alike, whatever prompts run together.
const WHOLE: usize = 16;
/// What is added to the logits of filling rows: far below any logit, and its exponential is exactly 0 in float32.
const NOT_A_TOKEN: f32 = -1e30;

/// One piece, widened.
pub struct Piece<'a> {
    /// Token ids.
    pub ids: Range<usize>,
    /// Name of the matrix.
    tensor: &'a str,
    width: usize,
    rows: &'a [f32],
    /// The same on a device.
    there: Option<DynValue>,
    bias: Option<&'a [f32]>,
    padding: Vec<f32>,
}

/// Calls `each` with every piece; each is widened once, into `buffer`, and goes to a device once, for all that it is
/// multiplied with there.
///
/// # Errors
/// A missing tensor, and the first error of `each`.
pub fn each_piece(
    runtime: &Runtime,
    checkpoint: &Checkpoint,
    recipe: &Recipe,
    buffer: &mut Buffer,
    mut each: impl FnMut(&Piece<'_>) -> Result<(), RunError>,
) -> Result<(), RunError> {
    let matrix = checkpoint.tensor(&recipe.unembedding_name(checkpoint))?;
    let bias = recipe.unembedding_bias_name().map(|name| checkpoint.tensor(name)).transpose()?;
    let mut bias_buffer = Buffer::default();
    let upload = Upload::of(runtime)?;
    for ids in pieces(recipe.vocabulary()) {
        let padding = padding(&ids);
        let count = padding.len();
        let widen = tracing::info_span!("widen head", tokens_from = ids.start).entered();
        let rows = buffer.rows(&matrix, ids.clone(), count);
        let bias = bias.as_ref().map(|bias| bias_buffer.rows(bias, ids.clone(), count));
        drop(widen);
        let width = recipe.embedding_width();
        let there = upload.as_ref().map(|upload| upload.put(&[count, width], rows)).transpose()?;
        each(&Piece { tensor: matrix.name, width, rows, there, bias, padding, ids })?;
    }
    Ok(())
}

impl<'a> Piece<'a> {
    /// What every graph over logits takes of a piece.
    pub fn inputs(&'a self) -> Result<Vec<Input<'a>>, RunError> {
        let count = self.padding.len();
        let rows = match &self.there {
            Some(there) => value("unembedding", there),
            None => floats("unembedding", &[count, self.width], self.rows)?,
        };
        let mut inputs = vec![rows, floats("padding", &[count], &self.padding)?];
        if let Some(bias) = self.bias {
            inputs.push(floats("unembedding_bias", &[count], bias)?);
        }
        Ok(inputs)
    }

    /// Logits of this piece are not finite.
    pub fn not_finite(&self) -> RunError {
        let damaged = self.rows.iter().any(|x| !x.is_finite());
        RunError::NotFinite { place: Place::Unembedding, tensor: damaged.then(|| self.tensor.to_string()) }
    }
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
    use crate::observation::TOP_K;

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
