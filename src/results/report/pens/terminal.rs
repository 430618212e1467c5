//! The opening page of the report for a terminal of 100 columns: what is folded stays folded, and figures are told in words.

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{Cell as Shown, ColumnConstraint, ContentArrangement, Width};

use crate::report::document::{
    Basis, Block, Cell, Document, Fates, Line, Placement, Role, Span, Table, beside,
};
use number::protocol::Protocol;

const WIDTH: usize = 100;

/// Writes the opening page. Ends with a line break.
pub(in crate::report) fn terminal(document: &Document) -> String {
    let mut out = wrapped(&format!("{}: {}", document.title, document.experiment), "");
    let blocks = document.pages.first().map_or(&[][..], |page| page.blocks.as_slice());
    for block in blocks {
        match block {
            Block::Heading { line, .. } => out += &format!("\n{}", wrapped(&line.plain(), "")),
            Block::Paragraph { role: Role::Minor, .. } => {}
            Block::Paragraph { line, .. } => out += &wrapped(&running(line), ""),
            Block::Notes(notes) => {
                notes.iter().for_each(|note| out += &wrapped(&format!("- {}", running(note)), "  "));
            }
            Block::Facts(facts) => {
                for (name, values) in facts {
                    let values: Vec<String> = values.iter().map(running).collect();
                    out += &wrapped(&format!("{}: {}", name.plain(), values.join("; ")), "  ");
                }
            }
            Block::Table(inner) => out += &table(inner),
            Block::Figures(figures) => {
                figures.iter().for_each(|figure| out += &wrapped(&figure.description, ""));
            }
            Block::Fates(inner) => out += &fates(inner),
            Block::Index(_) | Block::Picture(_) | Block::Fold { .. } | Block::Diff(_) => {}
        }
    }
    out
}

/// Those that survive in one line; of the others each with its reason.
fn fates(fates: &Fates) -> String {
    let mut out = String::new();
    for (title, members) in fates.lists.iter().filter(|(_, members)| !members.is_empty()) {
        if members.iter().all(|member| member.why.is_empty()) {
            let ids: Vec<&str> = members.iter().map(|member| member.id.as_str()).collect();
            out += &wrapped(&format!("{title} ({}): {}", members.len(), ids.join(", ")), "  ");
            continue;
        }
        out += &format!("{title} ({}):\n", members.len());
        for member in members {
            out += &wrapped(&format!("  {} {}", member.id, member.why.plain()), "    ");
        }
    }
    out
}

/// A table without the columns that are details.
fn table(table: &Table) -> String {
    let kept: Vec<usize> = (0..table.columns.len()).filter(|at| !table.columns[*at].detail).collect();
    let placement = Placement::of(table);
    let heads = kept.iter().map(|at| {
        let under = placement.heads[*at].as_ref().map(|basis| format!(" under {}", named(basis)));
        format!("{}{}", table.columns[*at].head.plain(), under.unwrap_or_default())
    });
    let heads: Vec<String> = heads.collect();
    let rows =
        table.rows.iter().zip(&placement.cells).map(|(row, bases)| {
            kept.iter().map(|at| cell(&row[*at], bases[*at].as_ref())).collect::<Vec<_>>()
        });
    let rows: Vec<Vec<String>> = rows.collect();
    let mut shown = comfy_table::Table::new();
    shown
        .load_preset(UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(WIDTH as u16);
    // Words stay whole where there is room for all of them. Columns lie one sign apart, and all but the first are indented.
    let padding = |at: usize| u16::from(at > 0);
    let least = (0..kept.len()).map(|at| {
        let cells = rows.iter().map(|row| &row[at]).chain([&heads[at]]);
        let longest = cells.flat_map(|cell| cell.split_whitespace()).map(|word| word.chars().count()).max();
        longest.unwrap_or(0) + usize::from(padding(at))
    });
    let least: Vec<usize> = least.collect();
    let fits = least.iter().sum::<usize>() + kept.len().saturating_sub(1) <= WIDTH;
    shown.set_header(heads.iter().map(Shown::new));
    for (at, column) in shown.column_iter_mut().enumerate() {
        column.set_padding((padding(at), 0));
        if fits {
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(least[at] as u16)));
        }
    }
    for row in rows {
        shown.add_row(row);
    }
    format!("{shown}\n")
}

fn cell(cell: &Cell, basis: Option<&Basis>) -> String {
    let mut text = one_line(&cell.line.plain());
    if let Some(basis) = basis {
        text += &format!(" ({})", named(basis));
    }
    // Verdicts of predictions by verdict, one line each.
    let items = cell.items.iter().map(Line::plain).collect::<Vec<_>>().join("; ");
    let minor = cell.minor.plain();
    for line in items.split("; ").chain(minor.split("; ")).filter(|line| !line.is_empty()) {
        text += &format!("\n{}", one_line(line));
    }
    text
}

fn named(basis: &Basis) -> String {
    match basis {
        Basis::Under(protocols) => protocols.iter().map(Protocol::to_string).collect::<Vec<_>>().join(", "),
        Basis::Weights | Basis::Count | Basis::Row => "of the weights".to_string(),
    }
}

/// A line of running text, with the protocols that its numbers need.
fn running(line: &Line) -> String {
    let bases = beside(line);
    match bases.as_slice() {
        [] => line.plain(),
        [only] => format!("{} [{}]", line.plain(), named(only)),
        _ => line.0.iter().map(each).collect(),
    }
}

fn each(span: &Span) -> String {
    match span {
        Span::Number { text, basis: basis @ (Basis::Under(_) | Basis::Weights) } => {
            format!("{text} ({})", named(basis))
        }
        Span::Strong(line) | Span::Emphasis(line) | Span::Minor(line) | Span::Link { line, .. } => {
            line.0.iter().map(each).collect()
        }
        other => other.plain(),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Lines of at most 100 characters, broken at spaces; all but the first begin with `indent`.
fn wrapped(text: &str, indent: &str) -> String {
    let mut out = String::new();
    let mut used = 0;
    let lead: String = text.chars().take_while(|c| *c == ' ').collect();
    out += &lead;
    used += lead.len();
    let mut first = true;
    for word in text.split_whitespace() {
        let long = word.chars().count();
        if !first && used + 1 + long > WIDTH {
            out.push('\n');
            out += indent;
            used = indent.len();
        } else if !first {
            out.push(' ');
            used += 1;
        }
        out += word;
        used += long;
        first = false;
    }
    out + "\n"
}
