//! The IQ types: an index into a codebook for every few elements, with signs or a shift apart, times small scales and the
//! block's; IQ4 has a codebook of single numbers.

use half::f16;

use super::{SUPER, each, grids, half, nibble, pair, u16_at, u32_at};

/// The numbers of IQ4.
const UNEVEN: [f32; 16] =
    [-127., -104., -83., -65., -49., -35., -22., -10., 1., 13., 25., 38., 53., 69., 89., 113.];

/// By which IQ1 shifts its -1, 0 and 1 up or down.
const SHIFT: f32 = 0.125;

/// Eight signs from seven bits: the number of minus signs is even.
#[inline(always)]
fn even_signs(seven: u8) -> u8 {
    seven | ((seven.count_ones() as u8 & 1) << 7)
}

/// Writes a vector of the codebook under its signs.
#[inline(always)]
fn put<const WIDTH: usize>(out: &mut [f32], scale: f32, vector: &[i8; WIDTH], signs: u8) {
    for (j, (out, &value)) in out.iter_mut().zip(vector).enumerate() {
        let sign = if signs >> j & 1 == 0 { 1.0 } else { -1.0 };
        *out = scale * f32::from(value) * sign;
    }
}

/// Scale; for each 32 elements four indices of a byte and a word of four times seven signs and a scale.
#[inline(always)]
pub(in crate::gguf) fn iq2_xxs(blocks: &[u8], out: &mut [f32]) {
    each(blocks, out, |block: &[u8; 66], out: &mut [f32; SUPER]| {
        let d = half(block, 0);
        for (k, out) in out.as_chunks_mut::<8>().0.iter_mut().enumerate() {
            let at = 2 + k / 4 * 8;
            let word = u32_at(block, at + 4);
            let scale = d * (0.5 + (word >> 28) as f32) * 0.25;
            let signs = even_signs((word >> (7 * (k % 4))) as u8 & 0x7f);
            put(out, scale, &grids::IQ2_XXS[usize::from(block[at + k % 4])], signs);
        }
    });
}

/// Scale; 32 times an index of nine bits and seven signs; sixteen scales.
#[inline(always)]
pub(in crate::gguf) fn iq2_xs(blocks: &[u8], out: &mut [f32]) {
    each(blocks, out, |block: &[u8; 74], out: &mut [f32; SUPER]| {
        let d = half(block, 0);
        for (k, out) in out.as_chunks_mut::<8>().0.iter_mut().enumerate() {
            let q = u16_at(block, 2 + 2 * k);
            let scale = quarter(d, nibble(block[66 + k / 4], k / 2 % 2));
            put(out, scale, &grids::IQ2_XS[usize::from(q & 511)], even_signs((q >> 9) as u8));
        }
    });
}

/// Scale; 32 indices, their signs, two more bits of each, sixteen scales.
#[inline(always)]
pub(in crate::gguf) fn iq2_s(blocks: &[u8], out: &mut [f32]) {
    each(blocks, out, |block: &[u8; 82], out: &mut [f32; SUPER]| {
        let d = half(block, 0);
        for (k, out) in out.as_chunks_mut::<8>().0.iter_mut().enumerate() {
            let index = usize::from(block[2 + k]) | usize::from(pair(block[66 + k / 4], k % 4)) << 8;
            let scale = quarter(d, nibble(block[74 + k / 4], k / 2 % 2));
            put(out, scale, &grids::IQ2_S[index], block[34 + k]);
        }
    });
}

#[inline(always)]
fn quarter(d: f32, scale: u8) -> f32 {
    d * (0.5 + f32::from(scale)) * 0.25
}

/// Scale; 64 indices of four elements; for each 32 elements a word of four times seven signs and a scale.
#[inline(always)]
pub(in crate::gguf) fn iq3_xxs(blocks: &[u8], out: &mut [f32]) {
    each(blocks, out, |block: &[u8; 98], out: &mut [f32; SUPER]| {
        let d = half(block, 0);
        for (k, out) in out.as_chunks_mut::<8>().0.iter_mut().enumerate() {
            let word = u32_at(block, 66 + k / 4 * 4);
            let scale = d * (0.5 + (word >> 28) as f32) * 0.5;
            let signs = even_signs((word >> (7 * (k % 4))) as u8 & 0x7f);
            let vector = |i: usize| &grids::IQ3_XXS[usize::from(block[2 + 2 * k + i])];
            put(&mut out[..4], scale, vector(0), signs);
            put(&mut out[4..], scale, vector(1), signs >> 4);
        }
    });
}

