//! Checks what files say about each other: ids that are used twice, and references to models, profiles, prompts, categories
//! and protocols that nothing defines or observes.

use std::collections::BTreeMap;

use super::published_names::PublishedNames;
use crate::config::document::{Document, Step, at};
use crate::config::experiment::{Experiment, Model, ModelEvidence, ModelList, Profiles, PromptSet};
use crate::config::id;
use crate::config::report::Diagnostic;
use crate::judge::hypothesis::{Hypothesis, ModelFilter, Select};
use number::evidence::Evidence;

/// The files of one experiment, as far as they could be read.
pub(in crate::config) struct Files<'a> {
    pub experiment: Option<(&'a Document, &'a Experiment)>,
    /// `None` if the list could not be read: then no model is called unknown.
    pub models: Option<(&'a Document, &'a ModelList)>,
    pub prompt_sets: &'a [(Document, PromptSet)],
    /// Whether every prompt set was read: else no prompt is called unknown.
    pub all_prompts: bool,
    pub hypotheses: &'a [(Document, Hypothesis)],
    /// Whether every hypothesis was read: else none is called unknown.
    pub all_hypotheses: bool,
    pub published: &'a PublishedNames,
}

/// Everything that is wrong between the files.
pub(in crate::config) fn check(files: &Files) -> Vec<Diagnostic> {
    let mut found = duplicates(files);
    if let (Some((document, experiment)), Some((_, list))) = (files.experiment, files.models) {
        for (p, name) in experiment.profile.names().iter().enumerate() {
            let path: &[Step<'_>] = match experiment.profile {
                Profiles::One(_) => at!["profile"],
                Profiles::Several(_) => at!["profile", p],
            };
            let profiles = list.models.iter().flat_map(|model| &model.profiles);
            unknown(document, path, "profile", name, profiles, &mut found);
        }
    }
    if let (Some((document, list)), false) = (files.models, files.published.models.is_empty()) {
        for (m, model) in list.models.iter().enumerate() {
            let Some(name) = &model.published_as else { continue };
            let path = at!["model", m, "published-as"];
            unknown(document, path, "published model", name, &files.published.models, &mut found);
        }
    }
    if let Some((document, list)) = files.models {
        lineages(document, list, &mut found);
    }
    if let Some((document, experiment)) = files.experiment.filter(|_| files.all_hypotheses) {
        let ids = || files.hypotheses.iter().map(|(_, hypothesis)| &hypothesis.id);
        for (i, id) in experiment.lead.iter().enumerate() {
            unknown(document, at!["lead", i], "hypothesis", id, ids(), &mut found);
        }
    }
    for (document, hypothesis) in files.hypotheses {
        names(files, document, hypothesis, &mut found);
    }
    found
}

/// Models that others are made from or are stages of.
fn lineages(document: &Document, list: &ModelList, found: &mut Vec<Diagnostic>) {
    let ids = || list.models.iter().map(|model| &model.id);
    for (m, model) in list.models.iter().enumerate() {
        if let Some(series) = &model.series {
            unknown(document, at!["model", m, "series"], "model", series, ids(), found);
        }
        for (key, origin) in [("base", &model.base), ("series", &model.series)] {
            let of =
                list.models.iter().find(|other| Some(&other.id) == origin.as_ref() && other.id != model.id);
            let Some(of) = of else { continue };
            if model.evidence == ModelEvidence::Measured && of.evidence == ModelEvidence::Rehearsal {
                let message = format!(
                    "model `{}` is called measured, but its `{key}`, `{}`, is a rehearsal: so is what is made of it",
                    model.id, of.id
                );
                let error = document.error(at!["model", m, "evidence"], message);
                found.push(error.suggest("write evidence = \"rehearsal\""));
            }
        }
        let Some(base) = &model.base else { continue };
        let path = at!["model", m, "base"];
        if *base == model.id {
            found.push(document.error(path, format!("model `{base}` is its own `base`")));
            continue;
        }
        unknown(document, path, "model", base, ids(), found);
        let made = list.models.iter().any(|other| other.id == *base && other.intervention.is_some());
        if made {
            let message = format!("`{base}` is made by an intervention itself; a base has a checkpoint");
            found.push(document.error(path, message).suggest("name the model that it is made from"));
        }
    }
}

