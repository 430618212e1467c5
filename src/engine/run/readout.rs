//! Many rows of the stream read out through the head: the loss of prompts' own tokens, and what each layer would say.

use super::{
    RunError,
    head::{Distribution, Piece},
    session::{Session, floats, integers},
    vocabulary,
};

/// Rows whose logits exist together, at most: with a piece of the vocabulary they bound the memory.
pub(super) const SLICE: usize = 256;

/// Rows on their way through the head.
pub(super) struct Readout {
    /// `[R, E]`
    hidden: Vec<f32>,
    width: usize,
    /// The token whose logit is kept, for every row.
    wanted: Vec<u32>,
    logits: Vec<f32>,
    distributions: Vec<Distribution>,
}

impl Readout {
    /// `hidden [R, width]` as the final norm's graph gives it, and a token for each row; at least two rows, as the runtime
    /// multiplies a single one by another kernel.
    pub(super) fn new(hidden: Vec<f32>, width: usize, wanted: Vec<u32>) -> Readout {
        let (logits, distributions) =
            (vec![f32::NAN; wanted.len()], vec![Distribution::default(); wanted.len()]);
        Readout { hidden, width, wanted, logits, distributions }
    }

    /// Takes one piece of the vocabulary in, by the graph `tail`.
    pub(super) fn add(
        &mut self,
        session: &mut Session,
        piece: &vocabulary::Piece<'_>,
    ) -> Result<(), RunError> {
        let rows = self.wanted.len();
        let slices = rows.div_ceil(SLICE);
        for slice in (0..slices).map(|i| i * rows / slices..(i + 1) * rows / slices) {
            let wanted: Vec<Option<usize>> = self.wanted[slice.clone()]
                .iter()
                .map(|id| (*id as usize).checked_sub(piece.ids.start).filter(|row| *row < piece.ids.len()))
                .collect();
            let cell = |(row, wanted): (usize, &Option<usize>)| [row as i64, wanted.unwrap_or(0) as i64];
            let cells: Vec<i64> = wanted.iter().enumerate().flat_map(cell).collect();
            let mut inputs = piece.inputs()?;
            let hidden = &self.hidden[slice.start * self.width..slice.end * self.width];
            inputs.push(floats("hidden", &[slice.len(), self.width], hidden)?);
            inputs.push(integers("wanted", &[slice.len(), 2], &cells)?);
            let mut out = session.run(inputs)?;
            let (max, weighted) = (out.floats("max")?, out.floats("weighted")?);
            let (largest, rest) = (out.floats("largest")?, out.floats("rest")?);
            let logits = out.floats("wanted_logit")?;
            for (i, row) in slice.enumerate() {
                let sums = Piece { max: max[i], largest: largest[i], rest: rest[i], weighted: weighted[i] };
                self.distributions[row].add(sums, std::iter::empty());
                if !self.distributions[row].is_finite() {
                    return Err(piece.not_finite());
                }
                if wanted[i].is_some() {
                    self.logits[row] = logits[i];
                }
            }
        }
        Ok(())
    }

    /// Entropy of a row's distribution, nats.
    pub(super) fn entropy(&self, row: usize) -> f64 {
        self.distributions[row].entropy()
    }

    /// -log p of a row's wanted token, nats.
    pub(super) fn surprise(&self, row: usize) -> f64 {
        self.distributions[row].surprise(self.logits[row])
    }
}
