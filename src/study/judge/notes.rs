//! Notes on how rows were turned into numbers: averages of several rows, aggregates, definitions that deviate, and rows
//! that are not there.

use std::collections::{BTreeMap, BTreeSet};

use super::{cells::Cells, context::TestContext, hypothesis::Quantity};
use number::{
    evidence::Measurement,
    metric::Metric,
    observation::{ATTENTION, MLP},
    protocol::Protocol,
};

/// Collects, cell by cell, what a reader of the numbers should know.
#[derive(Default)]
pub(super) struct LookupNotes {
    averaged: u64,
    averaged_of: BTreeSet<String>,
    deviations: BTreeMap<String, BTreeSet<String>>,
}

/// More deviations than this are counted, not listed.
const DEVIATIONS: usize = 4;

impl LookupNotes {
    /// Takes note of the rows behind one cell of a model.
    pub(super) fn record(&mut self, model: &str, prompt: Option<&str>, rows: &[(&Measurement, f64)]) {
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

    /// One sentence for each kind of remark.
    pub(super) fn sentences(self, metric: Metric, cells: &Cells<'_>) -> Vec<String> {
        let mut notes = Vec::new();
        if self.averaged > 0 {
            let sources: Vec<String> = self.averaged_of.into_iter().collect();
            notes.push(format!(
                "{} cells of {} are the mean of several rows ({})",
                self.averaged,
                metric,
                sources.join(", ")
            ));
        }
        let per_prompt = metric.describe().needs_protocol();
        let aggregates: Vec<&str> = cells
            .models
            .iter()
            .filter(|(_, c)| per_prompt && c.prompts.is_empty())
            .map(|(m, _)| *m)
            .collect();
        if !aggregates.is_empty() {
            notes.push(format!(
                "{} of {}: only an aggregate over prompts exists; it counts as one unit",
                metric,
                aggregates.join(", ")
            ));
        }
        let more = self.deviations.len().saturating_sub(DEVIATIONS);
        for (what, models) in self.deviations.into_iter().take(DEVIATIONS) {
            let models: Vec<String> = models.into_iter().collect();
            notes.push(format!("{} of {}: {what}", metric, models.join(", ")));
        }
        if more > 0 {
            notes.push(format!("further remarks on definitions, not listed here, for {}: {more}", metric));
        }
        notes
    }
}

/// Says which rows a quantity found none of, e.g. `no published row of metric last-gain under last/last-block/auto
/// for llama-3.1-8b (prompt "fox")`.
pub(super) fn absent(
    context: &TestContext<'_>,
    quantity: &Quantity,
    (metric, branch): (Metric, Option<&str>),
    asked: Protocol,
) -> String {
    let select = &quantity.select;
    let mut conditions: Vec<String> = Vec::new();
    for (name, value) in [("source", &select.source), ("prompt", &select.prompt), ("dtype", &select.dtype)] {
        conditions.extend(value.as_ref().map(|v| format!("{name} {v:?}")));
    }
    conditions.extend(select.layer.map(|l| format!("layer {l}")));
    conditions.extend(select.layers_before_last.map(|l| format!("layer L-{l}")));
    // A part that does not enter the number would only mislead.
    let parts = metric.decisive(asked);
    let under = match (parts.count(), parts.bos) {
        (0, _) => String::new(),
        (1, Some(_)) => format!(" with {parts}"),
        _ => format!(" under {parts}"),
    };
    let model = match &select.model {
        Some(model) => model.clone(),
        None => context.population.in_words(),
    };
    let which = if conditions.is_empty() { String::new() } else { format!(" ({})", conditions.join(", ")) };
    let mut sentence = format!("no {} row of metric {metric}{under} for {model}{which}", context.evidence);
    if let Some(branch) = branch {
        let rows = context.index.of_metric(metric).iter();
        let others: BTreeSet<&str> = rows.filter_map(|row| row.branch.as_deref()).collect();
        let others: Vec<&str> = [ATTENTION, MLP].into_iter().chain(others).collect();
        sentence.push_str(&format!(" of branch {branch:?}; branches: {}", others.join(", ")));
    }
    sentence
}
