//! The K types: blocks of 256 in groups of 16 or 32 that have small scales of their own, times the block's.

use super::{SUPER, bits, each, half, nibble, pair};

/// Scales and minima in halves of 16 bytes, 2-bit numbers, scale and scale of minima.
#[inline(always)]
pub(in crate::gguf) fn q2_k(blocks: &[u8], out: &mut [f32]) {
    each(blocks, out, |block: &[u8; 84], out: &mut [f32; SUPER]| {
        let (d, dmin) = (half(block, 80), half(block, 82));
        for (group, out) in out.as_chunks_mut::<16>().0.iter_mut().enumerate() {
            let scale = d * f32::from(nibble(block[group], 0));
            let minimum = dmin * f32::from(nibble(block[group], 1));
            let (from, which) = two_bits(group);
            for (out, &byte) in out.iter_mut().zip(&block[16 + from..][..16]) {
                *out = scale * f32::from(bits(byte, 2 * which, 2)) - minimum;
            }
        }
    });
}

/// 32 bytes of third bits, inverted; 2-bit numbers; sixteen 6-bit scales in 12 bytes; the scale.
#[inline(always)]
pub(in crate::gguf) fn q3_k(blocks: &[u8], out: &mut [f32]) {
    each(blocks, out, |block: &[u8; 110], out: &mut [f32; SUPER]| {
        let (scales, d) = (&block[96..108], half(block, 108));
        let mut q = [0; SUPER];
        for part in 0..2 {
            let (lows, out) = (&block[32 + 32 * part..][..32], &mut q[128 * part..][..128]);
            quarters(out, |i, quarter| {
                let below = (bits(block[i], 4 * part + quarter, 1) ^ 1) << 2;
                bits(lows[i], 2 * quarter, 2).wrapping_sub(below) // of a signed byte
            });
        }
        for (group, (out, q)) in sixteens(out, &q) {
            let low = nibble(scales[group % 8], group / 8);
            let high = pair(scales[8 + group % 4], group / 4);
            let scale = d * f32::from((low | high << 4) as i8 - 32);
            for (out, q) in out.iter_mut().zip(q) {
                *out = scale * f32::from(*q);
            }
        }
    });
}

/// Scale, scale of minima, eight 6-bit scales and minima in 12 bytes, halves of bytes.
#[inline(always)]
pub(in crate::gguf) fn q4_k(blocks: &[u8], out: &mut [f32]) {
    each(blocks, out, |block: &[u8; 144], out: &mut [f32; SUPER]| {
        for group in 0..8 {
            let (scale, minimum) = scale_and_minimum(block, group);
            for (out, &byte) in out[32 * group..].iter_mut().zip(&block[16 + group / 2 * 32..][..32]) {
                *out = scale * f32::from(nibble(byte, group % 2)) - minimum;
            }
        }
    });
}

/// The same with 32 bytes of fifth bits before the halves.
#[inline(always)]
pub(in crate::gguf) fn q5_k(blocks: &[u8], out: &mut [f32]) {
    each(blocks, out, |block: &[u8; 176], out: &mut [f32; SUPER]| {
        for group in 0..8 {
            let (scale, minimum) = scale_and_minimum(block, group);
            let bytes = block[48 + group / 2 * 32..][..32].iter().zip(&block[16..48]);
            for (out, (&low, &high)) in out[32 * group..][..32].iter_mut().zip(bytes) {
                let low = u32::from(low) >> (4 * (group % 2)) & 15;
                let fifth = u32::from(high) >> group & 1;
                *out = scale * (low | fifth << 4) as f32 - minimum;
            }
        }
    });
}

/// Halves of 128 bytes, upper pairs of bits in 64, sixteen signed scales, the scale.
#[inline(always)]
pub(in crate::gguf) fn q6_k(blocks: &[u8], out: &mut [f32]) {
    each(blocks, out, |block: &[u8; 210], out: &mut [f32; SUPER]| {
        let d = half(block, 208);
        let mut q = [0; SUPER];
        for part in 0..2 {
            let (lows, highs) = (&block[64 * part..][..64], &block[128 + 32 * part..][..32]);
            quarters(&mut q[128 * part..][..128], |i, quarter| {
                bits(lows[i + 32 * (quarter % 2)], 4 * (quarter / 2), 4) | bits(highs[i], 2 * quarter, 2) << 4
            });
        }
        for (group, (out, q)) in sixteens(out, &q) {
            let scale = d * f32::from(block[192 + group] as i8);
            for (out, q) in out.iter_mut().zip(q) {
                *out = scale * f32::from(*q - 32);
            }
        }
    });
}

/// Half of a block's numbers, four times 32: each of its index in a quarter and the quarter.
#[inline(always)]
fn quarters(out: &mut [i8], number: impl Fn(usize, usize) -> u8) {
    let (first, second) = out.split_at_mut(64);
    let ((a, b), (c, d)) = (first.split_at_mut(32), second.split_at_mut(32));
    // Written out, so that shifts are constant.
    a.iter_mut().enumerate().for_each(|(i, out)| *out = number(i, 0) as i8);
    b.iter_mut().enumerate().for_each(|(i, out)| *out = number(i, 1) as i8);
    c.iter_mut().enumerate().for_each(|(i, out)| *out = number(i, 2) as i8);
    d.iter_mut().enumerate().for_each(|(i, out)| *out = number(i, 3) as i8);
}

/// The groups of a block and their numbers.
#[inline(always)]
fn sixteens<'a>(
    out: &'a mut [f32; SUPER],
    q: &'a [i8; SUPER],
) -> impl Iterator<Item = (usize, (&'a mut [f32; 16], &'a [i8; 16]))> {
    out.as_chunks_mut::<16>().0.iter_mut().zip(q.as_chunks::<16>().0).enumerate()
}

/// Where the 2-bit numbers of a group of 16 begin, and which pair of bits they are: every 32 bytes hold 128 elements, a quarter
/// of them in each pair.
#[inline(always)]
fn two_bits(group: usize) -> (usize, usize) {
    (group / 8 * 32 + group % 2 * 16, group % 8 / 2)
}

/// Of a group of 32: the first four have 6 bits of a byte, the others four of a byte and two that those left.
#[inline(always)]
fn scale_and_minimum(block: &[u8], group: usize) -> (f32, f32) {
    let (d, dmin, packed) = (half(block, 0), half(block, 2), &block[4..16]);
    let j = group % 4;
    let (scale, minimum) = if group < 4 {
        (packed[j] & 0x3f, packed[4 + j] & 0x3f)
    } else {
        (
            nibble(packed[8 + j], 0) | ((packed[j] >> 2) & 0x30),
            nibble(packed[8 + j], 1) | ((packed[4 + j] >> 2) & 0x30),
        )
    };
    (d * f32::from(scale), dmin * f32::from(minimum))
}
