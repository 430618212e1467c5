//! What the numbers say beyond single claims: the first token, whose spread it is, replication.

use super::super::text::{MISSING, cell, number, percent, statistic};
use super::Page;
use crate::report::prose;
use crate::report::view::View;
use study::analysis::{Sink, Spread};

/// Headings without content are left out.
pub(super) fn section(out: &mut Page, view: &View) {
    sinks(out, view);
    spreads(out, &view.analysis.spreads);
    replications(out, view);
}

fn sinks(out: &mut Page, view: &View) {
    let sinks = &view.analysis.sinks;
    let Some(first) = sinks.first() else { return };
    out.line("## The first token's part in a Frobenius gain");
    out.line(&format!("{} All here is under `{}`.", prose::SINK, first.protocol));
    if let Some(findings) = prose::sink_findings(sinks, &view.models) {
        out.line(&findings);
    }
    let header = [
        "model",
        "prompts",
        "B before -> after the last block",
        "r before -> after",
        "predicted gain is 1 at (tokens)",
        "ladder: tokens",
        "observed gains",
        "predicted",
        "on the predicted side of 1",
        "R² of log gain",
    ];
    let rows = sinks.iter().map(|sink| {
        let list = |of: &dyn Fn(&study::analysis::Rung) -> f64| {
            let all: Vec<String> = sink.rungs.iter().map(|rung| number(of(rung))).collect();
            if all.is_empty() { MISSING.to_string() } else { all.join(", ") }
        };
        let arrow = |[below, above]: [f64; 2]| format!("{} -> {}", number(below), number(above));
        vec![
            cell(&sink.model),
            sink.prompts.to_string(),
            arrow(sink.first),
            arrow(sink.other),
            sink.crossing.map_or_else(|| "never".to_string(), number),
            tokens(sink),
            list(&|rung| rung.observed),
            list(&|rung| rung.predicted),
            share(sink.right_side),
            sink.r_squared.map_or_else(|| MISSING.to_string(), number),
        ]
    });
    out.table(&header, rows);
}

fn tokens(sink: &Sink) -> String {
    let all: Vec<String> = sink.rungs.iter().map(|rung| statistic(Some(rung.tokens))).collect();
    if all.is_empty() { MISSING.to_string() } else { all.join(", ") }
}

fn spreads(out: &mut Page, spreads: &[Spread]) {
    if spreads.is_empty() {
        return;
    }
    out.line("## Whose spread is it");
    out.line(prose::SPREAD);
    let mut names: Vec<&str> = Vec::new();
    for part in spreads.iter().flat_map(|spread| &spread.parts) {
        if !names.contains(&part.name.as_str()) {
            names.push(&part.name);
        }
    }
    let heads: Vec<String> = spreads
        .iter()
        .map(|s| {
            let (protocols, size) =
                (s.protocols.len(), format!("{} models, {} prompts", s.models, s.prompts));
            format!("{}, {protocols} protocols, {size}; standard deviation {}", s.over, number(s.deviation))
        })
        .collect();
    let header: Vec<&str> =
        ["share of the sum of squares"].into_iter().chain(heads.iter().map(String::as_str)).collect();
    let rows =
        names.iter().map(|name| {
            let mut row = vec![cell(name)];
            row.extend(spreads.iter().map(|spread| {
                share(spread.parts.iter().find(|part| part.name == *name).map(|part| part.share))
            }));
            row
        });
    out.table(&header, rows);
}

fn replications(out: &mut Page, view: &View) {
    let replications = &view.analysis.replications;
    // Only where something was published could it have come back.
    if replications.is_empty() && (view.claims.is_empty() || !view.has_analysis()) {
        return;
    }
    out.line("## Published means and ours");
    if replications.is_empty() {
        out.line(prose::NO_REPLICATION);
        return;
    }
    out.line(prose::REPLICATION);
    let header = [
        "model",
        "published by",
        "protocol",
        "prompts",
        "published",
        "ours",
        "interval for ours",
        "replicates",
    ];
    let rows = replications.iter().map(|one| {
        let interval = match (one.low, one.high) {
            (Some(low), Some(high)) => format!("{} to {}", number(low), number(high)),
            _ => MISSING.to_string(),
        };
        vec![
            cell(&one.model),
            cell(&format!("{} ({})", one.source, one.dtype)),
            format!("`{}`", one.protocol),
            one.prompts.to_string(),
            number(one.published),
            number(one.measured),
            interval,
            match one.replicates {
                Some(true) => "yes".to_string(),
                Some(false) => "no".to_string(),
                None => MISSING.to_string(),
            },
        ]
    });
    out.table(&header, rows);
}

fn share(value: Option<f64>) -> String {
    value.map_or_else(|| MISSING.to_string(), percent)
}
