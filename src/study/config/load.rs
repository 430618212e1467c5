//! Reading an experiment with everything it names, and checking single files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::check::experiment::{check_experiment, check_prompts};
use super::check::hypothesis::check_hypothesis;
use super::check::models::check_models;
use super::check::published_names::PublishedNames;
use super::check::references::{self, Files};
use super::check::{repair, shape};
use super::document::{Document, Node, Value};
use super::experiment::{Experiment, Model, ModelList, Prompt, PromptSet};
use super::kind::Kind;
use super::report::{Diagnostic, Report};
use super::source::Source;
use super::{paths, schema};
use crate::judge::hypothesis::Hypothesis;
use base::hash::{Fields, Key};
use base::nearest::nearest;

/// An experiment with everything it names, valid.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The experiment file.
    pub experiment: Experiment,
    /// The experiment file, as given.
    pub path: PathBuf,
    /// The model list that the experiment names.
    pub models: ModelList,
    /// Where the model list lies; the folders of models are relative to it.
    pub models_path: PathBuf,
    /// The prompt sets, in the order of the experiment.
    pub prompt_sets: Vec<PromptSet>,
    /// The hypotheses, each with its file and the hash of its meaning, in the order of the experiment.
    pub hypotheses: Vec<(PathBuf, Hypothesis, Key)>,
    /// Folder of published tables.
    pub published: Option<PathBuf>,
}

impl Loaded {
    /// Models of the experiment's profiles, in the order of the list.
    pub fn selected(&self) -> impl Iterator<Item = &Model> {
        let wanted = self.experiment.profile.names();
        self.models.models.iter().filter(move |model| model.profiles.iter().any(|one| wanted.contains(one)))
    }

    /// Prompts a hypothesis is measured on: those of its sets, in order, each id once.
    pub fn prompts_of(&self, hypothesis: &Hypothesis) -> Vec<&Prompt> {
        let sets =
            hypothesis.prompts.iter().filter_map(|id| self.prompt_sets.iter().find(|set| set.id == *id));
        once(sets)
    }

    /// Prompts to observe: those of all sets, in order, each id once (an id stands for one text everywhere).
    pub fn prompts(&self) -> Vec<&Prompt> {
        once(self.prompt_sets.iter())
    }
}

fn once<'a>(sets: impl Iterator<Item = &'a PromptSet>) -> Vec<&'a Prompt> {
    let mut seen = BTreeSet::new();
    sets.flat_map(|set| &set.prompts).filter(|prompt| seen.insert(prompt.id.as_str())).collect()
}

/// A file that `check` looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The file.
    pub path: PathBuf,
    /// What it was checked as.
    pub kind: Kind,
}

/// Fields of a hypothesis that name it and say where it comes from: no part of what it claims.
pub const NO_MEANING: [&str; 2] = ["title", "origin"];

/// What a hypothesis means: its fields in the order of the type, without [`NO_MEANING`].
pub fn meaning(hypothesis: &Hypothesis) -> serde_json::Value {
    // A typed value with text keys always has a JSON form.
    let mut value = serde_json::to_value(hypothesis).unwrap_or_default();
    if let Some(fields) = value.as_object_mut() {
        fields.retain(|name, _| !NO_MEANING.contains(&name.as_str()));
    }
    value
}

/// Hash of what a hypothesis means: comments, layout and key order of the file do not enter.
pub fn hypothesis_key(hypothesis: &Hypothesis) -> Key {
    Fields::new("hypothesis").with("meaning", meaning(hypothesis)).key()
}

/// What is wrong with a hypothesis that was read from somewhere else than its file.
pub fn problems(hypothesis: &Hypothesis) -> Vec<String> {
    let document = toml::to_string(hypothesis)
        .map_err(|error| vec![error.to_string()])
        .and_then(|text| Document::parse(Path::new(&hypothesis.id), text).map_err(messages));
    match document {
        Ok(document) => messages(check_hypothesis(&document, hypothesis)),
        Err(messages) => messages,
    }
}

fn messages(found: Vec<Diagnostic>) -> Vec<String> {
    found.into_iter().map(|diagnostic| diagnostic.message).collect()
}

/// Reads an experiment and all files it names. On failure the report holds every mistake of all of them.
pub fn load(path: &Path) -> Result<Loaded, Report> {
    let mut reader = Reader::default();
    let loaded = reader.experiment(path);
    match (loaded, reader.report.diagnostics.is_empty()) {
        (Some(loaded), true) => Ok(loaded),
        _ => Err(reader.finish()),
    }
}

/// Reads a model list alone.
pub fn load_models(path: &Path) -> Result<ModelList, Report> {
    load_one(path, Kind::Models, check_models)
}

/// Reads a prompt set alone.
pub fn load_prompts(path: &Path) -> Result<PromptSet, Report> {
    load_one(path, Kind::Prompts, check_prompts)
}

