//! The largest singular value of a weight matrix, and the norms of its rows, without a second copy of it.
//!
//! Also of the matrix with its columns scaled and its rows' mean taken away ([`Transform`]), in the same passes: each step of
//! block Lanczos on WᵀW (`krylov`) streams W's rows once for all of them (`gram`), multiplied in float32. What that found
//! is then taken up in float64, as a rule for one pass: an error of a vector enters its Rayleigh quotient squared.

mod gram;
mod krylov;

use rayon::prelude::*;

use gram::{Matrix, Real};
use krylov::{Estimate, Krylov, dot};
use model::checkpoint::Tensor;
use number::weights::{Largest, RowNorms, Spectrum};

/// A matrix derived from W `[rows, cols]`: W·diag(scale), then less the mean of its rows. The default is W itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Transform<'a> {
    /// A factor on each column, `[cols]`; `None` leaves them.
    pub scale: Option<&'a [f64]>,
    /// Take the mean of the rows, after scaling, away from each.
    pub centred: bool,
}

/// Why a tensor has no spectral norm.
#[derive(Debug, thiserror::Error)]
pub enum SpectralError {
    /// The tensor has not two axes, or no elements.
    #[error(
        "tensor {tensor:?}: expected a matrix [rows, cols] with elements, found shape {shape:?}; name a weight matrix"
    )]
    NotAMatrix {
        /// Name of the tensor.
        tensor: String,
        /// Its shape.
        shape: Vec<usize>,
    },
    /// The tensor holds NaN or infinity.
    #[error(
        "tensor {tensor:?}: expected finite numbers, found NaN or infinity in row {row}; the checkpoint is damaged"
    )]
    NotFinite {
        /// Name of the tensor.
        tensor: String,
        /// The first such row, from 0.
        row: usize,
    },
    /// There are not as many factors as columns.
    #[error("tensor {tensor:?} has {cols} columns, but there are {factors} factors for them")]
    Factors {
        /// Name of the tensor.
        tensor: String,
        /// Its columns.
        cols: usize,
        /// How many factors were given.
        factors: usize,
    },
}

/// Iteration stops at this relative error bound of σ_max.
pub const TOLERANCE: f64 = 1e-7;
/// Steps after which the estimate is returned with the bound it has. Trained unembeddings need some ten steps;
/// random matrices, whose largest singular values crowd, some hundred.
pub const MOST_ITERATIONS: usize = 500;

/// σ_max to 1e-7, Frobenius and row norms of a matrix, and σ_max of what each of `transforms` makes of it. Reads the matrix
/// once more than the most iterations.
///
/// With m the mean of the n rows of W and Ŵ = W - 1mᵀ, the Gram matrix of W·S less the mean of its rows is S ŴᵀŴ S, and
/// that of W·S is n Sm(Sm)ᵀ more: what is iterated is never a difference of large numbers.
///
/// # Errors
/// A tensor that is no matrix, has no elements or holds NaN or infinity; factors of another number than columns.
pub fn spectra(
    tensor: &Tensor<'_>,
    transforms: &[Transform<'_>],
) -> Result<(Spectrum, Vec<Largest>), SpectralError> {
    let name = || tensor.name.to_string();
    let matrix = Matrix::of(tensor)
        .ok_or_else(|| SpectralError::NotAMatrix { tensor: name(), shape: tensor.shape.to_vec() })?;
    let cols = matrix.cols;
    let factors = transforms.iter().filter_map(|transform| transform.scale).map(<[f64]>::len);
    if let Some(factors) = factors.into_iter().find(|&factors| factors != cols) {
        return Err(SpectralError::Factors { tensor: name(), cols, factors });
    }
    let survey = matrix.survey();
    if let Some(row) = survey.squares.iter().position(|square| !square.is_finite()) {
        return Err(SpectralError::NotFinite { tensor: name(), row });
    }
    let frobenius = survey.squares.iter().sum::<f64>().sqrt();
    let typical = frobenius / ((matrix.rows * cols) as f64).sqrt();
    // Its inverse, too, is a float32.
    let unit = if typical > 0.0 { typical.log2().floor().clamp(-126.0, 126.0).exp2() } else { 1.0 };
    let weight = Weight { matrix, mean: survey.mean, unit };

    let plain = Transform::default();
    let mut searches: Vec<Search<'_>> =
        std::iter::once(&plain).chain(transforms).map(|&transform| Search::new(&weight, transform)).collect();
    // Half is left for what float32 does to the vectors.
    advance::<f32>(&weight, &mut searches, TOLERANCE / 2.0);
    searches.iter_mut().for_each(Search::restart);
    advance::<f64>(&weight, &mut searches, TOLERANCE);

    let mut found = searches.iter().map(Search::found);
    // The first is the matrix as it lies.
    let Largest { sigma_max, relative_error, iterations, converged } = found.next().unwrap_or_default();
    let row_norms = RowNorms::of(&survey.squares);
    Ok((Spectrum { sigma_max, relative_error, iterations, converged, frobenius, row_norms }, found.collect()))
}

/// A matrix and what one pass told of it.
struct Weight<'a> {
    matrix: Matrix<'a>,
    /// Of the rows, `[cols]`.
    mean: Vec<f64>,
    /// A power of two near the size of the elements.
    unit: f64,
}

