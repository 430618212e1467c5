//! Block Lanczos for the largest eigenvalue of a symmetric matrix known by its products with vectors.
//!
//! Golub & Van Loan, Matrix Computations, 10.3.6, with full reorthogonalisation. Two vectors start it: one alone cannot
//! tell a pair of close eigenvalues from one, whose residual then is small long before its error is; two do, and need
//! fewer passes. Three were measured to cost more time than the passes they save.

use std::ops::Range;

use nalgebra::DMatrix;

/// Vectors of a block.
pub(super) const BLOCK: usize = 2;

/// The basis so far and the matrix within it.
pub(super) struct Krylov {
    /// Orthonormal, `[cols]` each.
    basis: Vec<Vec<f64>>,
    /// The matrix in that basis: row i up to its diagonal. Rows of `block` lack what the next products tell.
    projected: Vec<Vec<f64>>,
    /// The vectors whose products are wanted next. Empty: the basis spans an invariant subspace.
    block: Range<usize>,
    steps: usize,
    next_look: usize,
}

/// What a basis says of the largest eigenvalue.
pub(super) struct Estimate {
    /// The largest Ritz value.
    pub theta: f64,
    /// Bound on the relative error of √theta, see [`super::Spectrum::relative_error`].
    pub relative_error: f64,
    /// The largest Ritz values' vectors in the basis.
    leaders: Vec<Vec<f64>>,
}

impl Krylov {
    /// Starts from some vectors `[cols]`; those that depend on the ones before are left out.
    pub(super) fn new(starts: Vec<Vec<f64>>) -> Krylov {
        let mut krylov = Krylov { basis: vec![], projected: vec![], block: 0..0, steps: 0, next_look: 1 };
        krylov.extend(starts, 0..0, 0.0);
        krylov
    }

    /// The vectors whose products are wanted.
    pub(super) fn block(&self) -> &[Vec<f64>] {
        &self.basis[self.block.clone()]
    }

    /// Products taken of a block.
    pub(super) fn steps(&self) -> usize {
        self.steps
    }

    /// Takes the products of [`Krylov::block`] with the matrix.
    pub(super) fn absorb(&mut self, mut products: Vec<Vec<f64>>) {
        let block = self.block.clone();
        for (row, product) in block.clone().zip(&mut products) {
            let along = project_out(product, &self.basis);
            self.projected[row][block.start..=row].copy_from_slice(&along[block.start..=row]);
        }
        let size = (0..block.end).map(|i| self.projected[i][i]).fold(0.0, f64::max);
        self.extend(products, block, f64::EPSILON * size);
        self.steps += 1;
    }

    /// Makes the next block of what is left of the products of `sources`, orthogonal to the basis, unless as short as
    /// `nothing`.
    fn extend(&mut self, vectors: Vec<Vec<f64>>, sources: Range<usize>, nothing: f64) {
        let first = self.basis.len();
        for (k, mut vector) in vectors.into_iter().enumerate() {
            // Twice is enough (Parlett): after it the basis is orthogonal to rounding, and no eigenvalue has ghosts.
            let along = project_out(&mut vector, &self.basis);
            project_out(&mut vector, &self.basis);
            let length = dot(&vector, &vector).sqrt();
            let source = sources.start + k;
            if source < sources.end {
                (first..self.basis.len()).for_each(|row| self.projected[row][source] = along[row]);
            }
            if length <= nothing || self.basis.len() == vector.len() {
                continue;
            }
            vector.iter_mut().for_each(|x| *x /= length);
            self.basis.push(vector);
            self.projected.push(vec![0.0; self.basis.len()]);
            if source < sources.end {
                self.projected[self.basis.len() - 1][source] = length;
            }
        }
        self.block = first..self.basis.len();
    }

    /// The estimate, once its error is at most `tolerance`, nothing is left to learn, or `most` steps were taken. It is
    /// looked at ever less often, since that costs the cube of the steps.
    pub(super) fn settled(&mut self, tolerance: f64, most: usize) -> Option<Estimate> {
        let last = self.block.is_empty() || self.steps >= most;
        if !last && self.steps < self.next_look {
            return None;
        }
        self.next_look = self.steps + 1 + self.steps / 32;
        let estimate = self.estimate();
        (last || estimate.relative_error <= tolerance).then_some(estimate)
    }

    fn estimate(&self) -> Estimate {
        let known = self.block.start;
        let lower = |i: usize, j: usize| self.projected[i.max(j)][i.min(j)];
        let eigen = DMatrix::from_fn(known, known, lower).symmetric_eigen();
        let mut order: Vec<usize> = (0..known).collect();
        order.sort_by(|&a, &b| eigen.eigenvalues[b].total_cmp(&eigen.eigenvalues[a]));
        let vector = |at: usize| eigen.eigenvectors.column(at);
        // The part of the matrix's product with a Ritz vector that lies outside the basis.
        let residual = |at: usize| {
            let square = |row: usize| {
                vector(at).iter().zip(&self.projected[row]).map(|(s, t)| s * t).sum::<f64>().powi(2)
            };
            self.block.clone().map(square).sum::<f64>().sqrt()
        };
        let (theta, first) = (eigen.eigenvalues[order[0]], residual(order[0]));
        // Without a second Ritz value there is no gap to speak of.
        let below = order.get(1).map_or(f64::INFINITY, |&at| eigen.eigenvalues[at] + residual(at));
        let relative_error = if theta > 0.0 && first > 0.0 {
            let gap = theta - below;
            let error = if gap > first { first * first / gap } else { first };
            // σ = √λ halves a small relative error.
            error / (2.0 * theta)
        } else {
            0.0
        };
        let leaders = order.iter().take(BLOCK).map(|&at| vector(at).iter().copied().collect()).collect();
        Estimate { theta, relative_error, leaders }
    }

    /// The vectors of the largest Ritz values, the largest first.
    pub(super) fn leaders(&self, estimate: &Estimate) -> Vec<Vec<f64>> {
        let combined = |weights: &Vec<f64>| {
            let mut sum = vec![0.0; self.basis[0].len()];
            for (weight, vector) in weights.iter().zip(&self.basis) {
                sum.iter_mut().zip(vector).for_each(|(s, v)| *s += weight * v);
            }
            sum
        };
        estimate.leaders.iter().map(combined).collect()
    }
}

/// Takes from a vector what lies along each of a basis, one by one, and says how much it was.
fn project_out(vector: &mut [f64], basis: &[Vec<f64>]) -> Vec<f64> {
    let out = |base: &Vec<f64>| {
        let along = dot(vector, base);
        vector.iter_mut().zip(base).for_each(|(x, b)| *x -= along * b);
        along
    };
    basis.iter().map(out).collect()
}

/// A block of fixed pseudo-random components (SplitMix64), so that no structure of a weight is orthogonal to it.
pub(super) fn start(cols: usize) -> Vec<Vec<f64>> {
    let mut state = 0u64;
    let mut component = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    };
    (0..BLOCK).map(|_| (0..cols).map(|_| component()).collect()).collect()
}

/// In a fixed order that vectorises.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    const LANES: usize = 8;
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
