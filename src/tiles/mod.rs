//! Products of float32 rows with a bf16 matrix as it lies in a file, on the tile registers of newer x86-64 processors (AMX).
//!
//! A float32 number from 2^-103 on is the sum of three bf16 numbers, exactly: its significand has 24 bits, theirs have 8. The
//! product of two bf16 numbers is exact in float32, where the tile unit sums. So three passes over a bf16 matrix give what a
//! float32 product of the widened matrix gives, with an error of the same kind and size; and nothing is widened, stored or
//! transposed beforehand. Parts, products and sums below 2^-126 count as zero; an infinity or a NaN on either side gives no
//! finite product. Faster than the runtime's products where it was measured, on two cores (README).
//!
//! Each number of a product is summed in an order that depends on the number of inputs alone: not on the rows beside it, nor
//! on threads. Source of the instructions: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1, chapter 18.

mod emulated;
mod shared;

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod amx;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod product;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod split;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod transposed;

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
mod absent;
#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
use absent::{Registers, THREAD_BYTES, product, split};
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
use {
    amx::Registers,
    product::{THREAD_BYTES, product},
    split::split,
};

use std::fmt;

use half::bf16;

/// Calls a function with each of `0..n`, on any threads, and returns when all are done.
pub type Each<'e> = &'e dyn Fn(usize, &(dyn Fn(usize) + Sync));

/// Rows of a tile, and its columns of four bytes.
const SIDE: usize = 16;
/// Inputs of a tile.
const INPUTS: usize = 2 * SIDE;
/// bf16 numbers that sum to a float32 number.
const PARTS: usize = 3;
/// Pairs of bf16 in a tile.
const TILE: usize = SIDE * SIDE;
/// Pairs of the same rows and inputs, all parts.
const STEP: usize = PARTS * TILE;

/// Rows of float32, each number in its three parts, in the order in which the tile unit takes them: rows by 16, inputs by
/// 32, parts, pairs of inputs, rows. Rows and inputs that are not there are zeros.
#[derive(Clone, Copy, Debug)]
pub struct Split<'a> {
    pub pairs: &'a [u32],
    pub rows: usize,
    pub inputs: usize,
}

impl Split<'_> {
    /// Pairs of so many rows.
    pub fn size(rows: usize, inputs: usize) -> usize {
        rows.div_ceil(SIDE) * inputs.div_ceil(INPUTS) * STEP
    }
}

/// A matrix `[outputs, inputs]`, row by row, with what is added to its products.
#[derive(Clone, Copy, Debug)]
pub struct Linear<'a> {
    pub weight: &'a [bf16],
    pub bias: Option<&'a [f32]>,
    pub outputs: usize,
}

/// Who computes as the tile unit does.
#[derive(Clone, Copy, Debug)]
pub enum Tiles {
    /// The processor's own.
    Registers(Registers),
    /// This program, slowly.
    Emulated,
}

impl Tiles {
    /// The processor's, if it has them and the system lets this process use them.
    pub fn new() -> Option<Tiles> {
        Registers::new().map(Tiles::Registers)
    }

    /// Bytes that each thread holds for a product.
    pub fn room(self) -> usize {
        match self {
            Tiles::Registers(_) => THREAD_BYTES,
            Tiles::Emulated => 0,
        }
    }

    /// `x [rows, inputs]` in parts; `pairs` has the [`Split::size`] of it.
    ///
    /// # Panics
    /// Where the sizes do not belong together.
    pub fn split(self, x: &[f32], inputs: usize, pairs: &mut [u32], each: Each<'_>) {
        assert!(inputs > 0);
        let rows = x.len() / inputs;
        assert_eq!((x.len(), pairs.len()), (rows * inputs, Split::size(rows, inputs)));
        match self {
            Tiles::Registers(registers) => split(registers, x, inputs, pairs, each),
            Tiles::Emulated => emulated::split(x, inputs, pairs),
        }
    }

    /// `x · weightᵀ + bias`, `[rows, outputs]`, into `out`.
    ///
    /// # Panics
    /// Where the sizes do not belong together.
    pub fn product(self, x: Split<'_>, linear: Linear<'_>, out: &mut [f32], each: Each<'_>) {
        assert!(x.inputs > 0 && x.pairs.len() == Split::size(x.rows, x.inputs));
        assert_eq!(linear.weight.len(), linear.outputs * x.inputs);
        assert!(linear.bias.is_none_or(|bias| bias.len() == linear.outputs));
        assert_eq!(out.len(), x.rows * linear.outputs);
        match self {
            Tiles::Registers(registers) => product(registers, x, linear, out, each),
            Tiles::Emulated => emulated::product(x, linear, out, each),
        }
    }
}

