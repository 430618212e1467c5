//! What a file says by itself: ids, empty lists, checkpoint places, and for hypotheses statistics, rules and protocols.

use super::asked::{conditions, test};
use super::document::{Document, Step, at};
use super::experiment::{Experiment, ModelList, PromptSet};
use super::hypothesis::{Condition, Hypothesis, Prediction};
use super::law::protocols;
use super::multiverse::{Dimension, Multiverse};
use super::regions::{Interval, overlap, region};
use super::report::Diagnostic;

type Found = Vec<Diagnostic>;

pub fn experiment(document: &Document, experiment: &Experiment) -> Found {
    let mut found = Vec::new();
    version(document, experiment.schema, &mut found);
    identifier(document, at!["id"], &experiment.id, &mut found);
    not_empty(document, at!["prompts"], &experiment.prompts, "prompt set file", &mut found);
    not_empty(document, at!["hypotheses"], &experiment.hypotheses, "hypothesis file", &mut found);
    not_empty(document, at!["bos"], &experiment.bos, "BOS policy", &mut found);
    for (i, bos) in experiment.bos.iter().enumerate() {
        if experiment.bos[..i].contains(bos) {
            let message = format!("BOS policy `{bos}` is listed twice");
            found.push(document.error(at!["bos", i], message).suggest("drop one of the two"));
        }
    }
    found
}

pub fn models(document: &Document, list: &ModelList) -> Found {
    let mut found = Vec::new();
    version(document, list.schema, &mut found);
    not_empty(document, at!["model"], &list.models, "model", &mut found);
    for (m, model) in list.models.iter().enumerate() {
        identifier(document, at!["model", m, "id"], &model.id, &mut found);
        not_empty(document, at!["model", m, "profiles"], &model.profiles, "profile", &mut found);
        let mut error = |key: &str, message: String, suggestion: &str| {
            found.push(document.error(at!["model", m, key], message).suggest(suggestion));
        };
        match (&model.folder, &model.hub, &model.revision) {
            (None, None, _) => error(
                "id",
                format!(
                    "model `{}` has neither `folder` nor `hub`: where does its checkpoint lie?",
                    model.id
                ),
                "add folder = \"../data/...\", or hub = \"owner/name\" with revision = \"...\"",
            ),
            (Some(_), Some(_), _) => error(
                "hub",
                format!("model `{}` has both `folder` and `hub`; one place only", model.id),
                "drop one of the two",
            ),
            (None, Some(_), None) => error(
                "hub",
                format!("model `{}` names a hub repository without `revision`", model.id),
                "add revision = \"main\", or better a commit: a branch may move",
            ),
            (Some(_), None, Some(_)) => error(
                "revision",
                format!("model `{}` has a `revision` but lies in a folder", model.id),
                "drop `revision`",
            ),
            (Some(_), None, None) | (None, Some(_), Some(_)) => {}
        }
    }
    found
}

pub fn prompts(document: &Document, set: &PromptSet) -> Found {
    let mut found = Vec::new();
    version(document, set.schema, &mut found);
    identifier(document, at!["id"], &set.id, &mut found);
    not_empty(document, at!["prompt"], &set.prompts, "prompt", &mut found);
    for (p, prompt) in set.prompts.iter().enumerate() {
        identifier(document, at!["prompt", p, "id"], &prompt.id, &mut found);
    }
    found
}

pub fn hypothesis(document: &Document, hypothesis: &Hypothesis) -> Found {
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
    found
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

fn rule(document: &Document, p: usize, one: &Prediction, found: &mut Found) {
    let lists = [
        ("supported", &one.rule.supported),
        ("contradicted", &one.rule.contradicted),
        ("negligible", &one.rule.negligible),
    ];
    not_empty(document, at!["prediction", p, "rule", "supported"], &one.rule.supported, "condition", found);
    let offered = one.test.statistics();
    for (name, list) in lists {
        for (c, condition) in list.iter().enumerate() {
            let here = at!["prediction", p, "rule", name, c];
            if !offered.contains(&condition.statistic.as_str()) {
                let path = at!["prediction", p, "rule", name, c, "statistic"];
                let message = format!("this kind of test offers no statistic `{}`", condition.statistic);
                let error =
                    document.error(path, message).suggest(format!("it offers {}", offered.join(", ")));
                found.push(error.suggest_nearest(&condition.statistic, offered.iter().copied()));
            }
            if bounds(condition).is_empty() {
                let message = format!("condition on `{}` has no bound", condition.statistic);
                found.push(document.error(here, message).suggest("add above, at-least, below or at-most"));
            } else if Interval::of(condition).is_empty() {
                let message = format!("condition can never hold: {}", in_words(condition));
                found.push(document.error(here, message).suggest("swap or widen the bounds"));
            }
        }
        let single_empty = list.iter().any(|condition| Interval::of(condition).is_empty());
        if let (Some((statistic, _)), false) = (region(list).iter().find(|(_, i)| i.is_empty()), single_empty)
        {
            let message =
                format!("`{name}` can never hold: its conditions on `{statistic}` exclude each other");
            found.push(document.error(at!["prediction", p, "rule", name], message));
        }
    }
    for (i, (first, left)) in lists.iter().enumerate() {
        for (second, right) in &lists[i + 1..] {
            if overlap(left, right) {
                let words: Vec<String> = right.iter().map(in_words).collect();
                let message = format!(
                    "`{first}` and `{second}` of {} can hold at once ({}); a verdict must be one of them",
                    one.id,
                    words.join(" and "),
                );
                let other = document.place(at!["prediction", p, "rule", *first]);
                let error = document.error(at!["prediction", p, "rule", *second], message);
                let label = format!("`{first}` overlaps it");
                found.push(error.other(&document.source, other, &label).suggest("separate the bounds"));
            }
        }
    }
}

fn bounds(condition: &Condition) -> Vec<(&'static str, f64)> {
    let all = [
        ("above", condition.above),
        ("at-least", condition.at_least),
        ("below", condition.below),
        ("at-most", condition.at_most),
    ];
    all.into_iter().filter_map(|(name, bound)| Some((name, bound?))).collect()
}

fn in_words(condition: &Condition) -> String {
    let bounds: Vec<String> =
        bounds(condition).iter().map(|(name, bound)| format!("{name} {bound}")).collect();
    format!("{} {}", condition.statistic, bounds.join(" and "))
}

fn version(document: &Document, schema: u32, found: &mut Found) {
    if schema != 1 {
        let message = format!("schema version {schema} is unknown; this program reads version 1");
        found.push(document.error(at!["schema"], message).suggest("write schema = 1"));
    }
}

/// Ids become parts of keys and file names.
fn identifier(document: &Document, path: &[Step], id: &str, found: &mut Found) {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if let Some(bad) = id.chars().find(|c| !allowed(*c)) {
        let fixed: String = id.chars().map(|c| if allowed(c) { c } else { '-' }).collect();
        let message =
            format!("id {id:?} contains {bad:?}; ids are made of letters, digits, `-`, `_` and `.`");
        found.push(document.error(path, message).suggest(format!("write {fixed:?}")));
    }
}

fn not_empty<T>(document: &Document, path: &[Step], list: &[T], what: &str, found: &mut Found) {
    if list.is_empty() {
        let key = match path.last() {
            Some(Step::Key(key)) => key,
            _ => "list",
        };
        found.push(document.error(path, format!("`{key}` is empty: it needs at least one {what}")));
    }
}
