//! One walk through the model: embedding rows, blocks one after another, final norm, vocabulary in pieces.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    thread::{self, Scope},
    time::Instant,
};

use super::{
    Graphs, RunError, Runtime,
    batch::{self, Group},
    head::Piece,
    needs::Prepared,
    readout::Readout,
    session::{Input, Session, floats, integers, read, value},
    stager::{each_module, prefetch},
    state::State,
    vocabulary::Vocabulary,
    weights::{Buffer, Staged, uses},
};
use base::progress::{Done, Progress};
use model::{
    arch::{Place, Recipe, WeightUse, stream_gauge},
    checkpoint::{Checkpoint, widen::widen_from},
    onnx,
};
use number::observation::{Axes, Extra, Extras, PromptObservation, SCALES, TAPS, TOP_K};

/// Called with every layer of the stream as it passes: the layer, 0..=L, and the stream of each prompt in the order of the
/// prompts, `[T, D]` row by row. Layer l is the stream entering block l, L the last block's output.
pub type StreamObserver<'w> = &'w mut dyn FnMut(usize, &[&[f32]]);

/// What a walk observes besides the taps, and who sees its streams.
pub struct ObserveOptions<'a, 'w> {
    /// What is observed only where it is asked for.
    pub extras: &'a Extras,
    /// Sees every layer of the stream, if there is one.
    pub observer: Option<StreamObserver<'w>>,
}

/// Run all prompts through the model and measure the stream at every tap. Observations come in the order of the
/// prompts; on the processor each is the same, bit for bit where measured, whatever other prompts run with it.
///
/// The caller starts and ends the stage in `progress`; here it advances by L + 1 steps, the head being the last.
///
/// Memory: what is widened of one block's weights (on a device two blocks' in float32), the stream and the activations of one block for up to
/// 2048 tokens, fewer where the runtime's limit or the machine's memory asks for it ([`super::needs`]). Of `extras`, the loss keeps one more row of the head's width for each token, the lens one for each layer and
/// prompt.
///
/// # Errors
/// Before any compute: an empty or too long prompt, a token beyond the vocabulary, a missing tensor or one of another
/// shape, more memory needed than there is. Later: what the runtime refuses, an output that is not finite, and weights that changed meanwhile.
pub fn observe(
    runtime: &Runtime,
    recipe: &Recipe,
    graphs: &Graphs,
    checkpoint: &Checkpoint,
    prompts: &[Vec<u32>],
    extras: &Extras,
    progress: &dyn Progress,
) -> Result<Vec<PromptObservation>, RunError> {
    observe_with(
        runtime,
        recipe,
        graphs,
        checkpoint,
        prompts,
        ObserveOptions { extras, observer: None },
        progress,
    )
}

/// [`observe`], with an observer of the streams. All prompts of a layer are shown together.
///
/// # Errors
/// As [`observe`]; the observer has then seen the layers before.
pub fn observe_with(
    runtime: &Runtime,
    recipe: &Recipe,
    graphs: &Graphs,
    checkpoint: &Checkpoint,
    prompts: &[Vec<u32>],
    asked: ObserveOptions<'_, '_>,
    progress: &dyn Progress,
) -> Result<Vec<PromptObservation>, RunError> {
    batch::check(recipe, prompts)?;
    let weights = recipe.checked_weights(checkpoint)?;
    if prompts.is_empty() {
        return Ok(Vec::new());
    }
    let ObserveOptions { extras, observer } = asked;
    let prepared = Prepared::new(runtime, recipe, checkpoint, &weights, prompts, extras)?;
    let (work, start) = (prepared.work, Instant::now());
    let walk = Walk { runtime, checkpoint, weights: &weights, extras, observer, groups: Vec::new() };
    let found =
        thread::scope(|scope| walk.through(scope, recipe, graphs, prompts, prepared.groups, progress))?;
    progress.computed(&Done { work, elapsed: start.elapsed() });
    checkpoint.unchanged()?;
    Ok(found)
}

struct Walk<'a, 'w> {
    runtime: &'a Runtime,
    checkpoint: &'a Checkpoint,
    weights: &'a [WeightUse],
    extras: &'a Extras,
    observer: Option<StreamObserver<'w>>,
    groups: Vec<State>,
}