fn load_one<T: DeserializeOwned>(
    path: &Path,
    kind: Kind,
    check: fn(&Document, &T) -> Vec<Diagnostic>,
) -> Result<T, Report> {
    let mut reader = Reader::default();
    let value = reader.open(path).and_then(|mut document| reader.typed(&mut document, kind, check));
    match (value, reader.report.diagnostics.is_empty()) {
        (Some(value), true) => Ok(value),
        _ => Err(reader.finish()),
    }
}

/// Checks files of any kind; an experiment brings everything it names, a folder all its `*.toml`.
pub fn check(given: &[PathBuf]) -> Result<Vec<Checked>, Report> {
    let mut reader = Reader::default();
    for path in given {
        if path.is_dir() {
            match paths::toml_files(path) {
                Ok(files) => files.iter().for_each(|file| reader.any(file)),
                Err(problem) => reader.unlisted(path, problem),
            }
        } else {
            reader.any(path);
        }
    }
    if reader.report.diagnostics.is_empty() { Ok(reader.checked) } else { Err(reader.finish()) }
}

#[derive(Default)]
struct Reader {
    report: Report,
    checked: Vec<Checked>,
}

impl Reader {
    fn finish(mut self) -> Report {
        self.report.files = self.checked.len();
        self.report.tidy();
        self.report
    }

    fn open(&mut self, path: &Path) -> Option<Document> {
        match Document::open(path) {
            Ok(document) => Some(document),
            Err(errors) => {
                self.note(path, Kind::from_path(path));
                self.report.diagnostics.extend(errors);
                None
            }
        }
    }

    /// A folder whose files are not known.
    fn unlisted(&mut self, folder: &Path, problem: paths::Problem) {
        let paths::Problem::Unreadable(path, error) = problem else { return };
        let source = Arc::new(Source { path: folder.to_path_buf(), text: String::new() });
        self.report.diagnostics.push(Diagnostic::of_file(&source, unreadable(&path, &error)));
    }

    fn note(&mut self, path: &Path, kind: Kind) {
        let checked = Checked { path: path.to_path_buf(), kind };
        if !self.checked.iter().any(|known| known.path == checked.path) {
            self.checked.push(checked);
        }
    }

    /// One file of whatever kind.
    fn any(&mut self, path: &Path) {
        let Some(mut document) = self.open(path) else { return };
        match Kind::guess(&document) {
            Kind::Experiment => {
                self.experiment(path);
            }
            Kind::Models => {
                let list = self.typed(&mut document, Kind::Models, check_models);
                let models = list.as_ref().map(|list| (&document, list));
                self.alone(&Files { models, ..Files::nothing(&PublishedNames::default()) });
            }
            Kind::Prompts => {
                let set = self.typed(&mut document, Kind::Prompts, check_prompts);
                let sets: Vec<_> = set.into_iter().map(|set| (document.clone(), set)).collect();
                self.alone(&Files { prompt_sets: &sets, ..Files::nothing(&PublishedNames::default()) });
            }
            Kind::Hypothesis => {
                let one = self.typed(&mut document, Kind::Hypothesis, check_hypothesis);
                let all: Vec<_> = one.into_iter().map(|one| (document.clone(), one)).collect();
                self.alone(&Files { hypotheses: &all, ..Files::nothing(&PublishedNames::default()) });
            }
        }
    }

    fn alone(&mut self, files: &Files) {
        self.report.diagnostics.extend(references::check(files));
    }

    /// Shape, then type, then what the file says by itself. A document with slips is left repaired.
    fn typed<T: DeserializeOwned>(
        &mut self,
        document: &mut Document,
        kind: Kind,
        check: fn(&Document, &T) -> Vec<Diagnostic>,
    ) -> Option<T> {
        self.note(&document.source.path, kind);
        let (found, fixes) = shape::check(document, schema::of(kind));
        if !found.is_empty() {
            self.report.diagnostics.extend(found);
            // A report is certain by now; what the file would say without its slips may hold further mistakes.
            *document = repair::apply(document, &fixes);
            let value = repair::decode::<T>(document)?;
            self.report.diagnostics.extend(check(document, &value));
            return Some(value);
        }
        match document.decode::<T>() {
            Ok(value) => {
                self.report.diagnostics.extend(check(document, &value));
                Some(value)
            }
            Err(error) => {
                self.report.diagnostics.push(error);
                None
            }
        }
    }

