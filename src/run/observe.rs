//! One walk through the model: embedding rows, blocks one after another, final norm, vocabulary in pieces.

use std::collections::{BTreeMap, btree_map::Entry};

use ndarray::{Array1, Array2};
use ort::value::DynValue;

use super::{
    Graphs, RunError, Runtime,
    batch::{self, Group},
    head::{Distribution, Piece, filled, padding, pieces},
    session::{Input, Session, floats, integers, value},
    weights::{Buffer, Staged},
};
use crate::{
    arch::{Place, Recipe, WeightUse},
    checkpoint::{Checkpoint, widen::widen_from},
    observation::{PromptObservation, TOP_K},
    progress::Progress,
};

/// Run all prompts through the model and measure the stream at every tap. Observations come in the order of the
/// prompts; each is the same, bit for bit where measured, whatever other prompts run with it.
///
/// The caller starts and ends the stage in `progress`; here it advances by L + 1 steps, the head being the last.
///
/// Memory: one block's weights in float32, the stream and the activations of one block for up to 2048 tokens.
///
/// # Errors
/// Before any compute: an empty or too long prompt, a token beyond the vocabulary, a missing tensor or one of another
/// shape. Later: what the runtime refuses, and an output that is not finite.
pub fn observe(
    runtime: &Runtime,
    recipe: &Recipe,
    graphs: &Graphs,
    checkpoint: &Checkpoint,
    prompts: &[Vec<u32>],
    progress: &dyn Progress,
) -> Result<Vec<PromptObservation>, RunError> {
    batch::check(recipe, prompts)?;
    let weights = recipe.checked_weights(checkpoint)?;
    if prompts.is_empty() {
        return Ok(Vec::new());
    }
    let walk = Walk { checkpoint, weights: &weights, groups: Vec::new() };
    walk.through(runtime, recipe, graphs, prompts, progress)
}

struct Walk<'a> {
    checkpoint: &'a Checkpoint,
    weights: &'a [WeightUse],
    groups: Vec<State>,
}

/// A group of prompts on its way. Gauges are packed per token, one entry per layer.
struct State {
    group: Group,
    stream: DynValue,
    tables: Vec<(String, DynValue)>,
    resid: Vec<Vec<f32>>,
    max_abs: Vec<Vec<f32>>,
    attention: Vec<Vec<f32>>,
    mlp: Vec<Vec<f32>>,
    final_norm: Vec<f32>,
    hidden: Option<DynValue>,
    distributions: Vec<Distribution>,
}

