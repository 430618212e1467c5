//! Fonts that ship with the program: how wide a text will be, and what fits.

use std::sync::Once;

use plotters::style::{FontDesc, FontFamily, FontStyle, register_font};

use crate::report::text::shortened;

/// Viewers of an SVG without DejaVu fall back to Verdana, which has the same widths.
pub(super) const FAMILY: &str = "DejaVu Sans, Verdana, sans-serif";

/// Size in pixels, and weight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::report) struct Font {
    pub size: f64,
    pub bold: bool,
}

pub(in crate::report) const TITLE: Font = Font { size: 17.0, bold: true };
pub(in crate::report) const HEAD: Font = Font { size: 12.5, bold: true };
pub(in crate::report) const BODY: Font = Font { size: 13.0, bold: false };
pub(in crate::report) const SMALL: Font = Font { size: 12.0, bold: false };

impl Font {
    /// The font at `scale` pixels per unit.
    pub(super) fn described(self, scale: f64) -> FontDesc<'static> {
        let style = if self.bold { FontStyle::Bold } else { FontStyle::Normal };
        FontDesc::new(FontFamily::Name(FAMILY), self.size * scale, style)
    }
}

/// Width of a text in pixels.
pub(in crate::report) fn text_width(text: &str, font: Font) -> f64 {
    // Measured large, since the estimate is a whole number of pixels.
    font.described(16.0)
        .box_size(text)
        .map_or(0.6 * font.size * text.chars().count() as f64, |(width, _)| f64::from(width) / 16.0)
}

/// Lines no wider than `width`, broken at spaces.
pub(in crate::report) fn wrapped(text: &str, font: Font, width: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if text_width(&format!("{line} {word}"), font) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_string()),
        }
    }
    lines
}

/// The text cut so that it fits, with an ellipsis.
pub(in crate::report) fn fitted(text: &str, font: Font, width: f64) -> String {
    let mut limit = text.chars().count();
    loop {
        let short = shortened(text, limit);
        if limit <= 1 || text_width(&short, font) <= width {
            return short;
        }
        limit -= 1;
    }
}

/// Makes the fonts known to the plotting library. Without it, no width is right.
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
