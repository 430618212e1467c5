//! Drawings as SVG. Within a page, items carry their classes and the style sheet of the page colours them, so that light, dark
//! and print need no second drawing; in a file of its own, every item carries its look.

use std::fmt::Write;

use super::fonts::FAMILY;
use super::looks::{Colour, PAPER, look};
use super::shape::Shape;
use super::sheet::{Anchor, Drawing, Item, Point};
use base::terminal::visible;

/// The element for a page. `id` names its title and description for screen readers.
pub(in crate::report) fn inline(drawing: &Drawing, id: &str, title: &str, description: &str) -> String {
    format!(
        "<svg viewBox=\"0 0 {0} {1}\" style=\"--w:{0}\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\"><title id=\"{id}-t\">{2}</title>\
         <desc id=\"{id}-d\">{3}</desc>{4}</svg>",
        short(drawing.width),
        short(drawing.height),
        escaped(title),
        escaped(description),
        items(drawing, Form::Page)
    )
}

/// A small drawing beside the word that says what it is, so nothing is left to describe. The style sheet gives it its size.
pub(in crate::report) fn swatch(drawing: &Drawing) -> String {
    format!("<svg class=\"swatch\">{}</svg>", items(drawing, Form::Page))
}

/// A file of its own.
pub(in crate::report) fn standalone(drawing: &Drawing, title: &str) -> String {
    let (width, height) = (short(drawing.width), short(drawing.height));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         font-family=\"{FAMILY}\"><title>{}</title><rect width=\"100%\" height=\"100%\" fill=\"{}\"/>{}</svg>\n",
        escaped(title),
        hexadecimal(PAPER),
        items(drawing, Form::File)
    )
}

/// Where a drawing stands.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    /// In a page, whose style sheet knows the classes.
    Page,
    /// In a file of its own.
    File,
}

impl Form {
    /// What decides the look of an item.
    fn styled(self, class: &str) -> String {
        match self {
            Form::Page => format!("class=\"{class}\""),
            Form::File => attributes(class),
        }
    }

    /// The same of a text, with the side of its point on which it lies.
    fn styled_text(self, class: &str, anchor: Anchor) -> String {
        match (self, anchor) {
            (_, Anchor::Start) => self.styled(class),
            (Form::Page, Anchor::Middle) => self.styled(&format!("{class} middle")),
            (Form::Page, Anchor::End) => self.styled(&format!("{class} end")),
            (Form::File, Anchor::Middle) => format!("{} text-anchor=\"middle\"", attributes(class)),
            (Form::File, Anchor::End) => format!("{} text-anchor=\"end\"", attributes(class)),
        }
    }
}

/// What a style sheet would say.
fn attributes(class: &str) -> String {
    let look = look(class);
    let colour = |colour: Option<Colour>| colour.map_or_else(|| "none".to_string(), hexadecimal);
    let mut out = format!("fill=\"{}\"", colour(look.fill));
    if let Some(stroke) = look.stroke {
        let _ = write!(out, " stroke=\"{}\" stroke-width=\"{}\"", hexadecimal(stroke), short(look.width));
    }
    if look.round {
        out += " stroke-linecap=\"round\"";
    }
    if look.opacity < 1.0 {
        let _ = write!(out, " opacity=\"{}\"", look.opacity);
    }
    let text = ["title", "head", "body", "small", "inside", "value"];
    if class.split(' ').any(|class| text.contains(&class)) {
        let _ = write!(out, " font-size=\"{}\"", look.font.size);
        if look.font.bold {
            out += " font-weight=\"bold\"";
        }
    }
    out
}

fn hexadecimal((red, green, blue): Colour) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

fn items(drawing: &Drawing, form: Form) -> String {
    let mut out = String::new();
    for item in &drawing.items {
        // Writing into a string cannot fail.
        let _ = match item {
            Item::Lines { class, lines, closed, width } => {
                let width = width.map_or_else(String::new, |w| format!(" stroke-width=\"{}\"", short(w)));
                let data = path(lines.iter().map(|line| (line.as_slice(), *closed)));
                write!(out, "<path {}{width} d=\"{data}\"/>", form.styled(class))
            }
            Item::Marks { class, shape, at, radius, says } => {
                let end = match says.as_str() {
                    "" => "/>".to_string(),
                    says => format!("><title>{}</title></path>", escaped(says)),
                };
                let data: String = at.iter().map(|point| mark(*shape, *point, *radius)).collect();
                let class = format!("{} {class}", shape.class());
                write!(out, "<path {} d=\"{data}\"{end}", form.styled(&class))
            }
            Item::Rectangle { class, corner, opposite } => write!(
                out,
                "<rect {} x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>",
                form.styled(class),
                short(corner.0.min(opposite.0)),
                short(corner.1.min(opposite.1)),
                short((corner.0 - opposite.0).abs()),
                short((corner.1 - opposite.1).abs())
            ),
            Item::Text { class, at, anchor, upwards, text } => {
                // A third of an em below the point: capitals look centred on it.
                let lower = 0.35 * look(class).font.size;
                let place = match upwards {
                    true => {
                        let (x, y) = (short(at.0 + lower), short(at.1));
                        format!("transform=\"translate({x} {y})rotate(-90)\"")
                    }
                    false => format!("x=\"{}\" y=\"{}\"", short(at.0), short(at.1 + lower)),
                };
                let styled = form.styled_text(class, *anchor);
                write!(out, "<text {styled} {place}>{}</text>", escaped(text))
            }
        };
    }
    out
}