impl fmt::Display for Tiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Tiles::Registers(_) => "tile registers (AMX)",
            Tiles::Emulated => "emulated tile registers",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers of many sizes and both signs.
    fn numbers(count: usize, seed: u64) -> Vec<f32> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1u32 << 23) as f32 - 1.0
        };
        (0..count).map(|_| next() * (8.0 * next()).exp2()).collect()
    }

    fn one_thread(n: usize, each: &(dyn Fn(usize) + Sync)) {
        (0..n).for_each(each);
    }

    fn product(tiles: Tiles, x: &[f32], inputs: usize, linear: Linear<'_>, each: Each<'_>) -> Vec<f32> {
        let rows = x.len() / inputs;
        let mut pairs = vec![u32::MAX; Split::size(rows, inputs)];
        tiles.split(x, inputs, &mut pairs, each);
        let mut out = vec![f32::NAN; rows * linear.outputs];
        tiles.product(Split { pairs: &pairs, rows, inputs }, linear, &mut out, each);
        out
    }

    /// The emulated ones, and the processor's where it has them.
    fn all() -> impl Iterator<Item = Tiles> {
        std::iter::once(Tiles::Emulated).chain(Tiles::new())
    }

    #[test]
    fn a_product_is_that_of_float32_at_every_edge() {
        for tiles in all() {
            for (rows, inputs, outputs) in [
                (1, 1, 1),
                (2, 32, 64),
                (16, 33, 65),
                (17, 80, 7),
                (31, 300, 130),
                (40, 512, 300),
                (530, 96, 70),
            ] {
                let x = numbers(rows * inputs, 1);
                let weight: Vec<bf16> =
                    numbers(outputs * inputs, 2).into_iter().map(bf16::from_f32).collect();
                let bias = numbers(outputs, 3);
                for bias in [None, Some(&bias[..])] {
                    let out =
                        product(tiles, &x, inputs, Linear { weight: &weight, bias, outputs }, &one_thread);
                    for (row, out) in out.chunks(outputs).enumerate() {
                        for (o, found) in out.iter().enumerate() {
                            let (mut exact, mut size) = (bias.map_or(0.0, |b| f64::from(b[o])), 0.0);
                            for i in 0..inputs {
                                let term = f64::from(x[row * inputs + i]) * weight[o * inputs + i].to_f64();
                                exact += term;
                                size += term.abs();
                            }
                            let error = (f64::from(*found) - exact).abs() / (size + exact.abs()).max(1e-30);
                            assert!(
                                error < 3e-7,
                                "{tiles}, {rows} x {inputs} x {outputs}: {row}, {o}: {found} of {exact}"
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn parts_lose_nothing() {
        for tiles in all() {
            let least = f32::from_bits((127 - 103) << 23); // 2^-103
            let mut x = vec![1.0, -0.1, f32::MAX, 1.0 / 3.0, -16_777_215.0, 0.0, 3e-20, least];
            x.extend([least, 1.0, 2e30].map(|x| f32::from_bits(x.to_bits() + 1)));
            x.extend([least, 2.0, 7e-9].map(|x| -f32::from_bits(x.to_bits() | 0x7F_FFFF)));
            let one = vec![bf16::ONE; 1];
            let out = product(tiles, &x, 1, Linear { weight: &one, bias: None, outputs: 1 }, &one_thread);
            assert_eq!(out, x);
        }
    }

    #[test]
    fn what_is_not_finite_stays_so() {
        for tiles in all() {
            for (x, w) in [(f32::INFINITY, 1.0), (f32::NAN, 1.0), (1.0, f32::NEG_INFINITY), (0.0, f32::NAN)] {
                let weight = [bf16::from_f32(w), bf16::ONE];
                let out = product(
                    tiles,
                    &[x, 2.0],
                    2,
                    Linear { weight: &weight, bias: None, outputs: 1 },
                    &one_thread,
                );
                assert!(!out[0].is_finite(), "{x} times {w}: {out:?}");
            }
        }
    }

    #[test]
    fn neither_company_nor_threads_move_a_bit() {
        for tiles in all() {
            let (rows, inputs, outputs) = (70, 520, 320);
            let x = numbers(rows * inputs, 4);
            let weight: Vec<bf16> = numbers(outputs * inputs, 5).into_iter().map(bf16::from_f32).collect();
            let linear = Linear { weight: &weight, bias: None, outputs };
            let backwards = |n: usize, each: &(dyn Fn(usize) + Sync)| {
                std::thread::scope(|scope| (0..n).rev().for_each(|i| drop(scope.spawn(move || each(i)))));
            };
            let all = product(tiles, &x, inputs, linear, &one_thread);
            assert_eq!(product(tiles, &x, inputs, linear, &backwards), all);
            for row in [0, 15, 16, 69] {
                let alone = product(tiles, &x[row * inputs..][..inputs], inputs, linear, &one_thread);
                assert_eq!(alone, all[row * outputs..][..outputs], "row {row}");
            }
        }
    }
}
