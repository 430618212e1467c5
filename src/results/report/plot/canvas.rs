//! Lines, shapes and text in units that both backends share, with fonts that ship with the program.

use std::cell::RefCell;
use std::sync::Once;

use plotters::backend::DrawingBackend;
use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters::element::{Circle, PathElement, Polygon, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{
    Color, FontDesc, FontFamily, FontStyle, FontTransform, RGBAColor, RGBColor, TextStyle, register_font,
};

/// Viewers of an SVG without DejaVu fall back to Verdana, which has the same widths.
const FAMILY: &str = "DejaVu Sans, Verdana, sans-serif";

pub(super) const INK: RGBColor = RGBColor(33, 37, 41);
pub(super) const GREY: RGBColor = RGBColor(108, 117, 125);
pub(super) const PALE: RGBColor = RGBColor(222, 226, 230);
pub(super) const BAND: RGBColor = RGBColor(246, 247, 249);
pub(super) const WHITE: RGBColor = RGBColor(255, 255, 255);
/// Orange and blue stay apart for colour-blind readers; shapes differ too.
pub(super) const PUBLISHED: RGBColor = RGBColor(196, 84, 18);
pub(super) const MEASURED: RGBColor = RGBColor(20, 104, 176);
/// Where colour tells tokens apart, not evidence.
pub(super) const VIOLET: RGBColor = RGBColor(122, 60, 150);
pub(super) const TEAL: RGBColor = RGBColor(15, 128, 120);

/// Where a text lies relative to its point.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Align {
    Left,
    Centre,
    Right,
}

/// How a text looks; `size` in units.
#[derive(Clone, Copy)]
pub(in crate::report) struct Type {
    pub size: f64,
    pub bold: bool,
    pub color: RGBColor,
}

pub(super) const TITLE: Type = Type { size: 17.0, bold: true, color: INK };
pub(super) const HEAD: Type = Type { size: 14.0, bold: true, color: INK };
pub(in crate::report) const BODY: Type = Type { size: 13.0, bold: false, color: INK };
pub(in crate::report) const SMALL: Type = Type { size: 12.0, bold: false, color: GREY };

impl Type {
    pub(crate) fn in_color(self, color: RGBColor) -> Type {
        Type { color, ..self }
    }
}

/// What pictures draw on. Points are (x, y) in units, y downwards; text is centred vertically on its point.
pub(super) trait Surface {
    fn line(&self, points: &[(f64, f64)], color: RGBColor, width: f64);
    fn rectangle(&self, corner: (f64, f64), opposite: (f64, f64), color: RGBColor, opacity: f64);
    fn polygon(&self, points: &[(f64, f64)], color: RGBColor, opacity: f64);
    fn circle(&self, centre: (f64, f64), radius: f64, color: RGBColor);
    fn text(&self, at: (f64, f64), text: &str, look: Type, align: Align);
    fn turned(&self, at: (f64, f64), text: &str, look: Type);
}

/// A drawing area of one backend. The first error is kept until `finish`.
pub(super) struct Canvas<'a, DB: DrawingBackend> {
    area: &'a DrawingArea<DB, Shift>,
    scale: f64,
    drop: f64,
    failed: RefCell<Option<String>>,
}

impl<'a, DB: DrawingBackend> Canvas<'a, DB> {
    /// `scale` pixels per unit. `drop`: how far below its point, in parts of its size, the backend's text must be put to
    /// look centred on it.
    pub(super) fn new(area: &'a DrawingArea<DB, Shift>, scale: u32, drop: f64) -> Canvas<'a, DB> {
        let canvas = Canvas { area, scale: f64::from(scale), drop, failed: RefCell::new(None) };
        canvas.keep(area.fill(&WHITE));
        canvas
    }

    pub(super) fn finish(self) -> Result<(), String> {
        self.keep(self.area.present());
        self.failed.into_inner().map_or(Ok(()), Err)
    }

    fn keep<E: std::fmt::Display>(&self, result: Result<(), E>) {
        if let Err(error) = result {
            self.failed.borrow_mut().get_or_insert(error.to_string());
        }
    }

    fn point(&self, (x, y): (f64, f64)) -> (i32, i32) {
        ((x * self.scale).round() as i32, (y * self.scale).round() as i32)
    }

    fn points(&self, points: &[(f64, f64)]) -> Vec<(i32, i32)> {
        points.iter().map(|point| self.point(*point)).collect()
    }

    fn length(&self, length: f64) -> u32 {
        (length * self.scale).round().max(1.0) as u32
    }

    fn style(&self, look: Type) -> TextStyle<'static> {
        let style = if look.bold { FontStyle::Bold } else { FontStyle::Normal };
        FontDesc::new(FontFamily::Name(FAMILY), look.size * self.scale, style).color(&look.color)
    }
}

