//! `run` and `report`: the verdict table and what was done.

use serde_json::{Map, Value, json};

use crate::cli::register::registered;
use crate::pipeline::{Places, Summary, Tally};

/// The terminal form: verdicts, failures, and in the last lines what was computed and where it lies.
pub(crate) fn summary(summary: &Summary<'_>, places: &Places) -> String {
    let mut text = summary.done.report.as_ref().map_or_else(String::new, |report| report.summary.clone());
    for failure in summary.failures() {
        text.push_str(&format!("\nfailed: {}: {}", failure.model, failure.error));
    }
    for model in summary.unfetched() {
        text.push_str(&format!("\nwithout {}: {}", model.model, model.error));
    }
    if summary.failures().next().is_some() || summary.unfetched().next().is_some() {
        text.push('\n');
    }
    for id in &summary.registered {
        text.push_str(&format!("\n{}", registered(id, &places.results)));
    }
    let tallies = summary.tallies();
    if tallies.iter().all(|tally| tally.made == 0) && !summary.is_report_new() {
        let observations = tallies.first().map(total).unwrap_or_default();
        let verdicts = summary.done.outcomes.len();
        text.push_str(&format!("\nnothing to do: {observations}, {verdicts} verdicts, report unchanged\n"));
    } else {
        let report = if summary.is_report_new() { "report written" } else { "report unchanged" };
        let made: Vec<String> =
            tallies.iter().map(|tally| format!("{} of {}", tally.made, total(tally))).collect();
        let made = match &made[..] {
            [others @ .., last] if !others.is_empty() => format!("{} and {last}", others.join(", ")),
            _ => made.concat(),
        };
        text.push_str(&format!("\ncomputed {made}; {report}\n"));
    }
    text.push_str(&format!("report: {}\n", places.results.join("report/index.html").display()));
    text
}

/// How many there are; a prompt in several sets is observed once, and must not look like one left out.
fn total(tally: &Tally) -> String {
    let Tally { outputs, distinct, jobs, .. } = tally;
    match distinct == jobs {
        true => format!("{distinct} {outputs}"),
        false => format!("{distinct} {outputs} ({jobs} counting what sets or models share)"),
    }
}

/// The JSON form.
pub(crate) fn summary_json(summary: &Summary<'_>) -> Value {
    let mut computed: Map<String, Value> =
        summary.tallies().into_iter().map(|tally| (tally.outputs.to_string(), tally.made.into())).collect();
    computed.insert("report".into(), summary.is_report_new().into());
    json!({
        "schema": 1,
        "cells": summary.planned.inputs.cells.len(),
        "computed": computed,
        "failures": summary.failures().collect::<Vec<_>>(),
        "unfetched": summary.unfetched().collect::<Vec<_>>(),
        "registered": summary.registered,
        "verdicts": summary.done.outcomes.values().collect::<Vec<_>>(),
    })
}
