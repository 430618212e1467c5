//! The product: blocks of the matrix against many rows, so that each weight comes from memory once for every 512 rows.

use std::{
    arch::{asm, x86_64::*},
    cell::RefCell,
};

use half::bf16;

use super::{
    amx::{Configured, Registers},
    layout::{INPUTS, Linear, SIDE, STEP, TILE},
};
use crate::products::{Each, Rows, shared::Shared, square::transposed};

/// Tiles of outputs that are summed side by side, with four tile registers for the sums.
const ABREAST: usize = 4;
/// Outputs of a block.
const OUTPUTS: usize = ABREAST * SIDE;
/// Steps of inputs between two stores of the sums. The block's weights of so many, 64 KiB, and the parts of the rows stay in
/// the second cache.
const STEPS: usize = 16;
/// Steps that the rows' parts are asked for ahead.
const AHEAD: usize = 2;
/// Blocks of outputs of a task at most, and tiles of rows at a time: their sums and the rows' parts stay in the second cache.
const BLOCKS: usize = 2;
const ROW_TILES: usize = 32;
/// Tasks at least, if there are blocks enough: no thread waits long for the last.
const TASKS: usize = 16;

/// 64 bytes, as the tile unit likes its lines.
#[repr(C, align(64))]
#[derive(Clone, Copy)]
struct Line([u32; SIDE]);

/// Bytes of [`Room`] that a thread holds.
pub(crate) const THREAD_BYTES: usize = (STEPS + BLOCKS * ROW_TILES) * ABREAST * SIDE * size_of::<Line>();

/// A thread's room for a task: the block's weights of [`STEPS`] steps, tile by tile, and the sums.
#[derive(Default)]
struct Room {
    weights: Vec<Line>,
    sums: Vec<Line>,
}

thread_local! {
    static ROOM: RefCell<Room> = RefCell::default();
}

/// Sizes are checked by the caller.
pub(crate) fn product(_: Registers, x: Rows<'_>, linear: Linear<'_>, out: &mut [f32], each: Each<'_>) {
    let blocks = linear.outputs.div_ceil(OUTPUTS);
    let together = (blocks / TASKS).clamp(1, BLOCKS);
    let out = Shared(out.as_mut_ptr());
    each(blocks.div_ceil(together), &|task| {
        let from = task * together;
        let count = together.min(blocks - from);
        // SAFETY: a `Registers` exists, and with it AVX-512; tasks write different outputs.
        unsafe { outputs_of(x, linear, from..from + count, out) };
    });
}

/// Some blocks of outputs, for all rows.
///
/// # Safety
/// A [`Registers`] exists; `out` is the start of `[rows, outputs]`, and nobody else reads or writes these outputs.
#[target_feature(enable = "avx512f")]
unsafe fn outputs_of(x: Rows<'_>, linear: Linear<'_>, blocks: std::ops::Range<usize>, out: Shared<f32>) {
    let steps = x.inputs.div_ceil(INPUTS);
    let row_tiles = x.rows.div_ceil(SIDE);
    ROOM.with_borrow_mut(|room| {
        room.weights.resize(STEPS * ABREAST * SIDE, Line([0; SIDE]));
        let sums = blocks.len() * row_tiles.min(ROW_TILES) * ABREAST * SIDE;
        if room.sums.len() < sums {
            room.sums.resize(sums, Line([0; SIDE]));
        }
        // SAFETY: as the caller promises.
        let _configured = unsafe { Configured::new() };
        for first in (0..row_tiles).step_by(ROW_TILES) {
            let tiles = first..row_tiles.min(first + ROW_TILES);
            for step in (0..steps).step_by(STEPS) {
                let count = STEPS.min(steps - step);
                let mut sums = room.sums.chunks_exact_mut(ABREAST * SIDE);
                for block in blocks.clone() {
                    gather(linear, x.inputs, block * OUTPUTS, step..step + count, &mut room.weights);
                    for (tile, sums) in tiles.clone().zip(&mut sums) {
                        let pairs = &x.bits[(tile * steps + step) * STEP..][..count * STEP];
                        // SAFETY: the registers are there for this thread; the slices have `count` steps and four tiles.
                        unsafe { add(&room.weights, pairs, count, sums, step == 0) };
                    }
                }
            }
            let mut sums = room.sums.chunks_exact(ABREAST * SIDE);
            for block in blocks.clone() {
                for (tile, sums) in tiles.clone().zip(&mut sums) {
                    // SAFETY: as the caller promises.
                    unsafe { write(linear, block * OUTPUTS, x.rows, tile * SIDE, sums, out) };
                }
            }
        }
    });
}

