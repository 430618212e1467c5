//! Claims beside what their rows give.

use std::path::Path;

use super::evaluate::{Rows, answer};
use super::expression::Expression;
use super::measured;
use super::outcome::{Answer, ClaimOutcome, ClaimsError, Outcome, shown};
use super::recipes::{FILE, OF_STATISTICS, Piece, Recipe, Recipes, Template};
use crate::config::Report;
use crate::published::tables::{Claim, STATISTICS, Stated, printed_claims, printed_statistics};
use number::index::EvidenceIndex;

/// Recomputes every claim of `folder`, from whose tables the rows of `index` were imported: claims.csv in its order, then the
/// statistics of recipes.toml.
///
/// # Errors
/// A claim without a recipe, a recipe without a claim, and every selection without rows.
pub fn reproduce(folder: &Path, index: &EvidenceIndex<'_>) -> Result<Vec<ClaimOutcome>, ClaimsError> {
    let claims = printed_claims(folder)?;
    let recipes = Recipes::read(folder, FILE).map_err(ClaimsError::Toml)?;
    recompute(&claims, &recipes, index).map_err(ClaimsError::Toml)
}

/// Recomputes every statistic of statistics.csv, in its order; none where the folder has neither that table nor its recipes.
///
/// # Errors
/// Those of [`reproduce`].
pub fn reproduce_statistics(
    folder: &Path,
    index: &EvidenceIndex<'_>,
) -> Result<Vec<ClaimOutcome>, ClaimsError> {
    if ![STATISTICS, OF_STATISTICS].iter().any(|name| folder.join(name).exists()) {
        return Ok(Vec::new());
    }
    let mut statistics = printed_statistics(folder)?;
    let recipes = Recipes::read(folder, OF_STATISTICS).map_err(ClaimsError::Toml)?;
    let known = |id: &String| index.table.models.iter().any(|model| model.id == *id);
    for statistic in &mut statistics {
        let named = recipes.names(&statistic.group);
        let models = named.iter().all(known);
        statistic.models = if models { named } else { vec![statistic.group.clone()] };
    }
    recompute(&statistics, &recipes, index).map_err(ClaimsError::Toml)
}

/// The outcome of every claim, in their order; the statistics of the recipes follow.
fn recompute(
    claims: &[Claim],
    recipes: &Recipes,
    index: &EvidenceIndex<'_>,
) -> Result<Vec<ClaimOutcome>, Report> {
    let of_all = recipes.select(index)?;
    let mut outcomes = Vec::new();
    let mut wrong = Report::default();
    for (claim, recipe) in recipes.pair(claims)? {
        let rows = recipes.rows_of(recipe, claim, &of_all, index);
        match rows.and_then(|rows| one(claim, recipe, recipes, &rows, index)) {
            Ok(outcome) => outcomes.push(outcome),
            Err(report) => {
                wrong.diagnostics.extend(report.diagnostics);
                wrong.files = report.files;
            }
        }
    }
    if wrong.diagnostics.is_empty() { Ok(outcomes) } else { Err(wrong) }
}

fn one(
    claim: &Claim,
    recipe: &Recipe,
    recipes: &Recipes,
    rows: &Rows,
    index: &EvidenceIndex<'_>,
) -> Result<ClaimOutcome, Report> {
    let compute = |key: &str, expression: &Option<Expression>| {
        let computed = expression.as_ref().map(|expression| answer(expression, rows));
        computed.transpose().map_err(|problem| recipes.place(recipe, key, 0, problem))
    };
    let fill = |template: &Template| sentence(template, recipe, recipes, rows);
    let recomputed = compute("value", &recipe.value)?;
    let rounded = compute("rounded", &recipe.rounded)?;
    let outcome = match &recomputed {
        None => Outcome::NoData,
        Some(answer) if agrees(answer, &claim.stated) => Outcome::Reproduces,
        Some(_) => Outcome::Differs,
    };
    let behind = measured::Behind::of(recipe.value.as_ref(), rows);
    let mut measures = behind.words(index.table);
    let said = fill(&recipe.measures)?;
    if !said.is_empty() {
        measures = if measures.is_empty() { said } else { format!("{measures}. {said}") };
    }
    let mut deviations = behind.deviations(claim, index.table);
    deviations.extend(recipe.deviates.iter().cloned());
    let mut note: Vec<String> = recipe.missing.iter().map(|what| format!("Missing: {what}.")).collect();
    if let Some(rounded) = rounded {
        let fits = agrees(&rounded, &claim.stated);
        if fits && outcome == Outcome::Differs {
            deviations.push("computed from rounded numbers".to_string());
        }
        let so = if fits { "as printed" } else { "not what was printed either" };
        note.push(format!("From inputs rounded as they were printed: {}, {so}.", shown(&rounded)));
    }
    let differs = if outcome == Outcome::Differs { fill(&recipe.differs)? } else { String::new() };
    note.push(fill(&recipe.note)?);
    note.retain(|part| !part.is_empty());
    deviations.retain(|deviation| !recipe.says.contains(deviation));
    let (printed, tolerance) = match &claim.stated {
        Stated::Number { value, tolerance } => (Answer::Number(*value), Some(*tolerance)),
        Stated::Words(words) => (Answer::Words(words.clone()), None),
    };
    Ok(ClaimOutcome {
        id: claim.id.clone(),
        section: claim.section.clone(),
        text: claim.text.clone(),
        models: claim.models.clone(),
        group: claim.group.clone(),
        printed,
        unit: claim.unit.clone(),
        tolerance,
        recomputed,
        outcome,
        measures,
        definitions: behind.definitions(),
        deviations,
        protocols: behind.protocols(),
        rows: behind.count(),
        differs,
        note: note.join(" "),
    })
}

/// Numbers within the printed tolerance; words whatever their case.
fn agrees(answer: &Answer, stated: &Stated) -> bool {
    match (answer, stated) {
        // 0.245 is not exactly half way between its neighbours: the slack is for that, far below any printed digit.
        (Answer::Number(found), Stated::Number { value, tolerance }) => {
            (found - value).abs() <= tolerance + 1e-12 * value.abs()
        }
        (Answer::Words(found), Stated::Words(words)) => found.eq_ignore_ascii_case(words),
        _ => false,
    }
}

fn sentence(template: &Template, recipe: &Recipe, recipes: &Recipes, rows: &Rows) -> Result<String, Report> {
    let mut text = String::new();
    for piece in &template.pieces {
        match piece {
            Piece::Text(words) => text += words,
            Piece::Value(expression, at) => {
                let value = answer(expression, rows)
                    .map_err(|problem| recipes.place(recipe, template.key(), *at, problem))?;
                text += &shown(&value);
            }
        }
    }
    Ok(text)
}
