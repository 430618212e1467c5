//! `streamgauge new`: commented files that pass `check` and show the vocabulary.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::id::{self, RULE};
use super::kind::Kind;
use super::paths::{self, Unreadable};
use super::schema;
use crate::judge::hypothesis::Test;
use base::lookup;

/// Why a new file could not be made.
#[derive(Debug, thiserror::Error)]
pub enum NewError {
    /// A file of this name is there.
    #[error("{} exists and is left as it is; choose another id, or edit it", .0.display())]
    Exists(PathBuf),
    /// The id has characters that ids and file names cannot have.
    #[error("{id:?} cannot be an id, it {why}; {}, e.g. {example}", RULE)]
    BadId {
        /// The id that was asked for.
        id: String,
        /// What is wrong with it.
        why: String,
        /// An id that would do.
        example: &'static str,
    },
    /// Files of this kind are not made from a template.
    #[error("there is no template for {0} files; add a [[model]] to experiments/models.toml")]
    NoTemplate(Kind),
    /// What is there cannot be seen.
    #[error("cannot look at {}: {source}", path.display())]
    Look {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// A new file, and what to do with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    /// Where the file lies.
    pub path: PathBuf,
    /// What to do with it next, in a sentence.
    pub next: String,
}

/// A commented hypothesis that passes `check`.
pub fn hypothesis(id: &str) -> String {
    include_str!("templates/hypothesis.toml").replace("{id}", id).replace("{kinds}\n", &kinds())
}

/// A commented prompt set that passes `check`.
pub fn prompts(id: &str) -> String {
    include_str!("templates/prompts.toml").replace("{id}", id)
}

/// A commented experiment that passes `check` in a folder with the files it names.
pub fn experiment(id: &str) -> String {
    include_str!("templates/experiment.toml").replace("{id}", id)
}

/// A commented model list that passes `check`.
pub fn models() -> &'static str {
    include_str!("templates/models.toml")
}

/// Names of the TOML files of a folder, sorted; none where there is no such folder.
fn names(folder: &Path) -> Result<Vec<String>, NewError> {
    let files = paths::listed(folder).map_err(|Unreadable(path, source)| NewError::Look { path, source })?;
    let name = |path: &PathBuf| Some(path.file_stem()?.to_str()?.to_string());
    let mut names: Vec<String> = files.iter().filter_map(name).collect();
    names.sort();
    Ok(names)
}

fn is_there(path: &Path) -> Result<bool, NewError> {
    lookup::is_there(path).map_err(|source| NewError::Look { path: path.to_path_buf(), source })
}

/// The experiment of a folder that lacks what the template names: it names what is there, and a prompt set and a model list that are
/// written beside it where there are none. Returns them.
fn begin(text: &mut String, experiments: &Path) -> Result<Vec<PathBuf>, NewError> {
    let mut written = Vec::new();
    let mut missing = |path: PathBuf, text: &str| {
        if !is_there(&path)? {
            write_new(&path, text)?;
            written.push(path);
        }
        Ok::<(), NewError>(())
    };
    missing(experiments.join("models.toml"), models())?;
    let mut sets = names(&experiments.join("prompts"))?;
    if sets.is_empty() {
        missing(experiments.join("prompts").join("texts.toml"), &prompts("texts"))?;
        sets = vec!["texts".to_string()];
    }
    if !["grand25", "zoo", "heldout120"].iter().all(|shipped| sets.iter().any(|set| set == shipped)) {
        let named: Vec<String> = sets.iter().map(|set| format!("\"prompts/{set}.toml\"")).collect();
        replace_line(text, "prompts = ", &format!("prompts = [{}]", named.join(", ")));
    }
    if !is_there(&experiments.join("hypotheses/H13.toml"))? {
        replace_line(text, "# A name may end", "# A name may end in *.toml: all such files, in order.");
        replace_line(text, "hypotheses = ", "hypotheses = [\"hypotheses/*.toml\"]");
    }
    Ok(written)
}

fn replace_line(text: &mut String, start: &str, by: &str) {
    let lines: Vec<&str> = text.lines().map(|line| if line.starts_with(start) { by } else { line }).collect();
    *text = lines.join("\n") + "\n";
}

