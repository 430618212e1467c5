//! What a file says by itself: ids, empty lists, checkpoint places, and for hypotheses statistics, rules and protocols.

use super::asked::{conditions, test};
use super::document::{Document, Step, at};
use super::experiment::{Experiment, Model, ModelList, PromptSet};
use super::intervention::{Change, Intervention};
use super::law::protocols;
use super::regions::{Interval, overlap, region};
use super::report::Diagnostic;
use crate::judge::hypothesis::{Condition, Holds, Hypothesis, Prediction, Way};
use crate::judge::hypothesis::{Dimension, Multiverse};

type Found = Vec<Diagnostic>;

pub(super) fn experiment(document: &Document, experiment: &Experiment) -> Found {
    let mut found = Vec::new();
    version(document, experiment.schema, &mut found);
    identifier(document, at!["id"], &experiment.id, &mut found);
    not_empty(document, at!["prompts"], &experiment.prompts, "prompt set file", &mut found);
    not_empty(document, at!["hypotheses"], &experiment.hypotheses, "hypothesis file", &mut found);
    not_empty(document, at!["bos"], &experiment.bos, "BOS policy", &mut found);
    if let Some(date) = &experiment.date
        && !date.parse::<toml::value::Datetime>().is_ok_and(|d| d.date.is_some() && d.time.is_none())
    {
        let message = format!("`date` is {date:?}, expected a day as YYYY-MM-DD");
        found.push(document.error(at!["date"], message).suggest("write date = \"2026-01-31\""));
    }
    for (i, bos) in experiment.bos.iter().enumerate() {
        if experiment.bos[..i].contains(bos) {
            let message = format!("BOS policy `{bos}` is listed twice");
            found.push(document.error(at!["bos", i], message).suggest("drop one of the two"));
        }
    }
    found
}

pub(super) fn models(document: &Document, list: &ModelList) -> Found {
    let mut found = Vec::new();
    version(document, list.schema, &mut found);
    not_empty(document, at!["model"], &list.models, "model", &mut found);
    for (m, model) in list.models.iter().enumerate() {
        identifier(document, at!["model", m, "id"], &model.id, &mut found);
        not_empty(document, at!["model", m, "profiles"], &model.profiles, "profile", &mut found);
        found.extend(place(document, m, model));
        found.extend(lineage(document, m, model));
    }
    found
}

/// Where the checkpoint lies: in one place.
fn place(document: &Document, m: usize, model: &Model) -> Option<Diagnostic> {
    let error = |key: &str, message: String, suggestion: &str| {
        Some(document.error(at!["model", m, key], message).suggest(suggestion))
    };
    let id = &model.id;
    if model.intervention.is_some() {
        let places =
            [("folder", &model.folder), ("hub", &model.hub), ("revision", &model.revision)].into_iter();
        let own = places.filter_map(|(key, place)| place.as_ref().and(Some(key))).next()?;
        let message = format!("model `{id}` has an `intervention` and a `{own}`: it is made from its `base`");
        return error(own, message, "drop it, or drop `intervention`");
    }
    match (&model.folder, &model.hub, &model.revision) {
        (None, None, _) => error(
            "id",
            format!("model `{id}` has neither `folder` nor `hub`: where does its checkpoint lie?"),
            "add folder = \"../data/...\", or hub = \"owner/name\" with revision = \"...\", or base = \"...\" with \
             intervention = { ... }",
        ),
        (Some(_), Some(_), _) => error(
            "hub",
            format!("model `{id}` has both `folder` and `hub`; one place only"),
            "drop one of the two",
        ),
        (None, Some(_), None) => error(
            "hub",
            format!("model `{id}` names a hub repository without `revision`"),
            "add revision = \"main\", or better a commit: a branch may move",
        ),
        (Some(_), None, Some(_)) => error(
            "revision",
            format!("model `{id}` has a `revision` but lies in a folder"),
            "drop `revision`",
        ),
        (Some(_), None, None) | (None, Some(_), Some(_)) => None,
    }
}

