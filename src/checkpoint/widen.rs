//! Weights as float32: bf16 and f16 widen exactly, f32 is copied; on all cores, at the speed of memory.

use half::{f16, slice::HalfFloatSliceExt};
use rayon::prelude::*;

use super::{Dtype, Tensor};

/// Elements per task: large enough that scheduling costs nothing, small enough that all cores finish together.
const CHUNK: usize = 1 << 18;

/// Writes a weight's elements, in their order, into `out` as float32; exact, since f32 contains bf16 and f16.
///
/// A signalling NaN of f16 may come out quiet; every other value keeps its bits' meaning.
///
/// # Panics
/// Where `out` is not exactly as long as the tensor has elements.
pub fn widen(tensor: &Tensor<'_>, out: &mut [f32]) {
    widen_bytes(tensor.dtype, tensor.bytes, out);
}

/// [`widen`] for any run of a weight's elements, e.g. some of its rows.
///
/// # Panics
/// Where `bytes` is not exactly `out.len()` elements of `dtype`.
pub fn widen_bytes(dtype: Dtype, bytes: &[u8], out: &mut [f32]) {
    let size = dtype.size();
    assert_eq!(bytes.len(), out.len() * size, "bytes and elements of the same weight");
    if out.len() <= CHUNK {
        return serial(dtype, bytes, out);
    }
    bytes.par_chunks(CHUNK * size).zip(out.par_chunks_mut(CHUNK)).for_each(|(b, o)| serial(dtype, b, o));
}

/// One chunk on one core. Little-endian bytes of any alignment; the array chunks compile to unaligned loads.
pub(super) fn serial(dtype: Dtype, bytes: &[u8], out: &mut [f32]) {
    match dtype {
        Dtype::F32 => {
            for (out, &bytes) in out.iter_mut().zip(bytes.as_chunks::<4>().0) {
                *out = f32::from_le_bytes(bytes);
            }
        }
        Dtype::BF16 => {
            for (out, &bytes) in out.iter_mut().zip(bytes.as_chunks::<2>().0) {
                *out = f32::from_bits(u32::from(u16::from_le_bytes(bytes)) << 16);
            }
        }
        Dtype::F16 => {
            // `half` converts aligned slices with the hardware's instruction; a small aligned buffer costs
            // nothing beside that and spares unsafe code.
            let mut aligned = [f16::ZERO; 512];
            for (out, bytes) in out.chunks_mut(aligned.len()).zip(bytes.chunks(2 * aligned.len())) {
                let aligned = &mut aligned[..out.len()];
                for (half, &bytes) in aligned.iter_mut().zip(bytes.as_chunks::<2>().0) {
                    *half = f16::from_le_bytes(bytes);
                }
                aligned.convert_to_f32_slice(out);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every 16-bit pattern, little-endian, after `shift` bytes that misalign it.
    fn every_pattern(shift: usize) -> Vec<u8> {
        let patterns = (0..=u16::MAX).flat_map(u16::to_le_bytes);
        std::iter::repeat_n(0, shift).chain(patterns).collect()
    }

    /// The value of a sign, exponent and fraction field, from the definition of a binary float, in f64.
    fn value(bits: u16, exponent_bits: u32) -> f64 {
        let fraction_bits = 15 - exponent_bits;
        let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
        let exponent = i32::from((bits & 0x7fff) >> fraction_bits);
        let fraction = f64::from(bits & ((1 << fraction_bits) - 1)) / f64::from(1u32 << fraction_bits);
        let bias = (1 << (exponent_bits - 1)) - 1;
        if exponent == (1 << exponent_bits) - 1 {
            return if fraction == 0.0 { sign * f64::INFINITY } else { f64::NAN };
        }
        let (mantissa, exponent) = if exponent == 0 { (fraction, 1) } else { (1.0 + fraction, exponent) };
        sign * mantissa * 2f64.powi(exponent - bias)
    }

    #[test]
    fn every_16_bit_pattern_widens_to_the_number_it_stands_for() {
        for (dtype, exponent_bits) in [(Dtype::BF16, 8), (Dtype::F16, 5)] {
            for shift in [0, 1] {
                let bytes = every_pattern(shift);
                let mut out = vec![7.0; 65536];
                widen_bytes(dtype, &bytes[shift..], &mut out);
                for (bits, &found) in out.iter().enumerate() {
                    let expected = value(bits as u16, exponent_bits);
                    if expected.is_nan() {
                        assert!(found.is_nan(), "{dtype} {bits:#06x}: {found}");
                        assert_eq!(found.is_sign_negative(), bits >> 15 == 1, "{dtype} {bits:#06x}");
                    } else {
                        assert_eq!(f64::from(found).to_bits(), expected.to_bits(), "{dtype} {bits:#06x}");
                    }
                }
            }
        }
    }

    #[test]
    fn chunks_meet_without_a_seam() {
        let count = 2 * CHUNK + 777;
        for dtype in [Dtype::F32, Dtype::F16, Dtype::BF16] {
            let bytes: Vec<u8> = (0..count)
                .flat_map(|i| match dtype {
                    Dtype::F32 => (i as f32).to_le_bytes().to_vec(),
                    Dtype::F16 => f16::from_f32((i % 2048) as f32).to_le_bytes().to_vec(),
                    Dtype::BF16 => half::bf16::from_f32((i % 256) as f32).to_le_bytes().to_vec(),
                })
                .collect();
            let mut unaligned = vec![0u8; bytes.len() + 1];
            unaligned[1..].copy_from_slice(&bytes);
            let mut out = vec![0.0; count];
            let shape = [count];
            widen(&Tensor { name: "w", dtype, shape: &shape, bytes: &unaligned[1..] }, &mut out);
            let modulus = match dtype {
                Dtype::F32 => usize::MAX,
                Dtype::F16 => 2048,
                Dtype::BF16 => 256,
            };
            assert!(out.iter().enumerate().all(|(i, &v)| v == (i % modulus) as f32), "{dtype}");
        }
    }
}
