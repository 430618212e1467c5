//! One prediction: verdicts, specification curves, forest plot, estimates, statistics, other protocols, remarks.

use super::context::RenderContext;
use super::{calibration, curve, forest};
use crate::report::document::{
    Block, Cell, Line, Span, Table, code, column, count, estimate, line, or_dash, paragraph, probability,
    protocol_links, remarks, row, statistic,
};
use crate::report::text::{because, capital, evidence_phrase, own_unit, protocols_of};
use crate::report::view::Pair;
use number::evidence::Evidence;
use study::judge::in_words;
use study::judge::outcome::{Estimate, HypothesisOutcome, Judgement, PredictionOutcome, Verdict};

/// Rows of a table of estimates that are shown without being asked for.
const SHOWN: usize = 12;

pub(super) fn section(
    context: &RenderContext<'_>,
    hypothesis: &HypothesisOutcome,
    pair: &Pair<'_>,
    shared: &[(Evidence, &str)],
) -> Vec<Block> {
    let sides: Vec<&PredictionOutcome> = pair.sides().collect();
    let mut heading = line![pair.id];
    if sides.iter().any(|side| !side.core) {
        heading.push(line![" ", Span::Tag("beside the claim")]);
    }
    let mut blocks = vec![Block::heading(heading), paragraph(pair.claim.trim()), verdicts(pair.id, &sides)];
    blocks.extend(calibration::beside_verdict(context, &hypothesis.id, pair.id));
    for curve in hypothesis.curves.iter().filter(|curve| curve.prediction == pair.id) {
        blocks.extend(curve::section(hypothesis, curve));
    }
    blocks.extend(forest::figure(pair).map(Block::figure));
    blocks.extend(estimates(context, pair, &sides));
    blocks.extend(statistics(pair.id, &sides));
    blocks.extend(others(pair.id, &sides));
    blocks.extend(remarks(remarks_of(&sides, shared)));
    blocks
}

fn verdicts(id: &str, sides: &[&PredictionOutcome]) -> Block {
    let columns = ["evidence", "verdict", "protocol", "unit", "because"].map(column);
    let rows = sides.iter().map(|side| {
        let mut verdict = Cell::new(Span::Verdict(side.verdict));
        // Other protocols made it fragile: what the primary one alone says.
        if side.verdict != side.primary.verdict {
            verdict = verdict.minor(format!("{} under the primary protocol", side.primary.verdict));
        }
        row![
            Cell::head(capital(side.evidence)),
            verdict,
            protocol_links(&side.primary.protocols),
            &side.primary.unit,
            because(&side.primary)
        ]
    });
    Block::Table(Table::new(format!("Verdicts on {id}"), columns).stacked().with(rows))
}

/// Three columns per kind of evidence: the value in its unit, p and n.
fn estimates(context: &RenderContext<'_>, pair: &Pair<'_>, sides: &[&PredictionOutcome]) -> Option<Block> {
    let exists = |e: &&Estimate| e.value.is_some_and(|value| !value.is_nan());
    let sides: Vec<&&PredictionOutcome> =
        sides.iter().filter(|side| side.primary.estimates.iter().any(|e| exists(&e))).collect();
    let found = |side: &PredictionOutcome, label: &str| {
        side.primary.estimates.iter().filter(exists).find(|e| e.label == label).cloned()
    };
    let mut columns = vec![column("estimate of")];
    for side in &sides {
        columns.push(column(format!("{}: {}", evidence_phrase(side.evidence), side.primary.unit)));
        columns.extend(["p", "n"].map(column));
    }
    let labels =
        pair.labels().into_iter().filter(|label| sides.iter().any(|side| found(side, label).is_some()));
    let rows: Vec<Vec<Cell>> = labels
        .map(|label| {
            let unit = sides.iter().find_map(|side| own_unit(label, &side.primary.unit));
            let mut name = context.model_link(label);
            if let Some(unit) = unit {
                name.push(format!(" (a {unit})"));
            }
            let mut row = vec![Cell::head(name)];
            for side in &sides {
                let protocols = &side.primary.protocols;
                match found(side, label) {
                    None => row.extend([(); 3].map(|()| Cell::new(or_dash(None)))),
                    Some(found) => row.extend(row![
                        estimate(&found).under(protocols),
                        probability(found.p).under(protocols),
                        count(found.n)
                    ]),
                }
            }
            row
        })
        .collect();
    let long = rows.len() > SHOWN;
    let caption = format!("Estimates of {} under the primary protocol", pair.id);
    let table = Table::new(caption, columns).with(rows);
    match (table.rows.is_empty(), long) {
        (true, _) => None,
        (false, true) => Some(Block::folded(table.filtered())),
        (false, false) => Some(Block::Table(table)),
    }
}

