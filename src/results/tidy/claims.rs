//! Reproduced claims as CSV rows.

use super::verdicts::{csv, number};
use study::published::claims::{Answer, ClaimOutcome};

/// `claims.csv`.
pub fn claims(claims: &[ClaimOutcome]) -> Vec<u8> {
    let answer = |answer: &Answer| match answer {
        Answer::Number(value) => number(Some(*value)),
        Answer::Words(words) => words.clone(),
    };
    csv("claims", |rows| {
        rows.extend(claims.iter().map(|claim| {
            vec![
                claim.id.clone(),
                claim.section.clone(),
                claim.text.clone(),
                claim.models.join("; "),
                answer(&claim.printed),
                claim.unit.clone(),
                number(claim.tolerance),
                claim.recomputed.as_ref().map(answer).unwrap_or_default(),
                claim.outcome.to_string(),
                claim.deviations.join("; "),
                claim.measures.clone(),
                claim.definitions.join("; "),
                claim.protocols.join(" and "),
                claim.rows.to_string(),
                claim.note.clone(),
            ]
        }));
    })
}
