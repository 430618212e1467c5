//! Products of a weight's Gram matrix with vectors, several at once, in one pass over the weight.
//!
//! W's rows are taken less their mean, ŵ_i = w_i - m, and W is never copied. Multiplied in `f32` for the steps of an
//! iteration or in `f64` for what is reported: one order of the same operations, no fused multiply-add, rows split into
//! segments by the shape alone and their sums added in order. So neither the cores nor their registers change a bit.

use std::ops::{Add, AddAssign, Mul, Range, Sub};

use rayon::prelude::*;

use model::checkpoint::{
    Content, Dtype, Tensor,
    widen::{bf16, widen_from},
};

/// Segments of rows that are summed apart: enough for any machine's cores, few enough to add up.
const SEGMENTS: usize = 64;
/// Rows taken together, so that vectors and sums are loaded once for all of them.
const TOGETHER: usize = 4;
/// Independent sums of a dot product: a loop over them has no order to keep, so it vectorises at any width.
const LANES: usize = 32;
/// Products that are added up before they are added to a lane's sum.
const DEEP: usize = 8;
/// Columns that are widened and multiplied before the next, by all vectors while in the first-level cache.
const STRIP: usize = DEEP * LANES;
/// Groups of rows whose sum is kept in the numbers that are multiplied, before it is added to one in float64.
const SUMMED: usize = 16;

/// What rows are multiplied in.
pub(super) trait Real:
    Copy
    + Default
    + Send
    + Sync
    + From<f32>
    + Into<f64>
    + Add<Output = Self>
    + AddAssign
    + Sub<Output = Self>
    + Mul<Output = Self>
{
    fn of(number: f64) -> Self;
}

impl Real for f32 {
    fn of(number: f64) -> f32 {
        number as f32
    }
}

impl Real for f64 {
    fn of(number: f64) -> f64 {
        number
    }
}

/// A weight `[rows, cols]` with at least one element.
pub(super) struct Matrix<'a> {
    pub tensor: Tensor<'a>,
    pub rows: usize,
    pub cols: usize,
}

/// What one pass says of a matrix's rows.
pub(super) struct Survey {
    /// ‖w_i‖² of every row.
    pub squares: Vec<f64>,
    /// m, `[cols]`.
    pub mean: Vec<f64>,
}

/// A strip of a vector; the last one of a vector is filled up with zeros.
type Strip<T> = [[T; LANES]; DEEP];
/// A vector's products with rows that are taken together, lane by lane.
type Partial<T> = [[T; LANES]; TOGETHER];

