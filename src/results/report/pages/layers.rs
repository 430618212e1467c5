//! A page of how the stream grows through the measured models, and the layer profiles of one of them: norms of the stream, gains
//! of the blocks, what the branches write.

use super::context::RenderContext;
use crate::report::document::{
    Block, Cell, Csv, Digits, FigureBlock, Group, Line, Page, Picture, PicturePart, Role, Sign, Span, Table,
    column, count, exact, line, number, optional, protocol_links, row, slug,
};
use crate::report::drawing::{Drawing, Frame, Grid, Point, Scale, Shape};
use crate::report::profile::{Band, BranchWrites, LayerProfile};
use number::metric::Metric;
use number::observation::{ATTENTION, MLP};

const WIDTH: f64 = 440.0;
const HEIGHT: f64 = 300.0;

/// Colour and mark of the branches of a block, in their order.
const BRANCH_LOOKS: [(&str, Shape); 4] =
    [("c0", Shape::Square), ("c1", Shape::Triangle), ("c3", Shape::Circle), ("c5", Shape::Cross)];

/// One curve with the range of the prompts around it.
struct Curve<'a> {
    name: &'a str,
    class: &'static str,
    shape: Shape,
    bands: &'a [Option<Band>],
}

struct Panel<'a> {
    key: &'static str,
    title: &'static str,
    label: &'static str,
    /// Layer of the first entry of every curve.
    first: usize,
    axis: &'static str,
    reference: Option<f64>,
    metrics: [Metric; 2],
    curves: Vec<Curve<'a>>,
}

/// All models in one table and one picture.
pub(super) fn pages(context: &RenderContext<'_>) -> Vec<Page> {
    let profiles = &context.view.profiles;
    if profiles.is_empty() {
        return Vec::new();
    }
    let columns = [
        "model",
        "tokens",
        "protocol",
        "prompts",
        "norm entering block 0",
        "entering the last block",
        "leaving it",
        "last-block gain (ratio)",
    ]
    .map(column);
    let rows = profiles.iter().flat_map(|profile| {
        [("the first alone", &profile.first), ("all but the first", &profile.rest)]
            .map(|(tokens, bands)| profile_row(context, profile, tokens, bands))
    });
    let lead = "Norms of the residual stream, the first token apart from the others: geometric means over prompts; so is the gain, \
                which divides them. A first token alone has no reduction. Each model's own page draws every layer.";
    vec![Page {
        id: "layers".into(),
        group: Group::Report,
        label: ("Layers".into(), String::new()),
        kicker: Line::default(),
        title: "How the stream grows through the models".into(),
        blocks: vec![
            Block::text(Role::Lead, lead),
            Block::Picture(picture(profiles)),
            Block::Table(Table::new("Norms at both ends of the models", columns).filtered().with(rows)),
        ],
    }]
}

fn profile_row(
    context: &RenderContext<'_>,
    profile: &LayerProfile,
    tokens: &str,
    bands: &[Option<Band>],
) -> Vec<Cell> {
    let middle =
        |at: Option<usize>| at.and_then(|at| bands.get(at).copied().flatten()).map(|band| band.middle);
    let last = bands.len().checked_sub(1);
    let before = bands.len().checked_sub(2);
    let gain = middle(last).zip(middle(before)).map(|(out, into)| out / into);
    let under = |digits: Digits| digits.under(&[profile.protocol]);
    row![
        Cell::head(context.model_link(&profile.model)),
        tokens,
        protocol_links(&[profile.protocol]),
        count(profile.prompts),
        under(optional(middle(Some(0)))),
        under(optional(middle(before))),
        under(optional(middle(last))),
        under(optional(gain))
    ]
}

fn picture(profiles: &[LayerProfile]) -> Picture {
    let parts = profiles.iter().map(|profile| {
        let [norms, ..] = panels(profile);
        PicturePart {
            name: format!("{}, {} prompts", profile.model, profile.prompts),
            claim: String::new(),
            remarks: Vec::new(),
            drawing: Some(draw(&norms)),
        }
    });
    let rest = profiles.first().map_or(String::new(), |p| format!("all other tokens ({})", p.protocol));
    let entry = |class: &str, shape, name: &str| Span::LegendEntry {
        class: class.into(),
        sign: Sign::Mark(shape),
        name: name.into(),
    };
    Picture {
        name: "layer-profiles".into(),
        says: "Norm of the residual stream by layer, the first token apart from the others".into(),
        title: "Norm of the residual stream by layer".into(),
        legend: line![
            entry("c4", Shape::Diamond, "first token alone"),
            " ",
            entry("c2", Shape::Circle, &rest),
            " line: geometric mean of prompts, band: range"
        ],
        parts: parts.collect(),
    }
}

/// The figures of one model.
pub(super) fn figures(profile: &LayerProfile) -> Vec<FigureBlock> {
    panels(profile).iter().filter_map(|panel| figure(profile, panel)).collect()
}

