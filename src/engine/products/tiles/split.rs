//! Rows of float32 in three parts each, turned so that the tile unit can take them.

use std::arch::x86_64::*;

use super::{
    amx::Registers,
    layout::{INPUTS, PARTS, SIDE, STEP, TILE},
};
use crate::products::{Each, shared::Shared, square::transposed};

/// Sixteen rows at a time, whoever comes first. Sizes are checked by the caller.
pub(crate) fn split(_: Registers, x: &[f32], inputs: usize, pairs: &mut [u32], each: Each<'_>) {
    let rows = x.len() / inputs;
    let stripe = inputs.div_ceil(INPUTS) * STEP;
    let start = Shared(pairs.as_mut_ptr());
    each(rows.div_ceil(SIDE), &|tile| {
        // SAFETY: stripes do not overlap, each is written by one call, and all are within `pairs`.
        let pairs = unsafe { std::slice::from_raw_parts_mut(start.get().add(tile * stripe), stripe) };
        let from = tile * SIDE;
        let x = &x[from * inputs..rows.min(from + SIDE) * inputs];
        // SAFETY: a `Registers` exists, and with it AVX-512.
        unsafe { stripe_of(x, inputs, pairs) };
    });
}

/// Up to 16 rows.
#[target_feature(enable = "avx512f")]
fn stripe_of(x: &[f32], inputs: usize, pairs: &mut [u32]) {
    for (step, pairs) in pairs.chunks_exact_mut(STEP).enumerate() {
        let from = step * INPUTS;
        let count = INPUTS.min(inputs - from);
        let mut parts = [[_mm512_setzero_si512(); SIDE]; PARTS];
        for (row, x) in x.chunks_exact(inputs).enumerate() {
            let x = &x[from..from + count];
            let mut padded = [0.0; INPUTS];
            let x = if count == INPUTS {
                x
            } else {
                padded[..count].copy_from_slice(x);
                &padded
            };
            // SAFETY: 32 floats are there.
            let (left, right) =
                unsafe { (_mm512_loadu_ps(x.as_ptr()), _mm512_loadu_ps(x.as_ptr().add(SIDE))) };
            for (parts, pairs) in parts.iter_mut().zip(parts_of(left, right)) {
                parts[row] = pairs;
            }
        }
        for (part, tile) in parts.into_iter().zip(pairs.chunks_exact_mut(TILE)) {
            for (line, to) in transposed(part).into_iter().zip(tile.chunks_exact_mut(SIDE)) {
                // SAFETY: 16 numbers of four bytes have room.
                unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), line) };
            }
        }
    }
}

/// 32 numbers of one row as pairs of the first parts, pairs of the second, pairs of the third. A part is what is left,
/// cut off after the eighth bit of its significand, so that the next difference is exact.
#[target_feature(enable = "avx512f")]
fn parts_of(left: __m512, right: __m512) -> [__m512i; PARTS] {
    let even = _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
    let odd = _mm512_set_epi32(31, 29, 27, 25, 23, 21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1);
    let upper = _mm512_set1_epi32(0xFFFF_0000_u32 as i32);
    let mut firsts = _mm512_permutex2var_ps(left, even, right);
    let mut seconds = _mm512_permutex2var_ps(left, odd, right);
    let mut parts = [_mm512_setzero_si512(); PARTS];
    for part in &mut parts {
        let first = _mm512_and_si512(_mm512_castps_si512(firsts), upper);
        let second = _mm512_and_si512(_mm512_castps_si512(seconds), upper);
        firsts = _mm512_sub_ps(firsts, _mm512_castsi512_ps(first));
        seconds = _mm512_sub_ps(seconds, _mm512_castsi512_ps(second));
        *part = _mm512_or_si512(_mm512_srli_epi32::<16>(first), second);
    }
    parts
}