/// The weights of a block at some steps, tile by tile; what is not there is zero. Asks for those of the
/// block after it meanwhile, which another task may be the one to want.
#[target_feature(enable = "avx512f")]
fn gather(
    linear: Linear<'_>,
    inputs: usize,
    output: usize,
    steps: std::ops::Range<usize>,
    into: &mut [Line],
) {
    let (from, to) = (steps.start * INPUTS, inputs.min(steps.end * INPUTS));
    for row in 0..OUTPUTS {
        // Its line in every step.
        let mut lines = into[row..].iter_mut().step_by(ABREAST * SIDE).take(steps.len());
        let weights = match output + row < linear.outputs {
            true => &linear.weight[(output + row) * inputs..][from..to],
            false => &[],
        };
        let (whole, rest) = weights.as_chunks::<INPUTS>();
        for (weights, line) in whole.iter().zip(&mut lines) {
            // SAFETY: both have 64 bytes.
            unsafe {
                _mm512_storeu_si512(line.0.as_mut_ptr().cast(), _mm512_loadu_si512(weights.as_ptr().cast()))
            };
        }
        if !rest.is_empty()
            && let Some(line) = lines.next()
        {
            let mut padded = [bf16::ZERO; INPUTS];
            padded[..rest.len()].copy_from_slice(rest);
            // SAFETY: both have 64 bytes.
            unsafe {
                _mm512_storeu_si512(line.0.as_mut_ptr().cast(), _mm512_loadu_si512(padded.as_ptr().cast()))
            };
        }
        lines.for_each(|line| line.0.fill(0));
        if let Some(next) = linear.weight.get((output + OUTPUTS + row) * inputs + from..) {
            for line in next[..next.len().min(to - from)].chunks(INPUTS) {
                // SAFETY: a hint, which reads nothing.
                unsafe {
                    asm!("prefetcht1 [{}]", in(reg) line.as_ptr(), options(nostack, readonly, preserves_flags))
                };
            }
        }
    }
}

/// One product of two tiles, of the twelve of a step, and a twelfth of the pairs asked for of a step ahead.
macro_rules! times {
    ($sums:literal, $pairs:literal) => {
        concat!(
            "tdpbf16ps ",
            $sums,
            ", tmm4, ",
            $pairs,
            "\n",
            "prefetcht0 [{ahead}]\n",
            "prefetcht0 [{ahead} + 64]\n",
            "prefetcht0 [{ahead} + 128]\n",
            "prefetcht0 [{ahead} + 192]\n",
            "add {ahead}, 256"
        )
    };
}

