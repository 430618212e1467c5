//! recipes.toml: how each claim is recomputed, and the statistics behind the note that claims.csv lacks.
//!
//! `[rows.NAME]` selects rows, `[[recipe]]` says what to compute from them for one or several claims, `[[statistic]]`
//! states a number that was printed elsewhere. Mistakes are told with their place.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;

use serde::Deserialize;

use super::evaluate::Rows;
use super::expression::{Expression, Problem, parse};
use super::selection::{List, Selection};
use crate::config::document::{Document, at};
use crate::config::{Diagnostic, Report};
use crate::published::tables::{Claim, Stated};
use number::index::EvidenceIndex;

/// Name of the file beside the tables.
pub const FILE: &str = "recipes.toml";

/// The file, checked against itself.
pub(super) struct Recipes {
    document: Document,
    rows: BTreeMap<String, Selection>,
    pub statistics: Vec<Claim>,
    pub recipes: Vec<Recipe>,
}

/// What is computed for one or several claims.
pub(super) struct Recipe {
    /// Which of the file's recipes, from 0.
    index: usize,
    pub ids: Vec<String>,
    pub value: Option<Expression>,
    /// The same from inputs rounded as they were printed.
    pub rounded: Option<Expression>,
    pub measures: Template,
    pub note: Template,
    pub deviates: Vec<String>,
    /// Deviations that the claim's own words already say.
    pub says: Vec<String>,
    /// What was not published; where nothing can be recomputed.
    pub missing: Option<String>,
}

/// A sentence with expressions in braces.
#[derive(Default)]
pub(super) struct Template {
    key: &'static str,
    pub pieces: Vec<Piece>,
}

pub(super) enum Piece {
    Text(String),
    /// The expression, and where its text begins in the sentence.
    Value(Expression, usize),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    rows: BTreeMap<String, Selection>,
    recipe: Vec<Raw>,
    #[serde(default)]
    statistic: Vec<Statistic>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    ids: List,
    value: Option<String>,
    rounded: Option<String>,
    #[serde(default)]
    measures: String,
    #[serde(default)]
    note: String,
    deviates: Option<List>,
    says: Option<List>,
    missing: Option<String>,
    absent: Option<String>,
}

/// A number or word printed outside the note's claims.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Statistic {
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

impl Recipes {
    /// Reads the file beside the tables of `folder`.
    pub(super) fn read(folder: &Path) -> Result<Recipes, Report> {
        Document::open(&folder.join(FILE)).and_then(Recipes::of).map_err(report)
    }

    fn of(document: Document) -> Result<Recipes, Vec<Diagnostic>> {
        let file: File = document.decode().map_err(|error| vec![error])?;
        let mut bad = Vec::new();
        let mut recipes = Vec::new();
        for (index, raw) in file.recipe.iter().enumerate() {
            match recipe(&document, index, raw) {
                Ok(recipe) => recipes.push(recipe),
                Err(errors) => bad.extend(errors),
            }
        }
        bad.extend(names(&document, &file, &recipes));
        let statistics = file.statistic.into_iter().enumerate().map(|(index, statistic)| {
            let path = at!["statistic", index, "tolerance"];
            let stated = match (statistic.printed, statistic.tolerance) {
                (Printed::Number(value), Some(tolerance)) if tolerance >= 0.0 => {
                    Ok(Stated::Number { value, tolerance })
                }
                (Printed::Words(words), None) => Ok(Stated::Words(words)),
                _ => Err(document.error(path, "a number has a tolerance of at least 0, words have none")),
            }?;
            Ok(Claim {
                id: statistic.id,
                section: statistic.stated,
                text: statistic.text,
                models: statistic.models.map(|list| list.0).unwrap_or_default(),
                stated,
                unit: statistic.unit,
                sources: Vec::new(),
                files: Vec::new(),
            })
        });
        let (statistics, wrong): (Vec<_>, Vec<_>) = statistics.partition(Result::is_ok);
        bad.extend(wrong.into_iter().filter_map(Result::err));
        let statistics = statistics.into_iter().filter_map(Result::ok).collect();
        if bad.is_empty() { Ok(Recipes { document, rows: file.rows, statistics, recipes }) } else { Err(bad) }
    }

