//! The drawing layer: a figure is described once, by marks and lines that carry classes, and written as SVG within a page (whose
//! style sheet gives the classes their colours), as an SVG file, or as a PNG file for readers that show nothing else.

mod axis;
pub(super) mod extent;
mod fonts;
mod looks;
mod png;
mod scale;
mod shape;
mod sheet;
mod svg;

pub(super) use axis::{Frame, Grid};
pub(super) use fonts::{BODY, HEAD, SMALL, TITLE, fitted, register_fonts, text_width, wrapped};
pub(super) use png::png;
pub(super) use scale::Scale;
pub(super) use shape::Shape;
pub(super) use sheet::{Anchor, Drawing, Point};
pub(super) use svg::{inline, standalone, swatch};
