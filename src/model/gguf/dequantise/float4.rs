//! Floats of 4 bits (E2M1) times a scale of 8 bits.

use super::{each, nibble};

/// E2M1 numbers, doubled to be whole; scales are halved instead.
const E2M1: [f32; 16] = [0., 1., 2., 3., 4., 6., 8., 12., 0., -1., -2., -3., -4., -6., -8., -12.];

/// Blocks of 32 with a power of two (E8M0): `OCP Microscaling Formats`, version 1.0.
#[inline(always)]
pub(in crate::gguf) fn mxfp4(blocks: &[u8], out: &mut [f32]) {
    each(blocks, out, |block: &[u8; 17], out: &mut [f32; 32]| {
        let d = half_power(block[0]);
        for i in 0..32 {
            out[i] = d * E2M1[usize::from(nibble(block[1 + i % 16], i / 16))];
        }
    });
}

/// Four blocks of 16 with a scale each, an unsigned E4M3.
#[inline(always)]
pub(in crate::gguf) fn nvfp4(blocks: &[u8], out: &mut [f32]) {
    each(blocks, out, |block: &[u8; 36], out: &mut [f32; 64]| {
        for part in 0..4 {
            let d = half_e4m3(block[part]);
            for j in 0..16 {
                let byte = block[4 + 8 * part + j % 8];
                out[16 * part + j] = d * E2M1[usize::from(nibble(byte, j / 8))];
            }
        }
    });
}

/// 2^(e - 128): `ggml_e8m0_to_fp32_half`; the two smallest are subnormal, and 255 is no NaN.
#[inline(always)]
fn half_power(e: u8) -> f32 {
    f32::from_bits(if e < 2 { 0x0020_0000 << e } else { (u32::from(e) - 1) << 23 })
}

/// Half of an E4M3 without its sign, `ue4m3_to_fp32`: NaN is 0.
#[inline(always)]
fn half_e4m3(x: u8) -> f32 {
    if x == 0x7f {
        return 0.0;
    }
    let (exponent, fraction) = ((x >> 3) & 0x0f, f32::from(x & 7));
    let number = if exponent == 0 {
        fraction * (1.0 / 512.0)
    } else {
        (1.0 + fraction / 8.0) * f32::from_bits((u32::from(exponent) + 120) << 23)
    };
    number * 0.5
}
