//! One hypothesis: claim, verdicts, and per prediction the numbers on both kinds of evidence, side by side.

use super::super::text::{
    MISSING, because, capital, cell, estimate, evidence_phrase, named_numbers, own_unit, probability,
    protocols, statistic,
};
use super::super::view::{Pair, View, plot_name, shared_notes};
use super::{Page, overall};
use number::evidence::Evidence;
use study::judge::outcome::{Estimate, HypothesisOutcome, Judgement, PredictionOutcome, Verdict};

pub(super) fn section(out: &mut Page, view: &View, hypothesis: &HypothesisOutcome) {
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
    super::survival::registration(out, view, hypothesis);
    let pairs = Pair::all(hypothesis);
    let shared = shared_notes(&pairs);
    for pair in &pairs {
        prediction(out, pair, &shared);
        super::curve::section(out, hypothesis, pair.id);
    }
    if !shared.is_empty() {
        out.line(&format!("Notes on several predictions of {}:", cell(&hypothesis.id)));
        let notes = shared.iter().map(|(evidence, note)| format!("{}: {}", capital(*evidence), cell(note)));
        out.remarks(notes.collect());
    }
}

/// The verdict; where other protocols made it fragile, what the primary one alone says.
fn verdict(side: &PredictionOutcome) -> String {
    match side.verdict == side.primary.verdict {
        true => format!("**{}**", side.verdict),
        false => format!("**{}** ({} under the primary protocol)", side.verdict, side.primary.verdict),
    }
}

fn prediction(out: &mut Page, pair: &Pair, shared: &[(Evidence, &str)]) {
    let beside = pair.sides().any(|side| !side.core);
    out.line(&format!("### {}{}", cell(pair.id), if beside { " (beside the claim)" } else { "" }));
    out.line(pair.claim.trim());
    out.table(
        &["evidence", "verdict", "protocol", "unit", "because"],
        pair.sides().map(|side| {
            vec![
                evidence_phrase(side.evidence).to_string(),
                verdict(side),
                format!("`{}`", protocols(&side.primary)),
                cell(&side.primary.unit),
                cell(&because(&side.primary)),
            ]
        }),
    );
    estimates(out, pair);
    statistics(out, pair);
    others(out, pair);
    remarks(out, pair, shared);
}

/// Two columns per kind of evidence, headed by its protocol and unit.
fn estimates(out: &mut Page, pair: &Pair) {
    let has_value = |e: &&Estimate| e.value.is_some_and(|value| !value.is_nan());
    let sides: Vec<&PredictionOutcome> =
        pair.sides().filter(|side| side.primary.estimates.iter().any(|e| has_value(&e))).collect();
    let mut labels = pair.labels();
    labels.retain(|label| {
        sides.iter().any(|side| side.primary.estimates.iter().filter(has_value).any(|e| e.label == *label))
    });
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
        let unit = sides.iter().find_map(|side| own_unit(label, &side.primary.unit));
        let unit = unit.map_or_else(String::new, |unit| format!(" (a {unit})"));
        let mut row = vec![cell(&format!("{label}{unit}"))];
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
    let value = |side: &PredictionOutcome, name: &str| {
        let found = side.primary.statistics.iter().find(|s| s.name == name).and_then(|s| s.value);
        found.filter(|value| !value.is_nan())
    };
    // What no side could compute says nothing.
    names.retain(|name| sides.iter().any(|side| value(side, name).is_some()));
    let rows = names.iter().map(|name| {
        let mut row = vec![cell(name)];
        row.extend(sides.iter().map(|side| statistic(value(side, name))));
        row
    });
    out.table(&header, rows);
}

/// The same test under the other protocols, and in a sentence where it holds.
fn others(out: &mut Page, pair: &Pair) {
    for side in pair.sides() {
        let all: Vec<&Judgement> = std::iter::once(&side.primary).chain(&side.others).collect();
        if all.iter().all(|judgement| judgement.verdict == Verdict::Untestable) {
            continue;
        }
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
                cell(&because(other)),
            ]
        })
    });
    out.table(&["evidence", "other protocol", "verdict", "statistics", "because"], rows);
}

fn remarks(out: &mut Page, pair: &Pair, shared: &[(Evidence, &str)]) {
    let remarks = pair.sides().flat_map(|side| {
        let name = evidence_phrase(side.evidence);
        let missing = side.primary.missing.iter().map(move |what| format!("Missing, {name}: {}", cell(what)));
        let own = side.primary.notes.iter().filter(|note| !shared.contains(&(side.evidence, note.as_str())));
        let notes = own.map(move |note| format!("Note, {name}: {}", cell(note)));
        missing.chain(notes).collect::<Vec<_>>()
    });
    out.remarks(remarks.collect());
}
