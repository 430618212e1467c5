//! The table of claims for other tools: JSON and CSV, one record per claim.

use super::ClaimOutcome;

/// The outcomes as they are, a list.
pub fn json(claims: &[ClaimOutcome]) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(claims).unwrap_or_default(); // plain structs always serialise
    bytes.push(b'\n');
    bytes
}

/// Columns as the fields of [`ClaimOutcome`]; lists are joined with `; `, what does not exist is empty.
pub fn csv(claims: &[ClaimOutcome]) -> Vec<u8> {
    let header = [
        "id",
        "section",
        "text",
        "models",
        "printed",
        "unit",
        "tolerance",
        "recomputed",
        "outcome",
        "deviations",
        "measures",
        "protocols",
        "rows",
        "note",
    ];
    let exact = |answer: &super::Answer| match answer {
        super::Answer::Number(number) => number.to_string(),
        super::Answer::Words(words) => words.clone(),
    };
    let rows = claims.iter().map(|claim| {
        [
            claim.id.clone(),
            claim.section.clone(),
            claim.text.clone(),
            claim.models.join("; "),
            exact(&claim.printed),
            claim.unit.clone(),
            claim.tolerance.map(|tolerance| tolerance.to_string()).unwrap_or_default(),
            claim.recomputed.as_ref().map(exact).unwrap_or_default(),
            claim.outcome.to_string(),
            claim.deviations.join("; "),
            claim.measures.clone(),
            claim.protocols.join("; "),
            claim.rows.to_string(),
            claim.note.clone(),
        ]
    });
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Every record has the header's length and goes to memory, so neither a write nor the flush can fail.
    let written =
        std::iter::once(header.map(str::to_string)).chain(rows).try_for_each(|row| writer.write_record(row));
    debug_assert!(written.is_ok());
    writer.into_inner().unwrap_or_default()
}
