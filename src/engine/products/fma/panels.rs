//! The product on vectors of any width: panels of two vectors of outputs against some rows at a time, with a sum in a register
//! for each vector of each row.

use std::{cell::RefCell, ops::Range};

use half::slice::HalfFloatSliceExt;

use crate::products::{Each, Halves, Linear, Rows, shared::Shared};

/// Inputs of a run.
const RUN: usize = 128;
/// Inputs of a panel that are widened at a time: a multiple of every run. The panel stays in the second cache while all rows
/// pass.
const CHUNK: usize = 1024;
/// Outputs of a task: whole panels.
const TASK: usize = 64;
/// Most numbers that sums are kept of at a time.
const MOST_SUMS: usize = 12 * 32;

/// Sixteen numbers.
#[repr(C, align(64))]
#[derive(Clone, Copy)]
pub(super) struct Line(pub [f32; 16]);

/// Vectors of a processor.
///
/// # Safety
/// Only a processor that has the vectors has a value of the type, and [`Vectors::add`] writes no more than its rows of a
/// panel's outputs.
pub(super) unsafe trait Vectors {
    /// Rows that are multiplied at a time.
    const ROWS: usize;
    /// Lines of an input's weights in a panel, two vectors together.
    const LINES: usize;

    /// The weights of outputs of a panel, input by input from `from` on, as many as `panel` has; of outputs that are not there,
    /// zeros. `F16`: weights are in f16, else in bf16.
    ///
    /// # Safety
    /// One of these exists.
    unsafe fn widen<const F16: bool>(
        weight: &[u16],
        inputs: usize,
        outputs: Range<usize>,
        from: usize,
        panel: &mut [Line],
    );

    /// Some rows of the outputs of a panel: the runs of some inputs, added to what is there, or in its place if `fresh`.
    ///
    /// # Safety
    /// One of these exists, and `out` begins [`Vectors::ROWS`] rows of a panel's outputs, `stride` apart.
    unsafe fn add(x: &[u32], panel: &[Line], run: usize, fresh: bool, out: *mut f32, stride: usize);
}

/// Outputs of a panel.
const fn outputs<V: Vectors>() -> usize {
    V::LINES * 16
}

/// A thread's panel.
pub(super) fn bytes<V: Vectors>() -> usize {
    CHUNK * V::LINES * size_of::<Line>()
}

thread_local! {
    static PANEL: RefCell<Vec<Line>> = RefCell::default();
}

/// Sizes are checked by the caller.
pub(super) fn product<V: Vectors>(_: V, x: Rows<'_>, linear: Linear<'_>, out: &mut [f32], each: Each<'_>) {
    const { assert!(TASK.is_multiple_of(outputs::<V>()) && V::ROWS * outputs::<V>() <= MOST_SUMS) };
    let out = Shared(out.as_mut_ptr());
    each(linear.outputs.div_ceil(TASK), &|task| {
        let outputs = task * TASK..linear.outputs.min((task + 1) * TASK);
        // SAFETY: a `V` exists; tasks write different outputs.
        unsafe {
            match linear.weight {
                Halves::Bf16(weight) => {
                    outputs_of::<V, false>(x, linear.with(weight.reinterpret_cast()), outputs, out);
                }
                Halves::F16(weight) => {
                    outputs_of::<V, true>(x, linear.with(weight.reinterpret_cast()), outputs, out);
                }
            }
        }
    });
}

/// A matrix in the bits of its elements.
type Bits<'a> = Linear<'a, &'a [u16]>;

/// Some panels, one after another, for all rows.
///
/// # Safety
/// A `V` exists. `out` is the start of `[rows, outputs]`, and nobody else reads or writes these outputs.
unsafe fn outputs_of<V: Vectors, const F16: bool>(
    x: Rows<'_>,
    linear: Bits<'_>,
    of_task: Range<usize>,
    out: Shared<f32>,
) {
    let (inputs, run) = (x.inputs, run(x.inputs, linear.outputs));
    PANEL.with_borrow_mut(|panel| {
        panel.resize(panel.len().max(CHUNK * V::LINES), Line([0.0; 16]));
        for from in (0..inputs).step_by(CHUNK) {
            let count = CHUNK.min(inputs - from);
            for first in of_task.clone().step_by(outputs::<V>()) {
                let outputs = first..of_task.end.min(first + outputs::<V>());
                let panel = &mut panel[..count * V::LINES];
                // SAFETY: a `V` exists.
                unsafe { V::widen::<F16>(linear.weight, inputs, outputs.clone(), from, panel) };
                for first in (0..x.rows).step_by(V::ROWS) {
                    let rows = first..x.rows.min(first + V::ROWS);
                    let x = &x.bits[first * inputs + from * V::ROWS..][..count * V::ROWS];
                    // SAFETY: these rows and outputs are within the matrix, and this task's.
                    unsafe { add_to::<V>(x, panel, run, linear, rows, outputs.clone(), from == 0, out) };
                }
            }
        }
    });
}

/// Adds the products of some inputs to some rows of the outputs of a panel, or begins them.
///
/// # Safety
/// As [`outputs_of`].
#[allow(clippy::too_many_arguments)]
unsafe fn add_to<V: Vectors>(
    x: &[u32],
    panel: &[Line],
    run: usize,
    linear: Bits<'_>,
    rows: Range<usize>,
    outputs: Range<usize>,
    begins: bool,
    out: Shared<f32>,
) {
    let (stride, of_panel) = (linear.outputs, self::outputs::<V>());
    let bias = linear.bias.filter(|_| begins).map(|bias| &bias[outputs.clone()]);
    // SAFETY: within the matrix.
    let place = unsafe { out.get().add(rows.start * stride + outputs.start) };
    if bias.is_none() && rows.len() == V::ROWS && outputs.len() == of_panel {
        // SAFETY: all rows and outputs are there.
        return unsafe { V::add(x, panel, run, begins, place, stride) };
    }
    let mut tile = [0.0; MOST_SUMS];
    for (row, tile) in (0..rows.len()).zip(tile.chunks_exact_mut(of_panel)) {
        let tile = &mut tile[..outputs.len()];
        match bias {
            Some(bias) => tile.copy_from_slice(bias),
            // SAFETY: this row's outputs are this task's.
            None if !begins => unsafe { place.add(row * stride).copy_to(tile.as_mut_ptr(), tile.len()) },
            None => {}
        }
    }
    // SAFETY: all rows and outputs have room.
    unsafe { V::add(x, panel, run, begins && bias.is_none(), tile.as_mut_ptr(), of_panel) };
    for (row, tile) in (0..rows.len()).zip(tile.chunks_exact(of_panel)) {
        // SAFETY: as above.
        unsafe { place.add(row * stride).copy_from(tile.as_ptr(), outputs.len()) };
    }
}

/// Inputs of a run, as the runtime has it for a thread that has all outputs.
fn run(inputs: usize, outputs: usize) -> usize {
    let (mut run, mut at_once) = (RUN, RUN);
    while outputs < inputs && at_once > 16 && at_once / 2 >= outputs {
        run *= 2;
        at_once /= 2;
    }
    run
}
