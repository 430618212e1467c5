//! What the weights of a model are like, whatever tokens it is given: norms of its matrices.

use serde::{Deserialize, Serialize};

/// Norms of one model's matrices, all float64.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Weighed {
    /// Embedding W_E `[vocabulary, E]`.
    pub embedding: Spectrum,
    /// Unembedding W_U `[vocabulary, E]`.
    pub unembedding: Spectrum,
    /// W_U less the mean of its rows, which no softmax sees.
    pub centred: Largest,
    /// W_U·diag(w), w what the final norm multiplies by, less the mean of its rows. None where the model has no such vector, or a
    /// projection lies between final norm and head.
    pub folded: Option<Largest>,
    /// ‖W_V‖_F² of every query head, `[L][H]`; blocks may differ in H.
    pub value_squares: Vec<Vec<f64>>,
}

/// Norms of one matrix `[rows, cols]`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spectrum {
    /// σ_max, the spectral norm.
    pub sigma_max: f64,
    /// Bound on the relative error of `sigma_max`, from products in float64 (their rounding, about 1e-13, not counted).
    /// With Ritz values θ₁ ≥ θ₂ of WᵀW and residuals r₁, r₂ it is r₁²/(θ₁ - θ₂ - r₂)/2θ₁, where that gap exceeds r₁
    /// (Kato–Temple; Parlett, The Symmetric Eigenvalue Problem, ch. 11), else r₁/2θ₁. It holds if no eigenvalue but the
    /// largest lies above θ₂ + r₂, in the other case if the nearest is the largest: true unless three or more crowd
    /// closer than r₁, or the fixed pseudo-random start misses one, which no iteration can exclude.
    pub relative_error: f64,
    /// Lanczos steps, each one pass over the matrix, those in float64 included.
    pub iterations: usize,
    /// Whether `relative_error` reached the tolerance within the most iterations allowed.
    pub converged: bool,
    /// ‖W‖_F.
    pub frobenius: f64,
    /// Norms of its rows.
    pub row_norms: RowNorms,
}

/// The largest singular value alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Largest {
    /// σ_max, the spectral norm.
    pub sigma_max: f64,
    /// As in [`Spectrum`].
    pub relative_error: f64,
    /// As in [`Spectrum`].
    pub iterations: usize,
    /// As in [`Spectrum`].
    pub converged: bool,
}

/// The Euclidean norms of the rows, summed up.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RowNorms {
    /// Mean over rows.
    pub mean: f64,
    /// Of the population: divided by the number of rows.
    pub std: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
}

impl RowNorms {
    /// From the squared norms of all rows.
    pub fn of(squares: &[f64]) -> RowNorms {
        let count = squares.len() as f64;
        let norms = || squares.iter().map(|square| square.sqrt());
        let mean = norms().sum::<f64>() / count;
        RowNorms {
            mean,
            std: (norms().map(|norm| (norm - mean).powi(2)).sum::<f64>() / count).sqrt(),
            min: norms().fold(f64::INFINITY, f64::min),
            max: norms().fold(0.0, f64::max),
        }
    }
}
