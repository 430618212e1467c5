//! A group of prompts on its way through the model, and what is kept of it.

use std::collections::BTreeMap;

use ndarray::Array2;
use ort::value::DynValue;

use super::{
    RunError,
    batch::Group,
    head::{Distribution, Shift},
    readout::Readout,
    session::{self, Input, Session, integers, value},
};
use model::arch::{LOST_COSINE, block_gauge, is_lost};
use number::observation::{Axes, Extra, Extras, NEAR_TIE, NamedTap, PromptObservation};

/// A group of prompts on its way. Gauges are packed per token, one entry per layer.
pub(super) struct State {
    pub group: Group,
    pub stream: DynValue,
    pub tables: Vec<(String, DynValue)>,
    /// The taps of the stream at layers 0..=L, by the names of the taps.
    pub layers: Vec<BTreeMap<String, Vec<f32>>>,
    /// What the graph of every block gave beside the stream, by the names of its outputs.
    pub blocks: Vec<BTreeMap<String, Vec<f32>>>,
    /// Which experts the tokens chose in every block that has some.
    pub routes: Vec<Option<Route>>,
    pub final_norm: Vec<f32>,
    pub hidden: Option<DynValue>,
    pub distributions: Vec<Distribution>,
    pub shifts: Vec<Shift>,
    /// At each layer the rows of `last`, for the lens.
    pub last_rows: Vec<Vec<f32>>,
    /// For every token with a next one, prompt by prompt.
    pub loss: Option<Readout>,
    /// For every layer and prompt, layers outermost.
    pub lens: Option<Readout>,
}

/// Which experts a group's tokens chose in a block.
pub(super) struct Route {
    /// E.
    pub experts: usize,
    /// `[T, K]`, the best first.
    pub chosen: Vec<i64>,
}

impl State {
    /// A group at the first block: its stream with the gauges of that, and what the prelude published.
    pub(super) fn new(
        group: Group,
        stream: DynValue,
        tables: Vec<(String, DynValue)>,
        taps: BTreeMap<String, Vec<f32>>,
    ) -> State {
        State {
            stream,
            tables,
            layers: vec![taps],
            blocks: Vec::new(),
            routes: Vec::new(),
            final_norm: Vec::new(),
            hidden: None,
            distributions: vec![Distribution::default(); group.prompts.len()],
            shifts: vec![Shift::default(); group.prompts.len()],
            last_rows: Vec::new(),
            loss: None,
            lens: None,
            group,
        }
    }

