//! The end of a walk: what is read off the stream after the last block, through the final norm and the vocabulary in pieces.

use super::{
    RunError,
    head::Piece,
    observe::{Walk, check_finite},
    readout::Readout,
    session::{Input, Session, floats, integers, value},
    vocabulary::Vocabulary,
    weights::{Buffer, Staged, uses},
};
use model::arch::{Place, Recipe};
use number::observation::{Extra, SCALES, TOP_K};

impl Walk<'_, '_> {
    /// The final norm, of every token for its norm, of the last ones for the head: as they are and by each factor.
    pub(super) fn leave(&mut self, session: &mut Session, buffer: &mut Buffer) -> Result<(), RunError> {
        let staged = buffer.stage(self.checkpoint, uses(self.weights, Place::FinalNorm))?;
        for state in &mut self.groups {
            // Every last row as it is, then all of them by each factor.
            let scales: Vec<f32> = std::iter::once(1.0).chain(SCALES).collect();
            let rows = state.group.last.repeat(scales.len());
            let factors: Vec<f32> =
                scales.iter().flat_map(|factor| state.group.last.iter().map(|_| *factor)).collect();
            let mut out = {
                let mut inputs = staged.inputs()?;
                inputs.push(value("stream", &state.stream));
                inputs.push(integers("rows", &[rows.len()], &rows)?);
                inputs.push(floats("factors", &[rows.len(), 1], &factors)?);
                session.run_reading(inputs, &["final_norm"])?
            };
            state.final_norm = out.floats("final_norm")?;
            check_finite(&state.final_norm, Place::FinalNorm, &staged)?;
            state.hidden = Some(out.take("hidden")?);
        }
        Ok(())
    }

    /// What the extras read out, through the final norm.
    pub(super) fn read_out(
        &mut self,
        recipe: &Recipe,
        session: &mut Session,
        buffer: &mut Buffer,
        prompts: &[Vec<u32>],
    ) -> Result<(), RunError> {
        let staged = buffer.stage(self.checkpoint, uses(self.weights, Place::FinalNorm))?;
        let width = recipe.embedding_width();
        for state in &mut self.groups {
            if self.extras.contains(&Extra::Loss) {
                let (rows, wanted) = state.with_next(prompts);
                if !rows.is_empty() {
                    let hidden = normed(session, &staged, value("stream", &state.stream), &rows)?;
                    state.loss = Some(Readout::new(hidden, width, wanted));
                }
            }
            if self.extras.contains(&Extra::Lens) {
                let count = state.group.last.len();
                let rows: Vec<i64> = (0..count as i64).collect();
                let mut hidden = Vec::new();
                for layer in &state.last_rows {
                    let stream = floats("stream", &[count, recipe.width()], layer)?;
                    hidden.extend(normed(session, &staged, stream, &rows)?);
                }
                let wanted = vec![0; state.last_rows.len() * count]; // of no layer's distribution is a logit kept
                state.lens = Some(Readout::new(hidden, width, wanted));
                state.last_rows = Vec::new();
            }
        }
        Ok(())
    }

    /// The distribution of the next token, the vocabulary in pieces.
    pub(super) fn head(
        &mut self,
        vocabulary: &Vocabulary<'_>,
        session: &mut Session,
        buffer: &mut Buffer,
    ) -> Result<(), RunError> {
        let k = TOP_K.min(vocabulary.tokens());
        vocabulary.each_piece(buffer, |piece| {
            let _span = tracing::info_span!("head", tokens_from = piece.ids.start).entered();
            for state in &mut self.groups {
                let Some(hidden) = &state.hidden else { continue }; // leave() set it
                let count = state.group.last.len();
                let plain: Vec<i64> = (0..count as i64).collect();
                let unscaled = plain.repeat(1 + SCALES.len());
                let mut inputs = piece.inputs()?;
                inputs.push(value("hidden", hidden));
                inputs.push(integers("plain", &[count], &plain)?);
                inputs.push(integers("unscaled", &[unscaled.len()], &unscaled)?);
                let mut out = session.run(inputs)?;
                let (max, below) = (out.floats("max")?, out.floats("below")?);
                let (largest, rest) = (out.floats("largest")?, out.floats("rest")?);
                let (weighted, shift) = (out.floats("weighted")?, out.floats("shift")?);
                let top = out.floats("top_logits")?;
                let ids = out.integers("top_rows")?;
                for (p, distribution) in state.distributions.iter_mut().enumerate() {
                    let sums =
                        Piece { max: max[p], largest: largest[p], rest: rest[p], weighted: weighted[p] };
                    let ids = ids[p * k..(p + 1) * k].iter().map(|row| piece.ids.start as u32 + *row as u32);
                    distribution.add(sums, top[p * k..(p + 1) * k].iter().copied().zip(ids));
                    let shift = shift.iter().skip(p).step_by(count).copied().fold(0.0, f32::max);
                    state.shifts[p].add(shift, max[p], below[p]);
                    if !distribution.is_finite() {
                        return Err(piece.not_finite());
                    }
                }
            }
            Ok(())
        })
    }

    /// What the extras read out, through the vocabulary in pieces.
    pub(super) fn tail(
        &mut self,
        vocabulary: &Vocabulary<'_>,
        session: &mut Session,
        buffer: &mut Buffer,
    ) -> Result<(), RunError> {
        vocabulary.each_piece(buffer, |piece| {
            let _span = tracing::info_span!("loss and lens", tokens_from = piece.ids.start).entered();
            let readouts = self.groups.iter_mut().flat_map(|state| [&mut state.loss, &mut state.lens]);
            readouts.flatten().try_for_each(|readout| readout.add(session, piece))
        })
    }
}

/// Rows of a stream through the final norm, as the head reads them, `[R, E]`.
fn normed(
    session: &mut Session,
    staged: &Staged<'_>,
    stream: Input<'_>,
    rows: &[i64],
) -> Result<Vec<f32>, RunError> {
    let factors = vec![1.0; rows.len()];
    let mut inputs = staged.inputs()?;
    inputs.push(stream);
    inputs.push(integers("rows", &[rows.len()], rows)?);
    inputs.push(floats("factors", &[rows.len(), 1], &factors)?);
    session.run(inputs)?.floats("hidden")
}
