//! `diff`: what is different in the second run, inputs first.

use std::path::Path;

use serde::Serialize;

use results::regress::Comparison;

/// Lines of each section on a terminal; `--json` has all.
const MOST_LINES: usize = 20;

/// The terminal form.
pub(crate) fn differing(before: &Path, after: &Path, comparison: &Comparison) -> String {
    let mut text = String::new();
    for section in comparison.sections(MOST_LINES) {
        text.push_str(&format!("{}\n", section.title));
        section.lines.iter().for_each(|line| text.push_str(&format!("  {line}\n")));
    }
    let (before, after) = (before.display(), after.display());
    text.push_str(&format!("compared {before} -> {after}: {}\n", comparison.compared()));
    if !comparison.moved() {
        text.push_str(&format!("nothing moved (tolerance {})\n", Comparison::tolerance()));
    }
    text
}

/// The JSON form; its shape is in `diff --help`.
pub(crate) fn differing_json(comparison: Comparison) -> impl Serialize {
    Json { schema: 1, moved: comparison.moved(), comparison }
}

#[derive(Serialize)]
struct Json {
    schema: u32,
    moved: bool,
    #[serde(flatten)]
    comparison: Comparison,
}
