//! Vectors of sixteen numbers: panels of 32 outputs against twelve rows at a time, 24 registers of sums.

use std::{arch::x86_64::*, ops::Range};

use super::panels::{Line, Vectors};
use crate::products::square::{SIDE, transposed};

const ROWS: usize = 12;
const LINES: usize = 2;
/// Inputs that are turned at a time: pairs of them are the numbers of a square.
const INPUTS: usize = 2 * SIDE;

/// Proof that this processor has AVX-512.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx512(());

impl Avx512 {
    pub(crate) fn new() -> Option<Avx512> {
        is_x86_feature_detected!("avx512f").then_some(Avx512(()))
    }
}

// SAFETY: made by `new` alone; `add` writes twelve rows of two vectors.
unsafe impl Vectors for Avx512 {
    const ROWS: usize = ROWS;
    const LINES: usize = LINES;

    #[target_feature(enable = "avx512f")]
    unsafe fn widen<const F16: bool>(
        weight: &[u16],
        inputs: usize,
        outputs: Range<usize>,
        from: usize,
        panel: &mut [Line],
    ) {
        for half in 0..LINES {
            for (at, columns) in panel.chunks_mut(INPUTS * LINES).enumerate() {
                let count = columns.len() / LINES;
                let mut rows = [_mm512_setzero_si512(); SIDE];
                for (row, output) in rows.iter_mut().zip(outputs.clone().skip(half * SIDE)) {
                    let weights = &weight[output * inputs + from + at * INPUTS..][..count];
                    *row = match weights.first_chunk() {
                        Some(whole) => loaded(whole),
                        None => {
                            let mut padded = [0; INPUTS];
                            padded[..count].copy_from_slice(weights);
                            loaded(&padded)
                        }
                    };
                }
                for (columns, pairs) in columns.chunks_mut(2 * LINES).zip(transposed(rows)) {
                    for (column, vector) in columns.chunks_exact_mut(LINES).zip(widened::<F16>(pairs)) {
                        // SAFETY: a line is a vector.
                        unsafe { _mm512_store_ps(column[half].0.as_mut_ptr(), vector) };
                    }
                }
            }
        }
    }

    #[target_feature(enable = "avx512f")]
    unsafe fn add(x: &[u32], panel: &[Line], run: usize, mut fresh: bool, out: *mut f32, stride: usize) {
        let (x, panel): (&[[u32; ROWS]], &[[Line; LINES]]) = (x.as_chunks().0, panel.as_chunks().0);
        for (x, columns) in x.chunks(run).zip(panel.chunks(run)) {
            let mut sums = [[_mm512_setzero_ps(); LINES]; ROWS];
            for (x, [left, right]) in x.iter().zip(columns) {
                // SAFETY: a line is a vector.
                let (left, right) =
                    unsafe { (_mm512_load_ps(left.0.as_ptr()), _mm512_load_ps(right.0.as_ptr())) };
                for (sums, x) in sums.iter_mut().zip(x) {
                    let x = _mm512_set1_ps(f32::from_bits(*x));
                    sums[0] = _mm512_fmadd_ps(x, left, sums[0]);
                    sums[1] = _mm512_fmadd_ps(x, right, sums[1]);
                }
            }
            for (row, [mut left, mut right]) in sums.into_iter().enumerate() {
                // SAFETY: the row has two vectors.
                unsafe {
                    let to = out.add(row * stride);
                    if !fresh {
                        left = _mm512_add_ps(_mm512_loadu_ps(to), left);
                        right = _mm512_add_ps(_mm512_loadu_ps(to.add(SIDE)), right);
                    }
                    _mm512_storeu_ps(to, left);
                    _mm512_storeu_ps(to.add(SIDE), right);
                }
            }
            fresh = false;
        }
    }
}

#[target_feature(enable = "avx512f")]
fn loaded(numbers: &[u16; INPUTS]) -> __m512i {
    // SAFETY: 32 numbers are there.
    unsafe { _mm512_loadu_si512(numbers.as_ptr().cast()) }
}

/// The first of each pair, and the second.
#[target_feature(enable = "avx512f")]
fn widened<const F16: bool>(pairs: __m512i) -> [__m512; 2] {
    if F16 {
        let seconds = _mm512_srli_epi32::<16>(pairs);
        return [pairs, seconds].map(|half| _mm512_cvtph_ps(_mm512_cvtepi32_epi16(half)));
    }
    let upper = _mm512_set1_epi32(0xFFFF_0000_u32 as i32);
    [_mm512_slli_epi32::<16>(pairs), _mm512_and_si512(pairs, upper)].map(|half| _mm512_castsi512_ps(half))
}
