//! `families`: a line for each family.

use comfy_table::CellAlignment;

use super::plain;
use model::arch::{KnownFamily, NormPlaces};
use model::nn::ExpertLayout;

/// The terminal form of the families that open.
pub(crate) fn families(families: &[KnownFamily]) -> String {
    let header = ["family", "norm", "norms stand", "branches", "positions", "MLP", "experts", "worst error"];
    let mut table = plain(&header);
    table.column_iter_mut().take(header.len() - 1).for_each(|column| {
        column.set_cell_alignment(CellAlignment::Left);
    });
    for known in families {
        let places: Vec<&str> = known.norm_places.iter().map(|places| place(*places)).collect();
        let experts: Vec<&str> = known.experts.iter().map(|layout| layout_word(*layout)).collect();
        table.add_row([
            known.family.clone(),
            known.norm.join(", "),
            places.join(", "),
            known.residual.join(", "),
            known.positions.join(", "),
            known.mlp.join(", "),
            experts.join(", "),
            format!("{:.1e}", known.worst_error),
        ]);
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_string()).collect();
    format!("{}\n\n{} families\n", lines.join("\n"), families.len())
}

fn layout_word(layout: ExpertLayout) -> &'static str {
    match layout {
        ExpertLayout::Apart => "apart",
        ExpertLayout::Stacked => "stacked",
        ExpertLayout::InRows => "in rows",
    }
}

fn place(places: NormPlaces) -> &'static str {
    match places {
        NormPlaces::Before => "before",
        NormPlaces::After => "after",
        NormPlaces::Around => "before and after",
        NormPlaces::OnStream => "on the stream",
    }
}
