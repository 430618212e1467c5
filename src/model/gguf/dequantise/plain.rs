//! Numbers that are stored as they are.

use half::f16;

#[inline(always)]
pub(in crate::gguf) fn f32s(bytes: &[u8], out: &mut [f32]) {
    super::each(bytes, out, |bytes: &[u8; 4], out: &mut [f32; 1]| out[0] = f32::from_le_bytes(*bytes));
}

#[inline(always)]
pub(in crate::gguf) fn f16s(bytes: &[u8], out: &mut [f32]) {
    super::each(bytes, out, |bytes: &[u8; 2], out: &mut [f32; 1]| {
        out[0] = f16::from_le_bytes(*bytes).to_f32()
    });
}

#[inline(always)]
pub(in crate::gguf) fn bf16s(bytes: &[u8], out: &mut [f32]) {
    super::each(bytes, out, |bytes: &[u8; 2], out: &mut [f32; 1]| {
        out[0] = f32::from_bits(u32::from(u16::from_le_bytes(*bytes)) << 16);
    });
}

/// Rounded to the nearest: the only type that float32 does not contain.
#[inline(always)]
pub(in crate::gguf) fn f64s(bytes: &[u8], out: &mut [f32]) {
    super::each(bytes, out, |bytes: &[u8; 8], out: &mut [f32; 1]| out[0] = f64::from_le_bytes(*bytes) as f32);
}
