//! `run` and `report`: the verdict table and what was done.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::pipeline::{Observed, Places, Summary};

/// The terminal form: verdicts, failures, and in the last lines what was computed and where it lies.
pub(crate) fn summary(summary: &Summary, places: &Places) -> String {
    let mut text = summary.written.terminal.clone();
    for failure in summary.failures() {
        text.push_str(&format!("\nfailed: {}: {}", failure.model, failure.error));
    }
    if summary.failures().next().is_some() {
        text.push('\n');
    }
    let Observed { computed, weighed, spectra, .. } = summary.observed;
    let observations = observations(summary);
    let judged = summary.judged.computed;
    let nothing = [computed, weighed, spectra, judged].iter().all(|&done| done == 0);
    if nothing && !summary.written.changed {
        text.push_str(&format!(
            "\nnothing to do: {observations}, {} verdicts, report unchanged\n",
            summary.judged.outcomes.len()
        ));
    } else {
        let report = if summary.written.changed { "report written" } else { "report unchanged" };
        text.push_str(&format!(
            "\ncomputed {computed} of {observations}, {weighed} of {} weighings, {spectra} of {} spectra and {judged} of {} \
             verdicts; {report}\n",
            summary.planned.weighings.len(),
            summary.planned.spectra.len(),
            summary.judged.outcomes.len()
        ));
    }
    text.push_str(&format!("report: {}\n", places.results.join("report/index.html").display()));
    text
}

/// How many there are; a prompt in several sets is observed once, and must not look like one left out.
fn observations(summary: &Summary) -> String {
    let cells = &summary.planned.cells;
    let distinct = cells.iter().map(|cell| cell.key).collect::<BTreeSet<_>>().len();
    if distinct == cells.len() {
        format!("{distinct} observations")
    } else {
        format!("{distinct} observations ({} counting what sets or models share)", cells.len())
    }
}

/// The JSON form.
pub(crate) fn summary_json(summary: &Summary) -> Value {
    json!({
        "schema": 1,
        "cells": summary.planned.cells.len(),
        "computed": {"observations": summary.observed.computed, "weighings": summary.observed.weighed, "spectra": summary.observed.spectra, "verdicts": summary.judged.computed, "report": summary.written.changed},
        "failures": summary.failures().collect::<Vec<_>>(),
        "verdicts": summary.judged.outcomes,
    })
}
