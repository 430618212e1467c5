//! A page that draws a block of each family of the run: branches, norms, and where each tap reads.

use super::context::RenderContext;
use crate::report::document::{
    Block, Cell, Csv, FigureBlock, Group, Line, Page, Table, column, line, paragraph, row,
};
use crate::report::drawing::{Anchor, Drawing};
use crate::report::view::BlockWiring;

const WIDTH: f64 = 860.0;
/// Height of the line of the stream.
const STREAM: f64 = 44.0;
/// From the stream to the first row of modules, and from one row to the next.
const ROW: f64 = 76.0;
/// Half the height of a box.
const HALF: f64 = 14.0;
/// What a branch takes from left to right.
const BRANCH: f64 = 400.0;
const LEFT: f64 = 34.0;

pub(super) fn pages(context: &RenderContext<'_>) -> Vec<Page> {
    let wirings = &context.view.wirings;
    if wirings.is_empty() {
        return Vec::new();
    }
    let mut blocks = vec![paragraph(
        "One block of each family that was observed here, as its graph has it: what its branches read, where norms stand, what is added \
         to the residual stream, and under which tap each norm is observed. A gain compares the stream at two of its ends.",
    )];
    for (index, (wiring, _)) in wirings.iter().enumerate() {
        blocks.push(Block::heading(title(wiring)));
        blocks.push(Block::figure(figure(wiring, index)));
    }
    let rows = wirings.iter().map(|(wiring, models)| {
        let models = models.iter().map(|id| context.model_link(id));
        row![Cell::head(title(wiring)), Line::joined(models, ", "), wiring.taps.join(", ")]
    });
    let table =
        Table::new("Which models have which block, and its taps", ["block", "models", "taps"].map(column));
    blocks.push(Block::Table(table.with(rows)));
    vec![Page {
        id: "blocks".into(),
        group: Group::Report,
        label: ("Blocks".into(), String::new()),
        kicker: Line::default(),
        title: "Where each number is taken in a block".into(),
        blocks,
    }]
}

fn title(wiring: &BlockWiring) -> String {
    format!("{}{}", wiring.family, if wiring.experts { ", with experts" } else { "" })
}

fn figure(wiring: &BlockWiring, index: usize) -> FigureBlock {
    FigureBlock {
        name: format!("block-{}", index + 1),
        title: format!("A block of {}", title(wiring)),
        description: described(wiring),
        drawing: draw(wiring),
        legend: line![
            "The line above is the residual stream; + is where a branch writes to it. Names are those of taps, each the norm of what \
             passes there. A norm that two branches share is drawn in both."
        ],
        how: Line::from("Read off the graph that was run, and the choices of the family's config."),
        metrics: Vec::new(),
        protocols: Vec::new(),
        csv: csv(wiring),
        described: true,
    }
}

/// The block in words.
fn described(wiring: &BlockWiring) -> String {
    let reads = |at: usize| match at > 0 && !wiring.parallel {
        true => "reads the stream as the branch before it left it",
        false => "reads the stream as it enters",
    };
    let around = match (wiring.norm_before, wiring.norm_after) {
        (true, true) => "through a norm, and writes through another",
        (true, false) => "through a norm, and writes what it gives",
        (false, true) => "as it is, and writes through a norm",
        (false, false) => "as it is, and writes what it gives",
    };
    let branches: Vec<String> = (wiring.branches.iter().enumerate())
        .map(|(at, branch)| format!("{branch} {} {around}", reads(at)))
        .collect();
    let stream =
        if wiring.norm_on_stream { "; after each write a norm stands on the stream itself" } else { "" };
    let carry = if wiring.kept() { "; what enters is multiplied by a factor of the block" } else { "" };
    format!("{}{stream}{carry}", branches.join("; "))
}

