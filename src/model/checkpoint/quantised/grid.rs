//! Numbers that hold for rectangles of a matrix: scales and zero points.

use super::{super::error::CheckpointError, number::Number, source::Source};

/// A matrix of numbers, each for so many rows and columns of another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grid {
    pub(super) number: Number,
    /// Rows that share a number.
    pub(super) rows: usize,
    /// Columns that do.
    pub(super) columns: usize,
    /// Numbers in a row of the grid.
    pub(super) across: usize,
}

impl Grid {
    /// Of a tensor with one number, one for each row, or one for each rectangle of a weight; `block` are the sides of one, as
    /// the config says them. Where it does not, sides are whole parts of the weight's.
    pub(super) fn of(
        source: &Source<'_>,
        index: usize,
        number: Number,
        weight: [usize; 2],
        block: Option<[usize; 2]>,
    ) -> Result<Grid, CheckpointError> {
        let [rows, columns] = weight;
        let whole = |down: usize, across: usize| Grid {
            number,
            rows: rows.div_ceil(down),
            columns: columns.div_ceil(across),
            across,
        };
        let [down, across] = match *source.shape(index) {
            [] | [1] | [1, 1] => return Ok(whole(1, 1)),
            [n] if n == rows => return Ok(whole(rows, 1)),
            [n, 1] if n == rows => return Ok(whole(rows, 1)),
            [down, across] | [down, 1, across, 1] => [down, across],
            _ => [0, 0],
        };
        if let Some([of_rows, of_columns]) = block
            && [rows.div_ceil(of_rows), columns.div_ceil(of_columns)] == [down, across]
        {
            return Ok(Grid { number, rows: of_rows, columns: of_columns, across });
        }
        let parts = |all: usize, parts: usize| parts > 0 && all.is_multiple_of(parts);
        if block.is_none() && parts(rows, down) && parts(columns, across) {
            return Ok(whole(down, across));
        }
        let blocks =
            block.map_or_else(|| "blocks of one size".into(), |[a, b]| format!("blocks of {a} x {b}"));
        let expected =
            format!("a number for the whole, for rows, or for {blocks} of a weight of shape {weight:?}");
        Err(source.refuse_tensor(index, expected, format!("shape {:?}", source.shape(index))))
    }

    /// Of a row of the weight: the number of each run of its columns, in order.
    #[inline]
    pub(super) fn row<'b>(&self, bytes: &'b [u8], row: usize) -> impl Iterator<Item = f32> + use<'b> {
        let (number, start) = (self.number, row / self.rows * self.across);
        (start..start + self.across).map(move |index| number.at(bytes, index))
    }

    /// The number that holds for an element.
    #[inline]
    pub(super) fn at(&self, bytes: &[u8], row: usize, group: usize) -> f32 {
        self.number.at(bytes, row / self.rows * self.across + group)
    }
}
