//! What the paper printed, and what it is: every claim beside what the rows behind it give, and what it really measures.

use crate::report::document::{
    Block, Cell, Digits, Group, Line, Page, Role, Span, Table, code, column, count, emphasis, line, number,
    or_dash, paragraph, prose, protocol_links, remarks, row, strong,
};
use crate::report::pages::context::RenderContext;
use number::protocol::Protocol;
use study::published::claims::{Answer, ClaimOutcome, Outcome};

pub(in crate::report::pages) fn pages(context: &RenderContext<'_>) -> Vec<Page> {
    let claims = &context.view.claims;
    if claims.is_empty() {
        return Vec::new();
    }
    let mut blocks = vec![Block::text(Role::Lead, lead(claims)), about()];
    for table in [by_section(claims), instead(claims)] {
        if !table.rows.is_empty() {
            blocks.push(Block::folded(table));
        }
    }
    let columns = [
        column("id"),
        column("claim"),
        column("printed"),
        column("recomputed"),
        column("protocols"),
        column("outcome").pick(),
        column("what it really measures"),
        column("rows"),
    ];
    let every = Table::new("Every printed claim beside its recomputed value", columns);
    blocks.push(Block::Table(every.filtered().with(claims.iter().map(claim))));
    let said = grouped(claims, |claim| &claim.definitions);
    let said: Vec<Line> =
        said.into_iter().map(|(said, ids)| line![ids.join(", "), ": ", prose(said)]).collect();
    if !said.is_empty() {
        blocks.push(Block::heading("How the sources define what they print"));
    }
    blocks.extend(remarks(said));
    vec![Page {
        id: "claims".into(),
        group: Group::Report,
        label: ("Claims".into(), String::new()),
        kicker: Line::default(),
        title: "What was printed, and what it is".into(),
        blocks,
    }]
}

fn lead(claims: &[ClaimOutcome]) -> Line {
    let with = |outcome: Outcome| claims.iter().filter(|claim| claim.outcome == outcome).count();
    let deviating = claims.iter().filter(|claim| !claim.deviations.is_empty()).count();
    let sentences = claims.iter().filter(|claim| claim.id.starts_with('C')).count();
    let mut lead = line![
        "Of ",
        count(claims.len()),
        " printed numbers and words (",
        count(sentences),
        " of the note, C; ",
        count(claims.len() - sentences),
        " statistics published beside it, S), ",
        strong(count(with(Outcome::Reproduces))),
        " reproduce from the rows behind them, ",
        strong(count(with(Outcome::Differs))),
        " differ, and for ",
        strong(count(with(Outcome::NoData))),
        " nothing was published to recompute them from."
    ];
    if deviating > 0 {
        lead.push(line![
            " For ",
            count(deviating),
            " the number is not what its sentence says; how, stands beside it."
        ]);
    }
    lead
}

fn about() -> Block {
    paragraph(line![
        "Recomputed from the published rows by ",
        code("data/published/recipes.toml"),
        ". A number ",
        emphasis("reproduces"),
        " when the recomputed one lies within the precision it was printed with, a word when the rows say the same; ",
        emphasis("no data"),
        " names what was never published. That a number reproduces says nothing about its name: what the rows really measure \
         stands in a column of its own. The same table for other tools: ",
        code("claims.json"),
        ", ",
        code("tables/claims.csv"),
        "."
    ])
}

fn by_section(claims: &[ClaimOutcome]) -> Table {
    let mut sections: Vec<&str> = Vec::new();
    for claim in claims {
        if !sections.contains(&claim.section.as_str()) {
            sections.push(&claim.section);
        }
    }
    let counts = |name: &str, claims: &[&ClaimOutcome]| {
        let those =
            |keep: &dyn Fn(&ClaimOutcome) -> bool| count(claims.iter().filter(|claim| keep(claim)).count());
        row![
            Cell::head(name),
            count(claims.len()),
            those(&|claim| claim.outcome == Outcome::Reproduces),
            those(&|claim| claim.outcome == Outcome::Reproduces && !claim.deviations.is_empty()),
            those(&|claim| claim.outcome == Outcome::Differs),
            those(&|claim| claim.outcome == Outcome::NoData)
        ]
    };
    let of = |section: &str| claims.iter().filter(|claim| claim.section == section).collect::<Vec<_>>();
    let mut rows: Vec<Vec<Cell>> = sections.iter().map(|section| counts(section, &of(section))).collect();
    rows.push(counts("all", &claims.iter().collect::<Vec<_>>()));
    let columns =
        ["section", "claims", "reproduce", "… but are something else", "differ", "no data"].map(column);
    Table::new("Claims by section of the note", columns).with(rows)
}

/// How numbers are not what they are called, the most frequent first.
fn instead(claims: &[ClaimOutcome]) -> Table {
    let mut found = grouped(claims, |claim| &claim.deviations);
    found.sort_by_key(|(_, ids)| std::cmp::Reverse(ids.len()));
    let rows = found
        .into_iter()
        .map(|(deviation, ids)| row![Cell::head(prose(deviation)), count(ids.len()), ids.join(", ")]);
    Table::new("What printed numbers are instead", ["what they are instead", "claims", "which"].map(column))
        .with(rows)
}

/// Ids of the claims that share a remark, in the order of the first.
fn grouped(claims: &[ClaimOutcome], of: impl Fn(&ClaimOutcome) -> &[String]) -> Vec<(&str, Vec<&str>)> {
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

fn claim(claim: &ClaimOutcome) -> Vec<Cell> {
    let protocols: Vec<Protocol> = claim.protocols.iter().filter_map(|text| text.parse().ok()).collect();
    let named = match protocols.is_empty() {
        true => or_dash(None),
        false => Line::from(protocol_links(&protocols)),
    };
    let recomputed = claim.recomputed.as_ref().map(|value| said(value, &claim.unit, shortest));
    let mut place = line![&claim.section];
    if !claim.models.is_empty() {
        place.push(line![" · ", claim.models.join(", ")]);
    }
    row![
        Cell::head(&claim.id),
        Cell::new(&claim.text).minor(place),
        // As it was printed: not to the digits of what is computed here, and under what its sentence says.
        said(&claim.printed, &claim.unit, |value| value.to_string()).said_by_row(),
        recomputed.map_or_else(
            || or_dash(None),
            |digits| {
                // A fact or a property of the weights: what it is, stands in its row.
                let span = match protocols.is_empty() {
                    true => digits.said_by_row(),
                    false => digits.under(&protocols),
                };
                Line::from(span)
            }
        ),
        named,
        Cell::new(Span::Outcome(claim.outcome)).key(claim.outcome),
        Cell::new(prose(&claim.measures))
            .items(claim.deviations.iter().map(|deviation| prose(deviation)).collect())
            .minor(prose(&claim.note)),
        count(claim.rows)
    ]
}

/// The value with its unit.
fn said(answer: &Answer, unit: &str, written: fn(f64) -> String) -> Digits {
    let value = match answer {
        Answer::Number(value) => written(*value),
        Answer::Words(words) => words.clone(),
    };
    let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
    Digits::quoted(format!("{value}{unit}"))
}

/// Recomputed values that have few digits already keep them; others are rounded as everywhere.
fn shortest(value: f64) -> String {
    let exact = value.to_string();
    if exact.len() <= 7 { exact } else { number(value).in_figure() }
}