impl Walk<'_> {
    fn through(
        mut self,
        runtime: &Runtime,
        recipe: &Recipe,
        graphs: &Graphs,
        prompts: &[Vec<u32>],
        progress: &dyn Progress,
    ) -> Result<Vec<PromptObservation>, RunError> {
        let open = |graph: &str| Session::new(runtime, graph, graphs.file(graph)?, recipe.width());
        let mut buffer = Buffer::default();
        self.enter(recipe, &mut open("prelude")?, &mut buffer, batch::groups(prompts, recipe.heads()))?;
        let mut kinds = BTreeMap::new();
        for layer in 0..recipe.blocks() {
            let session = match kinds.entry(recipe.kind(layer)) {
                Entry::Occupied(entry) => entry.into_mut(),
                Entry::Vacant(entry) => {
                    let graph = format!("block-{}", entry.key());
                    entry.insert(open(&graph)?)
                }
            };
            self.block(layer, session, &mut buffer)?;
            progress.advance(1);
        }
        drop(kinds);
        self.leave(&mut open("final")?, &mut buffer)?;
        self.head(recipe, &mut open("head")?, &mut buffer)?;
        progress.advance(1);
        Ok(self.observations(prompts))
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
            let mut out = session.run(inputs)?;
            let (resid, max_abs) = (out.floats("stream_norm")?, out.floats("stream_max")?);
            if !finite(&resid) {
                let damaged = rows.iter().any(|x| !x.is_finite());
                let tensor =
                    if damaged { Some(embedding.name.to_string()) } else { staged.first_not_finite() };
                return Err(RunError::NotFinite { place: Place::Embedding, tensor });
            }
            self.groups.push(State {
                stream: out.take("stream")?,
                tables: out.rest(),
                resid: vec![resid],
                max_abs: vec![max_abs],
                attention: Vec::new(),
                mlp: Vec::new(),
                final_norm: Vec::new(),
                hidden: None,
                distributions: vec![Distribution::default(); group.prompts.len()],
                group,
            });
        }
        Ok(())
    }

    fn block(&mut self, layer: usize, session: &mut Session, buffer: &mut Buffer) -> Result<(), RunError> {
        let place = Place::Block(layer);
        for next in uses(self.weights, Place::Block(layer + 1)) {
            self.checkpoint.prefetch(&next.tensor);
        }
        let uses = uses(self.weights, place);
        let staged = buffer.stage(self.checkpoint, uses)?;
        for state in &mut self.groups {
            let mut out = {
                let mut inputs = staged.inputs()?;
                state.feed(session, &mut inputs)?;
                session.run(inputs)?
            };
            state.stream = out.take("next")?;
            for (name, gauges) in [
                ("next_norm", &mut state.resid),
                ("next_max", &mut state.max_abs),
                ("attention_norm", &mut state.attention),
                ("mlp_norm", &mut state.mlp),
            ] {
                let row = out.floats(name)?;
                check_finite(&row, place, &staged)?;
                gauges.push(row);
            }
        }
        Ok(())
    }

    fn leave(&mut self, session: &mut Session, buffer: &mut Buffer) -> Result<(), RunError> {
        let staged = buffer.stage(self.checkpoint, uses(self.weights, Place::FinalNorm))?;
        for state in &mut self.groups {
            let mut out = {
                let mut inputs = staged.inputs()?;
                state.feed(session, &mut inputs)?;
                session.run(inputs)?
            };
            state.final_norm = out.floats("final_norm")?;
            check_finite(&state.final_norm, Place::FinalNorm, &staged)?;
            state.hidden = Some(out.take("hidden")?);
        }
        Ok(())
    }

    fn head(&mut self, recipe: &Recipe, session: &mut Session, buffer: &mut Buffer) -> Result<(), RunError> {
        let matrix = self.checkpoint.tensor(&recipe.unembedding_name(self.checkpoint))?;
        let bias = recipe.unembedding_bias_name().map(|name| self.checkpoint.tensor(name)).transpose()?;
        let mut bias_buffer = Buffer::default();
        for piece in pieces(recipe.vocabulary()) {
            let (count, padding) = (filled(&piece), padding(&piece));
            let rows = buffer.rows(&matrix, piece.clone(), count);
            let bias = bias.as_ref().map(|bias| bias_buffer.rows(bias, piece.clone(), count));
            for state in &mut self.groups {
                let Some(hidden) = &state.hidden else { continue }; // leave() set it
                let mut inputs = vec![
                    value("hidden", hidden),
                    floats("unembedding", &[count, recipe.embedding_width()], rows)?,
                    floats("padding", &[count], &padding)?,
                ];
                if let Some(bias) = bias {
                    inputs.push(floats("unembedding_bias", &[count], bias)?);
                }
                let mut out = session.run(inputs)?;
                let (max, weighted) = (out.floats("max")?, out.floats("weighted")?);
                let (largest, rest) = (out.floats("largest")?, out.floats("rest")?);
                let top = out.floats("top_logits")?;
                let ids = out.integers("top_rows")?;
                let k = TOP_K.min(recipe.vocabulary());
                for (p, distribution) in state.distributions.iter_mut().enumerate() {
                    let (max, largest, rest, weighted) = (max[p], largest[p], rest[p], weighted[p]);
                    let piece_sums = Piece { max, largest, rest, weighted };
                    let ids = ids[p * k..(p + 1) * k].iter().map(|row| piece.start as u32 + *row as u32);
                    distribution.add(piece_sums, top[p * k..(p + 1) * k].iter().copied().zip(ids));
                    if !distribution.is_finite() {
                        let damaged = rows.iter().any(|x| !x.is_finite());
                        let tensor = damaged.then(|| matrix.name.to_string());
                        return Err(RunError::NotFinite { place: Place::Unembedding, tensor });
                    }
                }
            }
        }
        Ok(())
    }

    fn observations(self, prompts: &[Vec<u32>]) -> Vec<PromptObservation> {
        let mut found: Vec<(usize, PromptObservation)> =
            self.groups.iter().flat_map(|state| state.observations(prompts)).collect();
        found.sort_by_key(|(prompt, _)| *prompt);
        found.into_iter().map(|(_, observation)| observation).collect()
    }
}

impl State {
    /// Whatever of the group's own values the graph asks for: the stream, layout, tables and masks.
    fn feed<'a>(&'a self, session: &Session, inputs: &mut Vec<Input<'a>>) -> Result<(), RunError> {
        let group = &self.group;
        let (tokens, prompts) = (group.tokens(), group.prompts.len());
        for name in session.inputs() {
            match name {
                "stream" => inputs.push(value("stream", &self.stream)),
                "to_prompts" => {
                    let shape = [prompts, group.slots.len()];
                    inputs.push(integers("to_prompts", &shape, &group.to_prompts)?);
                }
                "to_tokens" => inputs.push(integers("to_tokens", &[tokens, 2], &group.to_tokens)?),
                "last" => inputs.push(integers("last", &[group.last.len()], &group.last)?),
                _ => inputs.extend(self.tables.iter().find(|(n, _)| n == name).map(|(n, v)| value(n, v))),
            }
        }
        Ok(())
    }

    fn observations(&self, prompts: &[Vec<u32>]) -> Vec<(usize, PromptObservation)> {
        let mut start = 0;
        let mut found = Vec::new();
        for (p, (&prompt, &length)) in self.group.prompts.iter().zip(&self.group.lengths).enumerate() {
            let cut = |gauges: &[Vec<f32>]| {
                Array2::from_shape_fn((gauges.len(), length), |(layer, t)| gauges[layer][start + t])
            };
            let distribution = &self.distributions[p];
            let observation = PromptObservation {
                token_ids: prompts[prompt].clone(),
                resid: cut(&self.resid),
                attn_out: cut(&self.attention),
                mlp_out: cut(&self.mlp),
                max_abs: cut(&self.max_abs),
                final_norm: Array1::from(self.final_norm[start..start + length].to_vec()),
                entropy_nats: distribution.entropy() as f32,
                top: distribution.top(),
            };
            found.push((prompt, observation));
            start += length;
        }
        found
    }
}

/// The tensors of one place; a recipe lists them next to each other.
fn uses(weights: &[WeightUse], place: Place) -> &[WeightUse] {
    let start = weights.iter().position(|w| w.place == place).unwrap_or(weights.len());
    let count = weights[start..].iter().take_while(|w| w.place == place).count();
    &weights[start..start + count]
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