    fn experiment(&mut self, path: &Path) -> Option<Loaded> {
        let mut document = self.open(path)?;
        let experiment = self.typed(&mut document, Kind::Experiment, check_experiment);
        // The named files are read even if the experiment itself is wrong: one run shows all mistakes.
        let mut models = None;
        for file in self.named(&document, "models").0 {
            let Some(mut list_document) = self.open(&file) else { continue };
            let list = self.typed(&mut list_document, Kind::Models, check_models);
            models = list.map(|list| (list_document, list));
        }
        let (prompt_sets, all_prompts) = self.each(&document, "prompts", Kind::Prompts, check_prompts);
        let (hypotheses, all_hypotheses) =
            self.each(&document, "hypotheses", Kind::Hypothesis, check_hypothesis);
        let published = self.published(&document);
        let (folder, names) =
            published.map_or((None, PublishedNames::default()), |(f, names)| (Some(f), names));
        self.report.diagnostics.extend(references::check(&Files {
            experiment: experiment.as_ref().map(|experiment| (&document, experiment)),
            models: models.as_ref().map(|(document, list)| (document, list)),
            prompt_sets: &prompt_sets,
            // A list that is empty is one mistake, not one for every hypothesis that names a set.
            all_prompts: all_prompts && !prompt_sets.is_empty(),
            hypotheses: &hypotheses,
            all_hypotheses: all_hypotheses && !hypotheses.is_empty(),
            published: &names,
        }));
        let (models_document, models) = models?;
        let keyed = |(document, one): (Document, Hypothesis)| {
            let key = hypothesis_key(&one);
            (document.source.path.clone(), one, key)
        };
        Some(Loaded {
            experiment: experiment?,
            path: path.to_path_buf(),
            models,
            models_path: models_document.source.path.clone(),
            prompt_sets: prompt_sets.into_iter().map(|(_, set)| set).collect(),
            hypotheses: hypotheses.into_iter().map(keyed).collect(),
            published: folder,
        })
    }

    /// All files a list names that could be read, and whether that is every one.
    fn each<T: DeserializeOwned>(
        &mut self,
        document: &Document,
        key: &str,
        kind: Kind,
        check: fn(&Document, &T) -> Vec<Diagnostic>,
    ) -> (Vec<(Document, T)>, bool) {
        let (files, all_there) = self.named(document, key);
        let mut all = Vec::new();
        for file in &files {
            let Some(mut one) = self.open(file) else { continue };
            if let Some(value) = self.typed(&mut one, kind, check) {
                all.push((one, value));
            }
        }
        let complete = all.len() == files.len() && all_there;
        (all, complete)
    }

    /// Files that a key of the experiment names, patterns expanded, and whether all are there. Missing ones are
    /// reported.
    fn named(&mut self, document: &Document, key: &str) -> (Vec<PathBuf>, bool) {
        let mut files = Vec::new();
        let before = self.report.diagnostics.len();
        for (name, node) in texts(document, key) {
            match paths::expand(&document.source.path, name) {
                Ok(found) => files.extend(found),
                Err(problem) => self.report.diagnostics.push(problem_at(document, node, name, problem)),
            }
        }
        (files, self.report.diagnostics.len() == before)
    }

    fn published(&mut self, document: &Document) -> Option<(PathBuf, PublishedNames)> {
        let (name, node) = texts(document, "published").into_iter().next()?;
        let folder = paths::beside(&document.source.path, name);
        match PublishedNames::read(&folder) {
            Ok(published) => Some((folder, published)),
            Err(message) => {
                self.report.diagnostics.push(Diagnostic::new(&document.source, node.span.clone(), message));
                None
            }
        }
    }
}

impl<'a> Files<'a> {
    fn nothing(published: &'a PublishedNames) -> Files<'a> {
        Files {
            experiment: None,
            models: None,
            prompt_sets: &[],
            all_prompts: false,
            hypotheses: &[],
            all_hypotheses: false,
            published,
        }
    }
}

fn problem_at(document: &Document, node: &Node, name: &str, problem: paths::Problem) -> Diagnostic {
    let error = |message: String| Diagnostic::new(&document.source, node.span.clone(), message);
    match problem {
        paths::Problem::Unreadable(path, source) => error(unreadable(&path, &source)),
        paths::Problem::NoMatch => error(format!("no file matches `{name}`")),
        paths::Problem::Missing(siblings) => {
            let error = error(format!("there is no file `{name}`"));
            match nearest(name, siblings.iter().map(String::as_str)) {
                Some(near) => error.suggest(format!("did you mean `{near}`?")),
                None => error.suggest("paths are relative to the file that names them"),
            }
        }
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> String {
    format!("cannot read {}: {error}", path.display())
}

/// The text, or the texts of the list, at a key of the file.
fn texts<'a>(document: &'a Document, key: &str) -> Vec<(&'a str, &'a Node)> {
    let Value::Table(entries) = &document.root.value else { return Vec::new() };
    let Some(entry) = entries.iter().find(|entry| entry.key == key) else { return Vec::new() };
    let items = match &entry.node.value {
        Value::Array(items) => items.iter().collect(),
        _ => vec![&entry.node],
    };
    let text = |node: &'a Node| match &node.value {
        Value::Text(text) => Some((text.as_str(), node)),
        _ => None,
    };
    items.into_iter().filter_map(text).collect()
}