impl<DB: DrawingBackend> Surface for Canvas<'_, DB> {
    fn line(&self, points: &[(f64, f64)], color: RGBColor, width: f64) {
        let style = color.stroke_width(self.length(width));
        self.keep(self.area.draw(&PathElement::new(self.points(points), style)));
    }

    fn rectangle(&self, corner: (f64, f64), opposite: (f64, f64), color: RGBColor, opacity: f64) {
        let style = mixed(color, opacity).filled();
        self.keep(self.area.draw(&Rectangle::new([self.point(corner), self.point(opposite)], style)));
    }

    fn polygon(&self, points: &[(f64, f64)], color: RGBColor, opacity: f64) {
        self.keep(self.area.draw(&Polygon::new(self.points(points), mixed(color, opacity))));
    }

    fn circle(&self, centre: (f64, f64), radius: f64, color: RGBColor) {
        self.keep(self.area.draw(&Circle::new(self.point(centre), self.length(radius), color.filled())));
    }

    fn text(&self, at: (f64, f64), text: &str, look: Type, align: Align) {
        let across = match align {
            Align::Left => HPos::Left,
            Align::Centre => HPos::Center,
            Align::Right => HPos::Right,
        };
        let style = self.style(look).pos(Pos::new(across, VPos::Center));
        let at = (at.0, at.1 + self.drop * look.size);
        self.keep(self.area.draw(&Text::new(text.to_string(), self.point(at), style)));
    }

    fn turned(&self, at: (f64, f64), text: &str, look: Type) {
        let style =
            self.style(look).transform(FontTransform::Rotate270).pos(Pos::new(HPos::Center, VPos::Center));
        self.keep(self.area.draw(&Text::new(text.to_string(), self.point(at), style)));
    }
}

fn mixed(color: RGBColor, opacity: f64) -> RGBAColor {
    color.mix(opacity)
}

/// Width of a text in units; layout must know it before there is a backend.
pub(in crate::report) fn text_width(text: &str, look: Type) -> f64 {
    let style = if look.bold { FontStyle::Bold } else { FontStyle::Normal };
    // Measured large, since the estimate is a whole number of pixels.
    let font = FontDesc::new(FontFamily::Name(FAMILY), look.size * 16.0, style);
    font.box_size(text)
        .map_or(0.6 * look.size * text.chars().count() as f64, |(width, _)| f64::from(width) / 16.0)
}

/// Lines no wider than `width`, broken at spaces.
pub(in crate::report) fn wrapped(text: &str, look: Type, width: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if text_width(&format!("{line} {word}"), look) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_string()),
        }
    }
    lines
}

/// The text cut so that it fits, with an ellipsis.
pub(in crate::report) fn fitted(text: &str, look: Type, width: f64) -> String {
    let mut limit = text.chars().count();
    loop {
        let short = super::super::text::shortened(text, limit);
        if limit <= 1 || text_width(&short, look) <= width {
            return short;
        }
        limit -= 1;
    }
}

/// Makes the fonts that ship with the program known to the plotting library.
pub(in crate::report) fn register_fonts() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let regular = include_bytes!("../../../../data/fonts/DejaVuSans-subset.ttf");
        let bold = include_bytes!("../../../../data/fonts/DejaVuSans-Bold-subset.ttf");
        for (style, bytes) in [(FontStyle::Normal, &regular[..]), (FontStyle::Bold, &bold[..])] {
            // The files are fonts (a test draws with them); without one, drawing reports that a font is missing.
            let _ = register_font(FAMILY, style, bytes);
        }
    });
}
