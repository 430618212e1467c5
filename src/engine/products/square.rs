//! A square of numbers turned, in registers.

use std::arch::x86_64::*;

/// Rows and columns of it.
pub(super) const SIDE: usize = 16;

/// 16 by 16 numbers of four bytes.
#[target_feature(enable = "avx512f")]
pub(super) fn transposed(rows: [__m512i; SIDE]) -> [__m512i; SIDE] {
    let zero = _mm512_setzero_si512();
    let mut twos = [zero; SIDE];
    for (to, from) in twos.chunks_exact_mut(2).zip(rows.chunks_exact(2)) {
        to[0] = _mm512_unpacklo_epi32(from[0], from[1]);
        to[1] = _mm512_unpackhi_epi32(from[0], from[1]);
    }
    // In lane l of fours[4·g + c]: column 4·l + c of rows 4·g to 4·g + 3.
    let mut fours = [zero; SIDE];
    for (to, from) in fours.chunks_exact_mut(4).zip(twos.chunks_exact(4)) {
        to[0] = _mm512_unpacklo_epi64(from[0], from[2]);
        to[1] = _mm512_unpackhi_epi64(from[0], from[2]);
        to[2] = _mm512_unpacklo_epi64(from[1], from[3]);
        to[3] = _mm512_unpackhi_epi64(from[1], from[3]);
    }
    let mut columns = [zero; SIDE];
    for c in 0..4 {
        let (p, q, r, s) = (fours[c], fours[4 + c], fours[8 + c], fours[12 + c]);
        let upper = [_mm512_shuffle_i32x4::<0x44>(p, q), _mm512_shuffle_i32x4::<0x44>(r, s)];
        let lower = [_mm512_shuffle_i32x4::<0xEE>(p, q), _mm512_shuffle_i32x4::<0xEE>(r, s)];
        columns[c] = _mm512_shuffle_i32x4::<0x88>(upper[0], upper[1]);
        columns[4 + c] = _mm512_shuffle_i32x4::<0xDD>(upper[0], upper[1]);
        columns[8 + c] = _mm512_shuffle_i32x4::<0x88>(lower[0], lower[1]);
        columns[12 + c] = _mm512_shuffle_i32x4::<0xDD>(lower[0], lower[1]);
    }
    columns
}
