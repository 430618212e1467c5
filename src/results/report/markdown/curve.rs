//! The specification curve of one prediction: a sentence on the whole, then every way of judging it, by effect.

use super::super::text::{cell, evidence_phrase, number, optional, percent, probability};
use super::Page;
use study::judge::outcome::{Choice, Curve, Deciding, HypothesisOutcome, Kinship, Specification};

/// Specifications listed at most: the verdicts' file has all.
const MOST: usize = 60;
const PROTOCOL: [&str; 3] = ["reduction", "endpoint", "BOS"];

/// The curves of a prediction; one of a single specification says nothing more than its verdict.
pub(super) fn section(out: &mut Page, hypothesis: &HypothesisOutcome, prediction: &str) {
    for curve in hypothesis.curves.iter().filter(|c| c.prediction == prediction && c.specifications.len() > 1)
    {
        one(out, curve);
    }
}

fn one(out: &mut Page, curve: &Curve) {
    let count = curve.specifications.len();
    let pooled = curve.specifications.iter().filter(|s| s.relation != Kinship::DifferentEstimand).count();
    let agreement = curve.agreement.map_or_else(String::new, |share| {
        format!("; {} of the testable ones give the primary verdict", percent(share))
    });
    out.line(&format!(
        "**Specification curve, {}**: {} in {count} specifications, {pooled} of them primary or equivalent (median {}{agreement}). \
         Joint p of the median {}, of the share beyond {} {}.",
        evidence_phrase(curve.evidence),
        cell(&curve.effect),
        optional(curve.median),
        probability(curve.joint_p_median),
        number(curve.null),
        probability(curve.joint_p_share),
    ));
    out.list(curve.deciding.iter().map(deciding));
    out.line(&format!("<details><summary>{count} specifications, by effect</summary>"));
    let others: Vec<&str> = curve.specifications[0]
        .choices
        .iter()
        .map(|c| c.dimension.as_str())
        .filter(|d| !PROTOCOL.contains(d))
        .collect();
    let header: Vec<&str> = ["protocol"]
        .into_iter()
        .chain(others.iter().copied())
        .chain(["relation", "effect", "p; n", "verdict"])
        .collect();
    // The lowest and the highest, and the primary one wherever it lies.
    let listed = |(i, s): &(usize, &Specification)| {
        *i < MOST / 2 || i + MOST / 2 >= count || s.relation == Kinship::Primary
    };
    let rows = curve.specifications.iter().enumerate().filter(listed).map(|(_, s)| row(s, &others));
    out.table(&header, rows);
    out.list(curve.notes.iter().map(|note| cell(note)));
    out.line("</details>");
}

fn row(specification: &Specification, others: &[&str]) -> Vec<String> {
    let Specification { choices, relation, verdict, effect, low, high, p, n } = specification;
    let of = |d: &str| choices.iter().find(|c| c.dimension == d).map(|c: &Choice| c.value.as_str());
    let parts: Vec<&str> = PROTOCOL.iter().filter_map(|d| of(d)).collect();
    let protocol =
        if parts.is_empty() { "of the weights".to_string() } else { format!("`{}`", parts.join("/")) };
    let mut row = vec![protocol];
    row.extend(others.iter().map(|d| cell(of(d).unwrap_or_default())));
    let interval = match (low, high) {
        (None, None) => String::new(),
        (low, high) => format!(" [{}, {}]", optional(*low), optional(*high)),
    };
    row.extend([
        relation.to_string(),
        format!("{}{interval}", optional(*effect)),
        format!("{}; {n}", probability(*p)),
        verdict.to_string(),
    ]);
    row
}

fn deciding(deciding: &Deciding) -> String {
    let Deciding { dimension, from, to, relation, verdict } = deciding;
    cell(&format!("{dimension} = {to} instead of {from}: {verdict} ({relation})"))
}