/// Scale; 64 indices of four elements, a ninth bit of each, signs, eight scales.
#[inline(always)]
pub(in crate::gguf) fn iq3_s(blocks: &[u8], out: &mut [f32]) {
    each(blocks, out, |block: &[u8; 110], out: &mut [f32; SUPER]| {
        let d = half(block, 0);
        for (k, out) in out.as_chunks_mut::<8>().0.iter_mut().enumerate() {
            let scale = d * f32::from(1 + 2 * nibble(block[106 + k / 8], k / 4 % 2));
            let vector = |i: usize| {
                let at = 2 * k + i;
                let ninth = usize::from(block[66 + at / 8] >> (at % 8) & 1);
                &grids::IQ3_S[usize::from(block[2 + at]) | ninth << 8]
            };
            put(&mut out[..4], scale, vector(0), block[74 + k]);
            put(&mut out[4..], scale, vector(1), block[74 + k] >> 4);
        }
    });
}

/// Writes a vector of -1, 0 and 1, shifted up or down.
#[inline(always)]
fn put_shifted(out: &mut [f32; 8], scale: f32, index: usize, down: bool) {
    let shift = if down { -SHIFT } else { SHIFT };
    for (out, &value) in out.iter_mut().zip(&grids::IQ1[index]) {
        *out = scale * (f32::from(value) + shift);
    }
}

/// Scale; 32 indices; for each 32 elements three more bits of four indices, a scale and the direction of the shift.
#[inline(always)]
pub(in crate::gguf) fn iq1_s(blocks: &[u8], out: &mut [f32]) {
    each(blocks, out, |block: &[u8; 50], out: &mut [f32; SUPER]| {
        let d = half(block, 0);
        for (k, out) in out.as_chunks_mut::<8>().0.iter_mut().enumerate() {
            let word = u16_at(block, 34 + k / 4 * 2);
            let scale = d * f32::from(2 * ((word >> 12) & 7) + 1);
            let index = usize::from(block[2 + k]) | usize::from(word >> (3 * (k % 4)) & 7) << 8;
            put_shifted(out, scale, index, word & 0x8000 != 0);
        }
    });
}

/// 32 indices; for each three more bits and the direction of the shift; four words of four scales of three bits, whose upper
/// bits together are the block's scale.
#[inline(always)]
pub(in crate::gguf) fn iq1_m(blocks: &[u8], out: &mut [f32]) {
    each(blocks, out, |block: &[u8; 56], out: &mut [f32; SUPER]| {
        let word = |i: usize| u16_at(block, 48 + 2 * i);
        let d = (0..4).map(|i| (word(i) >> 12) << (4 * i)).fold(0, |d, part| d | part);
        let d = f16::from_bits(d).to_f32();
        for (k, out) in out.as_chunks_mut::<8>().0.iter_mut().enumerate() {
            let scale = d * f32::from(2 * (word(k / 8) >> (3 * (k / 2 % 4)) & 7) + 1);
            let high = nibble(block[32 + k / 2], k % 2);
            let index = usize::from(block[k]) | usize::from(high & 7) << 8;
            put_shifted(out, scale, index, high & 8 != 0);
        }
    });
}

/// Scale, halves of bytes.
#[inline(always)]
pub(in crate::gguf) fn iq4_nl(blocks: &[u8], out: &mut [f32]) {
    each(blocks, out, |block: &[u8; 18], out: &mut [f32; 32]| {
        let d = half(block, 0);
        for i in 0..32 {
            out[i] = d * UNEVEN[usize::from(nibble(block[2 + i % 16], i / 16))];
        }
    });
}

/// Scale, upper pairs and lower halves of eight scales, halves of bytes.
#[inline(always)]
pub(in crate::gguf) fn iq4_xs(blocks: &[u8], out: &mut [f32]) {
    each(blocks, out, |block: &[u8; 136], out: &mut [f32; SUPER]| {
        let (d, high) = (half(block, 0), u16_at(block, 2));
        for group in 0..8 {
            let low = nibble(block[4 + group / 2], group % 2);
            let scale = d * f32::from((low | ((high >> (2 * group)) as u8 & 3) << 4) as i8 - 32);
            for j in 0..32 {
                let q = nibble(block[8 + 16 * group + j % 16], j / 16);
                out[32 * group + j] = scale * UNEVEN[usize::from(q)];
            }
        }
    });
}
