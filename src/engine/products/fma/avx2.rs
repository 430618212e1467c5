//! Vectors of eight numbers: panels of 16 outputs against six rows at a time, twelve registers of sums.

use std::{arch::x86_64::*, ops::Range};

use super::panels::{Line, Vectors};

/// Numbers of a vector.
const LANES: usize = 8;
const ROWS: usize = 6;

/// Proof that this processor has AVX2, FMA and F16C.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx2(());

impl Avx2 {
    pub(crate) fn new() -> Option<Avx2> {
        let has_them = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("f16c");
        has_them.then_some(Avx2(()))
    }
}

// SAFETY: made by `new` alone; `add` writes six rows of two vectors.
unsafe impl Vectors for Avx2 {
    const ROWS: usize = ROWS;
    const LINES: usize = 1;

    #[target_feature(enable = "avx2,f16c")]
    unsafe fn widen<const F16: bool>(
        weight: &[u16],
        inputs: usize,
        outputs: Range<usize>,
        from: usize,
        panel: &mut [Line],
    ) {
        for half in 0..2 {
            for (at, columns) in panel.chunks_mut(LANES).enumerate() {
                let mut vectors = [_mm256_setzero_ps(); LANES];
                for (vector, output) in vectors.iter_mut().zip(outputs.clone().skip(half * LANES)) {
                    let weights = &weight[output * inputs + from + at * LANES..][..columns.len()];
                    *vector = match weights.first_chunk() {
                        Some(whole) => widened::<F16>(whole),
                        None => {
                            let mut padded = [0; LANES];
                            padded[..weights.len()].copy_from_slice(weights);
                            widened::<F16>(&padded)
                        }
                    };
                }
                for (column, vector) in columns.iter_mut().zip(transposed(vectors)) {
                    // SAFETY: a column has two vectors.
                    unsafe { _mm256_store_ps(column.0.as_mut_ptr().add(half * LANES), vector) };
                }
            }
        }
    }

    #[target_feature(enable = "avx2,fma")]
    unsafe fn add(x: &[u32], panel: &[Line], run: usize, mut fresh: bool, out: *mut f32, stride: usize) {
        let x: &[[u32; ROWS]] = x.as_chunks().0;
        for (x, columns) in x.chunks(run).zip(panel.chunks(run)) {
            let mut sums = [[_mm256_setzero_ps(); 2]; ROWS];
            for (x, column) in x.iter().zip(columns) {
                // SAFETY: a column has two vectors.
                let (left, right) = unsafe {
                    (_mm256_load_ps(column.0.as_ptr()), _mm256_load_ps(column.0.as_ptr().add(LANES)))
                };
                for (sums, x) in sums.iter_mut().zip(x) {
                    let x = _mm256_set1_ps(f32::from_bits(*x));
                    sums[0] = _mm256_fmadd_ps(x, left, sums[0]);
                    sums[1] = _mm256_fmadd_ps(x, right, sums[1]);
                }
            }
            for (row, [mut left, mut right]) in sums.into_iter().enumerate() {
                // SAFETY: the row has two vectors.
                unsafe {
                    let to = out.add(row * stride);
                    if !fresh {
                        left = _mm256_add_ps(_mm256_loadu_ps(to), left);
                        right = _mm256_add_ps(_mm256_loadu_ps(to.add(LANES)), right);
                    }
                    _mm256_storeu_ps(to, left);
                    _mm256_storeu_ps(to.add(LANES), right);
                }
            }
            fresh = false;
        }
    }
}

#[target_feature(enable = "avx2,f16c")]
fn widened<const F16: bool>(numbers: &[u16; LANES]) -> __m256 {
    // SAFETY: eight numbers are there.
    let bits = unsafe { _mm_loadu_si128(numbers.as_ptr().cast()) };
    if F16 {
        return _mm256_cvtph_ps(bits);
    }
    _mm256_castsi256_ps(_mm256_slli_epi32::<16>(_mm256_cvtepu16_epi32(bits)))
}

/// 8 by 8 numbers.
#[target_feature(enable = "avx2")]
fn transposed(rows: [__m256; LANES]) -> [__m256; LANES] {
    let zero = _mm256_setzero_ps();
    let mut twos = [zero; LANES];
    for (to, from) in twos.chunks_exact_mut(2).zip(rows.chunks_exact(2)) {
        to[0] = _mm256_unpacklo_ps(from[0], from[1]);
        to[1] = _mm256_unpackhi_ps(from[0], from[1]);
    }
    let mut fours = [zero; LANES];
    for (to, from) in fours.chunks_exact_mut(4).zip(twos.chunks_exact(4)) {
        to[0] = _mm256_shuffle_ps::<0x44>(from[0], from[2]);
        to[1] = _mm256_shuffle_ps::<0xEE>(from[0], from[2]);
        to[2] = _mm256_shuffle_ps::<0x44>(from[1], from[3]);
        to[3] = _mm256_shuffle_ps::<0xEE>(from[1], from[3]);
    }
    let mut columns = [zero; LANES];
    for c in 0..4 {
        columns[c] = _mm256_permute2f128_ps::<0x20>(fours[c], fours[4 + c]);
        columns[4 + c] = _mm256_permute2f128_ps::<0x31>(fours[c], fours[4 + c]);
    }
    columns
}