fn draw(wiring: &BlockWiring) -> Drawing {
    let count = wiring.branches.len();
    let rows = if wiring.parallel { count } else { 1 };
    let mut sheet = Drawing::new(WIDTH, STREAM + ROW * rows as f64 + 46.0);
    let end = WIDTH - LEFT;
    sheet.strokes("reference", 2.5, vec![vec![(LEFT, STREAM), (end, STREAM)]]);
    sheet.polyline("reference", &[(end - 8.0, STREAM - 5.0), (end, STREAM), (end - 8.0, STREAM + 5.0)]);
    sheet.text("small", (LEFT, STREAM - 20.0), Anchor::Start, "resid of layer l");
    sheet.text("small", (end, STREAM - 20.0), Anchor::End, "resid of layer l + 1");
    for (at, branch) in wiring.branches.iter().enumerate() {
        let (row, column) = if wiring.parallel { (at, 0) } else { (0, at) };
        // Branches of one stream leave it at one place and write one after another.
        let leave = LEFT + 16.0 + column as f64 * BRANCH;
        let shift = if wiring.parallel { row as f64 * 40.0 } else { 0.0 };
        let y = STREAM + ROW * (row + 1) as f64;
        let rise = leave + BRANCH - 60.0 + shift;
        draw_branch(&mut sheet, wiring, branch, (leave, y), rise);
        if wiring.norm_on_stream {
            boxed(&mut sheet, (rise + 24.0, STREAM), 20.0, "norm");
        }
    }
    if wiring.kept() {
        boxed(&mut sheet, (end - 44.0, STREAM), 24.0, "× factor");
    }
    sheet
}

/// A branch from where it leaves the stream to where it writes to it, `y` being the height of its modules.
fn draw_branch(sheet: &mut Drawing, wiring: &BlockWiring, branch: &str, (leave, y): (f64, f64), rise: f64) {
    sheet.polyline("tick", &[(leave, STREAM), (leave, y), (rise, y), (rise, STREAM)]);
    let module = leave + 170.0;
    if wiring.norm_before {
        boxed(sheet, (leave + 36.0, y), 22.0, "norm");
    }
    boxed(sheet, (module, y), 34.0, branch);
    if wiring.norm_after {
        boxed(sheet, (leave + 296.0, y), 22.0, "norm");
    }
    let mut tap = |at, anchor, name: String| {
        if wiring.taps.contains(&name) {
            sheet.text("small", at, anchor, &name);
        }
    };
    tap((leave + 97.0, y + 26.0), Anchor::Middle, format!("{branch}_module_in"));
    tap((module + 76.0, y + 26.0), Anchor::Middle, format!("{branch}_module_out"));
    tap((rise - 12.0, y - 30.0), Anchor::End, format!("{branch}_out"));
    sheet.rectangle("mark hollow", (rise - 8.0, STREAM - 8.0), (rise + 8.0, STREAM + 8.0));
    sheet.text("inside", (rise, STREAM), Anchor::Middle, "+");
}

fn boxed(sheet: &mut Drawing, (x, y): (f64, f64), half: f64, text: &str) {
    sheet.rectangle("mark hollow", (x - half, y - HALF), (x + half, y + HALF));
    sheet.text("inside", (x, y), Anchor::Middle, text);
}

fn csv(wiring: &BlockWiring) -> Csv {
    let cells = |branch: &String| {
        [wiring.family.clone(), branch.clone()].into_iter().chain(
            [wiring.parallel, wiring.norm_before, wiring.norm_after, wiring.norm_on_stream, wiring.kept()]
                .map(|is_so| is_so.to_string()),
        )
    };
    let header = [
        "family",
        "branch",
        "branches read one stream",
        "norm before",
        "norm after",
        "norm on stream",
        "stream multiplied",
    ];
    Csv::new(&header, wiring.branches.iter().map(cells))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wiring(parallel: bool) -> BlockWiring {
        BlockWiring {
            family: "llama".into(),
            branches: vec!["attn".into(), "mlp".into()],
            parallel,
            norm_before: true,
            taps: ["attn_module_in", "attn_out", "mlp_module_in", "mlp_out"].map(String::from).to_vec(),
            ..BlockWiring::default()
        }
    }

    #[test]
    fn words_say_what_a_branch_reads() {
        let read = |parallel| described(&wiring(parallel));
        let first = "attn reads the stream as it enters through a norm, and writes what it gives";
        assert!(read(false).starts_with(first));
        assert!(read(false).contains("mlp reads the stream as the branch before it left it"));
        assert!(read(true).contains("mlp reads the stream as it enters"));
    }

    #[test]
    fn branches_of_one_stream_stand_below_one_another() {
        assert_eq!(draw(&wiring(true)).height - draw(&wiring(false)).height, ROW);
    }
}
