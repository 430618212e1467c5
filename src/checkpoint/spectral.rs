//! The largest singular value of a weight matrix, and the norms of its rows, without a second copy of it.
//!
//! The largest singular value also of the matrix with its columns scaled and its rows' mean taken away, likewise
//! without a copy ([`largest`]).
//!
//! Lanczos on WᵀW with full reorthogonalisation (Golub & Van Loan, Matrix Computations, 10.1 and 10.4): each step
//! streams W's rows once, widened a few rows at a time, and sums in float64. Rows are split into
//! segments by the shape alone and their sums added in order, so the result does not depend on the cores.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use std::ops::Range;

use super::{Tensor, tridiagonal, widen::widen_from};

/// Norms of one matrix `[rows, cols]`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spectrum {
    /// σ_max, the spectral norm.
    pub sigma_max: f64,
    /// Some singular value lies within this relative distance of `sigma_max` (the Ritz residual; rounding, about
    /// 1e-13, not counted). It is the largest unless the fixed random start is orthogonal to its vector.
    pub relative_error: f64,
    /// Lanczos steps, each one pass over the matrix.
    pub iterations: usize,
    /// Whether `relative_error` reached [`TOLERANCE`] within [`MOST_ITERATIONS`].
    pub converged: bool,
    /// ‖W‖_F.
    pub frobenius: f64,
    pub row_norms: RowNorms,
}

/// The largest singular value alone.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Largest {
    pub sigma_max: f64,
    /// As in [`Spectrum`].
    pub relative_error: f64,
    pub iterations: usize,
    pub converged: bool,
}

/// What is looked at instead of a matrix W `[rows, cols]` as it lies: W·diag(scale), less the mean of its rows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look<'a> {
    /// A factor on each column, `[cols]`; `None` leaves them.
    pub scale: Option<&'a [f64]>,
    /// Take the mean of the rows, after scaling, away from each.
    pub centred: bool,
}

/// The Euclidean norms of the rows, summed up.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RowNorms {
    pub mean: f64,
    /// Of the population: divided by the number of rows.
    pub std: f64,
    pub min: f64,
    pub max: f64,
}

/// Why a tensor has no spectral norm.
#[derive(Debug, thiserror::Error)]
pub enum SpectralError {
    #[error(
        "tensor {tensor:?}: expected a matrix [rows, cols] with elements, found shape {shape:?}; name a weight matrix"
    )]
    NotAMatrix { tensor: String, shape: Vec<usize> },
    #[error(
        "tensor {tensor:?}: expected finite numbers, found NaN or infinity in row {row}; the checkpoint is damaged"
    )]
    NotFinite { tensor: String, row: usize },
    #[error("tensor {tensor:?} has {cols} columns, but there are {factors} factors for them")]
    Factors { tensor: String, cols: usize, factors: usize },
}

/// Iteration stops at this relative error bound of σ_max.
pub const TOLERANCE: f64 = 1e-7;
/// Steps after which the estimate is returned with the bound it has. Trained unembeddings need some ten steps;
/// random matrices, whose largest singular values crowd, some hundred.
pub const MOST_ITERATIONS: usize = 500;

/// Segments of rows that are summed apart: enough for any machine's cores, few enough to add up.
const SEGMENTS: usize = 64;
/// Rows taken together, so that the sums are loaded and stored once for all of them.
const TOGETHER: usize = 4;
/// Independent sums in a dot product, so that it vectorises in a fixed order.
const LANES: usize = 8;

/// σ_max to 1e-7, Frobenius and row norms of a matrix, in float64. Reads the matrix `iterations + 1` times.
///
/// # Errors
/// A tensor that is no matrix, has no elements or holds NaN or infinity.
pub fn spectrum(tensor: &Tensor<'_>) -> Result<Spectrum, SpectralError> {
    let matrix = Matrix::of(tensor)?;
    let squares = matrix.row_squares();
    if let Some(row) = squares.iter().position(|square| !square.is_finite()) {
        return Err(SpectralError::NotFinite { tensor: tensor.name.to_string(), row });
    }
    let estimate = lanczos(matrix.cols, |v| matrix.gram_times(v));
    Ok(Spectrum {
        sigma_max: estimate.theta.max(0.0).sqrt(),
        relative_error: estimate.relative_error,
        iterations: estimate.iterations,
        converged: estimate.relative_error <= TOLERANCE,
        frobenius: squares.iter().sum::<f64>().sqrt(),
        row_norms: RowNorms::of(&squares),
    })
}

