//! The units of this processor that can multiply rows with weights of two bytes.

use std::fmt;

use super::{Each, Halves, Linear, Rows, fma, tiles};
use model::checkpoint::Dtype;

/// What multiplies: a unit of this processor, or its emulation.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unit {
    /// The processor's tile registers, with weights in bf16.
    Tiles(tiles::Registers),
    /// This program as tile registers would, slowly.
    EmulatedTiles,
    /// Fused multiplications and additions on vectors, with weights in bf16 or f16.
    Fma(fma::Fma),
}

impl Unit {
    /// The fastest of this processor: each was faster than the runtime's own products where it was measured (results/bench).
    pub(crate) fn fastest() -> Option<Unit> {
        tiles::Registers::new().map(Unit::Tiles).or_else(|| fma::Fma::all().next().map(Unit::Fma))
    }

    /// Whether it multiplies with weights of this dtype.
    pub(crate) fn takes(self, dtype: Dtype) -> bool {
        match self {
            Unit::Tiles(_) | Unit::EmulatedTiles => dtype == Dtype::BF16,
            Unit::Fma(_) => matches!(dtype, Dtype::BF16 | Dtype::F16),
        }
    }

    /// Bytes that each thread holds for a product.
    pub(crate) fn room(self) -> usize {
        match self {
            Unit::Tiles(_) => tiles::THREAD_BYTES,
            Unit::EmulatedTiles => 0,
            Unit::Fma(fma) => fma.room(),
        }
    }

    /// Length of [`Rows::bits`] of so many rows and inputs.
    pub(crate) fn size(self, rows: usize, inputs: usize) -> usize {
        match self {
            Unit::Tiles(_) | Unit::EmulatedTiles => tiles::size(rows, inputs),
            Unit::Fma(fma) => fma.size(rows, inputs),
        }
    }

    /// `x [rows, inputs]` in the order of [`Rows`]; `bits` has the [`Unit::size`] of it.
    ///
    /// # Panics
    /// Where the sizes do not belong together.
    pub(crate) fn arrange(self, x: &[f32], inputs: usize, bits: &mut [u32], each: Each<'_>) {
        assert!(inputs > 0);
        let rows = x.len() / inputs;
        assert_eq!((x.len(), bits.len()), (rows * inputs, self.size(rows, inputs)));
        match self {
            Unit::Tiles(registers) => tiles::split(registers, x, inputs, bits, each),
            Unit::EmulatedTiles => tiles::emulated::split(x, inputs, bits),
            Unit::Fma(fma) => fma.arrange(x, inputs, bits, each),
        }
    }

    /// `x · weightᵀ + bias`, `[rows, outputs]`, into `out`.
    ///
    /// # Panics
    /// Where the sizes do not belong together, and with a weight that it does not take.
    pub(crate) fn product(self, x: Rows<'_>, linear: Linear<'_>, out: &mut [f32], each: Each<'_>) {
        assert!(x.inputs > 0 && x.bits.len() == self.size(x.rows, x.inputs));
        assert_eq!(linear.weight.len(), linear.outputs * x.inputs);
        assert!(linear.bias.is_none_or(|bias| bias.len() == linear.outputs));
        assert_eq!(out.len(), x.rows * linear.outputs);
        match (self, linear.weight) {
            (Unit::Tiles(registers), Halves::Bf16(weight)) => {
                tiles::product(registers, x, linear.with(weight), out, each);
            }
            (Unit::EmulatedTiles, Halves::Bf16(weight)) => {
                tiles::emulated::product(x, linear.with(weight), out, each);
            }
            (Unit::Fma(fma), _) => fma.product(x, linear, out, each),
            (_, Halves::F16(_)) => panic!("a weight in f16 for tile registers"),
        }
    }
}

/// Where it computes, as the end of a sentence.
impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unit::Tiles(_) => f.write_str("tile registers (AMX)"),
            Unit::EmulatedTiles => f.write_str("emulated tile registers"),
            Unit::Fma(fma) => write!(f, "weights as stored ({fma})"),
        }
    }
}
