//! Inline SVG for the HTML report: marks carry classes, colours come from the page's style sheet, so that light, dark and
//! print need no second drawing.

mod axis;

use std::fmt::Write;

pub(super) use super::plot::canvas::{BODY, SMALL, fitted, register_fonts, text_width};
pub(super) use super::plot::scale::Scale;
pub(super) use axis::{Frame, Grid};

/// Room for the name of a block of rows.
pub(super) const HEAD_HEIGHT: f64 = 20.0;

/// Where a text lies relative to its point.
#[derive(Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// Told apart without colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Circle,
    Square,
    Triangle,
    Diamond,
    /// Hollow, pointing down.
    Open,
    Cross,
}

impl Shape {
    /// In the order series take them.
    pub(super) const ALL: [Shape; 6] =
        [Shape::Circle, Shape::Square, Shape::Triangle, Shape::Diamond, Shape::Open, Shape::Cross];

    /// Path data around a point.
    pub(super) fn path(self, (x, y): (f64, f64), r: f64) -> String {
        let at = |dx: f64, dy: f64| format!("{} {}", short(x + dx * r), short(y + dy * r));
        let joined = |points: &[(f64, f64)]| {
            let corners: Vec<String> = points.iter().map(|(dx, dy)| at(*dx, *dy)).collect();
            format!("M{}z", corners.join("L"))
        };
        match self {
            Shape::Circle => {
                let (r, d) = (short(r), short(2.0 * r));
                format!("M{}a{r} {r} 0 1 0 {d} 0a{r} {r} 0 1 0-{d} 0z", at(-1.0, 0.0))
            }
            Shape::Square => joined(&[(-0.88, -0.88), (0.88, -0.88), (0.88, 0.88), (-0.88, 0.88)]),
            Shape::Triangle => joined(&[(0.0, -1.15), (1.05, 0.85), (-1.05, 0.85)]),
            Shape::Diamond => joined(&[(0.0, -1.3), (1.3, 0.0), (0.0, 1.3), (-1.3, 0.0)]),
            Shape::Open => joined(&[(0.0, 1.15), (1.05, -0.85), (-1.05, -0.85)]),
            Shape::Cross => {
                format!("M{}L{}M{}L{}", at(-0.9, -0.9), at(0.9, 0.9), at(-0.9, 0.9), at(0.9, -0.9))
            }
        }
    }

    /// Extra class of the mark: hollow and linear shapes have no filling.
    pub(super) fn class(self) -> &'static str {
        match self {
            Shape::Open | Shape::Cross => "mark hollow",
            _ => "mark",
        }
    }
}

/// A drawing under construction. Points are (x, y) in pixels, y downwards.
pub(super) struct Svg {
    width: f64,
    height: f64,
    body: String,
}

impl Svg {
    pub(super) fn new(width: f64, height: f64) -> Svg {
        Svg { width, height, body: String::new() }
    }