/// σ_max, to 1e-7, of what `look` makes of a matrix. Reads the matrix `iterations` times, and once more for the mean.
///
/// With S = diag(scale) and μ the mean of the n rows of WS, the Gram matrix of WS - 1μᵀ is S WᵀW S - n μμᵀ, since the
/// rows of WS sum to nμ.
///
/// # Errors
/// As [`spectrum`]; factors of another number than columns.
pub fn largest(tensor: &Tensor<'_>, look: Look<'_>) -> Result<Largest, SpectralError> {
    let matrix = Matrix::of(tensor)?;
    let cols = matrix.cols;
    if let Some(factors) = look.scale.map(<[f64]>::len).filter(|&factors| factors != cols) {
        return Err(SpectralError::Factors { tensor: tensor.name.to_string(), cols, factors });
    }
    let scaled = |mut v: Vec<f64>| {
        v.iter_mut().zip(look.scale.unwrap_or_default()).for_each(|(v, s)| *v *= s);
        v
    };
    let rows = matrix.rows as f64;
    // [cols]; nothing to take away is a mean of zero.
    let mean: Vec<f64> = if look.centred {
        scaled(matrix.column_sums()).iter().map(|sum| sum / rows).collect()
    } else {
        vec![0.0; cols]
    };
    let estimate = lanczos(cols, |v| {
        let along = rows * dot(&mean, v);
        let mut product = scaled(matrix.gram_times(&scaled(v.to_vec())));
        product.iter_mut().zip(&mean).for_each(|(p, m)| *p -= along * m);
        product
    });
    if !estimate.theta.is_finite() {
        let row = matrix.row_squares().iter().position(|square| !square.is_finite()).unwrap_or_default();
        return Err(SpectralError::NotFinite { tensor: tensor.name.to_string(), row });
    }
    Ok(Largest {
        sigma_max: estimate.theta.max(0.0).sqrt(),
        relative_error: estimate.relative_error,
        iterations: estimate.iterations,
        converged: estimate.relative_error <= TOLERANCE,
    })
}

impl RowNorms {
    fn of(squares: &[f64]) -> RowNorms {
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

struct Estimate {
    /// Largest eigenvalue of WᵀW.
    theta: f64,
    /// Bound on the relative error of √theta.
    relative_error: f64,
    iterations: usize,
}

/// Of a symmetric, positive semidefinite matrix `[cols, cols]`, given by its products with vectors.
fn lanczos(cols: usize, gram_times: impl Fn(&[f64]) -> Vec<f64>) -> Estimate {
    let mut basis = vec![start(cols)];
    let (mut diagonal, mut off) = (Vec::new(), Vec::new());
    loop {
        let last = &basis[basis.len() - 1];
        let mut next = gram_times(last);
        diagonal.push(dot(&next, last));
        // Twice is enough (Parlett): after it the basis is orthogonal to rounding, and the tridiagonal's largest
        // eigenvalue has no ghosts.
        for _ in 0..2 {
            for vector in &basis {
                let along = dot(&next, vector);
                next.iter_mut().zip(vector).for_each(|(n, v)| *n -= along * v);
            }
        }
        let length = dot(&next, &next).sqrt();
        let (theta, last_component) = tridiagonal::largest(&diagonal, &off);
        // |λ - θ| <= length * |last component|, and σ = √λ halves the relative error.
        let relative_error = if theta > 0.0 { length * last_component.abs() / (2.0 * theta) } else { 0.0 };
        let iterations = diagonal.len();
        let spent = iterations == MOST_ITERATIONS.min(cols) || length <= f64::EPSILON * theta;
        if relative_error <= TOLERANCE || spent {
            return Estimate { theta, relative_error, iterations };
        }
        next.iter_mut().for_each(|n| *n /= length);
        off.push(length);
        basis.push(next);
    }
}

/// A unit vector of fixed pseudo-random components (SplitMix64), so that no structure of a weight is orthogonal.
fn start(cols: usize) -> Vec<f64> {
    let mut state = 0u64;
    let mut vector: Vec<f64> = (0..cols)
        .map(|_| {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 52) as f64 - 1.0
        })
        .collect();
    let length = dot(&vector, &vector).sqrt();
    vector.iter_mut().for_each(|v| *v /= length);
    vector
}

/// A weight `[rows, cols]` with at least one element.
struct Matrix<'a> {
    tensor: Tensor<'a>,
    rows: usize,
    cols: usize,
}

