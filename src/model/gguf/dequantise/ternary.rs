//! Blocks of -1, 0 and 1 times a scale, as BitNet and its like have them.

use super::{SUPER, each, half, pair};

/// 3^0 to 3^4.
const POWERS: [u8; 5] = [1, 3, 9, 27, 81];

/// Five digits of base 3 in a byte, as a fraction of 256: times 3^n, without what overflows, the nth is the third it lies in.
#[inline(always)]
pub(in crate::gguf) fn tq1_0(blocks: &[u8], out: &mut [f32]) {
    each(blocks, out, |block: &[u8; 54], out: &mut [f32; SUPER]| {
        let d = half(block, 52);
        for (i, out) in out.iter_mut().enumerate() {
            let (byte, digit) = match i {
                0..160 => (block[i % 32], i / 32),
                160..240 => (block[32 + (i - 160) % 16], (i - 160) / 16),
                _ => (block[48 + (i - 240) % 4], (i - 240) / 4),
            };
            let third = (u16::from(byte.wrapping_mul(POWERS[digit])) * 3) >> 8;
            *out = d * f32::from(third as i8 - 1);
        }
    });
}

/// Two bits each.
#[inline(always)]
pub(in crate::gguf) fn tq2_0(blocks: &[u8], out: &mut [f32]) {
    each(blocks, out, |block: &[u8; 66], out: &mut [f32; SUPER]| {
        let d = half(block, 64);
        for (i, out) in out.iter_mut().enumerate() {
            let q = pair(block[i / 128 * 32 + i % 32], i % 128 / 32) as i8 - 1;
            *out = d * f32::from(q);
        }
    });
}
