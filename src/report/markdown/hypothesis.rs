//! One hypothesis: claim, verdicts, and per prediction the numbers on both kinds of evidence, side by side.

use super::super::text::{MISSING, cell, estimate, evidence_phrase, optional, probability, protocols};
use super::super::view::{Pair, plot_name};
use super::{Page, overall};
use crate::evidence::Evidence;
use crate::judge::outcome::{Estimate, HypothesisOutcome, Judgement, PredictionOutcome, Verdict};

pub(super) fn section(out: &mut Page, hypothesis: &HypothesisOutcome) {
    out.line(&format!("## {}: {}", cell(&hypothesis.id), cell(&hypothesis.title)));
    out.line(&format!("**Claim.** {}", hypothesis.statement.trim()));
    out.line(&format!(
        "**It was said:** {}. **On published rows:** {}. **Measured here:** {}. Status: {}, hypothesis `{}`.",
        hypothesis.published_verdict.trim().trim_end_matches('.'),
        overall(hypothesis, Evidence::Published),
        overall(hypothesis, Evidence::Measured),
        hypothesis.status,
        hypothesis.hash.short(),
    ));
    out.picture(
        &plot_name(&hypothesis.id),
        &format!("Estimates of {} with intervals, published and measured", hypothesis.id),
    );
    for pair in Pair::all(hypothesis) {
        prediction(out, &pair);
    }
}

fn prediction(out: &mut Page, pair: &Pair) {
    out.line(&format!("### {}", cell(pair.id)));
    out.line(pair.claim.trim());
    out.table(
        &["evidence", "verdict", "protocol", "unit", "because"],
        pair.sides().map(|side| {
            vec![
                evidence_phrase(side.evidence).to_string(),
                format!("**{}**", side.verdict),
                format!("`{}`", protocols(&side.primary)),
                cell(&side.primary.unit),
                cell(&side.primary.because),
            ]
        }),
    );
    estimates(out, pair);
    statistics(out, pair);
    others(out, pair);
    remarks(out, pair);
}

/// Two columns per kind of evidence, headed by its protocol and unit.
fn estimates(out: &mut Page, pair: &Pair) {
    let labels = pair.labels();
    let sides: Vec<&PredictionOutcome> = pair.sides().filter(|s| !s.primary.estimates.is_empty()).collect();
    let heads: Vec<String> = sides
        .iter()
        .flat_map(|side| {
            let name = evidence_phrase(side.evidence);
            [
                format!("{name}: {} under `{}`", cell(&side.primary.unit), protocols(&side.primary)),
                "p; n".into(),
            ]
        })
        .collect();
    let header: Vec<&str> = ["estimate of"].into_iter().chain(heads.iter().map(String::as_str)).collect();
    let rows = labels.iter().map(|label| {
        let mut row = vec![cell(label)];
        for side in &sides {
            let found: Option<&Estimate> = side.primary.estimates.iter().find(|e| e.label == *label);
            row.push(found.map_or_else(|| MISSING.to_string(), estimate));
            row.push(found.map_or_else(
                || MISSING.to_string(),
                |e| match e.p {
                    Some(_) => format!("{}; {}", probability(e.p), e.n),
                    None => format!("{MISSING}; {}", e.n),
                },
            ));
        }
        row
    });
    out.table(&header, rows);
}

fn statistics(out: &mut Page, pair: &Pair) {
    let sides: Vec<&PredictionOutcome> = pair.sides().filter(|s| !s.primary.statistics.is_empty()).collect();
    let mut names: Vec<&str> = Vec::new();
    for statistic in sides.iter().flat_map(|side| &side.primary.statistics) {
        if !names.contains(&statistic.name.as_str()) {
            names.push(&statistic.name);
        }
    }
    let heads: Vec<String> = sides
        .iter()
        .map(|side| format!("{} under `{}`", evidence_phrase(side.evidence), protocols(&side.primary)))
        .collect();
    let header: Vec<&str> = ["statistic"].into_iter().chain(heads.iter().map(String::as_str)).collect();
    let rows = names.iter().map(|name| {
        let value = |side: &&PredictionOutcome| {
            side.primary.statistics.iter().find(|s| s.name == *name).and_then(|s| s.value)
        };
        let mut row = vec![cell(name)];
        row.extend(sides.iter().map(|side| optional(value(side))));
        row
    });
    out.table(&header, rows);
}

/// The same test under the other protocols, and in a sentence where it holds.
fn others(out: &mut Page, pair: &Pair) {
    for side in pair.sides() {
        let all: Vec<&Judgement> = std::iter::once(&side.primary).chain(&side.others).collect();
        let under = |wanted: &dyn Fn(Verdict) -> bool| {
            let found: Vec<String> = all
                .iter()
                .filter(|judgement| wanted(judgement.verdict))
                .map(|judgement| format!("`{}`", protocols(judgement)))
                .collect();
            if found.is_empty() { "none".to_string() } else { found.join("; ") }
        };
        out.line(&format!(
            "Protocols it holds under, {}: {}. Contradicted under: {}.",
            evidence_phrase(side.evidence),
            under(&|verdict| verdict == Verdict::Supported),
            under(&|verdict| verdict == Verdict::Contradicted),
        ));
    }
    let rows = pair.sides().flat_map(|side| {
        side.others.iter().map(move |other| {
            vec![
                evidence_phrase(side.evidence).to_string(),
                format!("`{}`", protocols(other)),
                other.verdict.to_string(),
                cell(&named_numbers(other)),
                cell(&other.because),
            ]
        })
    });
    out.table(&["evidence", "other protocol", "verdict", "statistics", "because"], rows);
}

fn named_numbers(judgement: &Judgement) -> String {
    let numbers: Vec<String> =
        judgement.statistics.iter().map(|s| format!("{} {}", s.name, optional(s.value))).collect();
    numbers.join(", ")
}

fn remarks(out: &mut Page, pair: &Pair) {
    out.list(pair.sides().flat_map(|side| {
        let name = evidence_phrase(side.evidence);
        let missing = side.primary.missing.iter().map(move |what| format!("Missing, {name}: {}", cell(what)));
        let notes = side.primary.notes.iter().map(move |note| format!("Note, {name}: {}", cell(note)));
        missing.chain(notes).collect::<Vec<_>>()
    }));
}
