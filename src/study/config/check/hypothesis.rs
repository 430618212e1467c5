//! Checks what a hypothesis file says by itself: ids, level, protocols, dimensions, and each prediction.

use super::common::{Found, identifier, not_empty, version};
use super::protocols::protocols;
use super::quantities::{conditions, test};
use super::rule::rule;
use crate::config::document::{Document, at};
use crate::judge::hypothesis::{Dimension, Hypothesis, Multiverse, Prediction, Stands, Status};
use number::evidence::Evidence;

/// Every mistake of a hypothesis file that needs no other file to be seen.
pub(in crate::config) fn check_hypothesis(document: &Document, hypothesis: &Hypothesis) -> Found {
    let mut found = Vec::new();
    version(document, hypothesis.schema, &mut found);
    identifier(document, at!["id"], &hypothesis.id, &mut found);
    if !(hypothesis.alpha > 0.0 && hypothesis.alpha <= 0.5) {
        let message = format!("alpha is {}, it must lie above 0 and at most at 0.5", hypothesis.alpha);
        found.push(document.error(at!["alpha"], message).suggest("write 0.05"));
    }
    conditions(document, at!["models", "where"], &hypothesis.models.facts, &mut found);
    let mut seen = vec![hypothesis.protocol];
    for (o, other) in hypothesis.also.iter().enumerate() {
        if seen.contains(&other.protocol) {
            let message = format!("protocol {} is listed twice", other.protocol);
            found.push(document.error(at!["also", o, "protocol"], message).suggest("drop this entry"));
        }
        seen.push(other.protocol);
    }
    if let Some(one) = &hypothesis.multiverse {
        multiverse(document, one, &mut found);
    }
    not_empty(document, at!["prediction"], &hypothesis.predictions, "prediction", &mut found);
    for (p, one) in hypothesis.predictions.iter().enumerate() {
        prediction(document, p, hypothesis, one, &mut found);
    }
    core(document, hypothesis, &mut found);
    found
}

/// A hypothesis whose core predictions no kind of evidence is asked about as a whole could be supported on none.
fn core(document: &Document, hypothesis: &Hypothesis, found: &mut Found) {
    let core = || hypothesis.predictions.iter().enumerate().filter(|(_, one)| one.core);
    if hypothesis.predictions.is_empty() {
        return;
    }
    if core().next().is_none() {
        let message =
            "no prediction is core: nothing that is found could support or contradict the statement";
        let error = document.error(at!["prediction", 0, "core"], message);
        found.push(error.suggest("drop core = false where the statement says what is predicted"));
        return;
    }
    let asked = |evidence: &Evidence| core().all(|(_, one)| one.evidence.contains(evidence));
    if hypothesis.stands == Stands::All && !Evidence::ALL.iter().any(asked) {
        let words = core().map(|(_, one)| {
            let kinds: Vec<&str> = one.evidence.iter().map(|evidence| evidence.as_str()).collect();
            format!("{} of {}", one.id, kinds.join(" and "))
        });
        let message = format!(
            "no kind of evidence is asked about every core prediction ({}), so that none could support the statement",
            words.collect::<Vec<_>>().join(", ")
        );
        let last = core().next_back().map_or(0, |(p, _)| p);
        let error = document.error(at!["prediction", last, "evidence"], message);
        found.push(error.suggest("ask one kind about all of them, or set core = false beside the claim"));
    }
}

fn multiverse(document: &Document, one: &Multiverse, found: &mut Found) {
    for (r, relation) in one.relations.iter().enumerate() {
        let dimension = relation.dimension;
        let mut error = |message: String, suggestion: &str| {
            let path = at!["multiverse", "relation", r, "dimension"];
            found.push(document.error(path, message).suggest(suggestion));
        };
        if matches!(dimension, Dimension::Reduction | Dimension::Endpoint) {
            error(format!("relations along `{dimension}` are those of `also`"), "list the protocols there");
        } else if !one.has(dimension) {
            error(
                format!("`{dimension}` is none of the dimensions"),
                "add it to `dimensions`, or drop this entry",
            );
        }
    }
}

fn prediction(document: &Document, p: usize, hypothesis: &Hypothesis, one: &Prediction, found: &mut Found) {
    if hypothesis.status == Status::Prospective && one.evidence.contains(&Evidence::Published) {
        let message = format!(
            "prediction `{}` of a prospective hypothesis asks for published rows, which were there before it",
            one.id
        );
        let error = document.error(at!["prediction", p, "evidence"], message);
        found.push(error.suggest("write evidence = [\"measured\"], or status = \"re-analysis\""));
    }
    identifier(document, at!["prediction", p, "id"], &one.id, found);
    if !one.id.starts_with(&hypothesis.id) || one.id == hypothesis.id {
        let message = format!("prediction `{}` does not belong to hypothesis `{}`", one.id, hypothesis.id);
        let letter = char::from(b'a' + u8::try_from(p).unwrap_or(0).min(25));
        let suggestion = format!("call it `{}{letter}`", hypothesis.id);
        found.push(document.error(at!["prediction", p, "id"], message).suggest(suggestion));
    }
    not_empty(document, at!["prediction", p, "evidence"], &one.evidence, "kind of evidence", found);
    if let Some(filter) = &one.models {
        conditions(document, at!["prediction", p, "models", "where"], &filter.facts, found);
    }
    test(document, p, &one.test, found);
    rule(document, p, one, found);
    protocols(document, p, hypothesis.protocol, &one.test, found);
}
