//! One walk through the model: embedding rows, then blocks one after another. What is read off the stream after the last one is in
//! `ending`.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    thread::{self, Scope},
    time::Instant,
};

use ort::value::DynValue;

use super::{
    Graphs, RunError, Runtime,
    batch::{self, Group},
    experts::{BlockSessions, Experts, Mixed},
    needs::Prepared,
    session::{Outputs, Session, floats, integers, read, value},
    stager::{each_module, prefetch},
    state::State,
    vocabulary::Vocabulary,
    weights::{Buffer, Staged, uses},
};
use base::progress::{Done, Progress};
use model::{
    arch::{LOST_COSINE, Place, Recipe, WeightUse, is_lost, scaled_name, stream_gauge},
    checkpoint::{Checkpoint, widen::widen_from},
    nn::experts::{EXPERT_CHOICE, EXPERT_INPUT, EXPERTS},
    onnx,
};
use number::observation::{Axes, Extras, PromptObservation, TAPS};

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

/// A walk under way.
pub(super) struct Walk<'a, 'w> {
    runtime: &'a Runtime,
    pub(super) checkpoint: &'a Checkpoint,
    pub(super) weights: &'a [WeightUse],
    pub(super) extras: &'a Extras,
    observer: Option<StreamObserver<'w>>,
    pub(super) groups: Vec<State>,
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
        let mut experts = Experts::new(runtime, graphs, checkpoint, weights)?;
        let blocks: Vec<&[WeightUse]> =
            (0..recipe.blocks()).map(|layer| uses(weights, Place::Block(layer))).collect();
        each_module(runtime, &mut buffer, checkpoint, &blocks, &mut |layer, staged| {
            if layer + 1 == recipe.blocks() {
                prefetch(scope, checkpoint, uses(weights, Place::Unembedding));
            }
            let graph = format!("block-{}", recipe.kind(layer));
            let sessions = match kinds.entry((recipe.kind(layer), staged.stored())) {
                Entry::Occupied(entry) => entry.into_mut(),
                Entry::Vacant(entry) => {
                    let open = |graph: &str| open_taking(graph, &entry.key().1);
                    let sessions = BlockSessions::open(&graph, recipe.routed(layer), open)?;
                    entry.insert(sessions)
                }
            };
            let scaled = || open_taking(&scaled_name(&graph), &staged.stored());
            self.block(recipe, layer, sessions, &mut experts, &scaled, staged)?;
            self.show(layer + 1, recipe.width())?;
            progress.advance(1);
            Ok(())
        })?;
        drop((kinds, experts));
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
            let stream = out.take("stream")?;
            if let Some(norms) = taps.get_mut(NORM) {
                small_norms(norms, &stream)?;
            }
            if !taps.values().all(|values| finite(values)) {
                let damaged = rows.iter().any(|x| !x.is_finite());
                let tensor =
                    if damaged { Some(embedding.name.to_string()) } else { staged.first_not_finite() };
                return Err(RunError::NotFinite { place: Place::Embedding, tensor });
            }
            let mut state = State::new(group, stream, out.rest(), taps);
            state.remember(self.extras)?;
            self.groups.push(state);
        }
        Ok(())
    }

    /// `scaled` opens the graph of this block whose norms are right for rows of any size.
    fn block(
        &mut self,
        recipe: &Recipe,
        layer: usize,
        sessions: &mut BlockSessions,
        experts: &mut Experts<'_>,
        scaled: &dyn Fn() -> Result<Session, RunError>,
        staged: &Staged<'_>,
    ) -> Result<(), RunError> {
        let place = Place::Block(layer);
        let (read, of_stream) = (recipe.gauges(layer), stream_taps("next"));
        let of_branches = recipe.norms(layer);
        let mut again: Option<Session> = None;
        // With experts, what comes before them is computed for all groups first, so that each expert is needed once.
        let mut mixed = Vec::new();
        if let (BlockSessions::Routed(before, _), Some(routed)) = (&mut *sessions, recipe.routed(layer)) {
            let read = [&read[..], &[EXPERT_INPUT, EXPERT_CHOICE]].concat();
            let run = |state: &State| run(layer, before, state, None, &read, staged);
            let before = self.groups.iter().map(run).collect::<Result<_, _>>()?;
            mixed = experts.mix(layer, routed, &self.groups, before)?;
        }
        let mut mixed = mixed.into_iter();
        for state in &mut self.groups {
            let mut mixed = mixed.next();
            let mut out = match sessions {
                BlockSessions::Whole(session) => run(layer, session, state, None, &read, staged)?,
                BlockSessions::Routed(_, after) => run(layer, after, state, mixed.as_ref(), &read, staged)?,
            };
            // The norms are reduced inside the graph: here they are read and checked.
            let _span = tracing::info_span!("reduce", block = layer).entered();
            let (mut taps, mut gauges) = (BTreeMap::new(), BTreeMap::new());
            let stream = out.take("next")?;
            for &name in &read {
                let of = match &mut mixed {
                    Some(mixed) if out.get(name).is_none() => &mut mixed.before,
                    _ => &mut out,
                };
                let mut row = of.floats(name)?;
                match of_stream.iter().find(|(gauge, _)| gauge == name) {
                    Some((_, tap)) => {
                        if *tap == NORM {
                            small_norms(&mut row, &stream)?;
                        }
                        taps.insert((*tap).to_string(), row)
                    }
                    None => gauges.insert(name.to_string(), row),
                };
            }
            let has_lost =
                |name: &&str| gauges.get(*name).is_some_and(|row| row.iter().copied().any(is_lost));
            let lost: Vec<&str> = of_branches.iter().map(String::as_str).filter(has_lost).collect();
            let has_lost_stream = || entering(state).is_some_and(|row| row.iter().copied().any(is_lost));
            if !lost.is_empty() || has_lost_stream() {
                let session = match &mut again {
                    Some(session) => session,
                    none => none.insert(scaled()?),
                };
                let lost: Vec<&str> = lost.into_iter().chain([LOST_COSINE]).collect();
                let mut out = run(layer, session, state, mixed.as_ref(), &lost, staged)?;
                for name in lost {
                    gauges.insert(name.to_string(), out.floats(name)?);
                }
            }
            for row in taps.values().chain(gauges.values()) {
                check_finite(row, place, staged)?;
            }
            state.stream = stream;
            state.layers.push(taps);
            state.blocks.push(gauges);
            state.routes.push(mixed.map(|mixed| mixed.route));
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

    fn observations(self, prompts: &[Vec<u32>], branches: &[&'static str]) -> Vec<PromptObservation> {
        let mut found: Vec<(usize, PromptObservation)> =
            self.groups.iter().flat_map(|state| state.observations(prompts, branches)).collect();
        found.sort_by_key(|(prompt, _)| *prompt);
        found.into_iter().map(|(_, observation)| observation).collect()
    }
}

/// The norms of the stream that enters the next block.
fn entering(state: &State) -> Option<&Vec<f32>> {
    state.layers.last().and_then(|taps| taps.get(NORM))
}

/// One run of a graph of block `layer` for a group of prompts, of which only `read` is read here; with what the graph up to the
/// experts gave, and their sum, where it follows them.
fn run(
    layer: usize,
    session: &mut Session,
    state: &State,
    mixed: Option<&Mixed>,
    read: &[&str],
    staged: &Staged<'_>,
) -> Result<Outputs, RunError> {
    let rows = state.group.tokens();
    let mut inputs = staged.inputs_of(session)?;
    state.feed(session, &mut inputs)?;
    if let Some(Mixed { before, sum, .. }) = mixed {
        let carried = before.iter().filter(|(name, _)| session.inputs().any(|input| input == *name));
        inputs.extend(carried.map(|(name, given)| value(name, given)));
        inputs.push(floats(EXPERTS, &[rows, sum.len() / rows], sum)?);
    }
    let _span = tracing::info_span!("compute", block = layer, rows).entered();
    session.run_reading(inputs, read)
}

/// The outputs that give the taps of a graph's stream, each with its tap.
fn stream_taps(stream: &str) -> Vec<(String, &'static str)> {
    let of_stream = TAPS.iter().filter(|tap| tap.axes == Axes::Stream);
    of_stream.map(|tap| (stream_gauge(stream, tap.name), tap.name)).collect()
}

/// The tap of the stream's norms.
const NORM: &str = "resid";
/// Takes the norms of `[T, D]` that float32 cannot square in float64: those of untrained rows, say.
fn small_norms(norms: &mut [f32], stream: &DynValue) -> Result<(), RunError> {
    if norms.is_empty() || !norms.iter().copied().any(is_lost) {
        return Ok(());
    }
    let stream = read(stream)?;
    let width = stream.len() / norms.len();
    for (norm, row) in norms.iter_mut().zip(stream.chunks(width.max(1))).filter(|(norm, _)| is_lost(**norm)) {
        *norm = row.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt() as f32;
    }
    Ok(())
}

fn finite(row: &[f32]) -> bool {
    row.iter().all(|x| x.is_finite())
}

/// An error that names the place, and the weight that is not finite either, unless all numbers are.
pub(super) fn check_finite(row: &[f32], place: Place, staged: &Staged<'_>) -> Result<(), RunError> {
    if finite(row) {
        return Ok(());
    }
    Err(RunError::NotFinite { place, tensor: staged.first_not_finite() })
}
