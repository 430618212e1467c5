//! `run` and `report`: the verdict table and what was done.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::pipeline::{ModelFailure, Places, Summary};

/// The terminal form: verdicts, failures, and in the last lines what was computed and where it lies.
pub fn summary(summary: &Summary, places: &Places) -> String {
    let mut text = summary.written.terminal.clone();
    for failure in failures(summary) {
        text.push_str(&format!("\nfailed: {}: {}", failure.model, failure.error));
    }
    if failures(summary).next().is_some() {
        text.push('\n');
    }
    let (cells, computed) = (distinct(summary), summary.observed.computed);
    let judged = summary.judged.computed;
    if computed == 0 && judged == 0 && !summary.written.changed {
        text.push_str(&format!(
            "\nnothing to do: {cells} observations, {} verdicts, report unchanged\n",
            summary.judged.outcomes.len()
        ));
    } else {
        let report = if summary.written.changed { "report written" } else { "report unchanged" };
        text.push_str(&format!(
            "\ncomputed {computed} of {cells} observations and {judged} of {} verdicts; {report}\n",
            summary.judged.outcomes.len()
        ));
    }
    text.push_str(&format!("report: {}\n", places.results.join("report/report.md").display()));
    text
}

/// Observations the experiment needs: a prompt in two sets is one.
fn distinct(summary: &Summary) -> usize {
    summary.planned.cells.iter().map(|cell| cell.key).collect::<BTreeSet<_>>().len()
}

fn failures(summary: &Summary) -> impl Iterator<Item = &ModelFailure> {
    summary.planned.failures.iter().chain(&summary.observed.failures)
}

/// The JSON form.
pub fn summary_json(summary: &Summary) -> Value {
    json!({
        "schema": 1,
        "observations": distinct(summary),
        "computed": {"observations": summary.observed.computed, "verdicts": summary.judged.computed, "report": summary.written.changed},
        "failures": failures(summary).collect::<Vec<_>>(),
        "verdicts": summary.judged.outcomes,
    })
}
