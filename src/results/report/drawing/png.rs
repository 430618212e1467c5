//! Drawings as PNG, for readers that show no SVG: the same items, rasterised with the looks of picture files.

use plotters::backend::{BitMapBackend, DrawingBackend};
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters::element::{Circle, PathElement, Polygon, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontTransform, RGBAColor, RGBColor, ShapeStyle};

use super::looks::{Colour, Look, PAPER, look};
use super::shape::Shape;
use super::sheet::{Anchor, Drawing, Item, Point};

/// Pixels per unit of length: readable on dense screens.
const SCALE: f64 = 2.0;
/// How far below its point, in parts of its size, the rasteriser's text must be put to look centred on it.
const DROP: f64 = 0.18;

/// The file of a drawing. The same drawing gives the same bytes.
pub(in crate::report) fn png(drawing: &Drawing) -> Result<Vec<u8>, String> {
    let [wide, high] = [drawing.width, drawing.height].map(|length| (length * SCALE).ceil() as u32);
    let mut pixels = vec![255; 3 * wide as usize * high as usize];
    {
        let area = BitMapBackend::with_buffer(&mut pixels, (wide, high)).into_drawing_area();
        area.fill(&opaque(PAPER)).map_err(|error| error.to_string())?;
        for item in &drawing.items {
            draw(&area, item).map_err(|error| error.to_string())?;
        }
        area.present().map_err(|error| error.to_string())?;
    }
    encoded(&pixels, wide, high).map_err(|error| error.to_string())
}

type Drawn<DB> = Result<(), plotters::drawing::DrawingAreaErrorKind<<DB as DrawingBackend>::ErrorType>>;

fn draw<DB: DrawingBackend>(area: &DrawingArea<DB, Shift>, item: &Item) -> Drawn<DB> {
    match item {
        Item::Lines { class, lines, closed, width } => {
            let mut look = look(class);
            look.width = width.unwrap_or(look.width);
            lines.iter().try_for_each(|line| outlined(area, line, *closed, &look))
        }
        Item::Marks { class, shape, at, radius, .. } => {
            let look = look(&format!("{} {class}", shape.class()));
            for point in at {
                if *shape == Shape::Circle {
                    disc(area, *point, *radius, mixed(look.fill.unwrap_or(PAPER), look.opacity))?;
                }
                for (corners, closed) in shape.outline(*point, *radius) {
                    outlined(area, &corners, closed, &look)?;
                }
            }
            Ok(())
        }
        Item::Rectangle { class, corner, opposite } => {
            let look = look(class);
            let Some(fill) = look.fill else { return Ok(()) };
            area.draw(&Rectangle::new([pixel(*corner), pixel(*opposite)], mixed(fill, look.opacity).filled()))
        }
        Item::Text { class, at, anchor, upwards, text } => {
            let look = look(class);
            let across = match anchor {
                Anchor::Start => HPos::Left,
                Anchor::Middle => HPos::Center,
                Anchor::End => HPos::Right,
            };
            let font = look.font.described(SCALE).color(&opaque(look.fill.unwrap_or((0, 0, 0))));
            let style = font.pos(Pos::new(across, VPos::Center));
            let (style, at) = match upwards {
                true => (style.transform(FontTransform::Rotate270), *at),
                false => (style, (at.0, at.1 + DROP * look.font.size)),
            };
            area.draw(&Text::new(text.clone(), pixel(at), style))
        }
    }
}

/// A line, or the filling and the outline of an area.
fn outlined<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    points: &[Point],
    closed: bool,
    look: &Look,
) -> Drawn<DB> {
    let mut pixels: Vec<(i32, i32)> = points.iter().map(|point| pixel(*point)).collect();
    if let (Some(fill), true) = (look.fill, closed) {
        area.draw(&Polygon::new(pixels.clone(), mixed(fill, look.opacity)))?;
    }
    let Some(stroke) = look.stroke else { return Ok(()) };
    let colour = mixed(stroke, look.opacity);
    if look.round {
        for point in points.first().into_iter().chain(points.last()) {
            disc(area, *point, look.width / 2.0, colour)?;
        }
    }
    if closed {
        pixels.extend(pixels.first().copied());
    }
    area.draw(&PathElement::new(pixels, colour.stroke_width(length(look.width))))
}

fn disc<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    centre: Point,
    radius: f64,
    colour: RGBAColor,
) -> Drawn<DB> {
    let style: ShapeStyle = colour.filled();
    area.draw(&Circle::new(pixel(centre), length(radius), style))
}

fn pixel((x, y): Point) -> (i32, i32) {
    ((x * SCALE).round() as i32, (y * SCALE).round() as i32)
}

fn length(length: f64) -> u32 {
    (length * SCALE).round().max(1.0) as u32
}

fn opaque((red, green, blue): Colour) -> RGBColor {
    RGBColor(red, green, blue)
}

fn mixed(colour: Colour, opacity: f64) -> RGBAColor {
    opaque(colour).mix(opacity)
}

/// 8-bit RGB.
fn encoded(pixels: &[u8], width: u32, height: u32) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Default);
    encoder.set_filter(png::FilterType::Up);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(bytes)
}
