//! The product on AVX2: panels of 16 outputs against six rows at a time, twelve registers of sums.

use std::{arch::x86_64::*, cell::RefCell, ops::Range};

use super::{CHUNK, OUTPUTS, PANELS, ROWS, run};
use crate::products::{Each, Halves, Linear, Rows, shared::Shared};

/// Numbers of a vector.
const LANES: usize = 8;

/// Proof that this processor has AVX2, FMA and F16C.
#[derive(Clone, Copy, Debug)]
pub struct Fma(());

impl Fma {
    pub fn new() -> Option<Fma> {
        let has_them = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("f16c");
        has_them.then_some(Fma(()))
    }

    /// On AVX-512 the runtime's products have vectors of sixteen.
    pub fn is_fastest(self) -> bool {
        !is_x86_feature_detected!("avx512f")
    }
}

/// An input's weights of a panel, widened.
#[repr(C, align(64))]
#[derive(Clone, Copy)]
struct Column([f32; OUTPUTS]);

thread_local! {
    static PANEL: RefCell<Vec<Column>> = RefCell::default();
}

/// Sizes are checked by the caller.
pub fn product(_: Fma, x: Rows<'_>, linear: Linear<'_>, out: &mut [f32], each: Each<'_>) {
    let of_task = PANELS * OUTPUTS;
    let out = Shared(out.as_mut_ptr());
    each(linear.outputs.div_ceil(of_task), &|task| {
        let outputs = task * of_task..linear.outputs.min((task + 1) * of_task);
        // SAFETY: an `Fma` exists, and with it the instructions; tasks write different outputs.
        unsafe {
            match linear.weight {
                Halves::Bf16(_) => outputs_of::<false>(x, linear, outputs, out),
                Halves::F16(_) => outputs_of::<true>(x, linear, outputs, out),
            }
        }
    });
}

/// Some panels, one after another, for all rows; `F16`: weights are in f16, else in bf16.
///
/// # Safety
/// `out` is the start of `[rows, outputs]`, and nobody else reads or writes these outputs.
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn outputs_of<const F16: bool>(
    x: Rows<'_>,
    linear: Linear<'_>,
    outputs: Range<usize>,
    out: Shared<f32>,
) {
    let (inputs, run) = (x.inputs, run(x.inputs, linear.outputs));
    PANEL.with_borrow_mut(|panel| {
        panel.resize(CHUNK, Column([0.0; OUTPUTS]));
        for from in (0..inputs).step_by(CHUNK) {
            let count = CHUNK.min(inputs - from);
            for first in outputs.clone().step_by(OUTPUTS) {
                let outputs = first..outputs.end.min(first + OUTPUTS);
                widen::<F16>(linear.weight.bits(), inputs, outputs.clone(), from, &mut panel[..count]);
                for first in (0..x.rows).step_by(ROWS) {
                    let rows = first..x.rows.min(first + ROWS);
                    let x = x.bits[first * inputs + from * ROWS..][..count * ROWS].as_chunks().0;
                    let panel = &panel[..count];
                    // SAFETY: these rows and outputs are within the matrix, and this task's.
                    unsafe { add_to(x, panel, run, linear, rows, outputs.clone(), from == 0, out) };
                }
            }
        }
    });
}

/// Adds the products of some inputs to up to 6 rows of up to 16 outputs, or begins them.
///
/// # Safety
/// As [`outputs_of`].
#[target_feature(enable = "avx2,fma")]
#[allow(clippy::too_many_arguments)]
unsafe fn add_to(
    x: &[[u32; ROWS]],
    panel: &[Column],
    run: usize,
    linear: Linear<'_>,
    rows: Range<usize>,
    outputs: Range<usize>,
    begins: bool,
    out: Shared<f32>,
) {
    let stride = linear.outputs;
    let bias = linear.bias.filter(|_| begins).map(|bias| &bias[outputs.clone()]);
    // SAFETY: within the matrix.
    let place = unsafe { out.get().add(rows.start * stride + outputs.start) };
    if bias.is_none() && rows.len() == ROWS && outputs.len() == OUTPUTS {
        // SAFETY: there are six rows of sixteen.
        return unsafe { add(x, panel, run, begins, place, stride) };
    }
    let mut tile = [0.0; ROWS * OUTPUTS];
    for (row, tile) in (0..rows.len()).zip(tile.chunks_exact_mut(OUTPUTS)) {
        let tile = &mut tile[..outputs.len()];
        match bias {
            Some(bias) => tile.copy_from_slice(bias),
            // SAFETY: this row's outputs are this task's.
            None if !begins => unsafe { place.add(row * stride).copy_to(tile.as_mut_ptr(), tile.len()) },
            None => {}
        }
    }
    // SAFETY: there are six rows of sixteen.
    unsafe { add(x, panel, run, begins && bias.is_none(), tile.as_mut_ptr(), OUTPUTS) };
    for (row, tile) in (0..rows.len()).zip(tile.chunks_exact(OUTPUTS)) {
        // SAFETY: as above.
        unsafe { place.add(row * stride).copy_from(tile.as_ptr(), outputs.len()) };
    }
}

