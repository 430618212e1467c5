//! A group of prompts on its way through the model, and what is kept of it.

use std::collections::BTreeMap;

use ndarray::{Array1, Array2};
use ort::value::DynValue;

use super::{
    RunError,
    batch::Group,
    head::{Distribution, Shift},
    readout::Readout,
    session::{self, Input, Session, integers, value},
};
use model::arch::gauge_of;
use number::observation::{ATTENTION, Extra, Extras, MLP, PromptObservation};

/// A group of prompts on its way. Gauges are packed per token, one entry per layer.
pub(super) struct State {
    pub group: Group,
    pub stream: DynValue,
    pub tables: Vec<(String, DynValue)>,
    pub resid: Vec<Vec<f32>>,
    pub max_abs: Vec<Vec<f32>>,
    /// Of every block what its graph gave beside the stream, by name.
    pub gauges: Vec<BTreeMap<String, Vec<f32>>>,
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

impl State {
    /// A group at the first block: its stream with the gauges of that, and what the prelude published.
    pub(super) fn new(
        group: Group,
        stream: DynValue,
        tables: Vec<(String, DynValue)>,
        resid: Vec<f32>,
        max_abs: Vec<f32>,
    ) -> State {
        State {
            stream,
            tables,
            resid: vec![resid],
            max_abs: vec![max_abs],
            gauges: Vec::new(),
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

    /// What was seen of each prompt, with its index among `prompts`.
    pub(super) fn observations(&self, prompts: &[Vec<u32>]) -> Vec<(usize, PromptObservation)> {
        let count = self.group.last.len();
        let mut read = 0;
        let mut found = Vec::new();
        for (p, (&prompt, rows)) in self.group.prompts.iter().zip(&self.group.rows).enumerate() {
            let length = rows.len();
            let cut = |gauges: &[Vec<f32>]| {
                Array2::from_shape_fn((gauges.len(), length), |(layer, t)| gauges[layer][rows[t]])
            };
            let resid = cut(&self.resid);
            let gauge = |name: &str| {
                Array2::from_shape_fn((self.gauges.len(), length), |(layer, t)| {
                    self.gauges[layer].get(name).map_or(f32::NAN, |row| row[rows[t]])
                })
            };
            let (write, dot) = (gauge("write"), gauge("write_dot"));
            let write_cosine = Array2::from_shape_fn(dot.dim(), |at| cosine(dot[at], resid[at], write[at]));
            let off_diagonal = |layer: usize| self.gauges[layer].get("off_diagonal");
            let heads = (0..self.gauges.len()).find_map(off_diagonal);
            let heads = heads.map_or(0, |row| row.len() / self.group.tokens());
            let attn_off_diagonal = Array2::from_shape_fn((self.gauges.len(), heads), |(layer, head)| {
                let given = |row: &usize| {
                    off_diagonal(layer).map_or(f64::NAN, |gauge| f64::from(gauge[row * heads + head]))
                };
                rows.iter().map(given).sum::<f64>() as f32
            });
            let distribution = &self.distributions[p];
            let losses = length - 1;
            let loss = self.loss.as_ref().filter(|_| losses > 0).map(|readout| {
                let sum: f64 = (read..read + losses).map(|row| readout.surprise(row)).sum();
                (sum / losses as f64) as f32
            });
            let lens = self.lens.as_ref().map(|readout| {
                Array1::from_shape_fn(self.resid.len(), |layer| readout.entropy(layer * count + p) as f32)
            });
            let observation = PromptObservation {
                token_ids: prompts[prompt].clone(),
                resid,
                attn_out: gauge(&gauge_of(ATTENTION, "write")),
                mlp_out: gauge(&gauge_of(MLP, "write")),
                attn_module_in: gauge(&gauge_of(ATTENTION, "input")),
                attn_module_out: gauge(&gauge_of(ATTENTION, "output")),
                mlp_module_in: gauge(&gauge_of(MLP, "input")),
                mlp_module_out: gauge(&gauge_of(MLP, "output")),
                write,
                write_cosine,
                max_abs: cut(&self.max_abs),
                attn_off_diagonal,
                final_norm: rows.iter().map(|row| self.final_norm[*row]).collect(),
                entropy_nats: distribution.entropy() as f32,
                logit_shift: self.shifts[p].share(),
                top: distribution.top(),
                loss_nats: loss,
                lens_entropy_nats: lens,
            };
            found.push((prompt, observation));
            read += losses;
        }
        found
    }
}

/// Of two vectors, from their dot product and norms; 0 where one of them is 0.
fn cosine(dot: f32, a: f32, b: f32) -> f32 {
    let size = f64::from(a) * f64::from(b);
    if size > 0.0 { (f64::from(dot) / size).clamp(-1.0, 1.0) as f32 } else { 0.0 }
}
