//! Cells: the numbers a quantity names, one per (model, prompt), with everything said that was done to them.
//!
//! Several published rows can give one cell (two sources, two dtypes): they are averaged on the chosen scale, and a note
//! says so. An aggregate over prompts is never a prompt: it stands for its model only where no prompt does.

use std::collections::{BTreeMap, BTreeSet};

use super::bench::Bench;
use crate::{
    config::hypothesis::{Quantity, Scale, Select},
    evidence::Measurement,
    metric::{Depends, Metric, Series},
    protocol::{Endpoint, Protocol},
};

/// One number per (model, prompt) of one metric under one protocol.
pub(super) struct Cells {
    pub metric: Metric,
    /// `None` for properties of the weights.
    pub protocol: Option<Protocol>,
    pub models: BTreeMap<String, ModelCells>,
    /// Where the rows come from, and the dtypes they were computed in.
    pub sources: BTreeSet<String>,
    pub dtypes: BTreeSet<String>,
    pub notes: Vec<String>,
    /// What exactly was looked for and not found.
    pub missing: Vec<String>,
}

/// The numbers of one model.
#[derive(Default)]
pub(super) struct ModelCells {
    pub prompts: BTreeMap<String, Cell>,
    /// Where no row has a prompt: a property of the weights, or somebody's mean over prompts.
    pub aggregate: Option<f64>,
}

pub(super) struct Cell {
    pub value: f64,
    pub category: Option<String>,
}

impl ModelCells {
    pub fn values(&self) -> Vec<f64> {
        let own = self.prompts.values().map(|c| c.value);
        if self.prompts.is_empty() { self.aggregate.into_iter().collect() } else { own.collect() }
    }

    pub fn mean(&self) -> Option<f64> {
        crate::stats::mean(&self.values())
    }

    /// Prompts that have a category, as (value, category).
    pub fn categorised(&self) -> impl Iterator<Item = (f64, &str)> {
        self.prompts
            .values()
            .filter_map(|c| Some((c.value, c.category.as_deref().filter(|c| !c.is_empty())?)))
    }
}

impl Cells {
    /// One number per model: the mean over its prompts.
    pub fn by_model(&self) -> Series<String> {
        let means = self.models.iter().filter_map(|(m, cells)| Some((m.clone(), cells.mean()?)));
        Series::new(self.metric, self.protocol, means.collect())
    }

    /// The prompts of one model.
    pub fn by_prompt(&self, model: &str) -> Series<String> {
        let prompts = self.models.get(model).into_iter().flat_map(|m| &m.prompts);
        Series::new(self.metric, self.protocol, prompts.map(|(p, c)| (p.clone(), c.value)).collect())
    }

    /// One number: the mean over the only model's prompts; `None` unless there is exactly one model.
    pub fn only(&self) -> Option<Series<()>> {
        let mut models = self.models.values();
        let (Some(one), None) = (models.next(), models.next()) else { return None };
        Some(Series::new(self.metric, self.protocol, BTreeMap::from([((), one.mean()?)])))
    }

    /// Every (model, prompt); the prompt is empty for an aggregate.
    pub fn by_cell(&self) -> Series<(String, String)> {
        let cells = self.models.iter().flat_map(|(model, cells)| {
            let own = cells.prompts.iter().map(|(p, c)| ((model.clone(), p.clone()), c.value));
            let whole = cells.aggregate.filter(|_| cells.prompts.is_empty());
            own.chain(whole.map(|v| ((model.clone(), String::new()), v))).collect::<Vec<_>>()
        });
        Series::new(self.metric, self.protocol, cells.collect())
    }
}

