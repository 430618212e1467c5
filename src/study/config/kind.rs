//! The four kinds of file, and how to tell which one a file is.

use std::path::Path;

use super::document::{Document, Value};
use base::named_enum;

named_enum! {
    /// What a TOML file describes.
    Kind, "file kind" {
        /// Which hypotheses, on which models and prompts.
        Experiment = "experiment",
        /// Model list.
        Models = "models",
        /// Prompt set.
        Prompts = "prompts",
        /// Claim with predictions.
        Hypothesis = "hypothesis",
    }
}

impl Kind {
    /// The kind of a file: what its `#:schema` line says, else its keys, else its folder and name.
    pub fn guess(document: &Document) -> Kind {
        from_directive(&document.source.text)
            .or_else(|| from_keys(document))
            .unwrap_or_else(|| Kind::from_path(&document.source.path))
    }

    /// The kind of a file by its folder and name.
    pub fn from_path(path: &Path) -> Kind {
        let folder = path.parent().and_then(Path::file_name).and_then(|name| name.to_str());
        match (folder, path.file_stem().and_then(|name| name.to_str())) {
            (Some("hypotheses"), _) => Kind::Hypothesis,
            (Some("prompts"), _) => Kind::Prompts,
            (_, Some("models")) => Kind::Models,
            _ => Kind::Experiment,
        }
    }
}

fn from_directive(text: &str) -> Option<Kind> {
    let target = text.lines().next()?.strip_prefix("#:schema ")?.trim();
    let name = target.rsplit('/').next()?.strip_suffix(".schema.json")?;
    name.parse().ok()
}

fn from_keys(document: &Document) -> Option<Kind> {
    let Value::Table(entries) = &document.root.value else { return None };
    let telling = |key: &str| match key {
        "hypotheses" | "profile" => Some(Kind::Experiment),
        "model" => Some(Kind::Models),
        "prompt" => Some(Kind::Prompts),
        "prediction" | "statement" | "published-verdict" => Some(Kind::Hypothesis),
        _ => None,
    };
    entries.iter().find_map(|entry| telling(&entry.key))
}
