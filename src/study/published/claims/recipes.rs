//! How each claim is recomputed: recipes.toml for the claims of the note and the statistics behind it that claims.csv lacks,
//! statistics.toml for statistics.csv.
//!
//! `[rows.NAME]` selects rows, `[[recipe]]` says what to compute from them for one or several claims, `[[statistic]]`
//! states a number that was printed elsewhere, `[names]` says which models the groups of statistics.csv are. Mistakes are
//! told with their place.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;

use super::evaluate::Rows;
use super::expression::{Expression, Problem, parse};
use super::file::{self, File, diagnostic};
use super::selection::{List, Refused, Selection};
use crate::config::document::{Document, at};
use crate::config::{Diagnostic, Report};
use crate::published::tables::Claim;
use number::index::EvidenceIndex;

/// Name of the file beside the tables that is about claims.csv.
pub const FILE: &str = "recipes.toml";

/// Name of the file beside the tables that is about statistics.csv.
pub const OF_STATISTICS: &str = "statistics.toml";

/// The file, checked against itself.
pub(super) struct Recipes {
    document: Document,
    names: BTreeMap<String, List>,
    rows: BTreeMap<String, Selection>,
    pub statistics: Vec<Claim>,
    pub recipes: Vec<Recipe>,
}

/// What is computed for one or several claims.
pub(super) struct Recipe {
    /// Which of the file's recipes, from 0.
    pub index: usize,
    /// Ids and ranges of ids, e.g. `S0001-S0016`.
    pub ids: Vec<String>,
    /// Of these ids only those called one of these; all where there is none.
    pub statistic: Vec<String>,
    /// Of these ids only those about one of these; all where there is none.
    pub group: Vec<String>,
    pub value: Option<Expression>,
    /// The same from inputs rounded as they were printed.
    pub rounded: Option<Expression>,
    pub measures: Template,
    pub note: Template,
    /// Why the printed value is another, where it is.
    pub differs: Template,
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

impl Recipes {
    /// Reads a file beside the tables of `folder`.
    pub(super) fn read(folder: &Path, name: &str) -> Result<Recipes, Report> {
        Document::open(&folder.join(name)).and_then(Recipes::of).map_err(report)
    }

    fn of(document: Document) -> Result<Recipes, Vec<Diagnostic>> {
        let file: File = document.decode().map_err(|error| vec![error])?;
        let mut bad = Vec::new();
        let mut recipes = Vec::new();
        for (index, raw) in file.recipe.iter().enumerate() {
            match file::recipe(&document, index, raw) {
                Ok(recipe) => recipes.push(recipe),
                Err(errors) => bad.extend(errors),
            }
        }
        bad.extend(file::names(&document, &file, &recipes));
        let mut statistics = Vec::new();
        for (index, statistic) in file.statistic.into_iter().enumerate() {
            match file::statistic(&document, index, statistic) {
                Ok(claim) => statistics.push(claim),
                Err(error) => bad.push(error),
            }
        }
        if !bad.is_empty() {
            return Err(bad);
        }
        Ok(Recipes { document, names: file.names, rows: file.rows, statistics, recipes })
    }

