//! Every type that stores weights, as float32 numbers: equal bit for bit to `gguf/quants.py` of the `gguf` package (0.19), whose
//! order of operations is kept.
//!
//! A block is some scales and the small integers they multiply. Layouts: `ggml-common.h` of llama.cpp.

pub(super) mod codebooks;
pub(super) mod float4;
mod grids;
pub(super) mod k;
pub(super) mod legacy;
pub(super) mod plain;
pub(super) mod ternary;

use half::f16;

/// Elements of the larger blocks.
const SUPER: usize = 256;

/// Block after block, each of `B` bytes and `N` elements.
#[inline(always)]
fn each<const B: usize, const N: usize>(
    blocks: &[u8],
    out: &mut [f32],
    decode: impl Fn(&[u8; B], &mut [f32; N]),
) {
    for (block, out) in blocks.as_chunks::<B>().0.iter().zip(out.as_chunks_mut::<N>().0) {
        decode(block, out);
    }
}

/// The half-precision number at this byte.
#[inline(always)]
fn half(block: &[u8], at: usize) -> f32 {
    f16::from_bits(u16_at(block, at)).to_f32()
}

#[inline(always)]
fn u16_at(block: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([block[at], block[at + 1]])
}

#[inline(always)]
fn u32_at(block: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([block[at], block[at + 1], block[at + 2], block[at + 3]])
}

/// The lower half of a byte, or with `1` the upper.
#[inline(always)]
fn nibble(byte: u8, which: usize) -> u8 {
    (byte >> (4 * which)) & 0x0f
}

/// Two bits of a byte: pair 0 is the lowest.
#[inline(always)]
fn pair(byte: u8, which: usize) -> u8 {
    (byte >> (2 * which)) & 3
}

/// So many bits of a byte, from this one on.
#[inline(always)]
fn bits(byte: u8, from: usize, count: usize) -> u8 {
    byte >> from & ((1 << count) - 1)
}
