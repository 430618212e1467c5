//! The pictures. Each is drawn by one function for both backends, so SVG and PNG cannot differ.

pub(super) mod canvas;
mod case;
mod forest;
mod profile;
pub(super) mod scale;

use plotters::backend::{BitMapBackend, SVGBackend};
use plotters::drawing::IntoDrawingArea;

use super::view::{View, plot_name};
use canvas::{Canvas, Surface};

/// Why a picture could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PlotError {
    #[error("plot {name}: {why}; this is a bug of streamgauge, the numbers in the report are not concerned")]
    Draw { name: String, why: String },
}

/// Pixels per unit of length in PNG files: readable on dense screens.
const PNG_SCALE: u32 = 2;
/// Where the backends put the middle of a text differs: SVG centres lower-case letters, the bitmap lies higher.
const SVG_DROP: f64 = 0.03;
const PNG_DROP: f64 = 0.18;

/// A drawing whose size is known before it is drawn.
trait Picture {
    /// Width and height in units (pixels of the SVG).
    fn size(&self) -> (u32, u32);
    fn draw(&self, canvas: &dyn Surface);
}

/// File names and contents of all pictures of the report, SVG and PNG of each. The same view gives the same bytes.
pub fn plots(view: &View) -> Result<Vec<(String, Vec<u8>)>, PlotError> {
    canvas::register_fonts();
    let mut files = Vec::new();
    if let Some(case) = &view.llama {
        render("llama-case", &case::CasePlot::new(case), &mut files)?;
    }
    for hypothesis in &view.hypotheses {
        render(&plot_name(&hypothesis.id), &forest::ForestPlot::new(hypothesis), &mut files)?;
    }
    if !view.profiles.is_empty() {
        render("layer-profiles", &profile::ProfilePlot::new(&view.profiles), &mut files)?;
    }
    Ok(files)
}

fn render(name: &str, picture: &dyn Picture, files: &mut Vec<(String, Vec<u8>)>) -> Result<(), PlotError> {
    let fail = |why: String| PlotError::Draw { name: name.to_string(), why };
    let (width, height) = picture.size();
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (width, height)).into_drawing_area();
        let canvas = Canvas::new(&area, 1, SVG_DROP);
        picture.draw(&canvas);
        canvas.finish().map_err(fail)?;
    }
    files.push((format!("{name}.svg"), svg.into_bytes()));

    let (wide, high) = (width * PNG_SCALE, height * PNG_SCALE);
    let mut pixels = vec![255; 3 * wide as usize * high as usize];
    {
        let area = BitMapBackend::with_buffer(&mut pixels, (wide, high)).into_drawing_area();
        let canvas = Canvas::new(&area, PNG_SCALE, PNG_DROP);
        picture.draw(&canvas);
        canvas.finish().map_err(fail)?;
    }
    files.push((format!("{name}.png"), png(&pixels, wide, high).map_err(|error| fail(error.to_string()))?));
    Ok(())
}

/// 8-bit RGB.
fn png(pixels: &[u8], width: u32, height: u32) -> Result<Vec<u8>, png::EncodingError> {
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