fn mark(shape: Shape, (x, y): Point, radius: f64) -> String {
    if shape == Shape::Circle {
        // From the top all the way round to a twentieth of a pixel beside it: one arc cannot end where it begins.
        let r = short(radius);
        return format!("M{} {}a{r} {r} 0 1 0 .1 0z", short(x), short(y - radius));
    }
    let parts = shape.outline((x, y), radius);
    path(parts.iter().map(|(corners, closed)| (corners.as_slice(), *closed)))
}

/// Path data. Places are rounded to tenths first, so that nothing drifts along ways that are written from point to point,
/// which is done where it is shorter.
fn path<'a>(lines: impl Iterator<Item = (&'a [Point], bool)>) -> String {
    let mut out = String::new();
    let mut pen: Option<(i64, i64)> = None;
    for (points, closed) in lines {
        let mut start = None;
        for point in points {
            let to = (tenths(point.0), tenths(point.1));
            let moves = start.is_none();
            start.get_or_insert(to);
            let command = if moves { ('M', 'm') } else { ('L', 'l') };
            out += &match pen {
                None => format!("M{} {}", decimal(to.0), decimal(to.1)),
                Some(from) if !moves && from.1 == to.1 => {
                    shorter(format!("H{}", decimal(to.0)), format!("h{}", decimal(to.0 - from.0)))
                }
                Some(from) if !moves && from.0 == to.0 => {
                    shorter(format!("V{}", decimal(to.1)), format!("v{}", decimal(to.1 - from.1)))
                }
                Some(from) => shorter(
                    format!("{}{} {}", command.0, decimal(to.0), decimal(to.1)),
                    format!("{}{} {}", command.1, decimal(to.0 - from.0), decimal(to.1 - from.1)),
                ),
            };
            pen = Some(to);
        }
        if closed {
            out.push('z');
            pen = start.or(pen);
        }
    }
    out
}

fn shorter(a: String, b: String) -> String {
    if b.len() < a.len() { b } else { a }
}

/// What is not finite is drawn at 0; callers leave it out.
fn tenths(value: f64) -> i64 {
    if value.is_finite() { (value * 10.0).round() as i64 } else { 0 }
}

fn decimal(tenths: i64) -> String {
    let sign = if tenths < 0 { "-" } else { "" };
    match (tenths.abs() / 10, tenths.abs() % 10) {
        (whole, 0) => format!("{sign}{whole}"),
        (0, part) => format!("{sign}.{part}"),
        (whole, part) => format!("{sign}{whole}.{part}"),
    }
}

/// One decimal at most, none where it is 0.
fn short(value: f64) -> String {
    let text = decimal(tenths(value));
    // An attribute of a number starts with a digit for every reader.
    if text.starts_with('.') { format!("0{text}") } else { text }
}

/// Text as it stands within an element or a quoted attribute. XML has no way to write a control character.
fn escaped(text: &str) -> String {
    visible(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_short_and_never_nan() {
        assert_eq!([short(1.04), short(2.0), short(-0.04), short(f64::NAN)], ["1", "2", "0", "0"]);
    }

    #[test]
    fn ways_are_written_from_point_to_point_where_that_is_shorter() {
        let lines = [vec![(100.0, 200.0), (100.0, 250.0)], vec![(101.5, 200.0), (107.0, 203.0)]];
        let data = path(lines.iter().map(|line| (line.as_slice(), false)));
        assert_eq!(data, "M100 200v50m1.5 -50l5.5 3");
    }

    #[test]
    fn no_character_makes_a_file_ill_formed() {
        let mut drawing = Drawing::new(10.0, 10.0);
        drawing.text("t", (0.0, 0.0), Anchor::Start, "a\u{0}\u{1b}[2J\u{9b}\u{ffff}");
        let file = standalone(&drawing, "b\u{b}");
        assert!(file.chars().all(|c| c == '\n' || (' '..'\u{7f}').contains(&c)), "{file}");
        assert!(file.contains(r"a\u{0}\u{1b}[2J") && file.contains(r"b\u{b}"), "{file}");
    }

    #[test]
    fn text_cannot_leave_its_element() {
        let mut drawing = Drawing::new(10.0, 10.0);
        drawing.text("t", (0.0, 0.0), Anchor::Start, "</text><script>");
        drawing.mark("t", Shape::Cross, (5.0, 5.0), 2.0, "<b>");
        for text in [inline(&drawing, "f", "a & b", "<i>"), standalone(&drawing, "<i>")] {
            assert!(!text.contains("<script>") && !text.contains("<b>") && !text.contains("<i>"));
        }
    }
}
