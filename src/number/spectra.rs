//! How the token vectors of many prompts lie at each layer: the spectra of their covariance.

use serde::{Deserialize, Serialize};

/// The spectra of a prompt set, both `[L+1]`: layer l is the stream entering block l, L the last block's output.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spectra {
    /// Of all tokens of all prompts.
    pub all: Vec<Spectrum>,
    /// Of all but the first token of each prompt.
    pub without_first: Vec<Spectrum>,
}

/// One layer. `None` where it is not defined: fewer than two tokens, or vectors without spread or length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spectrum {
    /// Largest eigenvalue of the centred covariance over their sum.
    pub anisotropy: Option<f64>,
    /// exp of the entropy of the eigenvalues over their sum (Roy & Vetterli 2007).
    pub effective_rank: Option<f64>,
    /// Mean cosine of two vectors, over all pairs of tokens, not centred. Tokens with equal vectors are still two.
    pub mean_cosine: Option<f64>,
}

impl Spectra {
    /// Largest less smallest anisotropy over block outputs, layers 1..=L.
    pub fn anisotropy_range(layers: &[Spectrum]) -> Option<f64> {
        let outputs: Option<Vec<f64>> = layers.get(1..)?.iter().map(|layer| layer.anisotropy).collect();
        let outputs = outputs.filter(|outputs| !outputs.is_empty())?;
        let largest = outputs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Some(largest - outputs.iter().copied().fold(f64::INFINITY, f64::min))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_is_taken_over_block_outputs_alone() {
        let layer = |anisotropy| Spectrum { anisotropy: Some(anisotropy), ..Spectrum::default() };
        assert_eq!(Spectra::anisotropy_range(&[layer(0.9), layer(0.25), layer(0.5)]), Some(0.25));
        assert_eq!(Spectra::anisotropy_range(&[layer(0.9)]), None);
        assert_eq!(Spectra::anisotropy_range(&[layer(0.9), layer(0.5), Spectrum::default()]), None);
    }
}
