//! Checks what a model list says by itself: where checkpoints lie, and what models are made from or are stages of.

use super::common::{Found, identifier, not_empty, version};
use crate::config::document::{Document, at};
use crate::config::experiment::{Model, ModelEvidence, ModelList};
use crate::config::intervention::{Change, Intervention};
use crate::config::report::Diagnostic;

/// Every mistake of a model list that needs no other file to be seen.
pub(in crate::config) fn check_models(document: &Document, list: &ModelList) -> Found {
    let mut found = Vec::new();
    version(document, list.schema, &mut found);
    not_empty(document, at!["model"], &list.models, "model", &mut found);
    for (m, model) in list.models.iter().enumerate() {
        identifier(document, at!["model", m, "id"], &model.id, &mut found);
        not_empty(document, at!["model", m, "profiles"], &model.profiles, "profile", &mut found);
        found.extend(place(document, m, model));
        found.extend(lineage(document, m, model));
        found.extend(evidence(document, m, model));
    }
    found
}

/// Checks that the checkpoint of a model lies in exactly one place.
fn place(document: &Document, m: usize, model: &Model) -> Option<Diagnostic> {
    let error = |key: &str, message: String, suggestion: &str| {
        Some(document.error(at!["model", m, key], message).suggest(suggestion))
    };
    let id = &model.id;
    if model.intervention.is_some() {
        let places = [
            ("folder", &model.folder),
            ("fetch", &model.fetch),
            ("hub", &model.hub),
            ("revision", &model.revision),
        ]
        .into_iter();
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
        (None, Some(_), Some(_)) if model.fetch.is_some() => error(
            "fetch",
            format!(
                "model `{id}` has a command to `fetch` it, but lies on the hub, from which `run` downloads it"
            ),
            "drop `fetch`",
        ),
        (Some(_), None, Some(_)) => error(
            "revision",
            format!("model `{id}` has a `revision` but lies in a folder"),
            "drop `revision`",
        ),
        (Some(_), None, None) | (None, Some(_), Some(_)) => None,
    }
}

/// Checks that random weights are not called trained.
fn evidence(document: &Document, m: usize, model: &Model) -> Option<Diagnostic> {
    let changes = model.intervention.iter().flat_map(Intervention::changes);
    let random = changes.into_iter().any(|change| matches!(change, Change::RandomInit { .. }));
    (random && model.evidence == ModelEvidence::Measured).then(|| {
        let message = format!("model `{}` has random weights: it was trained on nothing", model.id);
        document.error(at!["model", m, "evidence"], message).suggest("write evidence = \"rehearsal\"")
    })
}

/// Checks the origin of a model: that keys which belong together are given together, and that its intervention can be made.
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