fn duplicates(files: &Files) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    if let Some((document, list)) = files.models {
        let mut ids = Ids::new("model id");
        for (m, model) in list.models.iter().enumerate() {
            ids.add(&model.id, document, at!["model", m, "id"], &mut found);
        }
    }
    let (mut sets, mut texts) = (Ids::new("prompt set id"), BTreeMap::new());
    for (document, set) in files.prompt_sets {
        sets.add(&set.id, document, at!["id"], &mut found);
        let mut ids = Ids::without_files("prompt id");
        for (p, prompt) in set.prompts.iter().enumerate() {
            let path = at!["prompt", p, "id"];
            ids.add(&prompt.id, document, path, &mut found);
            // Sets may share a prompt, as the published ones do; an id then always means the same text.
            let here = (prompt.text.as_str(), document, document.place(path));
            let (text, first, span) = texts.entry(prompt.id.as_str()).or_insert(here);
            if *text != prompt.text && first.source.path != document.source.path {
                let message =
                    format!("prompt id `{}` already stands for another text in another set", prompt.id);
                let error = document.error(path, message).other(&first.source, span.clone(), "other text");
                found.push(error.suggest("give one of the two another id"));
            }
        }
    }
    let (mut hypotheses, mut predictions) = (Ids::new("hypothesis id"), Ids::new("prediction id"));
    for (document, hypothesis) in files.hypotheses {
        hypotheses.add(&hypothesis.id, document, at!["id"], &mut found);
        for (p, prediction) in hypothesis.predictions.iter().enumerate() {
            predictions.add(&prediction.id, document, at!["prediction", p, "id"], &mut found);
        }
    }
    found
}

/// Ids seen so far, with their places.
struct Ids<'a> {
    what: &'static str,
    /// By the name of the files that an id gives its name to; of what has no file, by the id itself.
    seen: BTreeMap<String, (String, &'a Document, std::ops::Range<usize>)>,
    names_files: bool,
}

