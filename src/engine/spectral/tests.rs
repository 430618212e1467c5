//! Against matrices whose singular values are known, and against a full decomposition.

use nalgebra::DMatrix;
use rand::{RngExt, SeedableRng, rngs::ChaCha12Rng};

use super::*;
use model::checkpoint::{Content, Dtype};

struct Owned {
    shape: [usize; 2],
    bytes: Vec<u8>,
}

impl Owned {
    fn new(rows: usize, cols: usize, element: impl Fn(usize, usize) -> f64) -> Owned {
        let bytes =
            (0..rows * cols).flat_map(|i| (element(i / cols, i % cols) as f32).to_le_bytes()).collect();
        Owned { shape: [rows, cols], bytes }
    }

    fn tensor(&self) -> Tensor<'_> {
        Tensor {
            name: "w",
            dtype: Dtype::F32,
            shape: &self.shape,
            content: Content::Stored(&self.bytes),
            first: 0,
        }
    }

    /// H_u · diag(values) · H_v with the Householder reflections of two fixed vectors: singular values `values`.
    fn with_values(rows: usize, cols: usize, values: &[f64]) -> Owned {
        let reflection = |n: usize| {
            let u: Vec<f64> = (0..n).map(|i| ((i * i + 3) as f64).sin()).collect();
            let square: f64 = u.iter().map(|x| x * x).sum();
            move |i: usize, j: usize| f64::from(u8::from(i == j)) - 2.0 * u[i] * u[j] / square
        };
        let (left, right) = (reflection(rows), reflection(cols));
        Owned::new(rows, cols, |i, j| {
            values.iter().enumerate().map(|(k, s)| left(i, k) * s * right(k, j)).sum()
        })
    }

    fn elements(&self) -> Vec<f64> {
        self.bytes.as_chunks::<4>().0.iter().map(|&b| f64::from(f32::from_le_bytes(b))).collect()
    }
}

/// The largest singular value, all of them computed.
fn decomposed(matrix: &Owned) -> f64 {
    let [rows, cols] = matrix.shape;
    DMatrix::from_row_slice(rows, cols, &matrix.elements()).singular_values().max()
}

fn spectrum(tensor: &Tensor<'_>) -> Result<Spectrum, SpectralError> {
    spectra(tensor, &[]).map(|(found, _)| found)
}

fn largest(tensor: &Tensor<'_>, transform: Transform<'_>) -> Result<Largest, SpectralError> {
    spectra(tensor, &[transform]).map(|(_, found)| found[0])
}

/// Fails where what is found is further from all of a decomposition than a millionth, or than it says.
fn check(what: &str, matrix: &Owned) {
    let found = spectrum(&matrix.tensor()).unwrap();
    let error = (found.sigma_max / decomposed(matrix) - 1.0).abs();
    let said = found.relative_error + 1e-12;
    assert!(error <= 1e-6 && error <= said && found.converged, "{what}: {error:e} {found:?}");
}

fn noise(i: usize, j: usize) -> f64 {
    (((i * 7919 + j * 104_729 + 13) * 2_654_435_761) % 1_000_003) as f64 / 500_001.5 - 1.0
}

#[test]
fn a_known_spectrum_is_found_within_a_millionth() {
    let crowded: Vec<f64> = (0..30).map(|k| 1.0 - 1e-4 * f64::from(k)).collect();
    let spread: Vec<f64> = (0..30).map(|k| 40.0 * 0.8f64.powi(k)).collect();
    for (values, expected) in [(crowded, 1.0), (spread, 40.0)] {
        for (rows, cols) in [(300, 37), (37, 300), (31, 31)] {
            let matrix = Owned::with_values(rows, cols, &values);
            let found = spectrum(&matrix.tensor()).unwrap();
            let error = (found.sigma_max / expected - 1.0).abs();
            assert!(error <= 1e-6 && found.converged, "{rows}x{cols}: {error:e} {found:?}");
            let frobenius = values.iter().map(|s| s * s).sum::<f64>().sqrt();
            assert!((found.frobenius / frobenius - 1.0).abs() <= 1e-6, "{found:?}");
        }
    }
}

