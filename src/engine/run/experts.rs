//! Blocks with experts: the host takes each token's choice from a graph, gathers the rows of every expert that was chosen, and
//! computes those experts one after another, each once for all prompts. Experts that no token chose are not read.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    thread,
};

use super::{
    Graphs, RunError, Runtime, batch,
    session::{Outputs, Session, fault, floats, read},
    stager::{self, Room, prefetch},
    state::{Route, State},
};
use model::{
    arch::{Place, Routed, WeightUse},
    checkpoint::Checkpoint,
    nn::experts::{EXPERT_CHOICE, EXPERT_INPUT, EXPERT_WEIGHT},
    onnx::Stored,
};

/// Rows that go through an expert at once, at most.
const ROWS: usize = 2048;

/// The graphs of a kind of blocks, ready to run.
pub(super) enum BlockSessions {
    /// All in one.
    Whole(Session),
    /// Up to the experts, and from them on.
    Routed(Session, Session),
}

impl BlockSessions {
    /// `open` makes a session of the graph of a name.
    pub(super) fn open(
        graph: &str,
        routed: Option<&Routed>,
        open: impl Fn(&str) -> Result<Session, RunError>,
    ) -> Result<BlockSessions, RunError> {
        Ok(match routed {
            None => BlockSessions::Whole(open(graph)?),
            Some(routed) => BlockSessions::Routed(open(routed.before.name())?, open(routed.after.name())?),
        })
    }
}

/// What the first graph of a block gave for a group of prompts, and what the experts make of it.
pub(super) struct Mixed {
    /// Everything that the graph gave, the choice taken out.
    pub before: Outputs,
    /// What the experts give, weighted and added, `[T, D]`.
    pub sum: Vec<f32>,
    pub route: Route,
}

/// Computes experts, with one at a time in memory.
pub(super) struct Experts<'a> {
    runtime: &'a Runtime,
    graphs: &'a Graphs,
    checkpoint: &'a Checkpoint,
    weights: &'a [WeightUse],
    room: Room<'a>,
    sessions: BTreeMap<(String, BTreeMap<String, Stored>), Session>,
}

/// A row of a group on its way through an expert.
#[derive(Clone, Copy)]
struct Row {
    group: usize,
    row: usize,
    weight: f32,
}