/// Writes a file that is not there yet, and its folder.
fn write_new(path: &Path, text: &str) -> Result<(), NewError> {
    let failed = |source| NewError::Write { path: path.to_path_buf(), source };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut file = match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            return Err(NewError::Exists(path.to_path_buf()));
        }
        Err(error) => return Err(failed(error)),
    };
    file.write_all(text.as_bytes()).map_err(failed)
}

/// Writes a new file under `experiments` (the folder of experiment files), and for an experiment what it needs and is not there. Never
/// replaces one.
pub fn create(kind: Kind, id: &str, experiments: &Path) -> Result<Created, NewError> {
    let (mut text, path, example) = match kind {
        Kind::Hypothesis => {
            (hypothesis(id), experiments.join("hypotheses").join(format!("{id}.toml")), "H19")
        }
        Kind::Prompts => (prompts(id), experiments.join("prompts").join(format!("{id}.toml")), "stories"),
        Kind::Experiment => (experiment(id), experiments.join(format!("{id}.toml")), "pilot"),
        Kind::Models => return Err(NewError::NoTemplate(kind)),
    };
    if let Some(fault) = id::fault(id) {
        return Err(NewError::BadId { id: id.to_string(), why: fault.why, example });
    }
    if is_there(&path)? {
        return Err(NewError::Exists(path));
    }
    let mut beside = Vec::new();
    match kind {
        Kind::Experiment => beside = begin(&mut text, experiments)?,
        Kind::Hypothesis => {
            let sets = names(&experiments.join("prompts"))?;
            if let Some(set) = sets.first().filter(|_| !sets.iter().any(|set| set == "grand25")) {
                text = text.replace("[\"grand25\"]", &format!("[\"{set}\"]"));
            }
        }
        Kind::Prompts | Kind::Models => {}
    }
    write_new(&path, &text)?;
    let shown = path.display();
    let next = match kind {
        Kind::Hypothesis => format!(
            "Edit {shown}, then `streamgauge check {shown}`. An experiment whose `hypotheses` list holds \
             \"hypotheses/*.toml\" judges it at once; else add \"hypotheses/{id}.toml\" there."
        ),
        Kind::Prompts => format!(
            "Edit {shown}, add \"prompts/{id}.toml\" to `prompts` of the experiment and \"{id}\" to `prompts` of the \
             hypotheses that should use it."
        ),
        Kind::Experiment | Kind::Models => {
            let beside: String = beside.iter().map(|path| format!(" and {}", path.display())).collect();
            format!("Edit {shown}{beside}, then `streamgauge check {shown}`.")
        }
    };
    Ok(Created { path, next })
}

/// One comment line per kind of test, from the schema and `Test::STATISTICS`, so that it cannot go stale.
fn kinds() -> String {
    let schema = schema::of(Kind::Hypothesis);
    let variants = schema["$defs"]["Test"]["oneOf"].as_array().cloned().unwrap_or_default();
    let mut text = String::new();
    for (variant, statistics) in variants.iter().zip(Test::STATISTICS) {
        let kind = variant["properties"]["kind"]["const"].as_str().unwrap_or_default();
        let fields: Vec<&str> = variant["properties"]
            .as_object()
            .into_iter()
            .flat_map(|all| all.keys())
            .map(String::as_str)
            .filter(|key| *key != "kind")
            .collect();
        let about = variant["description"].as_str().unwrap_or_default().replace('\n', " ");
        text.push_str(&format!("#   {kind} ({}): {about}\n", fields.join(", ")));
        text.push_str(&format!("#     -> {}\n", statistics.join(", ")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::hypothesis::Hypothesis;

    #[test]
    fn the_template_is_a_hypothesis_that_names_every_kind_of_test_with_its_statistics() {
        let text = hypothesis("H19");
        let parsed: Hypothesis = toml::from_str(&text).unwrap();
        assert_eq!(parsed.predictions[1].id, "H19b");
        assert!(
            text.contains(
                "#   sign-flip (metric, protocols, against, size, own-prompts, across-protocols): "
            ),
            "{text}"
        );
        for line in text.lines().filter(|line| line.starts_with("#     ->")) {
            assert!(line.len() > "#     -> ".len(), "a kind without statistics in:\n{text}");
        }
    }
}
