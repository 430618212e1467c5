//! Products by fused multiplications and additions on vectors of eight or sixteen numbers, with weights in bf16 or f16 that
//! are widened on their way to the second cache.
//!
//! A number is summed over inputs as ONNX Runtime's products sum it: in runs of 128 inputs, each from zero in the order of the
//! inputs, and the runs in their order, from the bias on. Where a thread's share has no more than 64 outputs, and fewer than
//! inputs, its runs are longer: here as if one thread had them all. So the numbers are the runtime's, bit for bit, on
//! one thread and wherever its threads' shares are wider, for two rows and more. Source: `core/mlas/lib/sgemm.cpp` of ONNX
//! Runtime.

// There are no vectors then, and nothing to compute.
#![cfg_attr(not(target_arch = "x86_64"), allow(unused))]

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "x86_64")]
mod panels;

use std::fmt;

use super::{Each, Linear, Rows, shared::Shared};

/// Proof that this processor has such vectors.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fma {
    #[cfg(target_arch = "x86_64")]
    Eight(avx2::Avx2),
    #[cfg(target_arch = "x86_64")]
    Sixteen(avx512::Avx512),
}

impl Fma {
    /// All that this processor has, the fastest first.
    pub(crate) fn all() -> impl Iterator<Item = Fma> {
        #[cfg(target_arch = "x86_64")]
        let all = [avx512::Avx512::new().map(Fma::Sixteen), avx2::Avx2::new().map(Fma::Eight)];
        #[cfg(not(target_arch = "x86_64"))]
        let all = [None::<Fma>];
        all.into_iter().flatten()
    }

    /// Bytes that each thread holds for a product.
    pub(crate) fn room(self) -> usize {
        match self {
            #[cfg(target_arch = "x86_64")]
            Fma::Eight(_) => panels::bytes::<avx2::Avx2>(),
            #[cfg(target_arch = "x86_64")]
            Fma::Sixteen(_) => panels::bytes::<avx512::Avx512>(),
        }
    }

    /// Numbers of so many rows: rows by as many as are multiplied at a time, inputs, rows. Rows that are not there are zeros.
    pub(crate) fn size(self, rows: usize, inputs: usize) -> usize {
        rows.next_multiple_of(self.at_a_time()) * inputs
    }

    /// Sizes are checked by the caller.
    pub(crate) fn arrange(self, x: &[f32], inputs: usize, bits: &mut [u32], each: Each<'_>) {
        let (rows, some) = (x.len() / inputs, self.at_a_time());
        let start = Shared(bits.as_mut_ptr());
        each(rows.div_ceil(some), &|group| {
            // SAFETY: groups do not overlap, each is written by one call, and all are within `bits`.
            let bits = unsafe {
                std::slice::from_raw_parts_mut(start.get().add(group * some * inputs), some * inputs)
            };
            let (first, last) = (group * some, rows.min((group + 1) * some));
            if last - first < some {
                bits.fill(0);
            }
            for (row, x) in x[first * inputs..last * inputs].chunks_exact(inputs).enumerate() {
                for (to, x) in bits[row..].iter_mut().step_by(some).zip(x) {
                    *to = x.to_bits();
                }
            }
        });
    }

    /// Sizes are checked by the caller.
    pub(crate) fn product(self, x: Rows<'_>, linear: Linear<'_>, out: &mut [f32], each: Each<'_>) {
        match self {
            #[cfg(target_arch = "x86_64")]
            Fma::Eight(vectors) => panels::product(vectors, x, linear, out, each),
            #[cfg(target_arch = "x86_64")]
            Fma::Sixteen(vectors) => panels::product(vectors, x, linear, out, each),
        }
    }

    /// Rows that are multiplied at a time.
    fn at_a_time(self) -> usize {
        match self {
            #[cfg(target_arch = "x86_64")]
            Fma::Eight(_) => <avx2::Avx2 as panels::Vectors>::ROWS,
            #[cfg(target_arch = "x86_64")]
            Fma::Sixteen(_) => <avx512::Avx512 as panels::Vectors>::ROWS,
        }
    }
}

/// What it computes with.
impl fmt::Display for Fma {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            #[cfg(target_arch = "x86_64")]
            Fma::Eight(_) => f.write_str("AVX2"),
            #[cfg(target_arch = "x86_64")]
            Fma::Sixteen(_) => f.write_str("AVX-512"),
        }
    }
}