/// Six rows of sixteen outputs: the runs of some inputs, added to what is there, or in its place if `fresh`.
///
/// # Safety
/// `out` begins six rows, `stride` apart.
#[target_feature(enable = "avx2,fma")]
unsafe fn add(
    x: &[[u32; ROWS]],
    panel: &[Column],
    run: usize,
    mut fresh: bool,
    out: *mut f32,
    stride: usize,
) {
    for (x, columns) in x.chunks(run).zip(panel.chunks(run)) {
        let mut sums = [[_mm256_setzero_ps(); 2]; ROWS];
        for (x, column) in x.iter().zip(columns) {
            // SAFETY: a column has two vectors.
            let (left, right) =
                unsafe { (_mm256_load_ps(column.0.as_ptr()), _mm256_load_ps(column.0.as_ptr().add(LANES))) };
            for (sums, x) in sums.iter_mut().zip(x) {
                let x = _mm256_set1_ps(f32::from_bits(*x));
                sums[0] = _mm256_fmadd_ps(x, left, sums[0]);
                sums[1] = _mm256_fmadd_ps(x, right, sums[1]);
            }
        }
        for (row, [mut left, mut right]) in sums.into_iter().enumerate() {
            // SAFETY: the row has two vectors.
            unsafe {
                let to = out.add(row * stride);
                if !fresh {
                    left = _mm256_add_ps(_mm256_loadu_ps(to), left);
                    right = _mm256_add_ps(_mm256_loadu_ps(to.add(LANES)), right);
                }
                _mm256_storeu_ps(to, left);
                _mm256_storeu_ps(to.add(LANES), right);
            }
        }
        fresh = false;
    }
}

/// The weights of up to 16 outputs for some inputs; of outputs that are not there, zeros.
#[target_feature(enable = "avx2,f16c")]
fn widen<const F16: bool>(
    weight: &[u16],
    inputs: usize,
    outputs: Range<usize>,
    from: usize,
    panel: &mut [Column],
) {
    for half in 0..2 {
        for (at, columns) in panel.chunks_mut(LANES).enumerate() {
            let mut vectors = [_mm256_setzero_ps(); LANES];
            for (vector, output) in vectors.iter_mut().zip(outputs.clone().skip(half * LANES)) {
                let weights = &weight[output * inputs + from + at * LANES..][..columns.len()];
                *vector = match weights.first_chunk() {
                    Some(whole) => widened::<F16>(whole),
                    None => {
                        let mut padded = [0; LANES];
                        padded[..weights.len()].copy_from_slice(weights);
                        widened::<F16>(&padded)
                    }
                };
            }
            for (column, vector) in columns.iter_mut().zip(transposed(vectors)) {
                // SAFETY: a column has two vectors.
                unsafe { _mm256_store_ps(column.0.as_mut_ptr().add(half * LANES), vector) };
            }
        }
    }
}

#[target_feature(enable = "avx2,f16c")]
fn widened<const F16: bool>(numbers: &[u16; LANES]) -> __m256 {
    // SAFETY: eight numbers are there.
    let bits = unsafe { _mm_loadu_si128(numbers.as_ptr().cast()) };
    match F16 {
        true => _mm256_cvtph_ps(bits),
        false => _mm256_castsi256_ps(_mm256_slli_epi32::<16>(_mm256_cvtepu16_epi32(bits))),
    }
}

/// 8 by 8 numbers.
#[target_feature(enable = "avx2")]
fn transposed(rows: [__m256; LANES]) -> [__m256; LANES] {
    let zero = _mm256_setzero_ps();
    let mut twos = [zero; LANES];
    for (to, from) in twos.chunks_exact_mut(2).zip(rows.chunks_exact(2)) {
        to[0] = _mm256_unpacklo_ps(from[0], from[1]);
        to[1] = _mm256_unpackhi_ps(from[0], from[1]);
    }
    let mut fours = [zero; LANES];
    for (to, from) in fours.chunks_exact_mut(4).zip(twos.chunks_exact(4)) {
        to[0] = _mm256_shuffle_ps::<0x44>(from[0], from[2]);
        to[1] = _mm256_shuffle_ps::<0xEE>(from[0], from[2]);
        to[2] = _mm256_shuffle_ps::<0x44>(from[1], from[3]);
        to[3] = _mm256_shuffle_ps::<0xEE>(from[1], from[3]);
    }
    let mut columns = [zero; LANES];
    for c in 0..4 {
        columns[c] = _mm256_permute2f128_ps::<0x20>(fours[c], fours[4 + c]);
        columns[4 + c] = _mm256_permute2f128_ps::<0x31>(fours[c], fours[4 + c]);
    }
    columns
}
