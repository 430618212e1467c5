//! `explain`: claim, verdicts, and for each prediction the test, what decided, what would change it, and the rows.

use super::number;
use crate::pipeline::Explained;
use number::evidence::{Evidence, Measurement};
use number::metric::DecisiveParts;
use number::protocol::Protocol;
use study::judge::outcome::{Estimate, HypothesisOutcome, Kinship, PredictionOutcome, Verdict};
use study::judge::{Behind, would_decide};

/// Estimates of one prediction on a terminal; the report has all.
const MOST_ESTIMATES: usize = 12;

/// The terminal form.
pub(crate) fn explained(found: &Explained, prediction: Option<&str>, rows: usize) -> String {
    let outcome = &found.outcome;
    let mut text = format!("{}: {}\n\n", outcome.id, outcome.title);
    line(&mut text, 0, &format!("Claim: {}", outcome.statement.trim()));
    line(&mut text, 0, &format!("It was said: {}", outcome.published_verdict.trim()));
    for (evidence, verdict) in &outcome.verdicts {
        line(&mut text, 0, &format!("{}: {verdict}", words(*evidence)));
        would_decide(outcome, *evidence).iter().for_each(|sentence| line(&mut text, 1, sentence));
    }
    let file = match (&found.registration.registered, found.registration.exploratory) {
        (None, _) => "judged for the first time",
        (Some(_), false) => "as it was when first judged",
        (Some(_), true) => "EXPLORATORY: it means something else than when it was first judged",
    };
    line(&mut text, 0, &format!("File: {} ({}), {file}", outcome.hash.short(), outcome.status));
    for later in &found.registration.later {
        line(&mut text, 1, &format!("registration {later}"));
    }
    for effect in &found.registration.effects {
        line(&mut text, 1, effect);
    }
    for what in &found.registration.entered {
        line(&mut text, 1, &format!("otherwise than when registered: {what}"));
    }
    found.registration.diff.iter().for_each(|changed| text.push_str(&format!("    {changed}\n")));
    if let Some(derived) = &found.registration.derived {
        line(&mut text, 1, &format!("derived from {}, registered before it:", derived.from));
        derived.diff.iter().for_each(|changed| text.push_str(&format!("    {changed}\n")));
    }
    let chosen = |one: &PredictionOutcome| prediction.is_none_or(|wanted| wanted == one.id);
    for (one, behind) in outcome.predictions.iter().zip(&found.rows).filter(|(one, _)| chosen(one)) {
        self::prediction(&mut text, outcome, one, behind, rows);
    }
    text
}

fn prediction(
    text: &mut String,
    outcome: &HypothesisOutcome,
    one: &PredictionOutcome,
    behind: &[Behind],
    rows: usize,
) {
    let beside = if one.core { "" } else { " (beside the claim)" };
    text.push_str(&format!("\n{}, {}: {}{beside}\n", one.id, words(one.evidence), one.verdict));
    line(text, 2, one.claim.trim());
    let primary = &one.primary;
    line(text, 2, &format!("{}, in {}:", head(&primary.protocols, behind), primary.unit));
    line(text, 2, &format!("because {}", primary.because));
    if one.verdict == Verdict::Untestable {
        primary.missing.iter().for_each(|what| line(text, 2, &format!("missing: {what}")));
    }
    for estimate in primary.estimates.iter().filter(|e| e.value.is_some()).take(MOST_ESTIMATES) {
        text.push_str(&format!("    {}\n", estimated(estimate)));
    }
    let more = primary.estimates.iter().filter(|e| e.value.is_some()).count().saturating_sub(MOST_ESTIMATES);
    if more > 0 {
        text.push_str(&format!("    … and {more} more (the report has all)\n"));
    }
    primary.notes.iter().for_each(|note| line(text, 2, &format!("note: {note}")));
    let curve = outcome.curves.iter().find(|c| c.prediction == one.id && c.evidence == one.evidence);
    if let Some(curve) = curve {
        let equivalent = curve.specifications.iter().filter(|s| s.relation != Kinship::DifferentEstimand);
        let agree =
            curve.agreement.map_or_else(String::new, |share| format!(", {:.0} % agree", 100.0 * share));
        line(
            text,
            2,
            &format!(
                "{} ways of measuring, {} of them equivalent{agree}",
                curve.specifications.len(),
                equivalent.count()
            ),
        );
        for choice in &curve.deciding {
            let relation = choice.relation;
            line(
                text,
                4,
                &format!("{} = {} makes it {} ({relation})", choice.dimension, choice.to, choice.verdict),
            );
        }
    }
    for behind in behind {
        line(text, 2, &format!("{}: {} rows", behind.quantity, behind.rows.len()));
        behind.rows.iter().take(rows).for_each(|row| text.push_str(&format!("    {}\n", said(row))));
    }
}

