//! A figure with what belongs to it: what it shows, how that was computed, its data to take away.

use number::metric::Metric;
use number::protocol::Protocol;

use super::line::Line;
use crate::csv_cell;
use crate::report::drawing::Drawing;

/// A figure of a page.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::report) struct FigureBlock {
    /// Stem of its data file, and its address.
    pub name: String,
    /// What it shows.
    pub title: String,
    /// What a reader who cannot see it should know.
    pub description: String,
    /// The drawing.
    pub drawing: Drawing,
    /// What the signs mean.
    pub legend: Line,
    /// How its numbers were computed, one or more sentences.
    pub how: Line,
    /// Metrics of its numbers; empty where the page says what they are.
    pub metrics: Vec<Metric>,
    /// Protocols of all its numbers; empty where they are properties of the weights.
    pub protocols: Vec<Protocol>,
    /// The numbers that are drawn.
    pub csv: Csv,
    /// Whether forms that do not draw in place write the description: no table of the page and no picture file has what is
    /// drawn.
    pub described: bool,
}

/// A picture file of one or several drawings, for forms that do not draw in place.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::report) struct Picture {
    /// Stem of its file names.
    pub name: String,
    /// What it shows, in place of the picture.
    pub says: String,
    /// Its title.
    pub title: String,
    /// What the signs mean: legend entries and words.
    pub legend: Line,
    /// Drawings that stand below one another, or in rows where they are narrow.
    pub parts: Vec<PicturePart>,
}

/// A drawing of a picture with the words above it.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::report) struct PicturePart {
    /// A short name; empty for a picture of one drawing.
    pub name: String,
    /// What follows the name.
    pub claim: String,
    /// Lines below, each with the class that decides its colour.
    pub remarks: Vec<(&'static str, String)>,
    /// The drawing; `None` where there is nothing to draw.
    pub drawing: Option<Drawing>,
}

/// A table as CSV. Numbers are written so that reading them back gives the same bits.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::report) struct Csv {
    /// The whole file.
    pub text: String,
    /// Lines without the header.
    pub rows: usize,
}

impl Csv {
    /// A table with a header.
    pub(in crate::report) fn new<R>(header: &[&str], rows: impl IntoIterator<Item = R>) -> Csv
    where
        R: IntoIterator<Item = String>,
    {
        let mut csv = Csv { text: csv_line(header.iter().map(|name| name.to_string())), rows: 0 };
        for row in rows {
            csv.text += &csv_line(row);
            csv.rows += 1;
        }
        csv
    }
}

fn csv_line(cells: impl IntoIterator<Item = String>) -> String {
    let cells: Vec<String> = cells.into_iter().map(|cell| quoted(&cell)).collect();
    cells.join(",") + "\n"
}

/// A cell after RFC 4180.
fn quoted(cell: &str) -> String {
    let cell = csv_cell::cell(cell);
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_string()
    }
}

/// A number of a CSV cell; empty where there is none.
pub(in crate::report) fn exact(value: Option<f64>) -> String {
    value.filter(|value| !value.is_nan()).map_or_else(String::new, |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_stay_cells_whatever_is_in_them() {
        let csv = Csv::new(&["a", "b"], [["x,\"y\"\n".to_string(), exact(Some(0.1 + 0.2))]]);
        assert_eq!(csv.text, "a,b\n\"x,\"\"y\"\"\n\",0.30000000000000004\n");
        assert_eq!([exact(None), exact(Some(f64::NAN))], ["", ""]);
    }
}
