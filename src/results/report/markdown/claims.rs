//! What was printed, and what it is: the reproduction table, by section of the research note.

use super::super::text::cell;
use super::super::view::View;
use super::Page;
use study::claims::{Answer, ClaimOutcome, Outcome};

pub(super) fn section(out: &mut Page, view: &View) {
    let claims: Vec<&ClaimOutcome> = view.claims.iter().collect();
    if claims.is_empty() {
        return;
    }
    out.line("## What was printed, and what it is");
    out.line(
        "Every number and word of the research note, and the statistics behind it, recomputed from the published rows by \
         `data/published/recipes.toml`. A number *reproduces* when the recomputed one lies within the precision it was printed \
         with, a word when the rows say the same; *no data* names what was never published. That a number reproduces says \
         nothing about its name: the last column says what the rows really measure, and in bold where that is not what was \
         claimed. The same table for other tools: `claims.json`, `tables/claims.csv`.",
    );
    let mut sections: Vec<&str> = Vec::new();
    for claim in &claims {
        if !sections.contains(&claim.section.as_str()) {
            sections.push(&claim.section);
        }
    }
    let of = |section: &str| -> Vec<&ClaimOutcome> {
        claims.iter().copied().filter(|claim| claim.section == section).collect()
    };
    let header = ["section", "claims", "reproduces", "… but is something else", "differs", "no data"];
    let mut rows: Vec<Vec<String>> = sections.iter().map(|section| counts(section, &of(section))).collect();
    rows.push(counts("all", &claims));
    out.table(&header, rows);
    deviations(out, &claims);
    for section in sections {
        out.line(&format!("### {}", cell(section)));
        let header = ["", "claim", "printed", "recomputed", "outcome", "what it measures"];
        out.table(&header, of(section).into_iter().map(row));
        definitions(out, &of(section));
    }
}

fn counts(section: &str, claims: &[&ClaimOutcome]) -> Vec<String> {
    let count =
        |keep: &dyn Fn(&ClaimOutcome) -> bool| claims.iter().filter(|claim| keep(claim)).count().to_string();
    vec![
        cell(section),
        claims.len().to_string(),
        count(&|claim| claim.outcome == Outcome::Reproduces),
        count(&|claim| claim.outcome == Outcome::Reproduces && !claim.deviations.is_empty()),
        count(&|claim| claim.outcome == Outcome::Differs),
        count(&|claim| claim.outcome == Outcome::NoData),
    ]
}

/// How numbers are not what they are called, the most frequent first.
fn deviations(out: &mut Page, claims: &[&ClaimOutcome]) {
    let mut found = grouped(claims, |claim| &claim.deviations);
    found.sort_by_key(|(_, ids)| std::cmp::Reverse(ids.len()));
    let header = ["what they are instead", "claims", "which"];
    out.table(
        &header,
        found
            .into_iter()
            .map(|(deviation, ids)| vec![cell(deviation), ids.len().to_string(), ids.join(", ")]),
    );
}

/// What the rows behind a section say of themselves, each once with the claims it concerns.
fn definitions(out: &mut Page, claims: &[&ClaimOutcome]) {
    let found = grouped(claims, |claim| &claim.definitions);
    out.remarks(found.into_iter().map(|(said, ids)| format!("{}: {}", ids.join(", "), cell(said))).collect());
}

/// Ids of the claims that share a remark, in the order of the first.
fn grouped<'a>(
    claims: &[&'a ClaimOutcome],
    of: impl Fn(&'a ClaimOutcome) -> &'a [String],
) -> Vec<(&'a str, Vec<&'a str>)> {
    let mut found: Vec<(&str, Vec<&str>)> = Vec::new();
    for claim in claims {
        for remark in of(claim) {
            match found.iter_mut().find(|(known, _)| known == remark) {
                Some((_, ids)) => ids.push(&claim.id),
                None => found.push((remark, vec![&claim.id])),
            }
        }
    }
    found
}

fn row(claim: &ClaimOutcome) -> Vec<String> {
    let with_unit = |answer: String| {
        if claim.unit.is_empty() || claim.tolerance.is_none() {
            answer
        } else {
            format!("{answer} {}", claim.unit)
        }
    };
    let recomputed =
        claim.recomputed.as_ref().map(|answer| with_unit(answer.to_string())).unwrap_or_default();
    // As it was printed: not to the digits of what is computed here.
    let printed = match &claim.printed {
        Answer::Number(number) => number.to_string(),
        Answer::Words(words) => words.clone(),
    };
    let text = match &claim.models[..] {
        [] => claim.text.clone(),
        models => format!("{} ({})", claim.text, models.join(", ")),
    };
    let mut measures = String::new();
    if !claim.deviations.is_empty() {
        measures += &format!("**{}.** ", cell(&claim.deviations.join("; ")));
    }
    if !claim.measures.is_empty() {
        measures += &cell(&claim.measures);
    }
    if !claim.protocols.is_empty() {
        measures += &format!(" [`{}`]", claim.protocols.join("`, `"));
    }
    if !claim.note.is_empty() {
        measures += &format!(" *{}*", cell(&claim.note));
    }
    vec![
        claim.id.clone(),
        cell(&text),
        cell(&with_unit(printed)),
        cell(&recomputed),
        claim.outcome.to_string(),
        measures.trim().to_string(),
    ]
}
