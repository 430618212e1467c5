//! Weighing: what the weights of a model are like, whatever tokens it is given.
//!
//! Norms of embedding and unembedding, the latter also without the mean of its rows and with the final norm folded in,
//! and the squares of the value weights of every head. Each matrix streams by; none is copied.

use serde::Serialize;

use crate::spectral::{SpectralError, Transform, spectra};
use base::progress::Progress;
use model::{
    arch::{ArchError, FinalNormWeight, Recipe, ValueWeights},
    checkpoint::{Checkpoint, CheckpointError, Tensor, widen::widen},
};
use number::weights::Weighed;

/// Steps of [`weigh`] in its stage of progress.
pub const STEPS: u64 = 5;

/// Which tensors are weighed, and how they are read: all that a config decides about it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Parts {
    /// Name of the embedding in the checkpoint.
    pub embedding: String,
    /// Name of the unembedding in the checkpoint; the embedding's where they are tied.
    pub unembedding: String,
    /// None: the model has no such vector, or a projection lies between final norm and head.
    pub final_norm: Option<FinalNormWeight>,
    /// One per block.
    pub values: Vec<ValueWeights>,
}

/// Why a model cannot be weighed.
#[derive(Debug, thiserror::Error)]
pub enum WeighError {
    /// The weights do not fit the config.
    #[error(transparent)]
    Arch(#[from] ArchError),
    /// The checkpoint cannot be read.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A matrix has no spectral norm.
    #[error(transparent)]
    Spectral(#[from] SpectralError),
    /// A vector or a value weight holds NaN or infinity.
    #[error("tensor {tensor:?}: expected finite numbers, found NaN or infinity; the checkpoint is damaged")]
    NotFinite {
        /// Name of the tensor.
        tensor: String,
    },
}

impl Parts {
    /// The parts of this recipe, under the names this checkpoint gives them.
    pub fn of(recipe: &Recipe, checkpoint: &Checkpoint) -> Parts {
        Parts {
            embedding: recipe.embedding_name(checkpoint),
            unembedding: recipe.unembedding_name(checkpoint),
            final_norm: recipe.final_norm_weight(checkpoint),
            values: recipe.value_weights(checkpoint),
        }
    }
}

/// Weighs a model. The caller starts and ends the stage in `progress`; here it advances by [`STEPS`].
///
/// # Errors
/// A checkpoint that does not fit its config, a tensor that cannot be read or holds NaN or infinity.
pub fn weigh(
    recipe: &Recipe,
    checkpoint: &Checkpoint,
    progress: &dyn Progress,
) -> Result<Weighed, WeighError> {
    recipe.checked_weights(checkpoint)?;
    let parts = Parts::of(recipe, checkpoint);
    let head = checkpoint.tensor(&parts.unembedding)?;
    let factors = match &parts.final_norm {
        Some(norm) => Some(factors(norm, &checkpoint.tensor(&norm.tensor)?)?),
        None => None,
    };
    let centred = Transform { scale: None, centred: true };
    let folded = factors.as_deref().map(|factors| Transform { scale: Some(factors), centred: true });
    let transforms: Vec<Transform<'_>> = std::iter::once(centred).chain(folded).collect();
    let (unembedding, found) = spectra(&head, &transforms)?;
    progress.advance(3);
    let tied = parts.unembedding == parts.embedding;
    let embedding = if tied { unembedding } else { spectra(&checkpoint.tensor(&parts.embedding)?, &[])?.0 };
    progress.advance(1);
    let value_squares =
        parts.values.iter().map(|values| squares(values, checkpoint)).collect::<Result<_, _>>()?;
    progress.advance(1);
    let (centred, folded) = (found[0], found.get(1).copied()); // as they were asked for
    checkpoint.unchanged()?;
    Ok(Weighed { embedding, unembedding, centred, folded, value_squares })
}

/// What the final norm multiplies each channel by.
fn factors(norm: &FinalNormWeight, tensor: &Tensor<'_>) -> Result<Vec<f64>, WeighError> {
    let mut weights = vec![0.0f32; tensor.elements()];
    widen(tensor, &mut weights);
    if weights.iter().any(|weight| !weight.is_finite()) {
        return Err(WeighError::NotFinite { tensor: norm.tensor.clone() });
    }
    let offset = if norm.from_one { 1.0 } else { 0.0 };
    Ok(weights.into_iter().map(|weight| offset + f64::from(weight)).collect())
}

fn squares(values: &ValueWeights, checkpoint: &Checkpoint) -> Result<Vec<f64>, WeighError> {
    let squares = values.squares(&checkpoint.tensor(&values.tensor)?);
    if squares.iter().any(|square| !square.is_finite()) {
        return Err(WeighError::NotFinite { tensor: values.tensor.clone() });
    }
    Ok(squares)
}
