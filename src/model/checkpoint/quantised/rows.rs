//! What a format says of a weight: how it is called, and how its rows follow from bytes.

use std::fmt;

/// How a weight is quantised, in short: a method and, where it is not one for all, the bits of an element without its scales.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scheme {
    name: &'static str,
    bits: Option<u8>,
}

impl Scheme {
    pub(super) const fn new(name: &'static str) -> Scheme {
        Scheme { name, bits: None }
    }

    pub(super) const fn of_bits(name: &'static str, bits: u32) -> Scheme {
        Scheme { name, bits: Some(bits as u8) } // at most eight
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.bits {
            None => f.write_str(self.name),
            Some(bits) => write!(f, "{}-{bits}bit", self.name),
        }
    }
}

/// How the rows of one weight follow from the tensors that store it.
pub(in super::super) trait Rows: Send + Sync {
    /// Writes the rows from `first` on, whole ones of the innermost dimension, into `out`; `parts` are the bytes of the tensors, in the order of the plan.
    fn read(&self, parts: &[&[u8]], first: usize, out: &mut [f32]);

    /// [`Rows::read`] compiled for wide registers, where the processor has them; an implementation of it is one that is always
    /// inlined.
    fn read_wide(&self, parts: &[&[u8]], first: usize, out: &mut [f32]) {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") {
            #[target_feature(enable = "avx2")]
            fn wide<R: Rows + ?Sized>(rows: &R, parts: &[&[u8]], first: usize, out: &mut [f32]) {
                rows.read(parts, first, out);
            }
            // SAFETY: the processor has AVX2, just asked.
            return unsafe { wide(self, parts, first, out) };
        }
        self.read(parts, first, out);
    }

    /// How many rows are best read at once.
    fn together(&self) -> usize {
        1
    }

    /// All that decides the numbers besides the bytes of the parts: it enters the identity of the weights.
    fn says(&self) -> String;
}