/// Looks `quantity` up. Empty cells come with `missing`.
pub(super) fn look_up(bench: &Bench<'_>, quantity: &Quantity) -> Cells {
    let describe = quantity.metric.describe();
    let asked = quantity.protocol.unwrap_or(bench.protocol);
    let protocol = describe.needs_protocol().then_some(asked);
    let mut cells = Cells {
        metric: quantity.metric,
        protocol,
        models: BTreeMap::new(),
        sources: BTreeSet::new(),
        dtypes: BTreeSet::new(),
        notes: vec![],
        missing: vec![],
    };
    if describe.per_layer && quantity.select.layer.is_none() && quantity.select.layers_before_last.is_none() {
        cells.missing.push(format!(
            "{} has a value per layer: the quantity must select one (layer or layers-before-last)",
            quantity.metric
        ));
        return cells;
    }
    let mut rows = BTreeMap::<(&str, Option<&str>), Vec<(&Measurement, f64)>>::new();
    let mut unscaled = 0_u64;
    for row in bench.rows(quantity.metric).filter(|r| matches(bench, r, quantity, asked)) {
        match scaled(row.value, quantity.scale) {
            Some(value) => rows
                .entry((&row.model, row.prompt.as_deref().map(|p| bench.unit(p))))
                .or_default()
                .push((row, value)),
            None => unscaled += 1,
        }
    }
    if unscaled > 0 {
        cells
            .notes
            .push(format!("{unscaled} rows of {} have no logarithm and were left out", quantity.metric));
    }
    let mut said = Said::default();
    let by_prompt: BTreeSet<&str> = rows.keys().filter(|(_, p)| p.is_some()).map(|(m, _)| *m).collect();
    let mut repeated = BTreeSet::new();
    for ((model, prompt), mut found) in rows {
        // An aggregate beside the model's own prompts is not used, so nothing is said about it.
        if prompt.is_none() && by_prompt.contains(model) {
            continue;
        }
        // One text under two names was run once: its number is not two.
        found.dedup_by(|next, kept| {
            let same = next.1 == kept.1 && next.0.source == kept.0.source && next.0.prompt != kept.0.prompt;
            if same {
                repeated.extend(prompt);
            }
            same
        });
        let value = found.iter().map(|(_, v)| v).sum::<f64>() / found.len() as f64;
        let entry = cells.models.entry(model.to_string()).or_default();
        match prompt {
            Some(prompt) => {
                let category = found.iter().find_map(|(r, _)| r.category.clone());
                entry.prompts.insert(prompt.to_string(), Cell { value, category });
            }
            None => entry.aggregate = Some(value),
        }
        for (row, _) in &found {
            for (kept, word) in [(&mut cells.sources, &row.source), (&mut cells.dtypes, &row.dtype)] {
                if !kept.contains(word) {
                    kept.insert(word.clone());
                }
            }
        }
        said.hear(model, prompt, &found);
    }
    if !repeated.is_empty() {
        cells.notes.push(format!("prompts that two sets name differently count once: {}", repeated.len()));
    }
    cells.notes.extend(said.notes(quantity, &cells));
    if cells.models.is_empty() {
        cells.missing.push(absent(bench, quantity, asked));
    }
    cells
}

fn matches(bench: &Bench<'_>, row: &Measurement, quantity: &Quantity, asked: Protocol) -> bool {
    let Select { source, model, prompt, layer, layers_before_last, dtype, without_categories } =
        &quantity.select;
    let same = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|w| w == found);
    let counted_back = layers_before_last
        .is_none_or(|back| row.layer.is_some() && row.layer == bench.last_layer(&row.model, back));
    let category = row.category.as_deref().unwrap_or("");
    bench.takes(&row.model)
        && same(source, &row.source)
        && same(model, &row.model)
        && same(dtype, &row.dtype)
        && prompt.as_deref().is_none_or(|p| row.prompt.as_deref() == Some(p))
        && layer.is_none_or(|l| row.layer == Some(l))
        && counted_back
        && !without_categories.iter().any(|c| c == category)
        && bench.narrow.admits(row)
        && made_under(quantity.metric, row.protocol, asked)
}

/// Whether a row's number is what `asked` would give. A row is taken by what produced it: a norm taken after the final
/// norm is no residual norm, whatever is asked.
fn made_under(metric: Metric, row: Option<Protocol>, asked: Protocol) -> bool {
    match (metric.describe().depends, row) {
        (Depends::Nothing, _) => true,
        (_, None) => false,
        (Depends::Tokens, Some(row)) => row.bos == asked.bos,
        (Depends::Reduction, Some(row)) => {
            row.bos == asked.bos && row.reduction == asked.reduction && row.endpoint == Endpoint::LastBlock
        }
        (Depends::Everything, Some(row)) => row == asked,
    }
}