fn panels(profile: &LayerProfile) -> [Panel<'_>; 3] {
    let first = |bands| Curve { name: "first token", class: "c4", shape: Shape::Diamond, bands };
    let rest = |bands| Curve { name: "all other tokens", class: "c2", shape: Shape::Circle, bands };
    [
        Panel {
            key: "norms",
            title: "Norm of the residual stream",
            label: "L2 norm",
            first: 0,
            axis: "layer (0: embedding, l: output of block l-1)",
            reference: None,
            metrics: [Metric::FirstTokenNorm, Metric::ResidualNorm],
            curves: vec![rest(&profile.rest), first(&profile.first)],
        },
        Panel {
            key: "gains",
            title: "Gain of each block",
            label: "norm after over before, ratio",
            first: 1,
            axis: "layer l, after block l-1",
            reference: Some(1.0),
            metrics: [Metric::FirstTokenGain, Metric::LayerGain],
            curves: vec![rest(&profile.rest_gain), first(&profile.first_gain)],
        },
        Panel {
            key: "writes",
            title: "What the branches of the blocks add, all tokens but the first",
            label: "L2 norm",
            first: 0,
            axis: "block",
            reference: None,
            metrics: [Metric::AttentionWrite, Metric::MlpWrite],
            curves: profile.writes.iter().zip(BRANCH_LOOKS.iter().cycle()).map(branch_curve).collect(),
        },
    ]
}

fn branch_curve<'a>((writes, (class, shape)): (&'a BranchWrites, &(&'static str, Shape))) -> Curve<'a> {
    let name = match writes.branch.as_str() {
        ATTENTION => "attention",
        MLP => "MLP",
        other => other,
    };
    Curve { name, class, shape: *shape, bands: &writes.bands }
}

fn figure(profile: &LayerProfile, panel: &Panel<'_>) -> Option<FigureBlock> {
    panel.curves.iter().flat_map(|curve| curve.bands).flatten().next()?;
    let csv = Csv::new(
        &["model", "layer", "tokens or module", "smallest", "geometric mean", "largest"],
        panel.curves.iter().flat_map(|curve| {
            curve.bands.iter().enumerate().map(move |(at, band)| {
                [
                    profile.model.clone(),
                    (at + panel.first).to_string(),
                    curve.name.to_string(),
                    exact(band.map(|band| band.low)),
                    exact(band.map(|band| band.middle)),
                    exact(band.map(|band| band.high)),
                ]
            })
        }),
    );
    let entries = panel.curves.iter().map(|curve| Span::LegendEntry {
        class: curve.class.into(),
        sign: Sign::Mark(curve.shape),
        name: curve.name.into(),
    });
    Some(FigureBlock {
        name: format!("profile-{}-{}", slug(&profile.model), panel.key),
        title: format!("{}: {}", profile.model, panel.title),
        description: description(panel),
        drawing: draw(panel),
        legend: Line::joined(entries, " "),
        how: Line::from(format!(
            "Measured here; a first token alone has no reduction. Lines are geometric means of {} prompts, bands their range.",
            profile.prompts
        )),
        metrics: panel.metrics.to_vec(),
        protocols: vec![profile.protocol],
        csv,
        described: true,
    })
}

fn description(panel: &Panel<'_>) -> String {
    let curves = panel.curves.iter().map(|curve| {
        let values: Vec<String> = curve
            .bands
            .iter()
            .map(|band| band.map_or("none".to_string(), |band| number(band.middle).in_figure()))
            .collect();
        format!("{} from layer {}: {}", curve.name, panel.first, values.join(", "))
    });
    format!("{} by layer. {}.", panel.label, curves.collect::<Vec<_>>().join(". "))
}

fn draw(panel: &Panel<'_>) -> Drawing {
    let mut drawing = Drawing::new(WIDTH, HEIGHT);
    let frame = Frame { left: 66.0, right: WIDTH - 10.0, top: 10.0, bottom: HEIGHT - 46.0 };
    let all =
        panel.curves.iter().flat_map(|curve| curve.bands).flatten().flat_map(|band| [band.low, band.high]);
    let scale = Scale::covering(all.chain(panel.reference), true, frame.bottom, frame.top);
    let grid = Grid { scale: &scale, label: panel.label, reference: panel.reference, ticks: 5 };
    frame.vertical(&mut drawing, &grid);
    let layers = panel.curves.iter().map(|curve| curve.bands.len()).max().unwrap_or(1);
    let x = frame.counts(&mut drawing, panel.first, panel.first + layers.saturating_sub(1), panel.axis);
    for curve in &panel.curves {
        for stretch in stretches(curve.bands) {
            let at = |layer: usize| x((layer + panel.first) as f64);
            let upper = stretch.iter().map(|(layer, band)| (at(*layer), scale.at(band.high)));
            let lower = stretch.iter().rev().map(|(layer, band)| (at(*layer), scale.at(band.low)));
            drawing.polygon(&format!("area {}", curve.class), &upper.chain(lower).collect::<Vec<_>>());
            let middle: Vec<Point> =
                stretch.iter().map(|(layer, band)| (at(*layer), scale.at(band.middle))).collect();
            drawing.polyline(&format!("curve {}", curve.class), &middle);
            for ((layer, band), point) in stretch.iter().zip(&middle) {
                let value = number(band.middle).in_figure();
                let says = format!("{}, layer {}: {value}", curve.name, layer + panel.first);
                drawing.mark(curve.class, curve.shape, *point, 3.0, &says);
            }
        }
    }
    drawing
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
