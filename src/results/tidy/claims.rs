//! Reproduced claims and statistics as CSV rows.

use super::verdicts::{csv, number};
use study::published::claims::{Answer, ClaimOutcome};

fn answer(answer: &Answer) -> String {
    match answer {
        Answer::Number(value) => number(Some(*value)),
        Answer::Words(words) => words.clone(),
    }
}

/// `printed_statistics.csv`.
pub fn printed_statistics(statistics: &[ClaimOutcome]) -> Vec<u8> {
    csv("printed_statistics", |rows| {
        rows.extend(statistics.iter().map(|one| {
            vec![
                one.id.clone(),
                one.section.clone(),
                one.group.clone(),
                one.text.clone(),
                answer(&one.printed),
                number(one.tolerance),
                one.recomputed.as_ref().map(answer).unwrap_or_default(),
                one.outcome.to_string(),
                one.differs.clone(),
                one.deviations.join("; "),
                one.measures.clone(),
                one.protocols.join(" and "),
                one.rows.to_string(),
                one.note.clone(),
            ]
        }));
    })
}

/// `claims.csv`.
pub fn claims(claims: &[ClaimOutcome]) -> Vec<u8> {
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