#[test]
fn a_full_decomposition_agrees_and_the_bound_holds() {
    for (rows, cols) in [(1, 1), (1, 9), (9, 1), (50, 23), (23, 50), (260, 41)] {
        check(&format!("{rows}x{cols}"), &Owned::new(rows, cols, noise));
    }
}

/// The hard case: the largest singular values of independent numbers crowd.
#[test]
fn crowded_values_are_told_apart() {
    for (seed, (rows, cols)) in [(2000, 300), (600, 300), (300, 300), (300, 600)].into_iter().enumerate() {
        let mut rng = ChaCha12Rng::seed_from_u64(seed as u64);
        // A sum of uniform numbers is normal enough.
        let numbers: Vec<f64> =
            (0..rows * cols).map(|_| (0..6).map(|_| rng.random::<f64>() - 0.5).sum()).collect();
        check(&format!("{rows}x{cols}"), &Owned::new(rows, cols, |i, j| numbers[i * cols + j]));
    }
}

#[test]
fn a_pair_of_largest_values_is_found_however_close() {
    let rest = |k: usize| 0.995 * (1.0 - k as f64 / 200.0);
    for apart in [1e-2, 1e-3, 1e-4, 3e-5, 1e-5, 3e-6, 1e-6, 1e-7, 0.0] {
        let values: Vec<f64> = [1.0, 1.0 - apart].into_iter().chain((0..158).map(rest)).collect();
        check(&format!("{apart:e} apart"), &Owned::with_values(200, 160, &values));
    }
}

#[test]
fn graded_values_are_found() {
    for ratio in [0.99, 0.9, 0.5, 0.01] {
        let values: Vec<f64> = (0..160).map(|k| 7.0 * f64::powi(ratio, k)).collect();
        check(&format!("each {ratio} of the last"), &Owned::with_values(200, 160, &values));
    }
}

#[test]
fn the_size_of_the_numbers_does_not_matter() {
    let one = spectrum(&Owned::new(50, 23, noise).tensor()).unwrap();
    for size in [2f64.powi(100), 2f64.powi(-100)] {
        let found = spectrum(&Owned::new(50, 23, |i, j| size * noise(i, j)).tensor()).unwrap();
        assert!((found.sigma_max / size / one.sigma_max - 1.0).abs() < 1e-6, "{size:e}: {found:?}");
    }
}

#[test]
fn row_norms_are_those_of_the_rows() {
    // Rows (3, 4) * k for k = 1..=200: norms 5, 10, ..., 1000.
    let matrix = Owned::new(200, 2, |i, j| (i + 1) as f64 * [3.0, 4.0][j]);
    let found = spectrum(&matrix.tensor()).unwrap();
    let norms = found.row_norms;
    assert_eq!((norms.min, norms.max, norms.mean), (5.0, 1000.0, 502.5));
    // The population variance of 1..=n is (n² - 1)/12.
    assert!((norms.std / (5.0 * (39_999.0f64 / 12.0).sqrt()) - 1.0).abs() < 1e-14, "{norms:?}");
    // One direction only: the spectral norm is the Frobenius norm.
    assert!((found.sigma_max / found.frobenius - 1.0).abs() < 1e-13, "{found:?}");
}

#[test]
fn the_number_of_cores_changes_no_bit() {
    let matrix = Owned::new(701, 33, noise);
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let transforms = [Transform { scale: None, centred: true }];
        pool.install(|| spectra(&matrix.tensor(), &transforms).unwrap())
    };
    assert_eq!(with(1), with(3));
}