fn scaled(value: f64, scale: Scale) -> Option<f64> {
    let scaled = match scale {
        Scale::Linear => value,
        Scale::Log => value.ln(),
        Scale::AbsLog => value.ln().abs(),
    };
    scaled.is_finite().then_some(scaled)
}

/// E.g. `no published row of metric last-gain under last/last-block/auto for llama-3.1-8b (prompt "fox")`.
fn absent(bench: &Bench<'_>, quantity: &Quantity, asked: Protocol) -> String {
    let select = &quantity.select;
    let mut conditions: Vec<String> = Vec::new();
    for (name, value) in [("source", &select.source), ("prompt", &select.prompt), ("dtype", &select.dtype)] {
        conditions.extend(value.as_ref().map(|v| format!("{name} {v:?}")));
    }
    conditions.extend(select.layer.map(|l| format!("layer {l}")));
    conditions.extend(select.layers_before_last.map(|l| format!("layer L-{l}")));
    let under = match quantity.metric.describe().depends {
        Depends::Nothing => String::new(),
        Depends::Tokens => format!(" with BOS {}", asked.bos),
        // An endpoint that does not enter the number would only mislead.
        Depends::Reduction => format!(" under {}, BOS {}", asked.reduction, asked.bos),
        Depends::Everything => format!(" under {asked}"),
    };
    let model = match &select.model {
        Some(model) => model.clone(),
        None => bench.models_in_words(),
    };
    let which = if conditions.is_empty() { String::new() } else { format!(" ({})", conditions.join(", ")) };
    format!("no {} row of metric {}{under} for {model}{which}", bench.evidence, quantity.metric)
}

/// What was done to rows on the way into cells.
#[derive(Default)]
struct Said {
    averaged: u64,
    averaged_of: BTreeSet<String>,
    deviations: BTreeMap<String, BTreeSet<String>>,
}

/// More deviations than this are counted, not listed.
const DEVIATIONS: usize = 4;

impl Said {
    fn hear(&mut self, model: &str, prompt: Option<&str>, rows: &[(&Measurement, f64)]) {
        if rows.len() > 1 && prompt.is_some() {
            self.averaged += 1;
            self.averaged_of.extend(rows.iter().map(|(r, _)| format!("{} {}", r.source, r.dtype)));
        }
        for (row, _) in rows.iter().filter(|(r, _)| !r.definition.is_empty()) {
            self.deviations
                .entry(format!("{}: {}", row.source, row.definition))
                .or_default()
                .insert(model.to_string());
        }
    }

    fn notes(self, quantity: &Quantity, cells: &Cells) -> Vec<String> {
        let mut notes = Vec::new();
        if self.averaged > 0 {
            let sources: Vec<String> = self.averaged_of.into_iter().collect();
            notes.push(format!(
                "{} cells of {} are the mean of several rows ({})",
                self.averaged,
                quantity.metric,
                sources.join(", ")
            ));
        }
        let per_prompt = quantity.metric.describe().needs_protocol();
        let aggregates: Vec<&str> = cells
            .models
            .iter()
            .filter(|(_, c)| per_prompt && c.prompts.is_empty())
            .map(|(m, _)| m.as_str())
            .collect();
        if !aggregates.is_empty() {
            notes.push(format!(
                "{} of {}: only an aggregate over prompts exists; it counts as one unit",
                quantity.metric,
                aggregates.join(", ")
            ));
        }
        let more = self.deviations.len().saturating_sub(DEVIATIONS);
        for (what, models) in self.deviations.into_iter().take(DEVIATIONS) {
            let models: Vec<String> = models.into_iter().collect();
            notes.push(format!("{} of {}: {what}", quantity.metric, models.join(", ")));
        }
        if more > 0 {
            notes.push(format!(
                "further remarks on definitions, not listed here, for {}: {more}",
                quantity.metric
            ));
        }
        notes
    }
}
