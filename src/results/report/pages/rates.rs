//! The picture of error rates: for each prediction four bars, of the worlds in which its claim is false and true.

use crate::report::document::{Csv, FigureBlock, Line, Sign, Span, exact, number};
use crate::report::drawing::{Anchor, Drawing, Point, SMALL, Shape, fitted};
use crate::report::text::{capital, evidence_phrase};
use number::evidence::Evidence;
use number::protocol::Protocol;
use study::judge::outcome::Verdict;
use study::judge::{Calibration, Rates};

const WIDTH: f64 = 860.0;
const LEFT: f64 = 172.0;
const TOP: f64 = 40.0;
const ROW: f64 = 16.0;
const BAR: f64 = 11.0;
const GAP: f64 = 14.0;

/// Verdicts that come out in a world, in the order of a bar, each with the class of its part; what is untestable stays empty.
pub(super) const VERDICTS: [(Verdict, &str); 5] = [
    (Verdict::Supported, "fill c0"),
    (Verdict::Contradicted, "fill c1"),
    (Verdict::Negligible, "fill c2"),
    (Verdict::Inconclusive, "share grey"),
    (Verdict::Untestable, ""),
];

/// What is true in the worlds of each bar.
const TRUTHS: [&str; 4] = ["false: no effect", "false: the other way", "true: once", "true: twice"];

/// The worlds by the bar that they are drawn in: those in which the claim is false, then those in which it is true.
pub(super) fn placed(worlds: &[Rates]) -> [Option<&Rates>; 4] {
    let of = |holds: bool, at: usize| worlds.iter().filter(|rates| rates.holds == holds).nth(at);
    [of(false, 0), of(false, 1), of(true, 0), of(true, 1)]
}

/// An effect in words.
pub(super) fn of_effect(effect: f64) -> String {
    let times = match effect.abs() {
        0.0 => return "no effect".to_string(),
        1.0 => "once".to_string(),
        2.0 => "twice".to_string(),
        other => format!("{other} times"),
    };
    let way = if effect < 0.0 { ", the other way" } else { "" };
    format!("{times} the smallest effect of interest{way}")
}

/// The effect that was drawn where that is smaller than the multiple of the smallest one that was meant.
pub(super) fn smaller(rates: &Rates, one: &Calibration) -> Option<Line> {
    let meant = rates.effect * one.smallest?;
    (rates.drawn.abs() < meant.abs()).then(|| number(rates.drawn).said_by_row().into())
}

/// Predictions, each with its worlds: with as many lineages and prompts as there are, or `larger` ones.
pub(super) fn figure(
    evidence: Evidence,
    all: &[(&Calibration, &[Rates])],
    larger: bool,
    protocols: Vec<Protocol>,
) -> FigureBlock {
    let (name, with) = match larger {
        false => ("worlds", ""),
        true => ("larger-worlds", ", with more lineages or prompts"),
    };
    let entries =
        VERDICTS.iter().filter(|(_, class)| !class.is_empty()).map(|(verdict, class)| Span::LegendEntry {
            class: class.replace("share", "fill"),
            sign: Sign::Mark(Shape::Square),
            name: verdict.to_string(),
        });
    FigureBlock {
        name: format!("{name}-{evidence}"),
        title: format!("How often each verdict comes out, {}{with}", evidence_phrase(evidence)),
        description: description(evidence, all.len()),
        drawing: draw(all),
        legend: Line::joined(entries, " "),
        how: Line::from(
            "A bar is all worlds of one kind, its parts the verdicts in them; empty is untestable. Of a claim that there is no effect, or \
             one within a band, the first two bars are worlds with once and twice the smallest effect of interest (once is the band's edge), \
             the third those without any (the band's middle). A claim of an effect in either direction has no other way.",
        ),
        metrics: Vec::new(),
        protocols,
        csv: csv(all),
        // The page has a table of all shares.
        described: false,
    }
}

fn description(evidence: Evidence, all: usize) -> String {
    format!(
        "{}: for each of {} predictions four stacked bars, of worlds in which its claim is false or true; the table has their shares",
        capital(evidence),
        all
    )
}

fn csv(all: &[(&Calibration, &[Rates])]) -> Csv {
    let header = [
        "prediction",
        "smallest effect",
        "stated",
        "effect",
        "drawn",
        "claim",
        "lineages",
        "prompts",
        "worlds",
        "supported",
        "contradicted",
        "negligible",
        "inconclusive",
        "untestable",
    ];
    let rows = all.iter().flat_map(|(one, worlds)| {
        worlds.iter().map(move |rates| {
            let mut cells = vec![
                one.prediction.clone(),
                exact(one.smallest),
                one.stated.to_string(),
                exact(Some(rates.effect)),
                exact(Some(rates.drawn)),
                if rates.holds { "true" } else { "false" }.to_string(),
                rates.lineages.to_string(),
                rates.prompts.to_string(),
                rates.runs.to_string(),
            ];
            let count = |verdict| rates.verdicts.get(verdict).copied().unwrap_or(0).to_string();
            cells.extend(VERDICTS.iter().map(|(verdict, _)| count(verdict)));
            cells
        })
    });
    Csv::new(&header, rows)
}

fn draw(all: &[(&Calibration, &[Rates])]) -> Drawing {
    let mut drawing = Drawing::new(WIDTH, TOP + ROW * all.len() as f64 + 6.0);
    let width = (WIDTH - LEFT) / TRUTHS.len() as f64 - GAP;
    let start = |at: usize| LEFT + (width + GAP) * at as f64;
    for (at, words) in TRUTHS.iter().enumerate() {
        drawing.text("small", (start(at), TOP - 18.0), Anchor::Start, words);
    }
    let mut parts: Vec<Vec<Vec<Point>>> = vec![Vec::new(); VERDICTS.len()];
    let mut rails = Vec::new();
    for (row, (one, worlds)) in all.iter().enumerate() {
        let middle = TOP + ROW * (row as f64 + 0.5);
        let (upper, lower) = (middle - BAR / 2.0, middle + BAR / 2.0);
        drawing.text(
            "small",
            (LEFT - 10.0, middle),
            Anchor::End,
            &fitted(&one.prediction, SMALL, LEFT - 32.0),
        );
        for (at, rates) in placed(worlds).into_iter().enumerate() {
            let Some(rates) = rates else { continue };
            let mut left = start(at);
            rails.push(vec![(left, lower), (left + width, lower)]);
            for ((verdict, _), boxes) in VERDICTS.iter().zip(&mut parts) {
                let right = left + width * rates.share(*verdict);
                if right > left {
                    boxes.push(vec![(left, upper), (right, upper), (right, lower), (left, lower)]);
                }
                left = right;
            }
        }
    }
    drawing.lines("grid", rails);
    for ((_, class), boxes) in VERDICTS.iter().zip(parts).filter(|((_, class), _)| !class.is_empty()) {
        drawing.polygons(class, boxes);
    }
    drawing
}
