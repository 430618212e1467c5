//! What a recomputed value measures, read from the rows behind it.

use std::collections::BTreeSet;

use super::evaluate::Rows;
use super::expression::Expression;
use super::selection::{About, Fact};
use crate::published::tables::Claim;
use number::evidence::{EvidenceTable, Measurement};
use number::metric::Metric;
use number::protocol::Endpoint;

/// The rows and facts that an expression names.
pub(super) struct Behind<'a> {
    rows: Vec<&'a Measurement>,
    facts: BTreeSet<(Fact, &'a str)>,
}

impl<'a> Behind<'a> {
    pub(super) fn of(expression: Option<&Expression>, rows: &Rows<'a>) -> Behind<'a> {
        let names: BTreeSet<&str> =
            expression.map(Expression::rows).unwrap_or_default().into_iter().map(|(name, _)| name).collect();
        let mut behind = Behind { rows: Vec::new(), facts: BTreeSet::new() };
        for unit in names.into_iter().filter_map(|name| rows.get(name)).flat_map(|selected| selected.units())
        {
            match unit.about {
                About::Row(row) if behind.rows.iter().any(|known| std::ptr::eq(*known, row)) => {}
                About::Row(row) => behind.rows.push(row),
                About::Fact(fact) => {
                    behind.facts.insert((fact, unit.model));
                }
            }
        }
        behind
    }

    pub(super) fn count(&self) -> usize {
        self.rows.len() + self.facts.len()
    }

    /// Sorted; only what enters the numbers.
    pub(super) fn protocols(&self) -> Vec<String> {
        let filed = |row: &&Measurement| row.protocol.and_then(|protocol| row.metric.filed_under(protocol));
        // A layer's norm or gain that was published after the final norm is shown with that endpoint, which its metric's
        // definition does not have: this is what the claim is checked for.
        let own = |row: &&Measurement| if is_gain_or_norm(row) { row.protocol } else { filed(row) };
        let all: BTreeSet<String> =
            self.rows.iter().filter_map(own).map(|protocol| protocol.to_string()).collect();
        all.into_iter().collect()
    }

    /// One clause for each kind of row: metric, layers, models, source, precision, prompts.
    pub(super) fn words(&self, table: &EvidenceTable) -> String {
        let mut clauses: Vec<String> = Vec::new();
        let mut kinds: Vec<(Metric, &str, &str)> = Vec::new();
        for row in &self.rows {
            let kind = (row.metric, row.source.as_str(), row.dtype.as_str());
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        for (metric, source, dtype) in kinds {
            let mine: Vec<&Measurement> = self
                .rows
                .iter()
                .copied()
                .filter(|row| {
                    (row.metric, row.source.as_str(), row.dtype.as_str()) == (metric, source, dtype)
                })
                .collect();
            let dtype = if metric.describe().needs_protocol() { format!(", {dtype}") } else { String::new() };
            let about = [layers(&mine), models(&mine), prompts(&mine, table)];
            clauses.push(format!(
                "`{metric}`{} ({source}{dtype})",
                about
                    .iter()
                    .filter(|part| !part.is_empty())
                    .map(|part| format!(" {part}"))
                    .collect::<String>()
            ));
        }
        for fact in Fact::ALL {
            let all: Vec<&str> =
                self.facts.iter().filter(|(known, _)| known == fact).map(|(_, model)| *model).collect();
            if !all.is_empty() {
                clauses.push(format!("`{fact}` of {} (models.csv)", listed(&all)));
            }
        }
        clauses.join("; ")
    }

    /// What the rows say of themselves, each once.
    pub(super) fn definitions(&self) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for part in
            self.rows.iter().flat_map(|row| row.definition.split("; ")).filter(|part| !part.is_empty())
        {
            if !found.iter().any(|known| known == part) {
                found.push(part.to_string());
            }
        }
        found
    }

    /// How the rows alone show that the value is not what the claim says.
    pub(super) fn deviations(&self, claim: &Claim, table: &EvidenceTable) -> Vec<String> {
        let mut found = Vec::new();
        let ends = |endpoint| {
            self.rows
                .iter()
                .filter(|row| is_gain_or_norm(row))
                .any(|row| row.protocol.is_some_and(|protocol| protocol.endpoint == endpoint))
        };
        if ends(Endpoint::HfLast) {
            found.push("post-norm numerator".to_string());
        }
        if ends(Endpoint::HfPenultimate) {
            found.push("last-but-one block".to_string());
        }
        let known = |model: &String| table.models.iter().any(|info| info.id == *model);
        let about: BTreeSet<&str> = self
            .rows
            .iter()
            .map(|row| row.model.as_str())
            .chain(self.facts.iter().map(|(_, model)| *model))
            .collect();
        let named = !claim.models.is_empty() && claim.models.iter().all(known);
        if named && !about.is_empty() && !claim.models.iter().any(|model| about.contains(model.as_str())) {
            let all: Vec<&str> = about.into_iter().collect();
            found.push(format!("another model's number ({})", listed(&all)));
        }
        found
    }
}

fn is_gain_or_norm(row: &Measurement) -> bool {
    use Metric::{CumulativeGain, GainAfterFirstBlock, LastGain, LayerGain, ResidualNorm};
    matches!(row.metric, LastGain | CumulativeGain | GainAfterFirstBlock | LayerGain | ResidualNorm)
}

fn layers(rows: &[&Measurement]) -> String {
    let all: BTreeSet<u32> = rows.iter().filter_map(|row| row.layer).collect();
    match (all.first(), all.last()) {
        (Some(first), Some(last)) if first == last => format!("at layer {first}"),
        (Some(first), Some(last)) => format!("at layers {first} to {last}"),
        _ => String::new(),
    }
}

fn models(rows: &[&Measurement]) -> String {
    let all: BTreeSet<&str> = rows.iter().map(|row| row.model.as_str()).collect();
    format!("of {}", listed(&all.into_iter().collect::<Vec<_>>()))
}

fn prompts(rows: &[&Measurement], table: &EvidenceTable) -> String {
    let all: BTreeSet<&str> = rows.iter().filter_map(|row| row.prompt.as_deref()).collect();
    match (all.len(), all.first()) {
        (0, _) => String::new(),
        (1, Some(id)) => {
            let text =
                table.prompts.iter().find(|prompt| prompt.id == **id).map_or(*id, |prompt| &prompt.text);
            format!("on \"{text}\"")
        }
        (n, _) => format!("on {n} prompts"),
    }
}

/// Up to four names; more are counted.
fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => one.to_string(),
        [first @ .., last] if names.len() <= 4 => format!("{} and {last}", first.join(", ")),
        _ => format!("{} models", names.len()),
    }
}