/// The search for the largest singular value of one transform of a matrix.
struct Search<'a> {
    transform: Transform<'a>,
    /// √n Sm, `[cols]`, whose square the Gram matrix of a transform that is not centred has besides.
    beside: Option<Vec<f64>>,
    krylov: Krylov,
    /// None: it goes on.
    estimate: Option<Estimate>,
    /// Steps of searches before a restart.
    before: usize,
}

impl<'a> Search<'a> {
    fn new(weight: &Weight<'_>, transform: Transform<'a>) -> Search<'a> {
        let root = (weight.matrix.rows as f64).sqrt();
        let beside =
            (!transform.centred).then(|| transform.scaled(&weight.mean).iter().map(|m| root * m).collect());
        Search {
            transform,
            beside,
            krylov: Krylov::new(krylov::start(weight.matrix.cols)),
            estimate: None,
            before: 0,
        }
    }

    /// The vectors whose products with ŴᵀŴ are wanted.
    fn wanted(&self) -> Vec<Vec<f64>> {
        self.krylov.block().iter().map(|v| self.transform.scaled(v)).collect()
    }

    /// Takes those products.
    fn take(&mut self, products: Vec<Vec<f64>>, tolerance: f64) {
        let whole = |(product, v): (Vec<f64>, &Vec<f64>)| {
            let mut product = self.transform.scaled(&product);
            if let Some(beside) = &self.beside {
                let along = dot(beside, v);
                product.iter_mut().zip(beside).for_each(|(p, m)| *p += along * m);
            }
            product
        };
        let products = products.into_iter().zip(self.krylov.block()).map(whole).collect();
        self.krylov.absorb(products);
        // After a restart at least one step is taken.
        self.estimate = self.krylov.settled(tolerance, MOST_ITERATIONS.saturating_sub(self.before));
    }

    /// Forgets all but the best vectors.
    fn restart(&mut self) {
        if let Some(estimate) = self.estimate.take() {
            self.before += self.krylov.steps();
            self.krylov = Krylov::new(self.krylov.leaders(&estimate));
        }
    }

    fn found(&self) -> Largest {
        let (theta, relative_error) =
            self.estimate.as_ref().map_or((0.0, f64::INFINITY), |found| (found.theta, found.relative_error));
        Largest {
            sigma_max: theta.max(0.0).sqrt(),
            relative_error,
            iterations: self.before + self.krylov.steps(),
            converged: relative_error <= TOLERANCE,
        }
    }
}

impl Transform<'_> {
    /// S v.
    fn scaled(&self, v: &[f64]) -> Vec<f64> {
        match self.scale {
            Some(scale) => v.iter().zip(scale).map(|(v, s)| v * s).collect(),
            None => v.to_vec(),
        }
    }
}

/// Steps of all searches together until each has an estimate, with products in `T`.
fn advance<T: Real>(weight: &Weight<'_>, searches: &mut [Search<'_>], tolerance: f64) {
    loop {
        let mut open: Vec<&mut Search<'_>> =
            searches.iter_mut().filter(|search| search.estimate.is_none()).collect();
        if open.is_empty() {
            return;
        }
        let wanted: Vec<Vec<Vec<f64>>> = open.iter().map(|search| search.wanted()).collect();
        let mut products = weight.matrix.gram::<T>(&weight.mean, weight.unit, &wanted.concat()).into_iter();
        let products: Vec<Vec<Vec<f64>>> =
            wanted.iter().map(|block| products.by_ref().take(block.len()).collect()).collect();
        open.par_iter_mut().zip(products).for_each(|(search, products)| search.take(products, tolerance));
    }
}

#[cfg(test)]
mod tests;
