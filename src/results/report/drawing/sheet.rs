//! A drawing under construction: items in the order in which they are drawn, each with the classes that decide its look.

use super::shape::Shape;
use base::terminal::visible;

/// (x, y) in pixels of the SVG, y downwards.
pub(in crate::report) type Point = (f64, f64);

/// Where a text lies relative to its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::report) enum Anchor {
    Start,
    Middle,
    End,
}

/// Lines, marks and words on a sheet of a fixed size.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::report) struct Drawing {
    pub width: f64,
    pub height: f64,
    pub(super) items: Vec<Item>,
}

/// Something drawn.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Item {
    /// Lines through points, each on its own; `closed` joins the last point of each to the first.
    Lines {
        class: String,
        lines: Vec<Vec<Point>>,
        closed: bool,
        width: Option<f64>,
    },
    /// Marks of one series; `says` appears when one is pointed at.
    Marks {
        class: String,
        shape: Shape,
        at: Vec<Point>,
        radius: f64,
        says: String,
    },
    Rectangle {
        class: String,
        corner: Point,
        opposite: Point,
    },
    /// Words centred vertically on their point; `upwards` turns them by a right angle.
    Text {
        class: String,
        at: Point,
        anchor: Anchor,
        upwards: bool,
        text: String,
    },
}

impl Drawing {
    pub(in crate::report) fn new(width: f64, height: f64) -> Drawing {
        Drawing { width, height, items: Vec::new() }
    }

    pub(in crate::report) fn line(&mut self, class: &str, from: Point, to: Point) {
        self.lines(class, vec![vec![from, to]]);
    }

    /// Many lines of one class as one item.
    pub(in crate::report) fn lines(&mut self, class: &str, lines: Vec<Vec<Point>>) {
        self.push_lines(class, lines, false, None);
    }

    /// Lines of this width instead of that of their class.
    pub(in crate::report) fn strokes(&mut self, class: &str, width: f64, lines: Vec<Vec<Point>>) {
        self.push_lines(class, lines, false, Some(width));
    }

    pub(in crate::report) fn polyline(&mut self, class: &str, points: &[Point]) {
        if points.len() > 1 {
            self.lines(class, vec![points.to_vec()]);
        }
    }

    pub(in crate::report) fn polygon(&mut self, class: &str, points: &[Point]) {
        if points.len() > 2 {
            self.push_lines(class, vec![points.to_vec()], true, None);
        }
    }

    /// Many areas of one class as one item.
    pub(in crate::report) fn polygons(&mut self, class: &str, areas: Vec<Vec<Point>>) {
        self.push_lines(class, areas, true, None);
    }

    fn push_lines(&mut self, class: &str, lines: Vec<Vec<Point>>, closed: bool, width: Option<f64>) {
        if lines.iter().any(|line| !line.is_empty()) {
            self.items.push(Item::Lines { class: class.to_string(), lines, closed, width });
        }
    }

    pub(in crate::report) fn rectangle(&mut self, class: &str, corner: Point, opposite: Point) {
        self.items.push(Item::Rectangle { class: class.to_string(), corner, opposite });
    }

    /// A mark; `says` appears when it is pointed at.
    pub(in crate::report) fn mark(&mut self, class: &str, shape: Shape, at: Point, radius: f64, says: &str) {
        self.marks(class, shape, vec![at], radius, says);
    }

    /// Many marks of one series as one item.
    pub(in crate::report) fn marks(
        &mut self,
        class: &str,
        shape: Shape,
        at: Vec<Point>,
        radius: f64,
        says: &str,
    ) {
        if !at.is_empty() {
            let (class, says) = (class.to_string(), says.to_string());
            self.items.push(Item::Marks { class, shape, at, radius, says });
        }
    }

    pub(in crate::report) fn text(&mut self, class: &str, at: Point, anchor: Anchor, text: &str) {
        let (class, text) = (class.to_string(), visible(text).into_owned());
        self.items.push(Item::Text { class, at, anchor, upwards: false, text });
    }

    /// Text that runs upwards, centred on its point.
    pub(in crate::report) fn turned(&mut self, class: &str, at: Point, text: &str) {
        let (class, text) = (class.to_string(), text.to_string());
        self.items.push(Item::Text { class, at, anchor: Anchor::Middle, upwards: true, text });
    }

    /// Draws another drawing with its upper left corner at a point.
    pub(in crate::report) fn place(&mut self, drawing: &Drawing, (x, y): Point) {
        let moved = |point: &Point| (point.0 + x, point.1 + y);
        for item in &drawing.items {
            let mut item = item.clone();
            match &mut item {
                Item::Lines { lines, .. } => {
                    lines.iter_mut().flatten().for_each(|point| *point = moved(point));
                }
                Item::Marks { at, .. } => at.iter_mut().for_each(|point| *point = moved(point)),
                Item::Rectangle { corner, opposite, .. } => {
                    (*corner, *opposite) = (moved(corner), moved(opposite));
                }
                Item::Text { at, .. } => *at = moved(at),
            }
            self.items.push(item);
        }
    }
}