/// What the model comes from: keys that belong together, and an intervention that can be made.
fn lineage(document: &Document, m: usize, model: &Model) -> Found {
    let mut found = Vec::new();
    let mut error = |key: &str, message: String, suggestion: &str| {
        found.push(document.error(at!["model", m, key], message).suggest(suggestion));
    };
    let id = &model.id;
    match (&model.base, &model.change, &model.intervention) {
        (None, _, Some(_)) => error(
            "intervention",
            format!("model `{id}` has an `intervention` but no `base` to change"),
            "add base = \"...\", an id of this list",
        ),
        (None, Some(_), None) => error(
            "change",
            format!("model `{id}` has a `change` but no `base` that was changed"),
            "add base = \"...\", an id of this list",
        ),
        (Some(_), None, None) => error(
            "base",
            format!("model `{id}` has a `base`, but nothing says what was done to it"),
            "add change = \"instruct\" to a tuned model, or intervention = { ... } to make one here",
        ),
        (Some(_), Some(_), Some(_)) => error(
            "change",
            format!("model `{id}` has both `change` and `intervention`"),
            "drop `change`: the intervention says what is done",
        ),
        (Some(_), Some(_), None) | (Some(_), None, Some(_)) | (None, None, None) => {}
    }
    match (&model.series, model.step) {
        (Some(_), None) => {
            error("series", format!("model `{id}` is of a `series` without `step`"), "add step = ...");
        }
        (None, Some(_)) => error(
            "step",
            format!("model `{id}` has a `step` without `series`"),
            "add series = \"...\", the id of the model whose training it is a stage of",
        ),
        (Some(_), Some(_)) if model.intervention.is_some() => error(
            "series",
            format!("model `{id}` is made here: it is no stage of a training"),
            "drop `series` and `step`",
        ),
        (Some(_), Some(_)) | (None, None) => {}
    }
    if let Some(intervention) = &model.intervention {
        let changes = intervention.changes();
        match changes[..] {
            [Change::RopeThetaTimes(factor)] if !(factor.is_finite() && factor > 0.0) => {
                let path = at!["model", m, "intervention", "rope-theta-times"];
                let message = format!("`rope-theta-times` is {factor}; it must be above 0");
                found.push(document.error(path, message).suggest("write 10"));
            }
            [_] => {}
            _ => {
                let message = format!("`intervention` makes {} changes; it makes exactly one", changes.len());
                let known = format!("one of: {}", Intervention::KEYS);
                found.push(document.error(at!["model", m, "intervention"], message).suggest(known));
            }
        }
    }
    found
}

pub(super) fn prompts(document: &Document, set: &PromptSet) -> Found {
    let mut found = Vec::new();
    version(document, set.schema, &mut found);
    identifier(document, at!["id"], &set.id, &mut found);
    not_empty(document, at!["prompt"], &set.prompts, "prompt", &mut found);
    for (p, prompt) in set.prompts.iter().enumerate() {
        identifier(document, at!["prompt", p, "id"], &prompt.id, &mut found);
    }
    found
}

pub(super) fn hypothesis(document: &Document, hypothesis: &Hypothesis) -> Found {
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
    let ways = one.rule.ways();
    not_empty(document, at!["prediction", p, "rule", "supported"], &one.rule.supported, "condition", found);
    let offered = one.test.statistics();
    for Way { verdict, conditions: list, holds } in ways {
        let name = verdict.as_str();
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
        let never = region(list).into_iter().find(|(_, interval)| interval.is_empty());
        if let (Some((statistic, _)), Holds::All, false) = (never, holds, single_empty) {
            let message =
                format!("`{name}` can never hold: its conditions on `{statistic}` exclude each other");
            found.push(document.error(at!["prediction", p, "rule", name], message));
        }
    }
    for (i, left) in ways.iter().enumerate() {
        for right in &ways[i + 1..] {
            let (first, second) = (left.verdict.as_str(), right.verdict.as_str());
            if alternatives(left).iter().any(|l| alternatives(right).iter().any(|r| overlap(l, r))) {
                let words: Vec<String> = right.conditions.iter().map(in_words).collect();
                let message = format!(
                    "`{first}` and `{second}` of {} can hold at once ({}); a verdict must be one of them",
                    one.id,
                    words.join(" and "),
                );
                let other = document.place(at!["prediction", p, "rule", first]);
                let error = document.error(at!["prediction", p, "rule", second], message);
                let label = format!("`{first}` overlaps it");
                found.push(error.other(&document.source, other, &label).suggest("separate the bounds"));
            }
        }
    }
}

/// Lists of conditions of which each suffices.
fn alternatives<'a>(way: &Way<'a>) -> Vec<&'a [Condition]> {
    match way.holds {
        Holds::All => vec![way.conditions],
        Holds::Any => way.conditions.chunks(1).collect(),
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