    /// Every claim and statistic with its recipe, in their order. Each has one, and no recipe is about another.
    pub(super) fn pair<'a>(&'a self, claims: &'a [Claim]) -> Result<Vec<(&'a Claim, &'a Recipe)>, Report> {
        let mut bad = Vec::new();
        let mut of: BTreeMap<&str, &Recipe> = BTreeMap::new();
        let all: Vec<&Claim> = claims.iter().chain(&self.statistics).collect();
        let stated: BTreeSet<&str> = all.iter().map(|claim| claim.id.as_str()).collect();
        if stated.len() < all.len() {
            bad.push(Diagnostic::of_file(&self.document.source, "a statistic has the id of another claim"));
        }
        for recipe in &self.recipes {
            let wrong = |key: &'static str, message: String| {
                self.document.error(at!["recipe", recipe.index, key], message)
            };
            for id in recipe.ids.iter().filter(|id| !stated.iter().any(|known| within(id, known))) {
                bad.push(wrong("ids", format!("{id} is no claim of claims.csv and no statistic")));
            }
            let named: Vec<&&Claim> = all.iter().filter(|claim| recipe.has(&claim.id)).collect();
            for (key, words, get) in [
                ("statistic", &recipe.statistic, (|claim| &claim.text) as fn(&Claim) -> &String),
                ("group", &recipe.group, |claim| &claim.group),
            ] {
                for word in words.iter().filter(|word| !named.iter().any(|claim| get(claim) == *word)) {
                    bad.push(wrong(key, format!("no {key} of these ids is called {word:?}")));
                }
            }
            for claim in named.into_iter().filter(|claim| recipe.is_about(claim)) {
                if of.insert(&claim.id, recipe).is_some() {
                    bad.push(wrong("ids", format!("{} has a recipe above", claim.id)));
                }
            }
        }
        let mut pairs = Vec::new();
        for claim in all {
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

    /// Looks all selections up that are the same for every claim. A selection without rows is an error, unless its absence is
    /// the point.
    pub(super) fn select<'a>(&self, index: &EvidenceIndex<'a>) -> Result<Rows<'a>, Report> {
        let mut bad = Vec::new();
        let mut found = Rows::new();
        for (name, selection) in self.rows.iter().filter(|(_, selection)| !selection.has_blanks()) {
            match selection.select(index) {
                Ok(selected) => {
                    found.insert(name.clone(), selected);
                }
                Err(refused) => bad.push(self.refused(name, "", refused)),
            }
        }
        if bad.is_empty() { Ok(found) } else { Err(report(bad)) }
    }

    /// The selections that a recipe names, for one claim: `of_all` are those of [`Recipes::select`].
    pub(super) fn rows_of<'a>(
        &self,
        recipe: &Recipe,
        claim: &Claim,
        of_all: &Rows<'a>,
        index: &EvidenceIndex<'a>,
    ) -> Result<Rows<'a>, Report> {
        let mut found = Rows::new();
        for name in recipe.rows().map(|(name, ..)| name) {
            let selected = match (of_all.get(name), self.rows.get(name)) {
                (Some(selected), _) => selected.clone(),
                (None, Some(selection)) => {
                    let filled = selection.filled(&claim.group, &self.names);
                    let about = format!(" for {}", claim.group);
                    filled
                        .select(index)
                        .map_err(|refused| report(vec![self.refused(name, &about, refused)]))?
                }
                // Every name was checked when the file was read.
                (None, None) => continue,
            };
            found.insert(name.to_string(), selected);
        }
        Ok(found)
    }

    /// What a group of statistics.csv stands for; the group itself where `[names]` does not have it.
    pub(super) fn names(&self, group: &str) -> Vec<String> {
        let first = group.split_once('/').map_or(group, |(first, _)| first);
        let known = self.names.get(group).or_else(|| self.names.get(first));
        known.map_or_else(|| vec![group.to_string()], |list| list.0.clone())
    }

    fn refused(&self, name: &str, about: &str, refused: Refused) -> Diagnostic {
        let place = at!["rows", name, refused.key];
        self.document.error(place, format!("rows.{name}{about}: {}", refused.message))
    }

    /// A problem in one of a recipe's expressions, with its place.
    pub(super) fn place(&self, recipe: &Recipe, key: &str, offset: usize, problem: Problem) -> Report {
        report(vec![diagnostic(&self.document, recipe.index, key, offset, problem)])
    }
}

/// Whether an id is one, or lies in a range of ids such as `S0001-S0016`.
fn within(ids: &str, id: &str) -> bool {
    ids.split_once('-').map_or(ids == id, |(first, last)| (first..=last).contains(&id))
}

impl Recipe {
    fn has(&self, id: &str) -> bool {
        self.ids.iter().any(|ids| within(ids, id))
    }

    fn is_about(&self, claim: &Claim) -> bool {
        let among = |words: &[String], word: &String| words.is_empty() || words.contains(word);
        self.has(&claim.id) && among(&self.statistic, &claim.text) && among(&self.group, &claim.group)
    }

    /// Names of the selections in it, each with its key, its place in an expression and where that begins in the key's text.
    pub(super) fn rows(&self) -> impl Iterator<Item = (&str, &'static str, Range<usize>, usize)> {
        let computed = [("value", &self.value), ("rounded", &self.rounded)].into_iter();
        let computed = computed.flat_map(|(key, expression)| {
            let names = expression.iter().flat_map(Expression::rows);
            names.map(move |(name, span)| (name, key, span, 0))
        });
        let sentences = [&self.measures, &self.note, &self.differs];
        let said = sentences
            .into_iter()
            .flat_map(|template| template.rows().map(|(name, span, at)| (name, template.key, span, at)));
        computed.chain(said)
    }
}

impl Template {
    pub(super) fn key(&self) -> &'static str {
        self.key
    }

    pub(super) fn parse(key: &'static str, text: &str) -> Result<Template, (usize, Problem)> {
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

fn report(diagnostics: Vec<Diagnostic>) -> Report {
    Report { diagnostics, files: 1 }
}
