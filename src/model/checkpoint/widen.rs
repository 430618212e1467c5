//! Weights as float32: bf16 and f16 widen exactly, f32 is copied, quantised weights are dequantised; on all cores, at the speed of memory.

use half::f16;
use rayon::prelude::*;

use super::{Content, Dtype, Tensor};

/// Elements per task: large enough that scheduling costs nothing, small enough that all cores finish together.
const CHUNK: usize = 1 << 18;
/// From this many elements on (16 MiB of float32), what is written would push everything else out of the caches
/// and be pushed out itself before it is read: it is written past them, in a quarter less time.
const PAST_CACHES: usize = 1 << 22;
/// Elements widened in the first-level cache before they are written past it.
const BLOCK: usize = 512;

/// Writes a weight's elements, in their order, into `out` as float32; exact, since f32 contains bf16 and f16.
///
/// A signalling NaN of f16 may come out quiet; every other value keeps its bits' meaning.
///
/// # Panics
/// Where `out` is not exactly as long as the tensor has elements.
pub fn widen(tensor: &Tensor<'_>, out: &mut [f32]) {
    assert_eq!(tensor.elements(), out.len(), "as many numbers as the weight has");
    widen_from(tensor, 0, out);
}

/// [`widen`] for the elements from `start` on, e.g. some rows of a matrix.
///
/// # Panics
/// Where the weight has fewer than `start + out.len()` elements.
pub fn widen_from(tensor: &Tensor<'_>, start: usize, out: &mut [f32]) {
    assert!(start + out.len() <= tensor.elements(), "elements that the weight has");
    match tensor.content {
        Content::Stored(bytes) => {
            let size = tensor.dtype.size();
            widen_bytes(tensor.dtype, &bytes[start * size..(start + out.len()) * size], out);
        }
        Content::Made(made) => made.read(tensor.first + start, out),
        Content::Packed(packed) => packed.read(tensor.first + start, out),
        Content::Quantised(quantised) => quantised.read(tensor.first + start, out),
    }
}

/// [`widen`] for bytes at hand.
///
/// # Panics
/// Where `bytes` is not exactly `out.len()` elements of `dtype`.
pub fn widen_bytes(dtype: Dtype, bytes: &[u8], out: &mut [f32]) {
    let size = dtype.size();
    assert_eq!(bytes.len(), out.len() * size, "bytes and elements of the same weight");
    if out.len() <= CHUNK {
        return serial(dtype, bytes, out);
    }
    let one = if out.len() < PAST_CACHES { serial } else { past_caches };
    bytes.par_chunks(CHUNK * size).zip(out.par_chunks_mut(CHUNK)).for_each(|(b, o)| one(dtype, b, o));
}

/// [`serial`] by way of a small buffer and stores that do not first read the lines they overwrite.
fn past_caches(dtype: Dtype, bytes: &[u8], out: &mut [f32]) {
    let mut buffer = [0.0; BLOCK];
    // Blocks then begin at whole cache lines.
    let odd = out.as_ptr().align_offset(64).min(out.len());
    let (odd_bytes, bytes) = bytes.split_at(odd * dtype.size());
    let (odd_out, out) = out.split_at_mut(odd);
    serial(dtype, odd_bytes, odd_out);
    for (out, bytes) in out.chunks_mut(BLOCK).zip(bytes.chunks(BLOCK * dtype.size())) {
        let buffer = &mut buffer[..out.len()];
        serial(dtype, bytes, buffer);
        stream(buffer, out);
    }
    #[cfg(target_arch = "x86_64")]
    // SAFETY: SSE belongs to every x86-64.
    unsafe {
        std::arch::x86_64::_mm_sfence();
    }
}

/// Copies `from` to `to`, both of one length, without reading `to`'s cache lines.
#[cfg(target_arch = "x86_64")]
fn stream(from: &[f32], to: &mut [f32]) {
    use std::arch::x86_64::{_mm_loadu_ps, _mm_stream_ps};
    let (from_quads, from_rest) = from.as_chunks::<4>();
    let (to_quads, to_rest) = to.as_chunks_mut::<4>();
    for (from, to) in from_quads.iter().zip(to_quads) {
        if to.as_ptr().align_offset(16) == 0 {
            // SAFETY: both point to four floats, `to` at a multiple of 16 bytes; the caller fences before another
            // thread reads them. SSE belongs to every x86-64.
            unsafe { _mm_stream_ps(to.as_mut_ptr(), _mm_loadu_ps(from.as_ptr())) };
        } else {
            *to = *from;
        }
    }
    to_rest.copy_from_slice(from_rest);
}

#[cfg(not(target_arch = "x86_64"))]
fn stream(from: &[f32], to: &mut [f32]) {
    to.copy_from_slice(from);
}

