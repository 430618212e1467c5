//! Any run of a quantised weight's elements as float32, on all cores.

use rayon::prelude::*;

use super::super::{files::File, place::Parts};

/// Elements per task.
const CHUNK: usize = 1 << 16;

/// A weight that several tensors store, which becomes float32 as it is read.
#[derive(Clone, Copy)]
pub struct Quantised<'a> {
    pub(in super::super) files: &'a [File],
    pub(in super::super) parts: &'a Parts,
    pub(in super::super) shape: &'a [usize],
}

impl Quantised<'_> {
    /// Bytes of the tensors that store it.
    pub(in super::super) fn size(&self) -> u64 {
        self.parts.places.iter().map(|place| place.range.len() as u64).sum()
    }

    /// Elements of a row: those of the innermost dimension.
    fn columns(&self) -> usize {
        self.shape.last().copied().unwrap_or(1)
    }

    /// Writes the elements from `start` on into `out`.
    pub(in super::super) fn read(&self, start: usize, out: &mut [f32]) {
        let bytes: Vec<&[u8]> = self
            .parts
            .places
            .iter()
            .map(|place| &self.files[place.file].bytes()[place.range.clone()])
            .collect();
        let (bytes, columns) = (bytes.as_slice(), self.columns());
        if out.is_empty() {
            return;
        }
        // Rows of which only a part is asked for are read whole, beside.
        let (row, skipped) = (start / columns, start % columns);
        let before = if skipped == 0 { 0 } else { (columns - skipped).min(out.len()) };
        let (part, out) = out.split_at_mut(before);
        self.part(bytes, row, skipped, part);
        let first = row + usize::from(before > 0);
        let whole = out.len() / columns;
        let (out, part) = out.split_at_mut(whole * columns);
        self.part(bytes, first + whole, 0, part);
        let rows = &self.parts.rows;
        let at_once = (CHUNK / columns).max(1).next_multiple_of(rows.together());
        if whole <= at_once {
            return rows.read_wide(bytes, first, out);
        }
        let chunks = out.par_chunks_mut(at_once * columns).enumerate();
        chunks.for_each(|(i, out)| rows.read_wide(bytes, first + i * at_once, out));
    }

    /// Some elements of one row.
    fn part(&self, bytes: &[&[u8]], row: usize, skipped: usize, out: &mut [f32]) {
        if !out.is_empty() {
            let mut whole = vec![0.0; self.columns()];
            self.parts.rows.read_wide(bytes, row, &mut whole);
            out.copy_from_slice(&whole[skipped..skipped + out.len()]);
        }
    }
}