impl<'a> Ids<'a> {
    fn new(what: &'static str) -> Ids<'a> {
        Ids { what, seen: BTreeMap::new(), names_files: true }
    }

    /// Ids of what has no file and no address of its own.
    fn without_files(what: &'static str) -> Ids<'a> {
        Ids { names_files: false, ..Ids::new(what) }
    }

    fn add(&mut self, id: &str, document: &'a Document, path: &[Step], found: &mut Vec<Diagnostic>) {
        let name = if self.names_files { id::name_of(id) } else { id.to_string() };
        let Some((first, other, span)) = self.seen.get(&name) else {
            self.seen.insert(name, (id.to_string(), document, document.place(path)));
            return;
        };
        let error = match first == id {
            true => document.error(path, format!("{} `{id}` is used twice", self.what)),
            false => {
                let message = format!(
                    "{} `{id}` and `{first}` would share the names of their files: capitals do not count there, nor do \
                     `.`, `_` and `-` differ",
                    self.what
                );
                document.error(path, message).suggest("give one of the two another id")
            }
        };
        found.push(error.other(&other.source, span.clone(), "first used here"));
    }
}

fn names(files: &Files, document: &Document, hypothesis: &Hypothesis, found: &mut Vec<Diagnostic>) {
    let published = files.published;
    let listed = files.models.map(|(_, list)| &list.models[..]);
    let models: Option<Vec<&String>> =
        listed.map(|list| list.iter().map(|model| &model.id).chain(&published.models).collect());
    filter(document, at!["models"], &hypothesis.models, (models.as_deref(), listed), found);
    if files.all_prompts {
        for (i, id) in hypothesis.prompts.iter().enumerate() {
            let sets = files.prompt_sets.iter().map(|(_, set)| &set.id);
            unknown(document, at!["prompts", i], "prompt set", id, sets, found);
        }
    }
    if let Some((_, experiment)) = files.experiment {
        let also = hypothesis.also.iter().enumerate();
        let also = also.map(|(o, other)| (vec!["also".into(), o.into(), "protocol".into()], other.protocol));
        for (path, protocol) in
            std::iter::once((vec![Step::Key("protocol")], hypothesis.protocol)).chain(also)
        {
            // An empty list is one mistake, reported where it is.
            if !experiment.bos.is_empty() && !experiment.bos.contains(&protocol.bos) {
                let message =
                    format!("protocol {protocol} needs BOS policy `{}`, which is not observed", protocol.bos);
                let suggestion = format!("add \"{}\" to `bos` of the experiment", protocol.bos);
                found.push(document.error(&path, message).suggest(suggestion));
            }
        }
    }
    let known = categories(files, hypothesis);
    for (p, prediction) in hypothesis.predictions.iter().enumerate() {
        let test = [Step::Key("prediction"), p.into(), "test".into()];
        if hypothesis.prompts.is_empty()
            && Evidence::OBSERVED.iter().any(|kind| prediction.evidence.contains(kind))
        {
            let message =
                format!("`prompts` is empty, but {} is judged on what is observed here", prediction.id);
            found.push(document.error(at!["prompts"], message).suggest("name the prompt sets to measure"));
        }
        if let Some(one) = &prediction.models {
            filter(document, at!["prediction", p, "models"], one, (models.as_deref(), listed), found);
        }
        let parts = prediction.test.parts();
        for (path, category) in &parts.categories {
            let Some(known) = &known else { continue };
            unknown(document, &[&test[..], path].concat(), "category", category, known, found);
        }
        for (path, model) in &parts.models {
            let Some(models) = &models else { continue };
            unknown(document, &[&test[..], path].concat(), "model", model, models.iter().copied(), found);
        }
        for (path, quantity) in parts.walk() {
            let path = [&test[..], &path, &["select".into()]].concat();
            select(files, document, &path, &quantity.select, models.as_deref(), hypothesis, found);
        }
        for (path, one) in &parts.selects {
            let path = [&test[..], path].concat();
            select(files, document, &path, one, models.as_deref(), hypothesis, found);
        }
    }
}

/// Names in a filter: of models, listed or published, and of profiles.
fn filter(
    document: &Document,
    path: &[Step],
    filter: &ModelFilter,
    (models, listed): (Option<&[&String]>, Option<&[Model]>),
    found: &mut Vec<Diagnostic>,
) {
    let at = |key: &'static str| [path, &[Step::Key(key)]].concat();
    if let Some(models) = models {
        for (i, id) in filter.ids.iter().enumerate() {
            let path = [&at("ids")[..], &[i.into()]].concat();
            unknown(document, &path, "model", id, models.iter().copied(), found);
        }
    }
    if let (Some(profile), Some(list)) = (&filter.profile, listed) {
        let profiles = list.iter().flat_map(|model| &model.profiles);
        unknown(document, &at("profile"), "profile", profile, profiles, found);
    }
}

fn select(
    files: &Files,
    document: &Document,
    path: &[Step],
    select: &Select,
    models: Option<&[&String]>,
    hypothesis: &Hypothesis,
    found: &mut Vec<Diagnostic>,
) {
    let at = |key: &'static str| [path, &[Step::Key(key)]].concat();
    if let (Some(model), Some(models)) = (&select.model, models) {
        unknown(document, &at("model"), "model", model, models.iter().copied(), found);
    }
    if let (Some(prompt), true) = (&select.prompt, files.all_prompts) {
        let ours = files.prompt_sets.iter().flat_map(|(_, set)| set.prompts.iter().map(|prompt| &prompt.id));
        unknown(document, &at("prompt"), "prompt", prompt, ours.chain(&files.published.prompts), found);
    }
    if let (Some(source), false) = (&select.source, files.published.sources.is_empty()) {
        let measured = "streamgauge".to_string();
        let sources = files.published.sources.iter().chain(std::iter::once(&measured));
        unknown(document, &at("source"), "source", source, sources, found);
    }
    if let Some(known) = categories(files, hypothesis) {
        for (i, category) in select.without_categories.iter().enumerate() {
            let path = [&at("without-categories")[..], &[i.into()]].concat();
            unknown(document, &path, "category", category, &known, found);
        }
    }
}

/// Categories of the hypothesis's prompt sets and of the published prompts. `None` if a set is not known.
fn categories(files: &Files, hypothesis: &Hypothesis) -> Option<Vec<String>> {
    let set = |id: &String| files.prompt_sets.iter().map(|(_, set)| set).find(|set| set.id == *id);
    let sets: Option<Vec<&PromptSet>> = hypothesis.prompts.iter().map(set).collect();
    let ours = sets?.into_iter().flat_map(|set| set.prompts.iter().map(|prompt| prompt.category.clone()));
    let mut all: Vec<String> = ours.chain(files.published.categories.iter().cloned()).collect();
    all.sort();
    all.dedup();
    files.all_prompts.then_some(all)
}

fn unknown<'a>(
    document: &Document,
    path: &[Step],
    what: &str,
    name: &str,
    known: impl IntoIterator<Item = &'a String>,
    found: &mut Vec<Diagnostic>,
) {
    let mut known: Vec<&str> = known.into_iter().map(String::as_str).collect();
    if known.contains(&name) {
        return;
    }
    known.sort_unstable();
    known.dedup();
    let mut error = document.error(path, format!("unknown {what} `{name}`"));
    if known.len() <= 12 && !known.is_empty() {
        error = error.suggest(format!("known: {}", known.join(", ")));
    }
    found.push(error.suggest_nearest(name, known));
}
