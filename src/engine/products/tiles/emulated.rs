//! What the tile unit computes, written out: the sums in the order that the manual gives, for processors without one. Slow.
//!
//! Source of the order: the operation of `TDPBF16PS` in the manual that [`super`] names. It adds fused; a product of two bf16
//! numbers is exact in float32 from 2^-126 on, so a product and a sum give the same.

use half::bf16;

use super::layout::{INPUTS, Linear, PARTS, SIDE, STEP, TILE};
use crate::products::{Each, Rows, shared::Shared};

const UPPER: u32 = 0xFFFF_0000;

/// Sixteen rows at a time. Sizes are checked by the caller.
pub(crate) fn split(x: &[f32], inputs: usize, pairs: &mut [u32]) {
    let steps = inputs.div_ceil(INPUTS);
    pairs.fill(0);
    for (row, x) in x.chunks_exact(inputs).enumerate() {
        let stripe = &mut pairs[row / SIDE * steps * STEP..][..steps * STEP];
        for (input, x) in x.iter().enumerate() {
            let (step, within) = (input / INPUTS, input % INPUTS);
            let mut left = *x;
            for part in 0..PARTS {
                let upper = left.to_bits() & UPPER;
                left -= f32::from_bits(upper);
                stripe[step * STEP + part * TILE + within / 2 * SIDE + row % SIDE] |=
                    if within.is_multiple_of(2) { upper >> 16 } else { upper };
            }
        }
    }
}

/// An output after the other. Sizes are checked by the caller.
pub(crate) fn product(x: Rows<'_>, linear: Linear<'_>, out: &mut [f32], each: Each<'_>) {
    let steps = x.inputs.div_ceil(INPUTS);
    let outputs = linear.outputs;
    let out = Shared(out.as_mut_ptr());
    each(outputs, &|output| {
        let weights = &linear.weight[output * x.inputs..][..x.inputs];
        for (tile, stripe) in x.bits.chunks_exact(steps * STEP).enumerate() {
            let mut sums = [0.0; SIDE];
            for (step, weights) in stripe.chunks_exact(STEP).zip(weights.chunks(INPUTS)) {
                step.chunks_exact(TILE).for_each(|part| add(weights, part, &mut sums));
            }
            for (row, sum) in (tile * SIDE..x.rows).zip(sums) {
                let sum = linear.bias.map_or(sum, |bias| sum + bias[output]);
                // SAFETY: row and output are within the matrix, and this output is this task's.
                unsafe { *out.get().add(row * outputs + output) = sum };
            }
        }
    });
}

/// One output's line of a product of tiles: `weights` with the pairs of 16 rows.
fn add(weights: &[bf16], pairs: &[u32], sums: &mut [f32; SIDE]) {
    let weight = |input: usize| weights.get(input).map_or(0.0, |weight| normal(weight.to_f32()));
    let (mut even, mut odd) = ([0.0; SIDE], [0.0; SIDE]);
    for (pair, of_rows) in pairs.chunks_exact(SIDE).enumerate() {
        let (first, second) = (weight(2 * pair), weight(2 * pair + 1));
        for (row, pair) in of_rows.iter().enumerate() {
            even[row] = normal(even[row] + first * normal(f32::from_bits(pair << 16)));
            odd[row] = normal(odd[row] + second * normal(f32::from_bits(pair & UPPER)));
        }
    }
    for (sum, (even, odd)) in sums.iter_mut().zip(even.into_iter().zip(odd)) {
        *sum = normal(*sum + normal(even + odd));
    }
}

/// The unit takes numbers below 2^-126 as zero, and gives none.
fn normal(x: f32) -> f32 {
    if x.is_subnormal() { 0.0_f32.copysign(x) } else { x }
}
