//! `regress`: what moved, worst first, and what to do about it.

use std::path::Path;

use serde::Serialize;

use crate::pipeline::ModelFailure;
use results::regress::Comparison;

/// Lines of each section on a terminal; `--json` has all.
const MOST_LINES: usize = 12;

/// One comparison as printed.
pub(crate) struct Regressed<'a> {
    pub baseline: &'a Path,
    /// `None` when there was no baseline to compare with.
    pub comparison: Option<Comparison>,
    pub accepted: bool,
    pub failures: &'a [ModelFailure],
}

/// The terminal form.
pub(crate) fn regressed(shown: &Regressed<'_>) -> String {
    let mut text = String::new();
    for failure in shown.failures {
        text.push_str(&format!("failed: {}: {}\n", failure.model, failure.error));
    }
    let baseline = shown.baseline.display();
    if let Some(comparison) = &shown.comparison {
        for section in comparison.sections(MOST_LINES) {
            text.push_str(&format!("{}\n", section.title));
            section.lines.iter().for_each(|line| text.push_str(&format!("  {line}\n")));
        }
        text.push_str(&format!("compared with {baseline}: {}\n", comparison.compared()));
        if !comparison.moved() {
            text.push_str(&format!("nothing moved (tolerance {})\n", Comparison::tolerance()));
        } else if !shown.accepted {
            text.push_str("if it was meant to move: streamgauge regress --accept --note \"why\"\n");
        }
    }
    if shown.accepted {
        text.push_str(&format!("this run is the baseline now: commit {baseline} with its CHANGES.md\n"));
    } else if !shown.failures.is_empty() {
        text.push_str("a run with failures can be no baseline\n");
    }
    text
}

/// The JSON form; its shape is in `regress --help`.
pub(crate) fn regressed_json(shown: &Regressed<'_>) -> impl Serialize {
    let comparison = shown.comparison.clone().unwrap_or_default();
    let (moved, accepted, failures) = (comparison.moved(), shown.accepted, shown.failures.to_vec());
    Json { schema: 1, moved, accepted, failures, comparison }
}

#[derive(Serialize)]
struct Json {
    schema: u32,
    moved: bool,
    accepted: bool,
    failures: Vec<ModelFailure>,
    #[serde(flatten)]
    comparison: Comparison,
}
