//! Weights of a GGUF file, which become float32 as they are read: any run of their elements, on all cores.

use rayon::prelude::*;

use crate::gguf::{Encoding, Layout};

/// Elements per task.
const CHUNK: usize = 1 << 16;
/// Elements of the largest block.
const BLOCK: usize = 256;

/// Rows of a transposed tensor that are read at once where its numbers are stored one by one.
const BAND: usize = 32;

/// A tensor as blocks, laid out as in the file.
#[derive(Clone, Copy)]
pub struct Packed<'a> {
    bytes: &'a [u8],
    encoding: &'static Encoding,
    rows: usize,
    columns: usize,
    layout: Layout,
}

impl<'a> Packed<'a> {
    /// The blocks of a tensor of this shape: whole ones, and for each row the same number.
    pub(super) fn new(
        bytes: &'a [u8],
        encoding: &'static Encoding,
        shape: &[usize],
        layout: Layout,
    ) -> Packed<'a> {
        let (rows, rest) = shape.split_first().map_or((1, &[][..]), |(rows, rest)| (*rows, rest));
        Packed { bytes, encoding, rows, columns: rest.iter().product(), layout }
    }

    /// Writes the elements from `start` on into `out`.
    pub(super) fn read(&self, start: usize, out: &mut [f32]) {
        let bands = match self.layout {
            Layout::Transposed => (self.band() * self.columns).max(1),
            _ => 1,
        };
        let chunk = CHUNK.next_multiple_of(bands);
        if out.len() <= chunk {
            return self.serial(start, out);
        }
        let chunks = out.par_chunks_mut(chunk).enumerate();
        chunks.for_each(|(i, out)| self.serial(start + i * chunk, out));
    }

    fn serial(&self, start: usize, out: &mut [f32]) {
        match self.layout {
            Layout::AsStored => self.run(start, out),
            Layout::PlusOne => {
                self.run(start, out);
                out.iter_mut().for_each(|number| *number -= 1.0);
            }
            Layout::Interleaved { .. } | Layout::Ungrouped { .. } => self.by_rows(start, out),
            Layout::Transposed => self.transposed(start, out),
        }
    }

    /// Row by row, each where the file has it.
    fn by_rows(&self, start: usize, out: &mut [f32]) {
        let (mut at, mut out) = (start, out);
        while !out.is_empty() {
            let (row, column) = (at / self.columns, at % self.columns);
            let (piece, rest) = out.split_at_mut((self.columns - column).min(out.len()));
            at += piece.len();
            self.run(self.layout.stored(row, self.rows) * self.columns + column, piece);
            out = rest;
        }
    }

    /// Rows whose numbers lie together in each row of the file.
    fn band(&self) -> usize {
        if self.encoding.elements == 1 { BAND } else { self.encoding.elements }
    }

    /// Band by band: the numbers of a band that a row of the file has become a column of it.
    fn transposed(&self, start: usize, out: &mut [f32]) {
        let (mut at, mut out) = (start, out);
        while !out.is_empty() {
            let top = at / self.columns / self.band() * self.band();
            let bottom = (top + self.band()).min(self.rows);
            let (piece, rest) = out.split_at_mut((bottom * self.columns - at).min(out.len()));
            let mut numbers = [0.0; BLOCK];
            let numbers = &mut numbers[..bottom - top];
            for column in 0..self.columns {
                self.run(column * self.rows + top, numbers);
                for (row, number) in (top..).zip(&*numbers) {
                    let place = (row * self.columns + column).checked_sub(at);
                    if let Some(out) = place.and_then(|place| piece.get_mut(place)) {
                        *out = *number;
                    }
                }
            }
            at += piece.len();
            out = rest;
        }
    }

    /// Elements that follow each other in the file.
    fn run(&self, start: usize, out: &mut [f32]) {
        let (elements, size) = (self.encoding.elements, self.encoding.bytes);
        let (mut at, mut out) = (start, out);
        while !out.is_empty() {
            let (block, skipped) = (at / elements, at % elements);
            let whole = if skipped == 0 { out.len() / elements } else { 0 };
            let blocks = &self.bytes[block * size..(block + whole.max(1)) * size];
            let count = if whole > 0 { whole * elements } else { (elements - skipped).min(out.len()) };
            let (piece, rest) = out.split_at_mut(count);
            if whole > 0 {
                self.encoding.decode(blocks, piece);
            } else {
                let mut one = [0.0; BLOCK];
                self.encoding.decode(blocks, &mut one[..elements]);
                piece.copy_from_slice(&one[skipped..skipped + count]);
            }
            at += count;
            out = rest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Blocks of Q4_0 with scale 1 whose elements count from -8 to 7 in some order.
    fn bytes(blocks: usize) -> Vec<u8> {
        let block = |b: usize| {
            let halves = (0..16).map(move |i| ((i + b) % 16 + 16 * ((3 * i + b) % 16)) as u8);
            [0x00, 0x3c].into_iter().chain(halves)
        };
        (0..blocks).flat_map(block).collect()
    }

    fn all(packed: &Packed<'_>) -> Vec<f32> {
        let mut out = vec![0.0; packed.rows * packed.columns];
        packed.read(0, &mut out);
        out
    }

    #[test]
    fn any_run_of_elements_is_the_same_alone_and_on_any_number_of_threads() {
        let encoding = Encoding::of(2).unwrap();
        let (rows, columns) = (64, 3 * 32 * 32);
        let bytes = bytes(rows * columns / 32);
        let layouts = [
            Layout::AsStored,
            Layout::Interleaved { heads: 4 },
            Layout::Ungrouped { heads: 4, kv_heads: 2 },
            Layout::Transposed,
            Layout::PlusOne,
        ];
        for layout in layouts {
            let packed = Packed::new(&bytes, encoding, &[rows, columns], layout);
            let whole = all(&packed);
            for (start, count) in
                [(0, 1), (31, 2), (5, 27), (columns - 1, 2), (7, CHUNK + 9), (columns + 3, 2 * CHUNK)]
            {
                let mut some = vec![0.0; count];
                packed.read(start, &mut some);
                assert_eq!(some, whole[start..start + count], "{count} from {start}");
            }
            let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
            assert_eq!(pool.install(|| all(&packed)), whole);
        }
    }

    #[test]
    fn interleaved_rows_come_half_by_half_of_each_head() {
        // Two heads of four rows of one element: the file has 0 2 1 3 of each.
        let stored: Vec<u8> =
            [0f32, 2., 1., 3., 10., 12., 11., 13.].iter().flat_map(|x| x.to_le_bytes()).collect();
        let layout = Layout::Interleaved { heads: 2 };
        let packed = Packed::new(&stored, Encoding::of(0).unwrap(), &[8, 1], layout);
        assert_eq!(all(&packed), [0., 1., 2., 3., 10., 11., 12., 13.]);
    }

    #[test]
    fn a_transposed_matrix_has_the_rows_of_the_file_as_columns() {
        let (rows, columns) = (70, 3); // two bands and a part
        let stored: Vec<u8> = (0..rows * columns).flat_map(|i| (i as f32).to_le_bytes()).collect();
        let packed = Packed::new(&stored, Encoding::of(0).unwrap(), &[rows, columns], Layout::Transposed);
        let expected: Vec<f32> =
            (0..rows * columns).map(|i| (i % columns * rows + i / columns) as f32).collect();
        assert_eq!(all(&packed), expected);
        for (start, count) in [(0, 1), (5, 4), (95, 3), (100, 109)] {
            let mut some = vec![0.0; count];
            packed.read(start, &mut some);
            assert_eq!(some, expected[start..start + count]);
        }
    }

    #[test]
    fn the_factor_of_a_norm_is_read_as_its_distance_from_one() {
        let stored: Vec<u8> = [1f32, 0.5, 3.0].iter().flat_map(|x| x.to_le_bytes()).collect();
        let packed = Packed::new(&stored, Encoding::of(0).unwrap(), &[3], Layout::PlusOne);
        assert_eq!(all(&packed), [0.0, -0.5, 2.0]);
    }
}