    /// Every claim and statistic with its recipe, in their order. Each has one, and no recipe is about another.
    pub(super) fn pair<'a>(&'a self, claims: &'a [Claim]) -> Result<Vec<(&'a Claim, &'a Recipe)>, Report> {
        let mut bad = Vec::new();
        let mut of: BTreeMap<&str, &Recipe> = BTreeMap::new();
        let stated: BTreeSet<&str> =
            claims.iter().chain(&self.statistics).map(|claim| claim.id.as_str()).collect();
        if stated.len() < claims.len() + self.statistics.len() {
            bad.push(Diagnostic::of_file(&self.document.source, "a statistic has the id of another claim"));
        }
        for recipe in &self.recipes {
            let place = at!["recipe", recipe.index, "ids"];
            for id in &recipe.ids {
                if !stated.contains(id.as_str()) {
                    bad.push(
                        self.document
                            .error(place, format!("{id} is no claim of claims.csv and no statistic")),
                    );
                }
                if of.insert(id, recipe).is_some() {
                    bad.push(self.document.error(place, format!("{id} has a recipe above")));
                }
            }
        }
        let mut pairs = Vec::new();
        for claim in claims.iter().chain(&self.statistics) {
            match of.get(claim.id.as_str()) {
                Some(recipe) => pairs.push((claim, *recipe)),
                None => bad.push(Diagnostic::of_file(
                    &self.document.source,
                    format!("{} ({}) has no recipe; add one, or say what is missing", claim.id, claim.text),
                )),
            }
        }
        if bad.is_empty() { Ok(pairs) } else { Err(report(bad)) }
    }

    /// Looks all selections up. A selection without rows is an error, unless its absence is the point.
    pub(super) fn select<'a>(&self, index: &EvidenceIndex<'a>) -> Result<Rows<'a>, Report> {
        let mut bad = Vec::new();
        let mut found = Rows::new();
        for (name, selection) in &self.rows {
            match selection.select(index) {
                Ok(selected) => {
                    found.insert(name.clone(), selected);
                }
                Err(refused) => {
                    let place = at!["rows", name.as_str(), refused.key];
                    bad.push(self.document.error(place, format!("rows.{name}: {}", refused.message)));
                }
            }
        }
        if bad.is_empty() { Ok(found) } else { Err(report(bad)) }
    }

    /// A problem in one of a recipe's expressions, with its place.
    pub(super) fn place(&self, recipe: &Recipe, key: &str, offset: usize, problem: Problem) -> Report {
        report(vec![diagnostic(&self.document, recipe.index, key, offset, problem)])
    }
}

impl Template {
    pub(super) fn key(&self) -> &'static str {
        self.key
    }

    fn parse(key: &'static str, text: &str) -> Result<Template, (usize, Problem)> {
        let mut pieces = Vec::new();
        let mut at = 0;
        while let Some(open) = text[at..].find('{').map(|n| at + n) {
            let Some(close) = text[open..].find('}').map(|n| open + n) else {
                return Err((open, Problem::new(0..1, "this { has no }")));
            };
            pieces.push(Piece::Text(text[at..open].to_string()));
            let expression = parse(&text[open + 1..close]).map_err(|problem| (open + 1, problem))?;
            pieces.push(Piece::Value(expression, open + 1));
            at = close + 1;
        }
        pieces.push(Piece::Text(text[at..].to_string()));
        Ok(Template { key, pieces })
    }

    fn rows(&self) -> impl Iterator<Item = (&str, Range<usize>, usize)> {
        self.pieces
            .iter()
            .filter_map(|piece| match piece {
                Piece::Value(expression, at) => Some((expression, *at)),
                Piece::Text(_) => None,
            })
            .flat_map(|(expression, at)| {
                expression.rows().into_iter().map(move |(name, span)| (name, span, at))
            })
    }
}

fn recipe(document: &Document, index: usize, raw: &Raw) -> Result<Recipe, Vec<Diagnostic>> {
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
    let (measures, note) = (template("measures", &raw.measures), template("note", &raw.note));
    if !bad.is_empty() {
        return Err(bad);
    }
    Ok(Recipe {
        index,
        ids: raw.ids.0.clone(),
        value,
        rounded,
        measures,
        note,
        deviates: raw.deviates.clone().map(|list| list.0).unwrap_or_default(),
        says: raw.says.clone().map(|list| list.0).unwrap_or_default(),
        missing: raw.missing.clone(),
    })
}

/// Every name of rows that is used exists, and every one that exists is used.
fn names(document: &Document, file: &File, recipes: &[Recipe]) -> Vec<Diagnostic> {
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
        let of =
            |key: &'static str, expression: &'_ Option<Expression>| -> Vec<(&'static str, usize, Problem)> {
                let rows = expression.iter().flat_map(Expression::rows);
                rows.filter(|(name, _)| !file.rows.contains_key(*name))
                    .map(|(name, span)| (key, 0, unknown(name, span, file)))
                    .collect()
            };
        let mut problems = [of("value", &recipe.value), of("rounded", &recipe.rounded)].concat();
        for template in [&recipe.measures, &recipe.note] {
            for (name, span, at) in template.rows() {
                if file.rows.contains_key(name) {
                    used.insert(name);
                } else {
                    problems.push((template.key, at, unknown(name, span, file)));
                }
            }
        }
        used.extend(
            recipe.value.iter().chain(&recipe.rounded).flat_map(Expression::rows).map(|(name, _)| name),
        );
        bad.extend(
            problems
                .into_iter()
                .map(|(key, at, problem)| diagnostic(document, recipe.index, key, at, problem)),
        );
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
        meant: crate::config::report::nearest(name, file.rows.keys().map(String::as_str)).map(str::to_string),
    }
}

/// The place of a problem: inside the text where the file writes it without escapes, else the text as a whole.
fn diagnostic(document: &Document, index: usize, key: &str, offset: usize, problem: Problem) -> Diagnostic {
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

fn report(diagnostics: Vec<Diagnostic>) -> Report {
    Report { diagnostics, files: 1 }
}
