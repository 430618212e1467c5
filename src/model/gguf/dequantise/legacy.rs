//! Blocks of 32 with one scale, and in the second form of each a minimum.

use super::{each, half, nibble, u32_at};

/// Scale, then 16 bytes of two numbers each: the lower halves are the first 16 elements.
#[inline(always)]
pub(in crate::gguf) fn q4_0(blocks: &[u8], out: &mut [f32]) {
    each(blocks, out, |block: &[u8; 18], out: &mut [f32; 32]| {
        let d = half(block, 0);
        halves(&block[2..], out, |_, q| d * f32::from(q as i8 - 8));
    });
}

#[inline(always)]
pub(in crate::gguf) fn q4_1(blocks: &[u8], out: &mut [f32]) {
    each(blocks, out, |block: &[u8; 20], out: &mut [f32; 32]| {
        let (d, m) = (half(block, 0), half(block, 2));
        halves(&block[4..], out, |_, q| d * f32::from(q) + m);
    });
}

/// Between scale and halves 32 fifth bits.
#[inline(always)]
pub(in crate::gguf) fn q5_0(blocks: &[u8], out: &mut [f32]) {
    each(blocks, out, |block: &[u8; 22], out: &mut [f32; 32]| {
        let (d, high) = (half(block, 0), u32_at(block, 2));
        halves(&block[6..], out, |i, q| d * ((i32::from(q) | fifth(high, i)) - 16) as f32);
    });
}

#[inline(always)]
pub(in crate::gguf) fn q5_1(blocks: &[u8], out: &mut [f32]) {
    each(blocks, out, |block: &[u8; 24], out: &mut [f32; 32]| {
        let (d, m, high) = (half(block, 0), half(block, 2), u32_at(block, 4));
        halves(&block[8..], out, |i, q| d * (i32::from(q) | fifth(high, i)) as f32 + m);
    });
}

#[inline(always)]
pub(in crate::gguf) fn q8_0(blocks: &[u8], out: &mut [f32]) {
    each(blocks, out, |block: &[u8; 34], out: &mut [f32; 32]| {
        let d = half(block, 0);
        for (out, &q) in out.iter_mut().zip(&block[2..]) {
            *out = f32::from(q as i8) * d;
        }
    });
}

/// The lower halves of 16 bytes, then the upper, each with its index.
#[inline(always)]
fn halves(bytes: &[u8], out: &mut [f32; 32], number: impl Fn(usize, u8) -> f32) {
    let (low, high) = out.split_at_mut(16);
    for (i, ((low, high), &byte)) in low.iter_mut().zip(high).zip(bytes).enumerate() {
        *low = number(i, nibble(byte, 0));
        *high = number(16 + i, nibble(byte, 1));
    }
}

#[inline(always)]
fn fifth(high: u32, i: usize) -> i32 {
    (high >> i & 1) as i32 * 16
}
