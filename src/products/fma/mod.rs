//! Products by fused multiplications and additions on vectors of eight numbers, with weights in bf16 or f16 that are widened
//! on their way to the second cache.
//!
//! A number is summed over inputs as ONNX Runtime's products sum it: in runs of 128 inputs, each from zero in the order of the
//! inputs, and the runs in their order, from the bias on. Where a thread's share has no more than 64 outputs, and fewer than
//! inputs, its runs are longer: here as if one thread had them all. So the numbers are the runtime's, bit for bit, on
//! one thread and wherever its threads' shares are wider, for two rows and more. Source: `core/mlas/lib/sgemm.cpp` of ONNX
//! Runtime.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
pub use avx2::{Fma, product};

#[cfg(not(target_arch = "x86_64"))]
mod absent;
#[cfg(not(target_arch = "x86_64"))]
pub use absent::{Fma, product};

use super::{Each, shared::Shared};

/// Rows that are multiplied at a time.
const ROWS: usize = 6;
/// Outputs of a panel: two vectors.
const OUTPUTS: usize = 16;
/// Inputs of a run.
const RUN: usize = 128;
/// Inputs of a panel that are widened at a time: a multiple of every run. The panel, 64 KiB, stays in the second cache while
/// all rows pass.
const CHUNK: usize = 1024;
/// Panels of a task.
const PANELS: usize = 4;

/// A thread's panel.
pub const THREAD_BYTES: usize = CHUNK * OUTPUTS * size_of::<f32>();

/// Numbers of so many rows: rows by 6, inputs, rows. Rows that are not there are zeros.
pub fn size(rows: usize, inputs: usize) -> usize {
    rows.next_multiple_of(ROWS) * inputs
}

/// Sizes are checked by the caller.
pub fn arrange(x: &[f32], inputs: usize, bits: &mut [u32], each: Each<'_>) {
    let rows = x.len() / inputs;
    let start = Shared(bits.as_mut_ptr());
    each(rows.div_ceil(ROWS), &|six| {
        // SAFETY: sixes do not overlap, each is written by one call, and all are within `bits`.
        let bits =
            unsafe { std::slice::from_raw_parts_mut(start.get().add(six * ROWS * inputs), ROWS * inputs) };
        let (first, last) = (six * ROWS, rows.min((six + 1) * ROWS));
        if last - first < ROWS {
            bits.fill(0);
        }
        for (row, x) in x[first * inputs..last * inputs].chunks_exact(inputs).enumerate() {
            for (to, x) in bits[row..].iter_mut().step_by(ROWS).zip(x) {
                *to = x.to_bits();
            }
        }
    });
}

/// Inputs of a run, as the runtime has it for a thread that has all outputs.
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
fn run(inputs: usize, outputs: usize) -> usize {
    let (mut run, mut at_once) = (RUN, RUN);
    while outputs < inputs && at_once > OUTPUTS && at_once / 2 >= outputs {
        run *= 2;
        at_once /= 2;
    }
    run
}
