//! Weights of a GGUF file, which become float32 as they are read: any run of their elements, on all cores.

use rayon::prelude::*;

use crate::gguf::{Encoding, RowOrder};

/// Elements per task.
const CHUNK: usize = 1 << 16;
/// Elements of the largest block.
const BLOCK: usize = 256;

/// A tensor as blocks, its rows in the order of the file.
#[derive(Clone, Copy)]
pub struct Packed<'a> {
    bytes: &'a [u8],
    encoding: &'static Encoding,
    rows: usize,
    columns: usize,
    order: RowOrder,
}

impl<'a> Packed<'a> {
    /// The blocks of a tensor of this shape: whole ones, and for each row the same number.
    pub(super) fn new(
        bytes: &'a [u8],
        encoding: &'static Encoding,
        shape: &[usize],
        order: RowOrder,
    ) -> Packed<'a> {
        let (rows, rest) = shape.split_first().map_or((1, &[][..]), |(rows, rest)| (*rows, rest));
        Packed { bytes, encoding, rows, columns: rest.iter().product(), order }
    }

    /// Writes the elements from `start` on into `out`.
    pub(super) fn read(&self, start: usize, out: &mut [f32]) {
        if out.len() <= CHUNK {
            return self.serial(start, out);
        }
        let chunks = out.par_chunks_mut(CHUNK).enumerate();
        chunks.for_each(|(i, out)| self.serial(start + i * CHUNK, out));
    }

    fn serial(&self, start: usize, out: &mut [f32]) {
        if self.order == RowOrder::AsStored {
            return self.run(start, out);
        }
        let (mut at, mut out) = (start, out);
        while !out.is_empty() {
            let (row, column) = (at / self.columns, at % self.columns);
            let (piece, rest) = out.split_at_mut((self.columns - column).min(out.len()));
            at += piece.len();
            self.run(self.order.stored(row, self.rows) * self.columns + column, piece);
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
        for order in [RowOrder::AsStored, RowOrder::Interleaved { heads: 4 }] {
            let packed = Packed::new(&bytes, encoding, &[rows, columns], order);
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
        let order = RowOrder::Interleaved { heads: 2 };
        let packed = Packed::new(&stored, Encoding::of(0).unwrap(), &[8, 1], order);
        assert_eq!(all(&packed), [0., 1., 2., 3., 10., 11., 12., 13.]);
    }
}