impl<'a> Matrix<'a> {
    fn of(tensor: &Tensor<'a>) -> Result<Matrix<'a>, SpectralError> {
        match *tensor.shape {
            [rows, cols] if rows > 0 && cols > 0 => Ok(Matrix { tensor: *tensor, rows, cols }),
            _ => Err(SpectralError::NotAMatrix {
                tensor: tensor.name.to_string(),
                shape: tensor.shape.to_vec(),
            }),
        }
    }

    /// Rows per segment: a matter of the shape, never of the machine.
    fn segment_rows(&self) -> usize {
        self.rows.div_ceil(SEGMENTS).next_multiple_of(TOGETHER)
    }

    /// The rows of each segment.
    fn segments(&self) -> impl IndexedParallelIterator<Item = Range<usize>> {
        let (rows, count) = (self.rows, self.segment_rows());
        (0..rows.div_ceil(count)).into_par_iter().map(move |s| s * count..rows.min((s + 1) * count))
    }

    /// ‖w_i‖² of every row.
    fn row_squares(&self) -> Vec<f64> {
        let segments: Vec<Vec<f64>> = self
            .segments()
            .map(|rows| {
                let mut row = vec![0.0f32; self.cols];
                let square = |index: usize| {
                    widen_from(&self.tensor, index * self.cols, &mut row);
                    row.iter().map(|&x| f64::from(x) * f64::from(x)).sum()
                };
                rows.map(square).collect()
            })
            .collect();
        segments.concat()
    }

    /// The sum of all rows.
    fn column_sums(&self) -> Vec<f64> {
        let sums: Vec<Vec<f64>> = self
            .segments()
            .map(|rows| {
                let (mut sum, mut row) = (vec![0.0f64; self.cols], vec![0.0f32; self.cols]);
                for index in rows {
                    widen_from(&self.tensor, index * self.cols, &mut row);
                    sum.iter_mut().zip(&row).for_each(|(s, x)| *s += f64::from(*x));
                }
                sum
            })
            .collect();
        added(sums, self.cols)
    }

    /// WᵀW v, in one pass over W.
    fn gram_times(&self, v: &[f64]) -> Vec<f64> {
        let sums: Vec<Vec<f64>> = self.segments().map(|rows| self.segment_gram(rows, v)).collect();
        added(sums, self.cols)
    }

    fn segment_gram(&self, segment: Range<usize>, v: &[f64]) -> Vec<f64> {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") {
            #[target_feature(enable = "avx2")]
            fn wide(matrix: &Matrix<'_>, segment: Range<usize>, v: &[f64]) -> Vec<f64> {
                matrix.segment_gram_inline(segment, v)
            }
            // SAFETY: the processor has AVX2, just asked.
            return unsafe { wide(self, segment, v) };
        }
        self.segment_gram_inline(segment, v)
    }

    /// Σ_i w_i (w_i · v) over a segment's rows. Compiled once plain and once for wide registers: the same
    /// operations in the same order (no fused multiply-add), hence the same bits.
    #[inline(always)]
    fn segment_gram_inline(&self, segment: Range<usize>, v: &[f64]) -> Vec<f64> {
        let cols = self.cols;
        let mut sum = vec![0.0; cols];
        let mut rows = vec![0.0f32; TOGETHER * cols];
        for first in segment.clone().step_by(TOGETHER) {
            let count = TOGETHER.min(segment.end - first);
            // Rows that a last group lacks count as zero.
            rows[count * cols..].fill(0.0);
            widen_from(&self.tensor, first * cols, &mut rows[..count * cols]);
            let (a, rest) = rows.split_at(cols);
            let (b, rest) = rest.split_at(cols);
            let (c, d) = rest.split_at(cols);
            let (ya, yb, yc, yd) = (row_dot(a, v), row_dot(b, v), row_dot(c, v), row_dot(d, v));
            for ((((sum, a), b), c), d) in sum.iter_mut().zip(a).zip(b).zip(c).zip(d) {
                let (a, b) = (f64::from(*a) * ya, f64::from(*b) * yb);
                let (c, d) = (f64::from(*c) * yc, f64::from(*d) * yd);
                *sum += (a + b) + (c + d);
            }
        }
        sum
    }
}

/// Sums of segments, in their order.
fn added(sums: Vec<Vec<f64>>, cols: usize) -> Vec<f64> {
    let mut total = vec![0.0; cols];
    for sum in sums {
        total.iter_mut().zip(sum).for_each(|(t, s)| *t += s);
    }
    total
}

#[inline(always)]
fn row_dot(row: &[f32], v: &[f64]) -> f64 {
    let mut lanes = [0.0f64; LANES];
    let ((rows, row_rest), (vs, v_rest)) = (row.as_chunks::<LANES>(), v.as_chunks::<LANES>());
    for (row, v) in rows.iter().zip(vs) {
        for lane in 0..LANES {
            lanes[lane] += f64::from(row[lane]) * v[lane];
        }
    }
    let rest: f64 = row_rest.iter().zip(v_rest).map(|(&x, y)| f64::from(x) * y).sum();
    lanes.iter().sum::<f64>() + rest
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0f64; LANES];
    let ((xs, x_rest), (ys, y_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (x, y) in xs.iter().zip(ys) {
        for lane in 0..LANES {
            lanes[lane] += x[lane] * y[lane];
        }
    }
    let rest: f64 = x_rest.iter().zip(y_rest).map(|(x, y)| x * y).sum();
    lanes.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests;