    pub(super) fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        let d = format!("M{} {}L{} {}", short(from.0), short(from.1), short(to.0), short(to.1));
        self.path(class, &d);
    }

    pub(super) fn path(&mut self, class: &str, d: &str) {
        let _ = write!(self.body, "<path class=\"{class}\" d=\"{d}\"/>");
    }

    /// A path whose lines are `width` pixels wide.
    pub(super) fn stroke(&mut self, class: &str, width: f64, d: &str) {
        let _ = write!(self.body, "<path class=\"{class}\" stroke-width=\"{}\" d=\"{d}\"/>", short(width));
    }

    /// Many marks of one series as one element; `says` appears when any of them is pointed at.
    pub(super) fn marks(&mut self, class: &str, shape: Shape, at: &[(f64, f64)], radius: f64, says: &str) {
        let d: String = at.iter().map(|point| shape.path(*point, radius)).collect();
        let says = escaped(says);
        let _ = write!(
            self.body,
            "<path class=\"{} {class}\" d=\"{d}\"><title>{says}</title></path>",
            shape.class()
        );
    }

    pub(super) fn polyline(&mut self, class: &str, points: &[(f64, f64)]) {
        if points.len() > 1 {
            self.path(class, &format!("M{}", coordinates(points)));
        }
    }

    pub(super) fn polygon(&mut self, class: &str, points: &[(f64, f64)]) {
        if points.len() > 2 {
            self.path(class, &format!("M{}z", coordinates(points)));
        }
    }

    pub(super) fn rectangle(&mut self, class: &str, corner: (f64, f64), opposite: (f64, f64)) {
        let (x, y) = (corner.0.min(opposite.0), corner.1.min(opposite.1));
        let (w, h) = ((corner.0 - opposite.0).abs(), (corner.1 - opposite.1).abs());
        let _ = write!(
            self.body,
            "<rect class=\"{class}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>",
            short(x),
            short(y),
            short(w),
            short(h)
        );
    }

    /// A mark; `says` appears when pointed at.
    pub(super) fn mark(&mut self, class: &str, shape: Shape, at: (f64, f64), radius: f64, says: &str) {
        let d = shape.path(at, radius);
        let title = if says.is_empty() { String::new() } else { format!("<title>{}</title>", escaped(says)) };
        let _ = write!(self.body, "<path class=\"{} {class}\" d=\"{d}\">{title}</path>", shape.class());
    }

    pub(super) fn text(&mut self, class: &str, (x, y): (f64, f64), anchor: Anchor, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        // A third of an em below the point: capitals look centred on it.
        let _ = write!(
            self.body,
            "<text class=\"{class}\" x=\"{}\" y=\"{}\" dy=\".35em\"{anchor}>{}</text>",
            short(x),
            short(y),
            escaped(text)
        );
    }

    /// Text that runs upwards, centred on its point.
    pub(super) fn turned(&mut self, class: &str, (x, y): (f64, f64), text: &str) {
        let (x, y) = (short(x), short(y));
        let _ = write!(
            self.body,
            "<text class=\"{class}\" transform=\"translate({x} {y})rotate(-90)\" dy=\".35em\" text-anchor=\"middle\">{}</text>",
            escaped(text)
        );
    }

    /// A small drawing beside the word that says what it is, so nothing is left to describe.
    pub(super) fn swatch(self) -> String {
        format!(
            "<svg class=\"swatch\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" aria-hidden=\"true\">{2}</svg>",
            short(self.width),
            short(self.height),
            self.body
        )
    }

    /// The element. `id` names its title and description for screen readers.
    pub(super) fn finish(self, id: &str, title: &str, description: &str) -> String {
        format!(
            "<svg viewBox=\"0 0 {0} {1}\" style=\"--w:{0}\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\"><title id=\"{id}-t\">{2}</title>\
             <desc id=\"{id}-d\">{3}</desc>{4}</svg>",
            short(self.width),
            short(self.height),
            escaped(title),
            escaped(description),
            self.body
        )
    }
}

fn coordinates(points: &[(f64, f64)]) -> String {
    points.iter().map(|(x, y)| format!("{} {}", short(*x), short(*y))).collect::<Vec<_>>().join("L")
}

/// One decimal at most, none where it is 0. What is not finite is drawn at 0; callers leave it out.
pub(super) fn short(value: f64) -> String {
    let tenths = if value.is_finite() { (value * 10.0).round() } else { 0.0 };
    let text = format!("{:.1}", tenths / 10.0 + 0.0);
    text.strip_suffix(".0").map_or(text.clone(), str::to_string)
}

pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_short_and_never_nan() {
        assert_eq!([short(1.04), short(2.0), short(-0.04), short(f64::NAN)], ["1", "2", "0", "0"]);
    }

    #[test]
    fn text_cannot_leave_its_element() {
        let mut svg = Svg::new(10.0, 10.0);
        svg.text("t", (0.0, 0.0), Anchor::Start, "</text><script>");
        svg.mark("t", Shape::Cross, (5.0, 5.0), 2.0, "<b>");
        let text = svg.finish("f", "a & b", "<i>");
        assert!(!text.contains("<script>") && !text.contains("<b>") && !text.contains("<i>"));
    }
}
