//! Layer profiles of one model: norms of the stream, gains of the blocks, what attention and MLP write.

use maud::{Markup, html};

use super::book::{Book, metric_anchor, slug};
use super::plate::{Csv, Plate, exact};
use super::words;
use crate::report::svg::{Frame, Grid, Scale, Shape, Svg};
use crate::report::text::number;
use crate::report::view::{Band, LayerProfile};

const WIDTH: f64 = 440.0;
const HEIGHT: f64 = 300.0;

/// One curve with the range of the prompts around it.
struct Run<'a> {
    name: &'static str,
    class: &'static str,
    shape: Shape,
    bands: &'a [Option<Band>],
}

struct Panel<'a> {
    key: &'static str,
    title: &'static str,
    label: &'static str,
    /// Layer of the first entry of every run.
    first: usize,
    axis: &'static str,
    reference: Option<f64>,
    metrics: &'static [&'static str],
    runs: [Run<'a>; 2],
}

pub(super) fn section(book: &mut Book<'_>, profile: &LayerProfile) -> Markup {
    let panels: Vec<Markup> =
        panels(profile).iter().filter_map(|panel| figure(book, profile, panel)).collect();
    html! { div.grid { @for panel in &panels { (panel) } } }
}

fn panels(profile: &LayerProfile) -> [Panel<'_>; 3] {
    let first = |bands| Run { name: "first token", class: "c4", shape: Shape::Diamond, bands };
    let rest = |bands| Run { name: "all other tokens", class: "c2", shape: Shape::Circle, bands };
    [
        Panel {
            key: "norms",
            title: "Norm of the residual stream",
            label: "L2 norm",
            first: 0,
            axis: "layer (0: embedding, l: output of block l-1)",
            reference: None,
            metrics: &["first-token-norm", "residual-norm"],
            runs: [rest(&profile.rest), first(&profile.first)],
        },
        Panel {
            key: "gains",
            title: "Gain of each block",
            label: "norm after over before, ratio",
            first: 1,
            axis: "layer l, after block l-1",
            reference: Some(1.0),
            metrics: &["first-token-gain", "layer-gain"],
            runs: [rest(&profile.rest_gain), first(&profile.first_gain)],
        },
        Panel {
            key: "writes",
            title: "What attention and MLP add, all tokens but the first",
            label: "L2 norm",
            first: 0,
            axis: "block",
            reference: None,
            metrics: &["attention-write", "mlp-write"],
            runs: [
                Run { name: "attention", class: "c0", shape: Shape::Square, bands: &profile.attention },
                Run { name: "MLP", class: "c1", shape: Shape::Triangle, bands: &profile.mlp },
            ],
        },
    ]
}

fn figure(book: &mut Book<'_>, profile: &LayerProfile, panel: &Panel<'_>) -> Option<Markup> {
    panel.runs.iter().flat_map(|run| run.bands).flatten().next()?;
    let csv = Csv::new(
        &["model", "layer", "tokens or module", "smallest", "geometric mean", "largest"],
        panel.runs.iter().flat_map(|run| {
            run.bands.iter().enumerate().map(move |(at, band)| {
                [
                    profile.model.clone(),
                    (at + panel.first).to_string(),
                    run.name.to_string(),
                    exact(band.map(|band| band.low)),
                    exact(band.map(|band| band.middle)),
                    exact(band.map(|band| band.high)),
                ]
            })
        }),
    );
    let protocol = words::protocols(book, &[profile.protocol]);
    let plate = Plate {
        name: book.unique(&format!("profile-{}-{}", slug(&profile.model), panel.key)),
        title: format!("{}: {}", profile.model, panel.title),
        description: description(panel),
        svg: draw(panel),
        legend: html! {
            @for run in &panel.runs {
                span class={ "key " (run.class) } { (sign(run.shape)) " " (run.name) } " "
            }
        },
        how: html! {
            p {
                "Metrics "
                @for (at, metric) in panel.metrics.iter().enumerate() {
                    @if at > 0 { ", " }
                    a href={ "#" (metric_anchor(metric)) } { (metric) }
                }
                ", measured here under " (protocol) " (a first token alone has no reduction). Lines are geometric means of "
                (profile.prompts) " prompts, bands their range."
            }
        },
        csv,
    };
    Some(plate.render(book))
}

fn sign(shape: Shape) -> &'static str {
    match shape {
        Shape::Diamond => "◆",
        Shape::Square => "■",
        Shape::Triangle => "▲",
        _ => "●",
    }
}

fn description(panel: &Panel<'_>) -> String {
    let runs = panel.runs.iter().map(|run| {
        let values: Vec<String> = run
            .bands
            .iter()
            .map(|band| band.map_or("none".to_string(), |band| number(band.middle)))
            .collect();
        format!("{} from layer {}: {}", run.name, panel.first, values.join(", "))
    });
    format!("{} by layer. {}.", panel.label, runs.collect::<Vec<_>>().join(". "))
}

fn draw(panel: &Panel<'_>) -> Svg {
    let mut svg = Svg::new(WIDTH, HEIGHT);
    let frame = Frame { left: 66.0, right: WIDTH - 10.0, top: 10.0, bottom: HEIGHT - 46.0 };
    let all = panel.runs.iter().flat_map(|run| run.bands).flatten().flat_map(|band| [band.low, band.high]);
    let scale = Scale::covering(all.chain(panel.reference), true, frame.bottom, frame.top);
    frame.vertical(
        &mut svg,
        &Grid { scale: &scale, label: panel.label, reference: panel.reference, ticks: 5 },
    );
    let layers = panel.runs.iter().map(|run| run.bands.len()).max().unwrap_or(1);
    let x = frame.counts(&mut svg, panel.first, panel.first + layers.saturating_sub(1), panel.axis);
    for run in &panel.runs {
        for stretch in stretches(run.bands) {
            let at = |layer: usize| x((layer + panel.first) as f64);
            let upper = stretch.iter().map(|(layer, band)| (at(*layer), scale.at(band.high)));
            let lower = stretch.iter().rev().map(|(layer, band)| (at(*layer), scale.at(band.low)));
            svg.polygon(&format!("area {}", run.class), &upper.chain(lower).collect::<Vec<_>>());
            let middle: Vec<(f64, f64)> =
                stretch.iter().map(|(layer, band)| (at(*layer), scale.at(band.middle))).collect();
            svg.polyline(&format!("curve {}", run.class), &middle);
            for ((layer, band), point) in stretch.iter().zip(&middle) {
                let says = format!("{}, layer {}: {}", run.name, layer + panel.first, number(band.middle));
                svg.mark(run.class, run.shape, *point, 3.0, &says);
            }
        }
    }
    svg
}

/// Layers without a gap between them.
fn stretches(bands: &[Option<Band>]) -> Vec<Vec<(usize, Band)>> {
    let mut stretches: Vec<Vec<(usize, Band)>> = vec![Vec::new()];
    for (layer, band) in bands.iter().enumerate() {
        match (band, stretches.last_mut()) {
            (Some(band), Some(stretch)) => stretch.push((layer, *band)),
            _ => stretches.push(Vec::new()),
        }
    }
    stretches
}
