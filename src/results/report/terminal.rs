//! The verdict table for a terminal of 100 columns.

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width};

use super::text::{MISSING, evidence_phrase, number, otherwise, percent};
use super::view::View;
use number::evidence::Evidence;
use study::judge::outcome::HypothesisOutcome;
use study::judge::summary::{Survival, survival};

const WIDTH: u16 = 100;

/// The case in two lines, then one row per hypothesis. Ends with a line break.
pub fn terminal(view: &View) -> String {
    let mut out = String::new();
    if let Some(case) = &view.llama {
        let gains: Vec<String> = case
            .rows
            .iter()
            .map(|row| {
                format!(
                    "{} ({})",
                    number(row.gain.value),
                    row.gain.protocol.map_or(String::new(), |p| p.to_string())
                )
            })
            .collect();
        let shares: Vec<String> =
            case.split.steps.iter().map(|step| format!("{} {}", percent(step.share), step.changes)).collect();
        let line = format!("{}, last-block gains: {}", case.model, gains.join(", "));
        out += &textwrap(&line, usize::from(WIDTH));
        out += &format!("their log ratio is {}\n", shares.join(" and "));
    }
    for evidence in Evidence::ALL {
        let counted = survival(&view.hypotheses, *evidence);
        if counted.concluded > 0 {
            out += &textwrap(&survives(&counted), usize::from(WIDTH));
        }
    }
    let mut table = Table::new();
    table
        .load_preset(UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(WIDTH);
    table.set_header(["", "claim", "it was said", "published rows", "measured here"]);
    // The ids of predictions and the longest word of what was said stay whole.
    for (column, least, padding) in
        [(0, 4, (0, 1)), (1, 17, (1, 1)), (2, 26, (1, 1)), (3, 25, (1, 1)), (4, 24, (1, 0))]
    {
        if let Some(column) = table.column_mut(column) {
            column.set_padding(padding).set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(least)));
        }
    }
    for hypothesis in &view.hypotheses {
        table.add_row([
            hypothesis.id.clone(),
            one_line(&hypothesis.title),
            one_line(&hypothesis.published_verdict),
            verdict(hypothesis, Evidence::Published),
            verdict(hypothesis, Evidence::Measured),
        ]);
    }
    out += &table.to_string();
    out.push('\n');
    out
}

/// One line, and the choice that undoes each conclusion that fell.
fn survives(counted: &Survival) -> String {
    let fallen: Vec<String> = counted
        .fallen
        .iter()
        .map(|f| match f.choices.first() {
            Some(choice) => format!("{} {} ({choice})", f.hypothesis, f.found),
            None => format!("{} {}", f.hypothesis, f.found),
        })
        .collect();
    let fallen = if fallen.is_empty() { "none falls".to_string() } else { fallen.join(", ") };
    format!(
        "{}: the published conclusion survives for {} of {} hypotheses; {fallen}; {} left open",
        evidence_phrase(counted.evidence),
        counted.survives.len(),
        counted.concluded,
        counted.open.len()
    )
}

/// The overall verdict, and what the predictions got where they differ from it.
fn verdict(hypothesis: &HypothesisOutcome, evidence: Evidence) -> String {
    let overall = hypothesis.verdicts.iter().find(|(of, _)| *of == evidence);
    let Some((_, overall)) = overall else { return MISSING.to_string() };
    let mut text = overall.to_string();
    for other in otherwise(hypothesis, evidence, *overall) {
        text += &format!("\n{other}");
    }
    text
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Lines of at most `width` characters, broken at spaces.
fn textwrap(text: &str, width: usize) -> String {
    let mut out = String::new();
    let mut used = 0;
    for word in text.split(' ') {
        let long = word.chars().count();
        if used > 0 && used + 1 + long > width {
            out.push('\n');
            used = 0;
        } else if used > 0 {
            out.push(' ');
            used += 1;
        }
        out += word;
        used += long;
    }
    out + "\n"
}
