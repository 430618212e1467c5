//! The statistics that the research's result files and analyses print: how many come out of its own rows, and which do not.

use super::claims::{by_section, claim, counted, deviating, grouped};
use crate::report::document::{
    Block, Cell, Group, Line, Page, Role, Table, code, column, count, line, paragraph, prose, row,
};
use crate::report::pages::context::RenderContext;
use study::published::claims::{ClaimOutcome, Outcome};

pub(in crate::report::pages) fn pages(context: &RenderContext<'_>) -> Vec<Page> {
    let statistics = &context.view.statistics;
    if statistics.is_empty() {
        return Vec::new();
    }
    let with = |outcome: Outcome| statistics.iter().filter(move |one| one.outcome == outcome);
    let mut lead = line!["Of ", count(statistics.len()), " statistics that its files print, "];
    lead.push(counted(statistics));
    if deviating(statistics) > 0 {
        lead.push(line![
            " For ",
            count(deviating(statistics)),
            " the number is not what it is called, whether it comes out or not; the table for other tools says how."
        ]);
    }
    let mut blocks = vec![Block::text(Role::Lead, lead), about()];
    let file = |one: &ClaimOutcome| file_of(one).to_string();
    let files = by_section(statistics, "Statistics by file", ["file", "statistics"], file);
    blocks.push(Block::folded(files));
    let columns = [column("id"), column("statistic"), column("printed"), column("recomputed"), column("why")];
    let differ = Table::new("Statistics that do not come out of the rows", columns);
    blocks.push(Block::Table(differ.with(with(Outcome::Differs).map(differing))));
    let gone: Vec<ClaimOutcome> = with(Outcome::NoData).cloned().collect();
    let notes: Vec<(String, Vec<&str>)> = missing(&gone);
    let rows =
        notes.iter().map(|(what, ids)| row![Cell::head(prose(what)), count(ids.len()), ids.join(", ")]);
    let gone =
        Table::new("Statistics without rows", ["what was not published", "statistics", "which"].map(column));
    blocks.push(Block::folded(gone.with(rows)));
    vec![Page {
        id: "printed-statistics".into(),
        group: Group::Report,
        label: ("Statistics".into(), String::new()),
        kicker: Line::default(),
        title: "What the research computed, and what comes out".into(),
        blocks,
    }]
}

/// The file that prints it: a statistic's section is the file and the place in it.
fn file_of(one: &ClaimOutcome) -> &str {
    one.section.split_once(": ").map_or(one.section.as_str(), |(file, _)| file)
}

fn about() -> Block {
    paragraph(line![
        "Recomputed from the published rows by ",
        code("data/published/statistics.toml"),
        ". A number reproduces when the recomputed one lies within half a unit of its last printed digit. Shown are those that \
         do not come out; all are in ",
        code("tables/printed_statistics.csv"),
        ", with what each measures."
    ])
}

fn differing(one: &ClaimOutcome) -> Vec<Cell> {
    // The cells of a claim: id, claim, printed, recomputed, protocols, …
    let mut cells = claim(one);
    cells.truncate(4);
    cells[1] = Cell::new(line![&one.group, " · ", &one.text]).minor(line![&one.section]);
    let says = [one.differs.as_str(), one.note.as_str()].map(prose);
    let [why, note] = says;
    cells.push(Cell::new(why).minor(note));
    cells
}

/// Ids of statistics without rows by what is missing, in the order of the first.
fn missing(gone: &[ClaimOutcome]) -> Vec<(String, Vec<&str>)> {
    let first =
        |one: &ClaimOutcome| one.note.split_once(". ").map_or(one.note.clone(), |(what, _)| what.into());
    let named: Vec<(String, &str)> = gone.iter().map(|one| (first(one), one.id.as_str())).collect();
    grouped(&named)
        .into_iter()
        .map(|(what, ids)| (what.trim_start_matches("Missing: ").trim_end_matches('.').to_string(), ids))
        .collect()
}
