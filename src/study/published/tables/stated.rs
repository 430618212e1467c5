//! claims.csv: what the research note states, with the precision it prints. Claims are to be reproduced; they are no
//! measurements and no row of the evidence table comes from them.

use std::collections::BTreeSet;
use std::path::Path;

use super::bounds::{Bounds, Numbers};
use super::error::EvidenceError;
use super::sheet::{Row, Sheet};

const NUMBERS: Numbers = &[("tolerance", Bounds::NotNegative)];

const COLUMNS: &[&str] = &[
    "claim_id",
    "section",
    "text",
    "models",
    "value",
    "unit",
    "tolerance",
    "backing_source",
    "backing_file",
];

/// One statement of the research note.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// E.g. `C017`; claims are in the order of their ids.
    pub id: String,
    /// Section of the research note that states it.
    pub section: String,
    /// The statement in the note's words.
    pub text: String,
    /// As written: mostly model ids, also `all` or `4 models`; none for a claim about no model.
    pub models: Vec<String>,
    /// Of a statistic: what it is about, in the words of its file, e.g. `Gemma-7B/Factual`. Empty of the note's claims.
    pub group: String,
    /// What it says of the numbers.
    pub stated: Stated,
    /// Empty where the note gives none.
    pub unit: String,
    /// Sources of the rows behind it; empty where nothing backs it.
    pub sources: Vec<String>,
    /// Files of the research that the numbers behind it are in; likewise.
    pub files: Vec<String>,
}

/// What a claim states.
#[derive(Clone, Debug, PartialEq)]
pub enum Stated {
    /// A number and how far a recomputed one may be off to print alike.
    Number {
        /// As printed.
        value: f64,
        /// In the claim's unit.
        tolerance: f64,
    },
    /// A verdict, a rule, a range, a name.
    Words(String),
}

/// Reads claims.csv of a folder, in its order.
///
/// # Errors
/// When the table cannot be read. A number without a tolerance is an error, and so is the reverse.
pub fn printed_claims(folder: &Path) -> Result<Vec<Claim>, EvidenceError> {
    read(folder, |_| true)
}

/// Reads the claims and asks that every source named behind one is known.
pub(super) fn check(folder: &Path, sources: &BTreeSet<&str>) -> Result<(), EvidenceError> {
    read(folder, |source| sources.contains(source) || source.contains('/')).map(|_| ())
}

fn read(folder: &Path, known: impl Fn(&str) -> bool) -> Result<Vec<Claim>, EvidenceError> {
    let sheet = Sheet::read(folder, "claims.csv", COLUMNS, NUMBERS)?;
    let mut found: Vec<Claim> = Vec::new();
    for row in sheet.rows() {
        let claim = claim(row)?;
        if found.last().is_some_and(|before| before.id >= claim.id) {
            return Err(row.bad("claim_id", "an id after the one above"));
        }
        if claim.sources.iter().any(|source| !known(source)) {
            return Err(row.bad("backing_source", "sources of imported rows, the path of a file, or none"));
        }
        found.push(claim);
    }
    Ok(found)
}

fn claim(row: Row<'_>) -> Result<Claim, EvidenceError> {
    let value = row.required("value")?;
    let stated = match (value.parse::<f64>(), row.number("tolerance")?) {
        (Ok(value), Some(tolerance)) if value.is_finite() && tolerance >= 0.0 => {
            Stated::Number { value, tolerance }
        }
        (Err(_), None) => Stated::Words(value.to_string()),
        (Ok(_), _) => return Err(row.bad("tolerance", "a tolerance of at least 0 beside a finite number")),
        (Err(_), Some(_)) => return Err(row.bad("value", "a number beside a tolerance")),
    };
    let list = |column: &str, none: &str| -> Result<Vec<String>, EvidenceError> {
        let text = row.required(column)?;
        Ok(text.split("; ").filter(|part| *part != none).map(str::to_string).collect())
    };
    Ok(Claim {
        id: row.required("claim_id")?.to_string(),
        section: row.required("section")?.to_string(),
        text: row.required("text")?.to_string(),
        models: list("models", "-")?,
        group: String::new(),
        stated,
        unit: row.text("unit").to_string(),
        sources: list("backing_source", "none")?,
        files: list("backing_file", "none")?,
    })
}