impl<'a> Matrix<'a> {
    /// None: it is no matrix, or an empty one.
    pub(super) fn of(tensor: &Tensor<'a>) -> Option<Matrix<'a>> {
        match *tensor.shape {
            [rows, cols] if rows > 0 && cols > 0 => Some(Matrix { tensor: *tensor, rows, cols }),
            _ => None,
        }
    }

    /// The rows of each segment: a matter of the shape, never of the machine.
    fn segments(&self) -> impl IndexedParallelIterator<Item = Range<usize>> {
        let rows = self.rows;
        let count = rows.div_ceil(SEGMENTS).next_multiple_of(TOGETHER);
        (0..rows.div_ceil(count)).into_par_iter().map(move |s| s * count..rows.min((s + 1) * count))
    }

    pub(super) fn survey(&self) -> Survey {
        let segments: Vec<(Vec<f64>, Vec<f64>)> = self
            .segments()
            .map(|rows| {
                let (mut sum, mut row) = (vec![0.0f64; self.cols], vec![0.0f32; self.cols]);
                let square = |index: usize| {
                    widen_from(&self.tensor, index * self.cols, &mut row);
                    sum.iter_mut().zip(&row).for_each(|(sum, &x)| *sum += f64::from(x));
                    squared(&row)
                };
                (rows.map(square).collect(), sum)
            })
            .collect();
        let (squares, sums): (Vec<_>, Vec<_>) = segments.into_iter().unzip();
        let count = self.rows as f64;
        let mean = added(sums, self.cols).into_iter().map(|sum| sum / count).collect();
        Survey { squares: squares.concat(), mean }
    }

    /// ŴᵀŴ v for every v of `vectors`, `[cols]` each, multiplied in `T`.
    ///
    /// Rows are measured in `unit`, a power of two near their elements' size, so that no product leaves `T`'s range.
    pub(super) fn gram<T: Real>(&self, mean: &[f64], unit: f64, vectors: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let lengths: Vec<f64> =
            vectors.iter().map(|v| v.iter().fold(0.0, |most: f64, x| most.max(x.abs()))).collect();
        let strips = |numbers: &[f64], by: f64| {
            let mut strips = vec![[[T::default(); LANES]; DEEP]; self.cols.div_ceil(STRIP)];
            let out = strips.as_flattened_mut().as_flattened_mut();
            out.iter_mut().zip(numbers).for_each(|(t, x)| *t = T::of(x * by));
            strips
        };
        let by = |length: f64| if length > 0.0 { 1.0 / length } else { 0.0 };
        let scaled: Vec<_> = vectors.iter().zip(&lengths).map(|(v, &length)| strips(v, by(length))).collect();
        let (mean, per_unit) = (strips(mean, 1.0 / unit), T::of(1.0 / unit));
        let mut segments: Vec<Vec<Vec<f64>>> =
            self.segments().map(|rows| self.segment(rows, &mean, per_unit, &scaled)).collect();
        let product = |(v, length): (usize, &f64)| {
            let mut sum = added(segments.iter_mut().map(|sums| std::mem::take(&mut sums[v])), self.cols);
            sum.iter_mut().for_each(|x| *x *= unit * unit * length);
            sum
        };
        lengths.iter().enumerate().map(product).collect()
    }

    fn segment<T: Real>(
        &self,
        segment: Range<usize>,
        mean: &[Strip<T>],
        per_unit: T,
        vectors: &[Vec<Strip<T>>],
    ) -> Vec<Vec<f64>> {
        #[cfg(target_arch = "x86_64")]
        {
            // A macro, for a closure that is handed to a function with the feature need not be compiled with it.
            macro_rules! compiled_for {
                ($feature:tt) => {{
                    #[target_feature(enable = $feature)]
                    fn wide<T: Real>(
                        matrix: &Matrix<'_>,
                        segment: Range<usize>,
                        mean: &[Strip<T>],
                        per_unit: T,
                        vectors: &[Vec<Strip<T>>],
                    ) -> Vec<Vec<f64>> {
                        matrix.segment_inline(segment, mean, per_unit, vectors)
                    }
                    if is_x86_feature_detected!($feature) {
                        // SAFETY: the processor has the feature, just asked.
                        return unsafe { wide(self, segment, mean, per_unit, vectors) };
                    }
                }};
            }
            compiled_for!("avx512f");
            compiled_for!("avx2");
        }
        self.segment_inline(segment, mean, per_unit, vectors)
    }

    /// Σ_i ŵ_i (ŵ_i · v) over a segment's rows. Compiled once plain and once for each width of registers: the same
    /// operations in the same order, hence the same bits.
    #[inline(always)]
    fn segment_inline<T: Real>(
        &self,
        segment: Range<usize>,
        mean: &[Strip<T>],
        per_unit: T,
        vectors: &[Vec<Strip<T>>],
    ) -> Vec<Vec<f64>> {
        let zeros = vec![[[T::default(); LANES]; DEEP]; mean.len()];
        let mut rows: Vec<[Strip<T>; TOGETHER]> = vec![[[[T::default(); LANES]; DEEP]; TOGETHER]; mean.len()];
        let mut stored = [0.0f32; STRIP];
        let mut partial: Vec<Partial<T>> = vec![[[T::default(); LANES]; TOGETHER]; vectors.len()];
        let mut sums = vec![zeros; vectors.len()];
        let mut totals = vec![vec![0.0f64; self.cols]; vectors.len()];
        for (group, first) in segment.clone().step_by(TOGETHER).enumerate() {
            partial.fill([[T::default(); LANES]; TOGETHER]);
            for (strip, (rows, mean)) in rows.iter_mut().zip(mean).enumerate() {
                let columns = strip * STRIP..self.cols.min((strip + 1) * STRIP);
                for (index, row) in (first..).zip(&mut *rows) {
                    let row = row.as_flattened_mut();
                    // Rows that a last group lacks count as zero.
                    if index >= segment.end {
                        row.fill(T::default());
                        continue;
                    }
                    let start = index * self.cols + columns.start;
                    let centred = |x: f32, mean: T| T::from(x) * per_unit - mean;
                    let out = row.iter_mut().zip(mean.as_flattened());
                    if let (Content::Stored(bytes), Dtype::BF16) = (self.tensor.content, self.tensor.dtype) {
                        // Most matrices: widened in place, the next rows asked for meanwhile.
                        let (from, next) = (2 * start, 2 * (start + TOGETHER * self.cols));
                        let strip = bytes[from..from + 2 * columns.len()].as_chunks::<2>().0;
                        prefetch(bytes.get(next..next + 2 * columns.len()).unwrap_or_default());
                        for ((out, &mean), &x) in out.zip(strip) {
                            *out = centred(bf16(x), mean);
                        }
                    } else {
                        let stored = &mut stored[..columns.len()];
                        widen_from(&self.tensor, start, stored);
                        for ((out, &mean), &x) in out.zip(&*stored) {
                            *out = centred(x, mean);
                        }
                    }
                }
                for (vectors, partial) in vectors.chunks(2).zip(partial.chunks_mut(2)) {
                    match (vectors, partial) {
                        ([v, w], [p, q]) => multiply_two(rows, &v[strip], &w[strip], p, q),
                        ([v], [p]) => multiply(rows, &v[strip], p),
                        _ => {} // chunks have no other lengths
                    }
                }
            }
            let products: Vec<[T; TOGETHER]> = partial.iter().map(|partial| partial.map(summed)).collect();
            for (strip, rows) in rows.iter().enumerate() {
                for (sums, products) in sums.chunks_mut(2).zip(products.chunks(2)) {
                    match (sums, products) {
                        ([s, t], [y, z]) => add_two(rows, y, z, &mut s[strip], &mut t[strip]),
                        ([s], [y]) => add(rows, y, &mut s[strip]),
                        _ => {}
                    }
                }
            }
            if (group + 1) % SUMMED == 0 || first + TOGETHER >= segment.end {
                for (total, sums) in totals.iter_mut().zip(&mut sums) {
                    for (total, sum) in total.iter_mut().zip(sums.as_flattened_mut().as_flattened_mut()) {
                        *total += std::mem::take(sum).into();
                    }
                }
            }
        }
        totals
    }
}

/// Adds to `partial` the products of each row with the vector, lane by lane.
#[inline(always)]
fn multiply<T: Real>(rows: &[Strip<T>; TOGETHER], vector: &Strip<T>, partial: &mut Partial<T>) {
    let [a, b, c, d] = rows;
    let [pa, pb, pc, pd] = partial;
    for lane in 0..LANES {
        let [mut sa, mut sb, mut sc, mut sd] = [T::default(); TOGETHER];
        for deep in 0..DEEP {
            let x = vector[deep][lane];
            sa += a[deep][lane] * x;
            sb += b[deep][lane] * x;
            sc += c[deep][lane] * x;
            sd += d[deep][lane] * x;
        }
        pa[lane] += sa;
        pb[lane] += sb;
        pc[lane] += sc;
        pd[lane] += sd;
    }
}

/// [`multiply`] by two vectors, so that rows are loaded once for both. Written out: a loop over the vectors is compiled to
/// twice the time.
#[inline(always)]
fn multiply_two<T: Real>(
    rows: &[Strip<T>; TOGETHER],
    v: &Strip<T>,
    w: &Strip<T>,
    [pa, pb, pc, pd]: &mut Partial<T>,
    [qa, qb, qc, qd]: &mut Partial<T>,
) {
    let [a, b, c, d] = rows;
    for lane in 0..LANES {
        let [mut sa, mut sb, mut sc, mut sd] = [T::default(); TOGETHER];
        let [mut ta, mut tb, mut tc, mut td] = [T::default(); TOGETHER];
        for deep in 0..DEEP {
            let [x, y, a, b, c, d] = [v, w, a, b, c, d].map(|strip| strip[deep][lane]);
            sa += a * x;
            sb += b * x;
            sc += c * x;
            sd += d * x;
            ta += a * y;
            tb += b * y;
            tc += c * y;
            td += d * y;
        }
        pa[lane] += sa;
        pb[lane] += sb;
        pc[lane] += sc;
        pd[lane] += sd;
        qa[lane] += ta;
        qb[lane] += tb;
        qc[lane] += tc;
        qd[lane] += td;
    }
}

/// Adds to `sum` each row times its product with the vector.
#[inline(always)]
fn add<T: Real>(rows: &[Strip<T>; TOGETHER], products: &[T; TOGETHER], sum: &mut Strip<T>) {
    let [a, b, c, d] = rows;
    let [ya, yb, yc, yd] = *products;
    let rows = a.as_flattened().iter().zip(b.as_flattened()).zip(c.as_flattened()).zip(d.as_flattened());
    for (sum, (((&a, &b), &c), &d)) in sum.as_flattened_mut().iter_mut().zip(rows) {
        *sum += (a * ya + b * yb) + (c * yc + d * yd);
    }
}

/// [`add`] to two sums.
#[inline(always)]
fn add_two<T: Real>(
    rows: &[Strip<T>; TOGETHER],
    &[ya, yb, yc, yd]: &[T; TOGETHER],
    &[za, zb, zc, zd]: &[T; TOGETHER],
    s: &mut Strip<T>,
    t: &mut Strip<T>,
) {
    let [a, b, c, d] = rows;
    let rows = a.as_flattened().iter().zip(b.as_flattened()).zip(c.as_flattened()).zip(d.as_flattened());
    let sums = s.as_flattened_mut().iter_mut().zip(t.as_flattened_mut());
    for ((s, t), (((&a, &b), &c), &d)) in sums.zip(rows) {
        *s += (a * ya + b * yb) + (c * yc + d * yd);
        *t += (a * za + b * zb) + (c * zc + d * zd);
    }
}

/// Asks for bytes that come next: rows lie apart, where the processor's own guess fails.
#[inline(always)]
fn prefetch(bytes: &[u8]) {
    #[cfg(target_arch = "x86_64")]
    for line in bytes.chunks(64) {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        // SAFETY: a hint, and SSE belongs to every x86-64.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(line.as_ptr().cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = bytes;
}

fn summed<T: Real>(lanes: [T; LANES]) -> T {
    T::of(lanes.into_iter().map(Into::<f64>::into).sum())
}

/// Sums of segments, in their order.
fn added(sums: impl IntoIterator<Item = Vec<f64>>, cols: usize) -> Vec<f64> {
    let mut total = vec![0.0; cols];
    for sum in sums {
        total.iter_mut().zip(sum).for_each(|(t, s)| *t += s);
    }
    total
}

/// ‖row‖², in float64.
fn squared(row: &[f32]) -> f64 {
    let (chunks, rest) = row.as_chunks::<LANES>();
    let mut lanes = [0.0f64; LANES];
    for chunk in chunks {
        for lane in 0..LANES {
            lanes[lane] += f64::from(chunk[lane]) * f64::from(chunk[lane]);
        }
    }
    lanes.iter().sum::<f64>() + rest.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use std::array;

    use super::*;
    use model::checkpoint::{Content, Dtype};

    #[test]
    fn wide_registers_change_no_bit() {
        let (rows, cols) = (70, 45);
        let bytes: Vec<u8> = (0..rows * cols).flat_map(|i| ((i * i) as f32).sin().to_le_bytes()).collect();
        let shape = [rows, cols];
        let content = Content::Stored(&bytes);
        let matrix =
            Matrix::of(&Tensor { name: "w", dtype: Dtype::F32, shape: &shape, content, first: 0 }).unwrap();
        fn same<T: Real + PartialEq>(matrix: &Matrix<'_>) {
            let vector = |k: usize| {
                vec![array::from_fn(|i| array::from_fn(|j| T::of(((k + i * LANES + j) as f64).cos())))]
            };
            let (mean, vectors): (Vec<_>, Vec<Vec<Strip<T>>>) = (vector(1), (2..5).map(vector).collect());
            let rows = 0..matrix.rows;
            let plain = matrix.segment_inline(rows.clone(), &mean, T::of(0.5), &vectors);
            assert_eq!(plain, matrix.segment(rows, &mean, T::of(0.5), &vectors));
        }
        same::<f32>(&matrix);
        same::<f64>(&matrix);
    }
}
