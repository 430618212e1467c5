//! Spectra: how the token vectors of many prompts lie at each layer, from Gram matrices of tokens.
//!
//! With X `[T, D]` the vectors less their mean, X Xᵀ `[T, T]` has the eigenvalues of the covariance `[D, D]` times T, so
//! the latter is never formed. Vectors come in float32 as the runtime gives them; all sums here are float64.

use nalgebra::DMatrix;
use ndarray::{Array2, Axis};
use number::spectra::{Spectra, Spectrum};

/// Most tokens of a set: the time of the eigenvalues grows with their third power.
pub const MOST_TOKENS: usize = 2048;

/// Adds the next layer to `spectra`: the stream of each prompt, `[T, D]` row by row, `width` = D.
pub fn add_layer(spectra: &mut Spectra, streams: &[&[f32]], width: usize) {
    spectra.all.push(spectrum_of(streams.iter().copied(), width));
    let without_first = streams.iter().map(|stream| stream.get(width..).unwrap_or_default());
    spectra.without_first.push(spectrum_of(without_first, width));
}

fn spectrum_of<'a>(streams: impl Iterator<Item = &'a [f32]>, width: usize) -> Spectrum {
    let numbers: Vec<f64> = streams.flatten().map(|&x| f64::from(x)).collect();
    let tokens = numbers.len() / width.max(1);
    let Ok(vectors) = Array2::from_shape_vec((tokens, width), numbers) else {
        return Spectrum::default();
    };
    if tokens < 2 {
        return Spectrum::default();
    }
    let mean_cosine = mean_cosine(&vectors);
    let shares = variance_shares(vectors);
    Spectrum {
        anisotropy: shares.as_ref().map(|shares| shares.iter().copied().fold(0.0, f64::max)),
        effective_rank: shares.map(|shares| {
            let entropy: f64 = shares.iter().filter(|&&s| s > 0.0).map(|s| -s * s.ln()).sum();
            entropy.exp()
        }),
        mean_cosine,
    }
}

/// Eigenvalues of the covariance over their sum, from vectors `[T, D]`, T >= 2. `None` where all vectors are equal.
fn variance_shares(mut vectors: Array2<f64>) -> Option<Vec<f64>> {
    let square: f64 = vectors.iter().map(|x| x * x).sum();
    // Before the products, so that a long mean costs the spread no digits.
    let mean = vectors.mean_axis(Axis(0))?;
    vectors -= &mean;
    let gram = vectors.dot(&vectors.t());
    let tokens = gram.nrows();
    let gram = DMatrix::from_fn(tokens, tokens, |i, j| gram[[i, j]]);
    let mut values: Vec<f64> = gram.symmetric_eigenvalues().iter().map(|value| value.max(0.0)).collect();
    values.sort_by(f64::total_cmp); // small ones first, so that their sum keeps its digits
    let sum: f64 = values.iter().sum();
    // Below this lies what rounding the mean of equal vectors leaves; two float32 numbers differ by more.
    let spread = sum > 1e-28 * square && sum.is_finite();
    spread.then(|| values.iter().map(|value| value / sum).collect())
}

/// Over pairs i != j: (‖Σ u‖² - T) / (T (T - 1)) with u the vectors at length 1. `None` where one has no length.
fn mean_cosine(vectors: &Array2<f64>) -> Option<f64> {
    let mut sum = vec![0.0f64; vectors.ncols()];
    for vector in vectors.rows() {
        let length = vector.dot(&vector).sqrt();
        if !(length > 0.0 && length.is_finite()) {
            return None;
        }
        sum.iter_mut().zip(vector).for_each(|(s, x)| *s += x / length);
    }
    let tokens = vectors.nrows() as f64;
    let square: f64 = sum.iter().map(|s| s * s).sum();
    Some((square - tokens) / (tokens * (tokens - 1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: Option<f64>, expected: f64) {
        assert!(
            found.is_some_and(|found| (found - expected).abs() < 1e-12),
            "{found:?}, expected {expected}"
        );
    }

    #[test]
    fn a_known_cloud_has_its_spectrum() {
        // Around a far mean: 3 along one axis, 1 along another, so variances 9 and 1.
        let mut spectra = Spectra::default();
        let one = [53.0, 7.0, 0.0, 47.0, 7.0, 0.0];
        let other = [50.0, 8.0, 0.0, 50.0, 6.0, 0.0];
        add_layer(&mut spectra, &[&one, &other], 3);
        close(spectra.all[0].anisotropy, 0.9);
        close(spectra.all[0].effective_rank, (-0.9f64 * 0.9f64.ln() - 0.1 * 0.1f64.ln()).exp());
        // Behind the first tokens two vectors are left: one direction.
        close(spectra.without_first[0].anisotropy, 1.0);
        let cosine = (47.0 * 50.0 + 7.0 * 6.0) / ((47.0f64.powi(2) + 49.0) * (2500.0 + 36.0)).sqrt();
        close(spectra.without_first[0].mean_cosine, cosine);
    }

    #[test]
    fn equal_first_tokens_of_two_prompts_are_two_tokens() {
        let mut spectra = Spectra::default();
        add_layer(&mut spectra, &[&[1.0, 0.0], &[1.0, 0.0, 0.0, 2.0]], 2);
        close(spectra.all[0].mean_cosine, 1.0 / 3.0);
        close(spectra.all[0].anisotropy, 1.0);
        assert_eq!(spectra.without_first[0], Spectrum::default(), "one token has no spread");
    }

    #[test]
    fn vectors_without_spread_or_length_have_no_spectrum() {
        let mut spectra = Spectra::default();
        add_layer(&mut spectra, &[&[0.1, 0.7, 0.1, 0.7, 0.1, 0.7]], 2);
        assert_eq!((spectra.all[0].anisotropy, spectra.all[0].effective_rank), (None, None));
        close(spectra.all[0].mean_cosine, 1.0);
        add_layer(&mut spectra, &[&[0.0, 0.0, 1.0, 1.0]], 2);
        assert_eq!(spectra.all[1].mean_cosine, None);
        close(spectra.all[1].anisotropy, 1.0);
    }
}