fn estimated(estimate: &Estimate) -> String {
    let interval = match (estimate.low, estimate.high) {
        (None, None) => String::new(),
        (low, high) => format!(" [{}, {}]", number(low), number(high)),
    };
    let p = estimate.p.map_or_else(String::new, |p| format!(", p {}", number(Some(p))));
    format!("{}: {}{interval}{p}, n {}", estimate.label, number(estimate.value), estimate.n)
}

fn said(row: &Measurement) -> String {
    let layer = row.layer.map_or_else(String::new, |layer| format!(", layer {layer}"));
    let definition = if row.definition.is_empty() { String::new() } else { format!("; {}", row.definition) };
    format!(
        "{} on {}{layer}: {} {} ({}, {}{definition})",
        row.model,
        row.prompt.as_deref().unwrap_or("no prompt"),
        number(Some(row.value)),
        under(row),
        row.source,
        row.dtype
    )
}

/// What the numbers of a prediction were computed under: of its protocols the parts that enter a number of its rows.
fn head(protocols: &[Protocol], behind: &[Behind]) -> String {
    let rows = || behind.iter().flat_map(|behind| &behind.rows);
    let entering = |protocol: &Protocol| {
        let parts = rows().map(|row| row.metric.decisive(row.protocol.unwrap_or(*protocol)));
        let entering = parts.fold(DecisiveParts::default(), DecisiveParts::or);
        // Tests that compare protocols by themselves name no rows.
        if rows().next().is_none() { format!("under {protocol}") } else { words_of(entering.of(*protocol)) }
    };
    let mut said: Vec<String> = protocols.iter().map(entering).collect();
    said.dedup();
    let said = said.join(" and ");
    let mut letters = said.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The parts of its protocol that enter the number of a row, in words; all three as a protocol is written.
fn under(row: &Measurement) -> String {
    match row.protocol {
        None => "of the weights".to_string(),
        Some(protocol) => words_of(row.metric.decisive(protocol)),
    }
}

fn words_of(parts: DecisiveParts) -> String {
    match (parts.reduction, parts.endpoint, parts.bos) {
        (Some(_), Some(_), Some(_)) => format!("under {parts}"),
        (reduction, endpoint, bos) => {
            let named = [
                reduction.map(|reduction| format!("reduction {reduction}")),
                endpoint.map(|endpoint| format!("endpoint {endpoint}")),
                bos.map(|bos| format!("BOS {bos}")),
            ];
            let named: Vec<String> = named.into_iter().flatten().collect();
            if named.is_empty() {
                "of the weights".to_string()
            } else {
                format!("under {}", named.join(", "))
            }
        }
    }
}

fn words(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::Published => "published rows",
        Evidence::Measured => "measured here",
        Evidence::Rehearsal => "rehearsal (says nothing about language models)",
    }
}

fn line(text: &mut String, indent: usize, what: &str) {
    text.push_str(&format!("{:indent$}{what}\n", ""));
}

#[cfg(test)]
mod tests {
    use super::*;
    use number::metric::Metric;

    fn behind(metrics: &[Metric], protocol: Protocol) -> Vec<Behind> {
        let row = |metric: &Metric| Measurement {
            evidence: Evidence::Measured,
            source: "streamgauge".into(),
            model: "m".into(),
            prompt: Some("p".into()),
            category: None,
            metric: *metric,
            branch: None,
            layer: None,
            protocol: metric.describe().needs_protocol().then_some(protocol),
            dtype: "float32".into(),
            value: 1.0,
            definition: "".into(),
        };
        vec![Behind { quantity: "q".into(), rows: metrics.iter().map(row).collect() }]
    }

    #[test]
    fn no_part_of_a_protocol_is_named_that_enters_no_row() {
        let protocol: Protocol = "last/hf-last/auto".parse().unwrap();
        let head = |metrics: &[Metric]| head(&[protocol], &behind(metrics, protocol));
        assert_eq!(head(&[Metric::OutputEntropy, Metric::TokenCount]), "Under BOS auto");
        assert_eq!(head(&[Metric::ResidualNorm]), "Under reduction last, BOS auto");
        assert_eq!(head(&[Metric::TokenCount, Metric::LastGain]), "Under last/hf-last/auto");
        assert_eq!(head(&[Metric::UnembeddingSpectralNorm]), "Of the weights");
        assert_eq!(super::head(&[protocol], &[]), "Under last/hf-last/auto", "no row says otherwise");
    }
}