/// What any side could compute.
fn statistics(id: &str, sides: &[&PredictionOutcome]) -> Option<Block> {
    let value = |side: &PredictionOutcome, name: &str| {
        let found = side.primary.statistics.iter().find(|s| s.name == name).and_then(|s| s.value);
        found.filter(|value| !value.is_nan())
    };
    let sides: Vec<&&PredictionOutcome> =
        sides.iter().filter(|side| !side.primary.statistics.is_empty()).collect();
    let mut names: Vec<&str> = Vec::new();
    for statistic in sides.iter().flat_map(|side| &side.primary.statistics) {
        if !names.contains(&statistic.name.as_str()) {
            names.push(&statistic.name);
        }
    }
    names.retain(|name| sides.iter().any(|side| value(side, name).is_some()));
    let kind = sides.first().map_or("", |side| side.primary.kind.as_str());
    let rows = names.iter().map(|name| {
        let mut row = vec![Cell::head(in_words(kind, name)), Cell::new(code(*name))];
        row.extend(
            sides.iter().map(|side| Cell::new(statistic(value(side, name)).under(&side.primary.protocols))),
        );
        row
    });
    let mut columns = vec![column("statistic"), column("in rules")];
    columns.extend(sides.iter().map(|side| column(evidence_phrase(side.evidence))));
    let caption = format!("Statistics of {id} under the primary protocol");
    let table = Table::new(caption, columns).with(rows);
    (!table.rows.is_empty()).then_some(Block::Table(table))
}

/// The same test under the other protocols, and in a sentence where it holds.
fn others(id: &str, sides: &[&PredictionOutcome]) -> Vec<Block> {
    let mut blocks = Vec::new();
    for side in sides {
        let all: Vec<&Judgement> = std::iter::once(&side.primary).chain(&side.others).collect();
        if all.iter().all(|judgement| judgement.verdict == Verdict::Untestable) {
            continue;
        }
        let under = |wanted: Verdict| -> Line {
            let found = all.iter().copied().filter(|judgement| judgement.verdict == wanted);
            protocols_of(&found.collect::<Vec<_>>())
        };
        blocks.push(paragraph(line![
            "Protocols it holds under, ",
            evidence_phrase(side.evidence),
            ": ",
            under(Verdict::Supported),
            ". Contradicted under: ",
            under(Verdict::Contradicted),
            "."
        ]));
    }
    // What cannot be tested under any protocol was said once, and every statistic is in the tidy tables.
    let testable = |side: &&&PredictionOutcome| {
        std::iter::once(&side.primary).chain(&side.others).any(|one| one.verdict != Verdict::Untestable)
    };
    let columns = ["evidence", "protocol", "verdict", "because"].map(column);
    let rows = sides.iter().filter(testable).flat_map(|side| {
        side.others.iter().map(|other| {
            row![
                evidence_phrase(side.evidence),
                protocol_links(&other.protocols),
                Span::Verdict(other.verdict),
                because(other)
            ]
        })
    });
    let table =
        Table::new(format!("{id}: the same test under other protocols"), columns).stacked().with(rows);
    if !table.rows.is_empty() {
        blocks.push(Block::folded(table));
    }
    blocks
}

fn remarks_of(sides: &[&PredictionOutcome], shared: &[(Evidence, &str)]) -> Vec<Line> {
    let mut items = Vec::new();
    for side in sides {
        let name = evidence_phrase(side.evidence);
        items.extend(side.primary.missing.iter().map(|what| line!["Missing, ", name, ": ", what]));
        let own = side.primary.notes.iter().filter(|note| !shared.contains(&(side.evidence, note.as_str())));
        items.extend(own.map(|note| line!["Note, ", name, ": ", note]));
    }
    items
}
