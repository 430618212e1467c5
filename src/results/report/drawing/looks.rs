//! How classes look in picture files, which have no style sheet: the light colours of `html/style.css`.

use super::fonts::{BODY, Font, HEAD, SMALL, TITLE};

/// Red, green, blue.
pub(super) type Colour = (u8, u8, u8);

const INK: Colour = (29, 32, 36);
const SOFT: Colour = (90, 96, 104);
const FAINT: Colour = (222, 226, 230);
const RAISED: Colour = (246, 247, 249);
pub(super) const PAPER: Colour = (255, 255, 255);
/// Orange and blue stay apart for colour-blind readers; shapes differ too.
const PUBLISHED: Colour = (177, 74, 12);
const MEASURED: Colour = (20, 100, 172);
const GREY: Colour = (101, 108, 116);
const PRIMARY: Colour = (163, 38, 42);
/// Colours of series, in their order.
const SERIES: [Colour; 8] = [
    MEASURED,
    PUBLISHED,
    (12, 113, 104),
    (155, 47, 111),
    (106, 61, 154),
    (122, 98, 0),
    (74, 85, 96),
    (47, 122, 31),
];

/// How an item is drawn. A text has the colour of `fill`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Look {
    pub fill: Option<Colour>,
    pub stroke: Option<Colour>,
    pub width: f64,
    pub opacity: f64,
    /// Whether lines end in half a disc.
    pub round: bool,
    pub font: Font,
}

/// The look of an item with these classes, separated by spaces.
pub(super) fn look(classes: &str) -> Look {
    let mut colour = INK;
    let mut coloured = false;
    for class in classes.split(' ') {
        let own = match class {
            "pub" => PUBLISHED,
            "mea" | "equivalent" => MEASURED,
            "reh" => GREY,
            "grey" | "other" => GREY,
            "primary" => PRIMARY,
            _ => {
                let series = class.strip_prefix('c').and_then(|at| at.parse::<usize>().ok());
                let Some(own) = series.and_then(|at| SERIES.get(at)) else { continue };
                *own
            }
        };
        (colour, coloured) = (own, true);
    }
    let mut look = Look { fill: None, stroke: None, width: 1.0, opacity: 1.0, round: false, font: BODY };
    let text = |look: &mut Look, font: Font, plain: Colour| {
        (look.font, look.fill) = (font, Some(if coloured { colour } else { plain }));
    };
    let stroke = |look: &mut Look, colour: Colour, width: f64| {
        (look.stroke, look.width) = (Some(colour), width);
    };
    for class in classes.split(' ') {
        match class {
            "title" => text(&mut look, TITLE, INK),
            "head" => text(&mut look, HEAD, INK),
            "body" => text(&mut look, BODY, INK),
            "small" => text(&mut look, SMALL, SOFT),
            "inside" => text(&mut look, SMALL, INK),
            "value" => text(&mut look, Font { size: 14.0, bold: true }, INK),
            "grid" | "row" => stroke(&mut look, FAINT, 1.0),
            "rule" | "tick" => stroke(&mut look, SOFT, 1.0),
            "guide" => stroke(&mut look, INK, 1.0),
            "reference" => stroke(&mut look, INK, 1.3),
            "stem" => stroke(&mut look, colour, 2.0),
            "bars" => {
                stroke(&mut look, colour, 1.0);
                look.opacity = 0.38;
            }
            "curve" => stroke(&mut look, colour, 1.7),
            "rounds" => {
                stroke(&mut look, colour, 1.0);
                look.round = true;
            }
            "dots" => {
                stroke(&mut look, SOFT, 6.0);
                look.round = true;
            }
            "band" => look.fill = Some(RAISED),
            "fill" | "mark" => look.fill = Some(colour),
            "hollow" => {
                look.fill = Some(PAPER);
                stroke(&mut look, colour, 1.5);
            }
            "area" => (look.fill, look.opacity) = (Some(colour), 0.15),
            "many" => look.opacity = 0.55,
            "share" => (look.fill, look.opacity) = (Some(colour), 0.3),
            // After "stem" or "dots".
            "thin" => look.width *= 0.65,
            _ => {}
        }
    }
    look
}
