//! What is said about cells: averages of several rows, aggregates, and definitions that deviate.

use std::collections::{BTreeMap, BTreeSet};

use super::cells::Cells;
use crate::{evidence::Measurement, metric::Metric};

/// What was done to rows on the way into cells.
#[derive(Default)]
pub(super) struct Said {
    averaged: u64,
    averaged_of: BTreeSet<String>,
    deviations: BTreeMap<String, BTreeSet<String>>,
}

/// More deviations than this are counted, not listed.
const DEVIATIONS: usize = 4;

impl Said {
    pub fn hear(&mut self, model: &str, prompt: Option<&str>, rows: &[(&Measurement, f64)]) {
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

    pub fn notes(self, metric: Metric, cells: &Cells<'_>) -> Vec<String> {
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
