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
    let sections = by_section(claims, "Claims by section of the note", ["section", "claims"], |claim| {
        claim.section.clone()
    });
    for table in [sections, instead(claims)] {
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
    let said = remarked(claims, |claim| &claim.definitions);
    let said: Vec<Line> =
        grouped(&said).into_iter().map(|(said, ids)| line![ids.join(", "), ": ", prose(said)]).collect();
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
    let sentences = claims.iter().filter(|claim| claim.id.starts_with('C')).count();
    let mut lead = line![
        "Of ",
        count(claims.len()),
        " printed numbers and words (",
        count(sentences),
        " of the note, C; ",
        count(claims.len() - sentences),
        " statistics published beside it, S), "
    ];
    lead.push(counted(claims));
    if deviating(claims) > 0 {
        lead.push(line![
            " For ",
            count(deviating(claims)),
            " the number is not what its sentence says; how, stands beside it."
        ]);
    }
    lead
}

/// How many come out how, to be read after what they are.
pub(super) fn counted(claims: &[ClaimOutcome]) -> Line {
    let with = |outcome: Outcome| claims.iter().filter(|claim| claim.outcome == outcome).count();
    line![
        strong(count(with(Outcome::Reproduces))),
        " reproduce from the rows behind them, ",
        strong(count(with(Outcome::Differs))),
        " differ, and for ",
        strong(count(with(Outcome::NoData))),
        " nothing was published to recompute them from."
    ]
}

/// Of how many the number is not what it is called.
pub(super) fn deviating(claims: &[ClaimOutcome]) -> usize {
    claims.iter().filter(|claim| !claim.deviations.is_empty()).count()
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

/// How many of each part come out how. `heads`: of the first two columns.
pub(super) fn by_section(
    claims: &[ClaimOutcome],
    caption: &str,
    heads: [&'static str; 2],
    section_of: impl Fn(&ClaimOutcome) -> String,
) -> Table {
    let named: Vec<(String, &ClaimOutcome)> = claims.iter().map(|claim| (section_of(claim), claim)).collect();
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
    let mut rows: Vec<Vec<Cell>> =
        grouped(&named).iter().map(|(section, claims)| counts(section, claims)).collect();
    rows.push(counts("all", &claims.iter().collect::<Vec<_>>()));
    let [section, what] = heads;
    let columns = [section, what, "reproduce", "… but are something else", "differ", "no data"].map(column);
    Table::new(caption, columns).with(rows)
}

/// How numbers are not what they are called, the most frequent first.
fn instead(claims: &[ClaimOutcome]) -> Table {
    let found = remarked(claims, |claim| &claim.deviations);
    let mut found = grouped(&found);
    found.sort_by_key(|(_, ids)| std::cmp::Reverse(ids.len()));
    let rows = found
        .into_iter()
        .map(|(deviation, ids)| row![Cell::head(prose(deviation)), count(ids.len()), ids.join(", ")]);
    Table::new("What printed numbers are instead", ["what they are instead", "claims", "which"].map(column))
        .with(rows)
}

/// Ids of the claims with each remark, in the order of the first.
fn remarked(claims: &[ClaimOutcome], of: impl Fn(&ClaimOutcome) -> &[String]) -> Vec<(String, &str)> {
    let all =
        claims.iter().flat_map(|claim| of(claim).iter().map(|remark| (remark.clone(), claim.id.as_str())));
    all.collect()
}

/// What belongs to each name, in the order of the first.
pub(super) fn grouped<T: Copy>(named: &[(String, T)]) -> Vec<(&str, Vec<T>)> {
    let mut found: Vec<(&str, Vec<T>)> = Vec::new();
    for (name, one) in named {
        match found.iter_mut().find(|(known, _)| known == name) {
            Some((_, all)) => all.push(*one),
            None => found.push((name, vec![*one])),
        }
    }
    found
}

pub(super) fn claim(claim: &ClaimOutcome) -> Vec<Cell> {
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
