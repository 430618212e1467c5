//! The TOML of recipes as it is written, and what is wrong with it by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde::Deserialize;

use super::expression::{Problem, parse};
use super::recipes::{Recipe, Template};
use super::selection::{List, Selection};
use crate::config::Diagnostic;
use crate::config::document::{Document, at};
use crate::published::tables::{Claim, Stated};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    /// What words of statistics' groups stand for: model ids.
    #[serde(default)]
    pub names: BTreeMap<String, List>,
    pub rows: BTreeMap<String, Selection>,
    pub recipe: Vec<Raw>,
    #[serde(default)]
    pub statistic: Vec<Statistic>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    ids: List,
    #[serde(default)]
    statistic: Vec<String>,
    #[serde(default)]
    group: Vec<String>,
    value: Option<String>,
    rounded: Option<String>,
    #[serde(default)]
    measures: String,
    #[serde(default)]
    note: String,
    #[serde(default)]
    differs: String,
    deviates: Option<List>,
    says: Option<List>,
    missing: Option<String>,
    absent: Option<String>,
}

/// A number or word printed outside the note's claims.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Statistic {
    id: String,
    /// Where it was stated.
    stated: String,
    text: String,
    models: Option<List>,
    printed: Printed,
    #[serde(default)]
    unit: String,
    tolerance: Option<f64>,
}

#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum Printed {
    Number(f64),
    Words(String),
}

/// One recipe with its expressions parsed.
pub(super) fn recipe(document: &Document, index: usize, raw: &Raw) -> Result<Recipe, Vec<Diagnostic>> {
    let mut bad = Vec::new();
    if raw.value.is_some() == raw.missing.is_some() {
        bad.push(document.error(
            at!["recipe", index],
            "a recipe has either a `value` to compute or says what is `missing`",
        ));
    }
    let mut expression = |key: &str, text: &Option<String>| {
        let parsed = text.as_deref().map(parse)?;
        parsed.map_err(|problem| bad.push(diagnostic(document, index, key, 0, problem))).ok()
    };
    let (value, rounded) = (expression("value", &raw.value), expression("rounded", &raw.rounded));
    let mut template = |key: &'static str, text: &str| {
        let parsed = Template::parse(key, text);
        parsed
            .map_err(|(at, problem)| bad.push(diagnostic(document, index, key, at, problem)))
            .unwrap_or_default()
    };
    let [measures, note, differs] =
        [("measures", &raw.measures), ("note", &raw.note), ("differs", &raw.differs)]
            .map(|(key, text)| template(key, text));
    if !bad.is_empty() {
        return Err(bad);
    }
    Ok(Recipe {
        index,
        ids: raw.ids.0.clone(),
        statistic: raw.statistic.clone(),
        group: raw.group.clone(),
        value,
        rounded,
        measures,
        note,
        differs,
        deviates: raw.deviates.clone().map(|list| list.0).unwrap_or_default(),
        says: raw.says.clone().map(|list| list.0).unwrap_or_default(),
        missing: raw.missing.clone(),
    })
}

/// A stated statistic as a claim.
pub(super) fn statistic(
    document: &Document,
    index: usize,
    statistic: Statistic,
) -> Result<Claim, Diagnostic> {
    let path = at!["statistic", index, "tolerance"];
    let stated = match (statistic.printed, statistic.tolerance) {
        (Printed::Number(value), Some(tolerance)) if tolerance >= 0.0 => Stated::Number { value, tolerance },
        (Printed::Words(words), None) => Stated::Words(words),
        _ => return Err(document.error(path, "a number has a tolerance of at least 0, words have none")),
    };
    Ok(Claim {
        id: statistic.id,
        section: statistic.stated,
        text: statistic.text,
        models: statistic.models.map(|list| list.0).unwrap_or_default(),
        group: String::new(),
        stated,
        unit: statistic.unit,
        sources: Vec::new(),
        files: Vec::new(),
    })
}

/// Every name of rows that is used exists, and every one that exists is used.
pub(super) fn names(document: &Document, file: &File, recipes: &[Recipe]) -> Vec<Diagnostic> {
    let mut bad = Vec::new();
    let mut used: BTreeSet<&str> = file.recipe.iter().filter_map(|raw| raw.absent.as_deref()).collect();
    for (index, raw) in file.recipe.iter().enumerate() {
        let Some(name) = raw.absent.as_deref() else { continue };
        if !file.rows.get(name).is_some_and(|rows| rows.absent) {
            let place = at!["recipe", index, "absent"];
            bad.push(document.error(place, format!("no rows.{name} with `absent = true`")));
        }
    }
    for recipe in recipes {
        for (name, key, span, offset) in recipe.rows() {
            if file.rows.contains_key(name) {
                used.insert(name);
            } else {
                bad.push(diagnostic(document, recipe.index, key, offset, unknown(name, span, file)));
            }
        }
    }
    for name in file.rows.keys().filter(|name| !used.contains(name.as_str())) {
        bad.push(document.error(at!["rows", name.as_str()], format!("no recipe uses rows.{name}")));
    }
    bad
}

fn unknown(name: &str, span: Range<usize>, file: &File) -> Problem {
    Problem {
        span,
        message: format!("no rows are called {name}"),
        meant: base::nearest::nearest(name, file.rows.keys().map(String::as_str)).map(str::to_string),
    }
}

/// The place of a problem: inside the text where the file writes it without escapes, else the text as a whole.
pub(super) fn diagnostic(
    document: &Document,
    index: usize,
    key: &str,
    offset: usize,
    problem: Problem,
) -> Diagnostic {
    let whole = document.place(at!["recipe", index, key]);
    let inside = whole.start + 1 + offset + problem.span.start..whole.start + 1 + offset + problem.span.end;
    let escaped = document.source.text[whole.clone()].contains('\\');
    let span = if escaped || inside.end > whole.end { whole } else { inside };
    let found = Diagnostic::new(&document.source, span, problem.message);
    match problem.meant {
        Some(word) => found.suggest(format!("did you mean `{word}`?")),
        None => found,
    }
}