/// Sums of 16 rows and 64 outputs, each tile `[outputs, rows]`: adds the products of `steps` steps, to zeros if `first`.
///
/// # Safety
/// [`Configured`] exists on this thread; the slices have so many steps, and `sums` four tiles.
unsafe fn add(weights: &[Line], pairs: &[u32], steps: usize, sums: &mut [Line], first: bool) {
    debug_assert!(weights.len() >= steps * ABREAST * SIDE && pairs.len() >= steps * STEP);
    debug_assert_eq!(sums.len(), ABREAST * SIDE);
    // SAFETY: reads `steps` times four tiles of weights and three of pairs, reads and writes four of sums; tile registers
    // are used by nothing else.
    unsafe {
        asm!(
            "test {first:e}, {first:e}",
            "jnz 3f",
            "tileloadd tmm0, [{sums} + {line}*1]",
            "tileloadd tmm1, [{sums} + {line}*1 + 1024]",
            "tileloadd tmm2, [{sums} + {line}*1 + 2048]",
            "tileloadd tmm3, [{sums} + {line}*1 + 3072]",
            "jmp 2f",
            "3:",
            "tilezero tmm0",
            "tilezero tmm1",
            "tilezero tmm2",
            "tilezero tmm3",
            "2:",
            "tileloadd tmm5, [{pairs} + {line}*1]",
            "tileloadd tmm6, [{pairs} + {line}*1 + 1024]",
            "tileloadd tmm7, [{pairs} + {line}*1 + 2048]",
            "tileloadd tmm4, [{weights} + {line}*1]",
            times!("tmm0", "tmm5"),
            times!("tmm0", "tmm6"),
            times!("tmm0", "tmm7"),
            "tileloadd tmm4, [{weights} + {line}*1 + 1024]",
            times!("tmm1", "tmm5"),
            times!("tmm1", "tmm6"),
            times!("tmm1", "tmm7"),
            "tileloadd tmm4, [{weights} + {line}*1 + 2048]",
            times!("tmm2", "tmm5"),
            times!("tmm2", "tmm6"),
            times!("tmm2", "tmm7"),
            "tileloadd tmm4, [{weights} + {line}*1 + 3072]",
            times!("tmm3", "tmm5"),
            times!("tmm3", "tmm6"),
            times!("tmm3", "tmm7"),
            "add {weights}, 4096",
            "add {pairs}, 3072",
            "dec {steps}",
            "jnz 2b",
            "tilestored [{sums} + {line}*1], tmm0",
            "tilestored [{sums} + {line}*1 + 1024], tmm1",
            "tilestored [{sums} + {line}*1 + 2048], tmm2",
            "tilestored [{sums} + {line}*1 + 3072], tmm3",
            first = in(reg) u32::from(first),
            sums = in(reg) sums.as_mut_ptr(),
            weights = inout(reg) weights.as_ptr() => _,
            pairs = inout(reg) pairs.as_ptr() => _,
            ahead = inout(reg) pairs.as_ptr().wrapping_add(AHEAD * STEP) => _,
            steps = inout(reg) steps => _,
            line = in(reg) size_of::<Line>(),
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack),
        );
    }
}

/// Sums of 16 rows and 64 outputs to where they belong, with the bias.
///
/// # Safety
/// `out` is the start of `[rows, outputs]`, and nobody else reads or writes these outputs.
#[target_feature(enable = "avx512f")]
unsafe fn write(linear: Linear<'_>, output: usize, rows: usize, row: usize, sums: &[Line], out: Shared<f32>) {
    let outputs = linear.outputs;
    for (output, tile) in (output..outputs).step_by(SIDE).zip(sums.chunks_exact(SIDE)) {
        let count = SIDE.min(outputs - output);
        let there = u16::MAX >> (SIDE - count);
        let mut lines = [_mm512_setzero_si512(); SIDE];
        for (line, sums) in lines.iter_mut().zip(tile) {
            // SAFETY: a line has 64 bytes.
            *line = unsafe { _mm512_loadu_si512(sums.0.as_ptr().cast()) };
        }
        // SAFETY: `count` floats are there.
        let bias = linear.bias.map(|bias| unsafe { _mm512_maskz_loadu_ps(there, bias[output..].as_ptr()) });
        for (row, sums) in (row..rows).zip(transposed(lines)) {
            let sums = _mm512_castsi512_ps(sums);
            let sums = match bias {
                Some(bias) => _mm512_add_ps(sums, bias),
                None => sums,
            };
            // SAFETY: row and output are within the matrix, and this task's.
            unsafe { _mm512_mask_storeu_ps(out.get().add(row * outputs + output), there, sums) };
        }
    }
}

const _: () = assert!(size_of::<Line>() == 64 && size_of::<[u32; TILE]>() == 1024);
