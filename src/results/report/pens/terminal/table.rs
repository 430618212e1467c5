//! Tables for a terminal: in columns where every word has room, else row by row.

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{Cell as Shown, ColumnConstraint, ContentArrangement, TableComponent, Width};

use super::words::{WIDTH, named, one_line, wrapped};
use crate::report::document::{Basis, Cell, MISSING, Placement, Table};

/// Whether columns of details and what stands below the numbers of a cell are written in full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Detail {
    Hidden,
    Shown,
}

pub(super) fn table(table: &Table, detail: Detail) -> String {
    let kept = |at: &usize| detail == Detail::Shown || !table.columns[*at].detail;
    let kept: Vec<usize> = (0..table.columns.len()).filter(kept).collect();
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
    let least = least(&heads, &rows);
    let fits = least.iter().sum::<usize>() + kept.len().saturating_sub(1) <= WIDTH;
    match fits || detail == Detail::Hidden {
        true => {
            let shown = columns(&heads, &rows, fits.then_some(&least));
            match detail {
                Detail::Hidden => format!("{shown}\n"),
                Detail::Shown => ruled(shown, rows.len()),
            }
        }
        false => records(&heads, &rows),
    }
}

/// How far a column is indented: they lie one sign apart, and all but the first are indented.
fn padding(at: usize) -> u16 {
    u16::from(at > 0)
}

/// By column the room that its longest word takes.
fn least(heads: &[String], rows: &[Vec<String>]) -> Vec<usize> {
    let of = |(at, head): (usize, &String)| {
        let cells = rows.iter().map(|row| &row[at]).chain([head]);
        let longest = cells.flat_map(|cell| cell.split_whitespace()).map(|word| word.chars().count()).max();
        longest.unwrap_or(0) + usize::from(padding(at))
    };
    heads.iter().enumerate().map(of).collect()
}

/// Lines between rows only where a row takes more than one line, and no blanks at the ends of lines.
fn ruled(mut shown: comfy_table::Table, rows: usize) -> String {
    let with_lines = shown.to_string();
    for lines in [
        TableComponent::HorizontalLines,
        TableComponent::MiddleIntersections,
        TableComponent::LeftBorderIntersections,
        TableComponent::RightBorderIntersections,
    ] {
        shown.remove_style(lines);
    }
    let without = shown.to_string();
    // Above the rows lie a line, the headings, of which one may be broken, and a line; one more below.
    let heads = without.lines().skip(1).take_while(|line| !line.starts_with('═')).count();
    let text = if without.lines().count() == rows + heads + 3 { without } else { with_lines };
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// `least`: where words stay whole, as there is room for all of them.
fn columns(heads: &[String], rows: &[Vec<String>], least: Option<&Vec<usize>>) -> comfy_table::Table {
    let mut shown = comfy_table::Table::new();
    shown
        .load_preset(UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(WIDTH as u16);
    shown.set_header(heads.iter().map(Shown::new));
    for (at, column) in shown.column_iter_mut().enumerate() {
        column.set_padding((padding(at), 0));
        if let Some(least) = least {
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(least[at] as u16)));
        }
    }
    for row in rows {
        shown.add_row(row);
    }
    shown
}

/// Each row by itself: its first cell, and below it what the others say under their headings.
fn records(heads: &[String], rows: &[Vec<String>]) -> String {
    let mut out = String::new();
    for row in rows {
        let mut cells = heads.iter().zip(row).map(|(head, cell)| (head, one_line(cell)));
        if let Some((head, first)) = cells.next() {
            out += &wrapped(&format!("{head} {first}"), "  ");
        }
        let said = cells.map(|(head, cell)| match cell.is_empty() {
            true => format!("{head}: {MISSING}"),
            false => format!("{head}: {cell}"),
        });
        let said: Vec<String> = said.collect();
        out += &wrapped(&format!("  {}", said.join("; ")), "  ");
    }
    out
}

fn cell(cell: &Cell, basis: Option<&Basis>) -> String {
    let mut text = one_line(&cell.line.plain());
    if let Some(basis) = basis {
        text += &format!(" ({})", named(basis));
    }
    // Verdicts of predictions by verdict, one line each.
    let items = cell.items.iter().map(crate::report::document::Line::plain).collect::<Vec<_>>().join("; ");
    let minor = cell.minor.plain();
    for line in items.split("; ").chain(minor.split("; ")).filter(|line| !line.is_empty()) {
        text += &format!("\n{}", one_line(line));
    }
    text
}