impl<'a> Experts<'a> {
    /// The experts of a model with these weights.
    ///
    /// # Errors
    /// What the runtime refuses.
    pub(super) fn new(
        runtime: &'a Runtime,
        graphs: &'a Graphs,
        checkpoint: &'a Checkpoint,
        weights: &'a [WeightUse],
    ) -> Result<Experts<'a>, RunError> {
        let (room, sessions) = (Room::of(runtime)?, BTreeMap::new());
        Ok(Experts { runtime, graphs, checkpoint, weights, room, sessions })
    }

    /// What the experts of block `layer` make of what its first graph gave for each group.
    ///
    /// A token's sum goes through its experts in their order, so that it depends on no other token.
    ///
    /// # Errors
    /// A missing tensor, what the runtime refuses, numbers that are not finite.
    pub(super) fn mix(
        &mut self,
        layer: usize,
        routed: &Routed,
        groups: &[State],
        before: Vec<Outputs>,
    ) -> Result<Vec<Mixed>, RunError> {
        let experts = routed.experts;
        let mut mixed = Vec::new();
        let mut rows: Vec<Vec<Row>> = vec![Vec::new(); experts.count];
        for (group, (mut before, state)) in before.into_iter().zip(groups).enumerate() {
            let chosen = before.integers(EXPERT_CHOICE)?;
            let weights = match before.get(EXPERT_WEIGHT) {
                Some(weights) => read(weights)?.into_owned(),
                None => return Err(fault(routed.before.name(), "no weights of experts")),
            };
            let places = chosen.chunks(experts.chosen).zip(weights.chunks(experts.chosen)).enumerate();
            for (row, (chosen, weights)) in places.take(state.group.real_rows()) {
                for (expert, &weight) in chosen.iter().zip(weights) {
                    // The graph's indices are below the number of experts.
                    rows[*expert as usize].push(Row { group, row, weight });
                }
            }
            let route = Route { experts: experts.count, chosen };
            mixed.push(Mixed { before, sum: Vec::new(), route });
        }
        let sums = self.sums(layer, routed, &rows, &mixed)?;
        for ((mixed, mut sum), state) in mixed.iter_mut().zip(sums).zip(groups) {
            // Rows that fill a group up are copies of its first.
            let (tokens, real) = (state.group.tokens(), state.group.real_rows());
            let width = sum.len() / tokens.max(1);
            for row in real..tokens {
                sum.copy_within(..width, row * width);
            }
            mixed.sum = sum;
        }
        Ok(mixed)
    }

    /// For each group the sum of what the experts give to its rows, `[T, D]`.
    fn sums(
        &mut self,
        layer: usize,
        routed: &Routed,
        rows: &[Vec<Row>],
        mixed: &[Mixed],
    ) -> Result<Vec<Vec<f32>>, RunError> {
        let graph = routed.expert.name();
        let input = |mixed: &'_ Mixed| match mixed.before.get(EXPERT_INPUT) {
            Some(input) => Ok(read(input)?.into_owned()),
            None => Err(fault(routed.before.name(), "no input of experts")),
        };
        let inputs: Vec<Vec<f32>> = mixed.iter().map(input).collect::<Result<_, RunError>>()?;
        let tokens = |mixed: &Mixed| (mixed.route.chosen.len() / routed.experts.chosen).max(1);
        let width =
            inputs.iter().zip(mixed).map(|(input, mixed)| input.len() / tokens(mixed)).next().unwrap_or(0);
        let mut sums: Vec<Vec<f32>> = inputs.iter().map(|input| vec![0.0; input.len()]).collect();
        let weights = of_block(self.weights, layer);
        let chosen: Vec<usize> = (0..rows.len()).filter(|expert| !rows[*expert].is_empty()).collect();
        let Experts { runtime, graphs, checkpoint, room, sessions, .. } = self;
        let checkpoint: &Checkpoint = checkpoint;
        thread::scope(|scope| {
            for (at, &expert) in chosen.iter().enumerate() {
                let _span =
                    tracing::info_span!("expert", block = layer, expert, rows = rows[expert].len()).entered();
                let uses = weights.get(expert).copied().unwrap_or_default();
                stager::read(checkpoint, layer, uses);
                let next = chosen.get(at + 1).and_then(|next| weights.get(*next)).copied();
                prefetch(scope, checkpoint, next.unwrap_or_default());
                stager::hash(checkpoint, layer, uses);
                let staged = room.stage(checkpoint, uses)?;
                let session = match sessions.entry((graph.to_string(), staged.stored())) {
                    Entry::Occupied(entry) => entry.into_mut(),
                    Entry::Vacant(entry) => {
                        let file = graphs.file_taking(graph, &entry.key().1)?;
                        let narrowest = uses.iter().flat_map(WeightUse::taken).min();
                        entry.insert(Session::new(
                            runtime,
                            graph,
                            &file,
                            narrowest.copied().unwrap_or(width),
                        )?)
                    }
                };
                let multiple = batch::multiple(uses);
                for rows in rows[expert].chunks(ROWS) {
                    let filled = rows.len().next_multiple_of(multiple);
                    // A row alone depends on nothing but itself, so any fills the piece up.
                    let taken = rows.iter().chain(rows.iter().cycle()).take(filled);
                    let gathered: Vec<f32> =
                        taken.flat_map(|at| &inputs[at.group][at.row * width..][..width]).copied().collect();
                    let mut given = staged.inputs()?;
                    given.push(floats("rows", &[filled, width], &gathered)?);
                    let given = session.run_reading(given, &["given"])?.floats("given")?;
                    if !given.iter().all(|x| x.is_finite()) {
                        let place = Place::Expert(layer, expert);
                        return Err(RunError::NotFinite { place, tensor: staged.first_not_finite() });
                    }
                    for (at, given) in rows.iter().zip(given.chunks(width)) {
                        let sum = &mut sums[at.group][at.row * width..][..width];
                        sum.iter_mut().zip(given).for_each(|(sum, given)| *sum += at.weight * given);
                    }
                }
            }
            Ok(sums)
        })
    }
}

/// The weights of each expert of a block.
fn of_block(weights: &[WeightUse], layer: usize) -> Vec<&[WeightUse]> {
    let is_here = |uses: &&[WeightUse]| matches!(uses[0].place, Place::Expert(block, _) if block == layer);
    weights.chunk_by(|a, b| a.place == b.place).filter(is_here).collect()
}
