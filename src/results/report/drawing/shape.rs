//! Marks that are told apart without colour.

use super::sheet::Point;

/// The shape of a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::report) enum Shape {
    Circle,
    Square,
    Triangle,
    Diamond,
    /// A hollow triangle that points down.
    Open,
    Cross,
}

impl Shape {
    /// In the order in which series take them.
    pub(in crate::report) const ALL: [Shape; 6] =
        [Shape::Circle, Shape::Square, Shape::Triangle, Shape::Diamond, Shape::Open, Shape::Cross];

    /// The same shape as a character.
    pub(in crate::report) fn character(self) -> &'static str {
        match self {
            Shape::Circle => "●",
            Shape::Square => "■",
            Shape::Triangle => "▲",
            Shape::Diamond => "◆",
            Shape::Open => "▽",
            Shape::Cross => "✕",
        }
    }

    /// Class of the mark: hollow and linear shapes have no filling.
    pub(super) fn class(self) -> &'static str {
        match self {
            Shape::Open | Shape::Cross => "mark hollow",
            _ => "mark",
        }
    }

    /// Corners of each of its parts around a point, and whether the last is joined to the first; none for a circle.
    pub(super) fn outline(self, (x, y): Point, r: f64) -> Vec<(Vec<Point>, bool)> {
        let part = |corners: &[Point], closed: bool| {
            (corners.iter().map(|(dx, dy)| (x + dx * r, y + dy * r)).collect(), closed)
        };
        match self {
            Shape::Circle => Vec::new(),
            Shape::Square => {
                vec![part(&[(-0.88, -0.88), (0.88, -0.88), (0.88, 0.88), (-0.88, 0.88)], true)]
            }
            Shape::Triangle => vec![part(&[(0.0, -1.15), (1.05, 0.85), (-1.05, 0.85)], true)],
            Shape::Diamond => vec![part(&[(0.0, -1.3), (1.3, 0.0), (0.0, 1.3), (-1.3, 0.0)], true)],
            Shape::Open => vec![part(&[(0.0, 1.15), (1.05, -0.85), (-1.05, -0.85)], true)],
            Shape::Cross => {
                vec![part(&[(-0.9, -0.9), (0.9, 0.9)], false), part(&[(-0.9, 0.9), (0.9, -0.9)], false)]
            }
        }
    }
}
