//! Picture files: the drawings of a picture on one sheet under its title, as SVG and, for readers that show nothing else, as PNG.

use crate::report::document::{Document, Page, Picture, PicturePart, Sign, Span};
use crate::report::drawing::{
    Anchor, BODY, Drawing, HEAD, Point, SMALL, TITLE, fitted, png, standalone, text_width, wrapped,
};

/// Why a picture could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PlotError {
    /// The rasteriser refused an item.
    #[error("plot {name}: {why}; this is a bug of streamgauge, the numbers in the report are not concerned")]
    Draw {
        /// Stem of the file names.
        name: String,
        /// In the words of the rasteriser.
        why: String,
    },
}

const MARGIN: f64 = 22.0;
const TOP: f64 = 76.0;
const LINE: f64 = 19.0;
const GAP: f64 = 18.0;
/// Width of drawings that stand one below the other; narrower ones share a row.
const WIDE: f64 = 860.0;

/// File names and contents of all pictures of the report, SVG and PNG of each.
pub(in crate::report) fn pictures(document: &Document) -> Result<Vec<(String, Vec<u8>)>, PlotError> {
    let mut files = Vec::new();
    for picture in document.pages.iter().flat_map(Page::pictures) {
        let sheet = sheet(picture);
        let draw = |why: String| PlotError::Draw { name: picture.name.clone(), why };
        files.push((format!("{}.svg", picture.name), standalone(&sheet, &picture.says).into_bytes()));
        files.push((format!("{}.png", picture.name), png(&sheet).map_err(draw)?));
    }
    Ok(files)
}

/// Title, legend, and the parts from left to right and from top to bottom.
fn sheet(picture: &Picture) -> Drawing {
    let widest = picture.parts.iter().filter_map(|part| part.drawing.as_ref()).map(|d| d.width);
    let widest = widest.fold(0.0, f64::max);
    let columns =
        if widest > 0.0 && 2.0 * widest <= WIDE + MARGIN && picture.parts.len() > 1 { 2 } else { 1 };
    let width = if columns == 2 { 2.0 * widest } else { WIDE };
    let mut sheet = Drawing::new(width + 2.0 * MARGIN, 0.0);
    let title = fitted(&picture.title, TITLE, width);
    sheet.text("title", (MARGIN, 28.0), Anchor::Start, &title);
    legend(&mut sheet, picture);
    let mut top = TOP;
    for row in picture.parts.chunks(columns) {
        let mut height: f64 = 0.0;
        for (at, part) in row.iter().enumerate() {
            let corner = (MARGIN + widest * at as f64, top);
            height = height.max(part_height(&mut sheet, part, corner, width / columns as f64));
        }
        top += height + GAP;
    }
    sheet.height = top;
    sheet
}

/// Entries with their signs, words between them.
fn legend(sheet: &mut Drawing, picture: &Picture) {
    let mut x = MARGIN;
    for span in &picture.legend.0 {
        if let Span::LegendEntry { class, sign: Sign::Mark(shape), name } = span {
            sheet.mark(class, *shape, (x + 6.0, 54.0), 5.0, "");
            sheet.text(&format!("body {class}"), (x + 18.0, 54.0), Anchor::Start, name);
            x += 34.0 + text_width(name, BODY);
        } else if !span.plain().trim().is_empty() {
            let words = span.plain().trim().to_string();
            sheet.text("small", (x, 54.0), Anchor::Start, &words);
            x += 16.0 + text_width(&words, SMALL);
        }
    }
}

/// Draws a part, and says how high it is.
fn part_height(sheet: &mut Drawing, part: &PicturePart, (left, top): Point, width: f64) -> f64 {
    let mut y = top;
    if !part.claim.is_empty() {
        sheet.line("rule", (left, y), (left + width, y));
        y += 16.0;
    }
    let indent = if part.name.is_empty() { 0.0 } else { text_width(&part.name, HEAD) + 12.0 };
    if !part.name.is_empty() {
        sheet.text("head", (left, y), Anchor::Start, &fitted(&part.name, HEAD, width));
    }
    for (at, words) in wrapped(&part.claim, BODY, width - indent).iter().enumerate() {
        if at > 0 {
            y += LINE;
        }
        sheet.text("body", (left + indent, y), Anchor::Start, words);
    }
    for (class, words) in &part.remarks {
        y += LINE;
        sheet.text(&format!("small {class}"), (left, y), Anchor::Start, &fitted(words, SMALL, width));
    }
    if !part.name.is_empty() {
        y += 16.0;
    }
    match &part.drawing {
        Some(drawing) => {
            sheet.place(drawing, (left, y));
            y += drawing.height;
        }
        None => sheet.text("small", (left, y + 4.0), Anchor::Start, "no estimate"),
    }
    y - top
}
