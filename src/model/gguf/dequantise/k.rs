//! The K types: blocks of 256 in groups of 16 or 32 that have small scales of their own, times the block's.

use super::{SUPER, bit, each, half, nibble, pair};

/// Scales and minima in halves of 16 bytes, 2-bit numbers, scale and scale of minima.
#[inline(always)]
pub(in crate::gguf) fn q2_k(blocks: &[u8], out: &mut [f32]) {
    each(blocks, out, |block: &[u8; 84], out: &mut [f32; SUPER]| {
        let (d, dmin) = (half(block, 80), half(block, 82));
        for (group, out) in out.as_chunks_mut::<16>().0.iter_mut().enumerate() {
            let scale = d * f32::from(nibble(block[group], 0));
            let minimum = dmin * f32::from(nibble(block[group], 1));
            let (from, which) = two_bits(group);
            for (out, &byte) in out.iter_mut().zip(&block[16 + from..]) {
                *out = scale * f32::from(pair(byte, which)) - minimum;
            }
        }
    });
}

/// 32 bytes of third bits, inverted; 2-bit numbers; sixteen 6-bit scales in 12 bytes; the scale.
#[inline(always)]
pub(in crate::gguf) fn q3_k(blocks: &[u8], out: &mut [f32]) {
    each(blocks, out, |block: &[u8; 110], out: &mut [f32; SUPER]| {
        let (scales, d) = (&block[96..108], half(block, 108));
        for (group, out) in out.as_chunks_mut::<16>().0.iter_mut().enumerate() {
            let low = nibble(scales[group % 8], group / 8);
            let high = pair(scales[8 + group % 4], group / 4);
            let scale = d * f32::from((low | high << 4) as i8 - 32);
            let (from, which) = two_bits(group);
            let (lows, highs) = (&block[32 + from..], &block[group % 2 * 16..]);
            for (out, (&low, &high)) in out.iter_mut().zip(lows.iter().zip(highs)) {
                let below = (bit(high, group / 2) ^ 1) << 2;
                *out = scale * f32::from(pair(low, which) as i8 - below as i8);
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
            for (out, (&low, &high)) in out[32 * group..].iter_mut().zip(bytes) {
                let q = nibble(low, group % 2) | bit(high, group) << 4;
                *out = scale * f32::from(q) - minimum;
            }
        }
    });
}

/// Halves of 128 bytes, upper pairs of bits in 64, sixteen signed scales, the scale.
#[inline(always)]
pub(in crate::gguf) fn q6_k(blocks: &[u8], out: &mut [f32]) {
    each(blocks, out, |block: &[u8; 210], out: &mut [f32; SUPER]| {
        let d = half(block, 208);
        for (group, out) in out.as_chunks_mut::<16>().0.iter_mut().enumerate() {
            let scale = d * f32::from(block[192 + group] as i8);
            // The lower halves of 64 bytes are half of 128 elements, the upper the other; of 32 bytes each pair a quarter.
            let (part, rest) = (group / 8, group % 8);
            let (lows, highs) =
                (&block[part * 64 + rest % 4 * 16..], &block[128 + part * 32 + rest % 2 * 16..]);
            for (out, (&low, &high)) in out.iter_mut().zip(lows.iter().zip(highs)) {
                let q = nibble(low, rest / 4) | pair(high, rest / 2) << 4;
                *out = scale * f32::from(q as i8 - 32);
            }
        }
    });
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