/// bf16 has a way of its own; one, two and three vectors at once, too.
#[test]
fn the_same_numbers_in_bf16_have_the_same_bits() {
    for (rows, cols) in [(1, 1), (701, 33), (66, 600)] {
        let exact = Owned::new(rows, cols, |i, j| (noise(i, j) * 128.0).round() / 64.0);
        let bytes: Vec<u8> = exact.bytes.as_chunks::<4>().0.iter().flat_map(|b| [b[2], b[3]]).collect();
        let bf16 = Tensor { dtype: Dtype::BF16, content: Content::Stored(&bytes), ..exact.tensor() };
        let scale: Vec<f64> = (0..cols).map(|j| 1.0 + (j % 5) as f64).collect();
        let all =
            [Transform { scale: None, centred: true }, Transform { scale: Some(&scale), centred: false }];
        for transforms in [&all[..0], &all[..1], &all] {
            assert_eq!(spectra(&bf16, transforms).unwrap(), spectra(&exact.tensor(), transforms).unwrap());
        }
        // A search takes as many passes alone as beside others, and the same numbers from each.
        assert_eq!(spectra(&bf16, &all).unwrap().1[1], spectra(&bf16, &all[1..]).unwrap().1[0]);
    }
}

#[test]
fn zeros_have_norm_zero_and_what_is_no_finite_matrix_is_refused() {
    let zeros = spectrum(&Owned::new(5, 4, |_, _| 0.0).tensor()).unwrap();
    assert_eq!((zeros.sigma_max, zeros.frobenius, zeros.converged), (0.0, 0.0, true));

    let damaged = Owned::new(5, 4, |i, _| if i == 3 { f64::NAN } else { 1.0 });
    let error = spectrum(&damaged.tensor()).unwrap_err().to_string();
    assert!(error.contains("\"w\"") && error.contains("row 3"), "{error}");

    let vector = Tensor { shape: &[20], ..damaged.tensor() };
    let error = spectrum(&vector).unwrap_err().to_string();
    assert!(error.contains("[20]"), "{error}");
}

/// W·diag(scale) less the mean of its rows, written out.
fn looked_at(matrix: &Owned, scale: &[f64]) -> Owned {
    let [rows, cols] = matrix.shape;
    let elements = matrix.elements();
    let scaled = |i: usize, j: usize| elements[i * cols + j] * scale[j];
    let mean: Vec<f64> =
        (0..cols).map(|j| (0..rows).map(|i| scaled(i, j)).sum::<f64>() / rows as f64).collect();
    Owned::new(rows, cols, |i, j| scaled(i, j) - mean[j])
}

#[test]
fn scaling_columns_and_taking_the_rows_mean_away_gives_the_norm_of_that_matrix() {
    for (rows, cols) in [(1, 9), (50, 23), (23, 50), (260, 41)] {
        // A mean of rows far longer than what is left of them.
        let matrix = Owned::new(rows, cols, |i, j| noise(i, j) + 20.0);
        let scale: Vec<f64> = (0..cols).map(|j| 0.25 * (j % 7) as f64 - 0.5).collect();
        let ones = vec![1.0; cols];
        for (scale, factors) in [(None, &ones), (Some(&scale[..]), &scale)] {
            let found = largest(&matrix.tensor(), Transform { scale, centred: true }).unwrap();
            let expected = decomposed(&looked_at(&matrix, factors));
            let error = (found.sigma_max - expected).abs() / expected.max(1.0);
            assert!(error <= 1e-6, "{rows}x{cols}: {error:e} {found:?}, expected {expected}");
        }
    }
    let matrix = Owned::new(50, 23, noise);
    let plain = largest(&matrix.tensor(), Transform::default()).unwrap();
    assert_eq!(plain.sigma_max, spectrum(&matrix.tensor()).unwrap().sigma_max);
}

#[test]
fn a_look_at_a_damaged_matrix_or_with_other_factors_is_refused() {
    let damaged = Owned::new(5, 4, |i, _| if i == 3 { f64::NAN } else { 1.0 });
    let error = largest(&damaged.tensor(), Transform { scale: None, centred: true }).unwrap_err().to_string();
    assert!(error.contains("row 3"), "{error}");
    let error =
        largest(&Owned::new(5, 4, noise).tensor(), Transform { scale: Some(&[1.0; 3]), centred: false });
    assert!(error.unwrap_err().to_string().contains("4 columns, but there are 3 factors"));
}