    /// Whatever of the group's own values the graph asks for: the stream, layout, tables and masks.
    pub(super) fn feed<'a>(&'a self, session: &Session, inputs: &mut Vec<Input<'a>>) -> Result<(), RunError> {
        let group = &self.group;
        let (tokens, paths) = (group.tokens(), group.paths);
        for name in session.inputs() {
            match name {
                "stream" => inputs.push(value("stream", &self.stream)),
                "to_prompts" => {
                    let shape = [paths, group.slots.len()];
                    inputs.push(integers("to_prompts", &shape, &group.to_prompts)?);
                }
                "to_tokens" => inputs.push(integers("to_tokens", &[tokens, 2], &group.to_tokens)?),
                "slots" => inputs.push(integers("slots", &[group.slots.len()], &group.slots)?),
                _ => inputs.extend(self.tables.iter().find(|(n, _)| n == name).map(|(n, v)| value(n, v))),
            }
        }
        Ok(())
    }

    /// Keeps the rows that the lens will read.
    pub(super) fn remember(&mut self, extras: &Extras) -> Result<(), RunError> {
        if extras.contains(&Extra::Lens) {
            self.last_rows.push(session::rows(&self.stream, &self.group.last)?);
        }
        Ok(())
    }

    /// Packed rows that have a next token in their prompt, and that token.
    pub(super) fn with_next(&self, prompts: &[Vec<u32>]) -> (Vec<i64>, Vec<u32>) {
        let (mut rows, mut next) = (Vec::new(), Vec::new());
        for (&prompt, own) in self.group.prompts.iter().zip(&self.group.rows) {
            rows.extend(own[..own.len() - 1].iter().map(|row| *row as i64)); // check() refused empty prompts
            next.extend(&prompts[prompt][1..]);
        }
        if rows.len() == 1 {
            rows.push(rows[0]); // as a lone prompt's last row
            next.push(next[0]);
        }
        (rows, next)
    }

    /// What was seen of each prompt through blocks with these branches, with its index among `prompts`.
    pub(super) fn observations(
        &self,
        prompts: &[Vec<u32>],
        branches: &[&'static str],
    ) -> Vec<(usize, PromptObservation)> {
        let count = self.group.last.len();
        let mut read = 0;
        let mut found = Vec::new();
        for (p, (&prompt, rows)) in self.group.prompts.iter().zip(&self.group.rows).enumerate() {
            let mut seen = PromptObservation::new(prompts[prompt].clone(), branches.iter().copied());
            for tap in seen.named() {
                if let Some(values) = self.of_tokens(&tap, rows) {
                    seen.put(&tap.name, values);
                }
            }
            if seen.has("kept") {
                // Blocks without a carry keep all.
                let (kept, resid) = (seen.kept(), seen.resid());
                let filled = |at| if kept[at].is_nan() { resid[at] } else { kept[at] };
                let filled = Array2::from_shape_fn(kept.dim(), filled);
                seen.put("kept", filled);
            }
            seen.put_number("router_near_ties", self.near_ties(rows));
            let (dots, kept, write) = (seen.write_cosine(), seen.kept(), seen.write());
            let lost = |(block, t): (usize, usize)| Some(self.blocks[block].get(LOST_COSINE)?[rows[t]]);
            let cosines = Array2::from_shape_fn(dots.dim(), |at| {
                // Whether a token's cosine is found this way follows from the token alone, not from its group.
                let own = if is_lost(kept[at]) || is_lost(write[at]) { lost(at) } else { None };
                own.map_or_else(|| cosine(dots[at], kept[at], write[at]), |cosine| cosine.clamp(-1.0, 1.0))
            });
            seen.put("write_cosine", cosines);
            let last = rows.iter().map(|row| self.final_norm[*row]);
            seen.put(
                "final_norm",
                Array2::from_shape_vec((1, rows.len()), last.collect()).unwrap_or_default(),
            );
            let distribution = &self.distributions[p];
            seen.put_number("entropy_nats", Some(distribution.entropy() as f32));
            seen.put_number("logit_shift", self.shifts[p].share());
            seen.top = distribution.top();
            let losses = rows.len() - 1;
            let loss = self.loss.as_ref().filter(|_| losses > 0).map(|readout| {
                let sum: f64 = (read..read + losses).map(|row| readout.surprise(row)).sum();
                (sum / losses as f64) as f32
            });
            seen.put_number("loss_nats", loss);
            if let Some(readout) = &self.lens {
                let entropy = |(layer, _)| readout.entropy(layer * count + p) as f32;
                seen.put("lens_entropy_nats", Array2::from_shape_fn((self.layers.len(), 1), entropy));
            }
            found.push((prompt, seen));
            read += losses;
        }
        found
    }

    /// The values of a tap that graphs give token by token, of the tokens that lie in these rows; `None` where no block
    /// gives it. Of `write_cosine` they are the dot products.
    fn of_tokens(&self, tap: &NamedTap, rows: &[usize]) -> Option<Array2<f32>> {
        let gauge = block_gauge(tap);
        match tap.tap.axes {
            Axes::Stream => Some(Array2::from_shape_fn((self.layers.len(), rows.len()), |(layer, t)| {
                self.layers[layer].get(tap.tap.name).map_or(f32::NAN, |values| values[rows[t]])
            })),
            Axes::Blocks => {
                self.blocks.iter().find(|block| block.contains_key(&gauge))?;
                let value = |(block, t): (usize, usize)| {
                    self.blocks[block].get(&gauge).map_or(f32::NAN, |values| values[rows[t]])
                };
                Some(Array2::from_shape_fn((self.blocks.len(), rows.len()), value))
            }
            Axes::Heads => {
                let heads =
                    |block: &BTreeMap<_, Vec<f32>>| Some(block.get(&gauge)?.len() / self.group.tokens());
                let most = self.blocks.iter().filter_map(heads).max()?;
                let sum = |(block, head): (usize, usize)| {
                    let block = &self.blocks[block];
                    let Some((own, values)) = heads(block).filter(|own| head < *own).zip(block.get(&gauge))
                    else {
                        return f32::NAN;
                    };
                    rows.iter().map(|row| f64::from(values[row * own + head])).sum::<f64>() as f32
                };
                Some(Array2::from_shape_fn((self.blocks.len(), most), sum))
            }
            Axes::Choices => {
                let chosen = |block: &BTreeMap<_, Vec<f32>>| {
                    block.get(&gauge).map_or(0, |values| values.len() / self.group.tokens())
                };
                let most = self.blocks.iter().map(chosen).max().filter(|most| *most > 0)?;
                let value = |(block, at): (usize, usize)| {
                    let (token, choice, own) = (at / most, at % most, chosen(&self.blocks[block]));
                    match self.blocks[block].get(&gauge).filter(|_| choice < own) {
                        Some(values) => values[rows[token] * own + choice],
                        None => f32::NAN,
                    }
                };
                Some(Array2::from_shape_fn((self.blocks.len(), rows.len() * most), value))
            }
            Axes::Experts => self.shares(rows),
            Axes::Layers | Axes::Tokens | Axes::Prompt => None,
        }
    }

    /// For every block and expert the share of the tokens in these rows that chose it; `None` without experts.
    fn shares(&self, rows: &[usize]) -> Option<Array2<f32>> {
        let most = self.routes.iter().flatten().map(|route| route.experts).max()?;
        let mut shares = Array2::from_elem((self.routes.len(), most), f32::NAN);
        for (block, route) in self.routes.iter().enumerate() {
            let Some(Route { experts, chosen }) = route else { continue };
            let choices = chosen.len() / self.group.tokens();
            let mut counts = vec![0usize; *experts];
            let of_rows = rows.iter().flat_map(|row| &chosen[row * choices..][..choices]);
            of_rows.for_each(|expert| counts[*expert as usize] += 1); // the graph's are below E
            for (expert, count) in counts.into_iter().enumerate() {
                shares[[block, expert]] = (count as f64 / rows.len() as f64) as f32;
            }
        }
        Some(shares)
    }

    /// How many of the tokens in these rows have a margin below [`NEAR_TIE`] in some block; `None` without experts.
    fn near_ties(&self, rows: &[usize]) -> Option<f32> {
        self.routes.iter().flatten().next()?;
        let margins: Vec<&Vec<f32>> =
            self.blocks.iter().filter_map(|block| block.get("router_margin")).collect();
        let is_near = |row: &&usize| margins.iter().any(|margins| margins[**row] < NEAR_TIE);
        Some(rows.iter().filter(is_near).count() as f32)
    }
}

/// Of two vectors, from their dot product and norms; 0 where one of them is 0.
fn cosine(dot: f32, a: f32, b: f32) -> f32 {
    let size = f64::from(a) * f64::from(b);
    if size > 0.0 { (f64::from(dot) / size).clamp(-1.0, 1.0) as f32 } else { 0.0 }
}
