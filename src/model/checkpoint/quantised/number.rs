//! The numbers of scales, zero points and small floats, one at a time.

use std::sync::LazyLock;

use half::{bf16, f16};
use safetensors::Dtype;

/// How a tensor stores numbers that float32 holds exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    F32,
    F16,
    BF16,
    /// Powers of two, as safetensors calls them or as plain bytes.
    E8M0,
    E4M3,
    E5M2,
    I8,
}

/// The dtypes of scales.
pub(super) const SCALES: &[Dtype] = &[Dtype::F32, Dtype::F16, Dtype::BF16];
/// Those of scales that may be powers of two.
pub(super) const SCALES_OR_POWERS: &[Dtype] =
    &[Dtype::F32, Dtype::F16, Dtype::BF16, Dtype::F8_E8M0, Dtype::U8];

impl Number {
    /// Of a dtype that was looked at: bytes are powers of two.
    pub(super) fn of(dtype: Dtype) -> Option<Number> {
        Some(match dtype {
            Dtype::F32 => Number::F32,
            Dtype::F16 => Number::F16,
            Dtype::BF16 => Number::BF16,
            Dtype::F8_E8M0 | Dtype::U8 => Number::E8M0,
            Dtype::F8_E4M3 => Number::E4M3,
            Dtype::F8_E5M2 => Number::E5M2,
            Dtype::I8 => Number::I8,
            _ => return None,
        })
    }

    /// The numbers from this place on, each times a scale.
    #[inline(always)]
    pub(super) fn scaled(self, bytes: &[u8], from: usize, scale: f32, out: &mut [f32]) {
        match self {
            Number::E4M3 => {
                let numbers = &*E4M3;
                for (out, byte) in out.iter_mut().zip(&bytes[from..]) {
                    *out = numbers[usize::from(*byte)] * scale;
                }
            }
            Number::I8 => {
                for (out, byte) in out.iter_mut().zip(&bytes[from..]) {
                    *out = f32::from(*byte as i8) * scale;
                }
            }
            _ => {
                for (at, out) in (from..).zip(out) {
                    *out = self.at(bytes, at) * scale;
                }
            }
        }
    }

    /// The number at this place of a tensor.
    #[inline(always)]
    pub(super) fn at(self, bytes: &[u8], index: usize) -> f32 {
        let pair = || [bytes[2 * index], bytes[2 * index + 1]];
        match self {
            Number::F32 => {
                let at = 4 * index;
                f32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
            }
            Number::F16 => f16::from_le_bytes(pair()).to_f32(),
            Number::BF16 => bf16::from_le_bytes(pair()).to_f32(),
            Number::E8M0 => power_of_two(bytes[index]),
            Number::E4M3 => E4M3[usize::from(bytes[index])],
            Number::E5M2 => f16::from_bits(u16::from(bytes[index]) << 8).to_f32(),
            Number::I8 => f32::from(bytes[index] as i8),
        }
    }
}

/// `2^(exponent - 127)`; 255 is infinite, as `exp2` gives it.
pub(super) fn power_of_two(exponent: u8) -> f32 {
    match exponent {
        0 => f32::from_bits(1 << 22), // below the smallest normal number
        _ => f32::from_bits(u32::from(exponent) << 23),
    }
}

/// Every byte as a float of 4 bits of exponent and 3 of mantissa, which has no infinity, and NaN only where all these are set.
/// Source: Micikevicius et al. 2022, FP8 Formats for Deep Learning.
pub(super) static E4M3: LazyLock<[f32; 256]> = LazyLock::new(|| {
    std::array::from_fn(|byte| {
        let (exponent, mantissa) = ((byte >> 3) & 15, (byte & 7) as f32);
        let size = match (exponent, byte & 7) {
            (15, 7) => f32::NAN,
            (0, _) => mantissa * 0.001953125, // 2^-9
            _ => (8.0 + mantissa) * power_of_two(exponent as u8 + 117),
        };
        if byte & 128 != 0 { -size } else { size }
    })
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_floats_are_what_their_bits_say() {
        let of = |byte: u8| E4M3[usize::from(byte)];
        assert_eq!(
            [of(0x38), of(0x7e), of(0x01), of(0x08), of(0xb8)],
            [1.0, 448.0, 0.001953125, 0.015625, -1.0]
        );
        assert!(of(0x7f).is_nan() && of(0xff).is_nan() && of(0x80).is_sign_negative());
        assert_eq!(
            [power_of_two(127), power_of_two(0), power_of_two(254)],
            [1.0, 2f32.powi(-127), 2f32.powi(127)]
        );
        assert_eq!(Number::E5M2.at(&[0x3c], 0), 1.0);
    }
}