/// One chunk on one core. Little-endian bytes of any alignment; the array chunks compile to unaligned loads.
fn serial(dtype: Dtype, bytes: &[u8], out: &mut [f32]) {
    match dtype {
        Dtype::F32 => {
            for (out, &bytes) in out.iter_mut().zip(bytes.as_chunks::<4>().0) {
                *out = f32::from_le_bytes(bytes);
            }
        }
        Dtype::BF16 => bf16s(bytes, out),
        Dtype::F16 => f16s(bytes, out),
    }
}

fn bf16s(bytes: &[u8], out: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        #[target_feature(enable = "avx2")]
        fn wide(bytes: &[u8], out: &mut [f32]) {
            bf16s_one_by_one(bytes, out);
        }
        // SAFETY: the processor has AVX2, just asked.
        return unsafe { wide(bytes, out) };
    }
    bf16s_one_by_one(bytes, out);
}

/// The upper half of a float32.
#[inline(always)]
pub fn bf16(bytes: [u8; 2]) -> f32 {
    f32::from_bits(u32::from(u16::from_le_bytes(bytes)) << 16)
}

/// Compiled once plain and once for wide registers.
#[inline(always)]
fn bf16s_one_by_one(bytes: &[u8], out: &mut [f32]) {
    for (out, &bytes) in out.iter_mut().zip(bytes.as_chunks::<2>().0) {
        *out = bf16(bytes);
    }
}

fn f16s(bytes: &[u8], out: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx") && is_x86_feature_detected!("f16c") {
        // SAFETY: the processor has both, just asked.
        return unsafe { f16s_by_instruction(bytes, out) };
    }
    f16s_one_by_one(bytes, out);
}

/// Eight at a time. `half` uses the same instruction, but behind a call per eight and on aligned slices only.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx,f16c")]
fn f16s_by_instruction(bytes: &[u8], out: &mut [f32]) {
    use std::arch::x86_64::{_mm_loadu_si128, _mm256_cvtph_ps, _mm256_storeu_ps};
    let (eights, rest) = bytes.as_chunks::<16>();
    let (out_eights, out_rest) = out.as_chunks_mut::<8>();
    for (bytes, out) in eights.iter().zip(out_eights) {
        // SAFETY: unaligned load of 16 bytes and store of 8 floats, each of just that size.
        unsafe {
            _mm256_storeu_ps(out.as_mut_ptr(), _mm256_cvtph_ps(_mm_loadu_si128(bytes.as_ptr().cast())))
        };
    }
    f16s_one_by_one(rest, out_rest);
}

fn f16s_one_by_one(bytes: &[u8], out: &mut [f32]) {
    for (out, &bytes) in out.iter_mut().zip(bytes.as_chunks::<2>().0) {
        *out = f16::from_le_bytes(bytes).to_f32();
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
    fn f16_without_the_instruction_is_the_same() {
        let bytes = every_pattern(0);
        let (mut with, mut without) = (vec![0.0f32; 65536], vec![0.0f32; 65536]);
        f16s(&bytes, &mut with);
        f16s_one_by_one(&bytes, &mut without);
        assert!(with.iter().zip(&without).all(|(a, b)| a.to_bits() == b.to_bits()));
    }

    #[test]
    fn chunks_meet_without_a_seam() {
        for dtype in [Dtype::F32, Dtype::F16, Dtype::BF16] {
            for count in [2 * CHUNK + 777, PAST_CACHES + 777] {
                for shift in [0, 1, 3] {
                    seamless(dtype, count, shift);
                }
            }
        }
    }

    /// Bytes one past any alignment into a buffer whose start is `shift` floats past a cache line's.
    fn seamless(dtype: Dtype, count: usize, shift: usize) {
        let bytes: Vec<u8> = (0..count)
            .flat_map(|i| match dtype {
                Dtype::F32 => (i as f32).to_le_bytes().to_vec(),
                Dtype::F16 => f16::from_f32((i % 2048) as f32).to_le_bytes().to_vec(),
                Dtype::BF16 => half::bf16::from_f32((i % 256) as f32).to_le_bytes().to_vec(),
            })
            .collect();
        let mut unaligned = vec![0u8; bytes.len() + 1];
        unaligned[1..].copy_from_slice(&bytes);
        let mut buffer = vec![0.0; count + 32];
        let shift = buffer.as_ptr().align_offset(64) + shift;
        let out = &mut buffer[shift..shift + count];
        let shape = [count];
        let content = Content::Stored(&unaligned[1..]);
        widen(&Tensor { name: "w", dtype, shape: &shape, content, first: 0 }, out);
        let modulus = match dtype {
            Dtype::F32 => 1 << 24,
            Dtype::F16 => 2048,
            Dtype::BF16 => 256,
        };
        assert!(out.iter().enumerate().all(|(i, &v)| v == (i % modulus) as f32), "{dtype}");
    }
}