impl<'a> Walk<'a, '_> {
    /// `scope` is for what is read ahead.
    fn through<'s>(
        mut self,
        scope: &'s Scope<'s, '_>,
        recipe: &Recipe,
        graphs: &Graphs,
        prompts: &[Vec<u32>],
        groups: Vec<Group>,
        progress: &dyn Progress,
    ) -> Result<Vec<PromptObservation>, RunError>
    where
        'a: 's,
    {
        let runtime = self.runtime;
        let open_taking = |graph: &str, stored: &BTreeMap<String, onnx::Stored>| {
            Session::new(runtime, graph, &graphs.file_taking(graph, stored)?, recipe.width())
        };
        let open = |graph: &str| open_taking(graph, &BTreeMap::new());
        let mut buffer = Buffer::default();
        self.enter(recipe, &mut open("prelude")?, &mut buffer, groups)?;
        self.show(0, recipe.width())?;
        let mut kinds = BTreeMap::new();
        let (checkpoint, weights) = (self.checkpoint, self.weights);
        let blocks: Vec<&[WeightUse]> =
            (0..recipe.blocks()).map(|layer| uses(weights, Place::Block(layer))).collect();
        each_module(runtime, &mut buffer, checkpoint, &blocks, &mut |layer, staged| {
            if layer + 1 == recipe.blocks() {
                prefetch(scope, checkpoint, uses(weights, Place::Unembedding));
            }
            let session = match kinds.entry((recipe.kind(layer), staged.stored())) {
                Entry::Occupied(entry) => entry.into_mut(),
                Entry::Vacant(entry) => {
                    let (kind, stored) = entry.key();
                    let session = open_taking(&format!("block-{kind}"), stored)?;
                    entry.insert(session)
                }
            };
            self.block(recipe, layer, session, staged)?;
            self.show(layer + 1, recipe.width())?;
            progress.advance(1);
            Ok(())
        })?;
        drop(kinds);
        let mut last = open("final")?;
        self.leave(&mut last, &mut buffer)?;
        self.read_out(recipe, &mut last, &mut buffer, prompts)?;
        drop(last);
        let vocabulary = Vocabulary::new(runtime, checkpoint, recipe, weights)?;
        let stored = vocabulary.stored();
        self.head(&vocabulary, &mut open_taking("head", &stored)?, &mut buffer)?;
        if !self.extras.is_empty() {
            self.tail(&vocabulary, &mut open_taking("tail", &stored)?, &mut buffer)?;
        }
        progress.advance(1);
        Ok(self.observations(prompts, &recipe.all_branches()))
    }

    /// Embedding rows, read from the file row by row; positions, rotary tables, masks.
    fn enter(
        &mut self,
        recipe: &Recipe,
        session: &mut Session,
        buffer: &mut Buffer,
        groups: Vec<Group>,
    ) -> Result<(), RunError> {
        let width = recipe.embedding_width();
        let embedding = self.checkpoint.tensor(&recipe.embedding_name(self.checkpoint))?;
        let staged = buffer.stage(self.checkpoint, uses(self.weights, Place::Prelude))?;
        for group in groups {
            let tokens = group.tokens();
            let mut rows = vec![0.0; tokens * width];
            for (id, row) in group.ids.iter().zip(rows.chunks_mut(width)) {
                widen_from(&embedding, *id as usize * width, row);
            }
            let mut inputs = staged.inputs()?;
            for name in session.inputs() {
                match name {
                    "rows" => inputs.push(floats("rows", &[tokens, width], &rows)?),
                    "positions" => inputs.push(integers("positions", &[tokens], &group.positions)?),
                    "lengths" => inputs.push(integers("lengths", &[tokens], &group.lengths_of_tokens)?),
                    "slots" => inputs.push(integers("slots", &[group.slots.len()], &group.slots)?),
                    _ => {}
                }
            }
            let of_stream = stream_taps("stream");
            let read: Vec<&str> = of_stream.iter().map(|(gauge, _)| gauge.as_str()).collect();
            let mut out = session.run_reading(inputs, &read)?;
            let mut taps = BTreeMap::new();
            for (gauge, tap) in &of_stream {
                taps.insert((*tap).to_string(), out.floats(gauge)?);
            }
            if !taps.values().all(|values| finite(values)) {
                let damaged = rows.iter().any(|x| !x.is_finite());
                let tensor =
                    if damaged { Some(embedding.name.to_string()) } else { staged.first_not_finite() };
                return Err(RunError::NotFinite { place: Place::Embedding, tensor });
            }
            let stream = out.take("stream")?;
            let mut state = State::new(group, stream, out.rest(), taps);
            state.remember(self.extras)?;
            self.groups.push(state);
        }
        Ok(())
    }

    fn block(
        &mut self,
        recipe: &Recipe,
        layer: usize,
        session: &mut Session,
        staged: &Staged<'_>,
    ) -> Result<(), RunError> {
        let place = Place::Block(layer);
        let (read, of_stream) = (recipe.gauges(layer), stream_taps("next"));
        for state in &mut self.groups {
            let mut out = {
                let mut inputs = staged.inputs()?;
                state.feed(session, &mut inputs)?;
                let _span =
                    tracing::info_span!("compute", block = layer, rows = state.group.tokens()).entered();
                session.run_reading(inputs, &read)?
            };
            // The norms are reduced inside the graph: here they are read and checked.
            let _span = tracing::info_span!("reduce", block = layer).entered();
            state.stream = out.take("next")?;
            let (mut taps, mut gauges) = (BTreeMap::new(), BTreeMap::new());
            for &name in &read {
                let row = out.floats(name)?;
                check_finite(&row, place, staged)?;
                match of_stream.iter().find(|(gauge, _)| gauge == name) {
                    Some((_, tap)) => taps.insert((*tap).to_string(), row),
                    None => gauges.insert(name.to_string(), row),
                };
            }
            state.layers.push(taps);
            state.blocks.push(gauges);
            state.remember(self.extras)?;
        }
        Ok(())
    }

    /// Lets the observer see the streams, prompt by prompt.
    fn show(&mut self, layer: usize, width: usize) -> Result<(), RunError> {
        let Some(observer) = &mut self.observer else { return Ok(()) };
        let mut seen: Vec<(usize, Vec<f32>)> = Vec::new();
        for State { group, stream, .. } in &self.groups {
            let stream = read(stream)?;
            for (&prompt, rows) in group.prompts.iter().zip(&group.rows) {
                let rows = rows.iter().flat_map(|row| &stream[row * width..][..width]);
                seen.push((prompt, rows.copied().collect()));
            }
        }
        seen.sort_by_key(|(prompt, _)| *prompt);
        let streams: Vec<&[f32]> = seen.iter().map(|(_, rows)| &rows[..]).collect();
        observer(layer, &streams);
        Ok(())
    }

    fn leave(&mut self, session: &mut Session, buffer: &mut Buffer) -> Result<(), RunError> {
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
    fn read_out(
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

    fn head(
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

    fn tail(
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

    fn observations(self, prompts: &[Vec<u32>], branches: &[&'static str]) -> Vec<PromptObservation> {
        let mut found: Vec<(usize, PromptObservation)> =
            self.groups.iter().flat_map(|state| state.observations(prompts, branches)).collect();
        found.sort_by_key(|(prompt, _)| *prompt);
        found.into_iter().map(|(_, observation)| observation).collect()
    }
}

/// The outputs that give the taps of a graph's stream, each with its tap.
fn stream_taps(stream: &str) -> Vec<(String, &'static str)> {
    let of_stream = TAPS.iter().filter(|tap| tap.axes == Axes::Stream);
    of_stream.map(|tap| (stream_gauge(stream, tap.name), tap.name)).collect()
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

fn finite(row: &[f32]) -> bool {
    row.iter().all(|x| x.is_finite())
}

fn check_finite(row: &[f32], place: Place, staged: &Staged<'_>) -> Result<(), RunError> {
    if finite(row) {
        return Ok(());
    }
    Err(RunError::NotFinite { place, tensor: staged.first_not_finite() })
}
