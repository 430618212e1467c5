//! `inspect`: facts and norms for people.

use super::measured::facts_line;
use super::{number, plain};
use crate::cli::inspect::Inspection;
use model::checkpoint::Share;
use study::stats::mean;

/// The terminal form of an inspection.
pub(crate) fn inspected(found: &Inspection) -> String {
    let mut text = format!("{}  {}\n", found.id, facts_line(&found.facts));
    text.push_str(&format!("{} parameters; weights {}\n", found.parameters, found.weights));
    if found.stored.len() > 1 {
        let share = |share: &Share| {
            format!("{} weights in {} tensors as {}", share.elements, share.tensors, share.dtype)
        };
        let shares = found.stored.iter().map(share).collect::<Vec<_>>().join(", ");
        text.push_str(&format!("stored: {shares}; {:.2} bits per weight\n", found.bits_per_weight));
    }
    if let Some(theta) = found.facts.rope_theta {
        let scaling = found.facts.rope_scaling.as_deref().unwrap_or("default");
        text.push_str(&format!("rope theta {theta}, scaling {scaling}\n"));
    }
    let tied =
        if found.facts.tied == Some(true) { "tied: the unembedding is the embedding" } else { "untied" };
    text.push_str(&format!("{tied}\n\n"));
    let mut table =
        plain(&["matrix", "shape", "spectral", "frobenius", "row mean", "row std", "row min", "row max"]);
    for matrix in &found.matrices {
        let norms = &matrix.norms;
        table.add_row(vec![
            format!("{} ({})", matrix.role, matrix.tensor),
            format!("{} x {}", matrix.rows, matrix.cols),
            number(Some(norms.sigma_max)),
            number(Some(norms.frobenius)),
            number(Some(norms.row_norms.mean)),
            number(Some(norms.row_norms.std)),
            number(Some(norms.row_norms.min)),
            number(Some(norms.row_norms.max)),
        ]);
    }
    text.push_str(&format!("{table}\n\n"));
    text.push_str(&format!(
        "unembedding less the mean of its rows: spectral {}; with the final norm's weight folded in as well: {}\n",
        number(Some(found.unembedding_centred.sigma_max)),
        number(found.unembedding_folded.map(|folded| folded.sigma_max)),
    ));
    let blocks: Vec<f64> = found.value_weight_squares.iter().filter_map(|heads| mean(heads)).collect();
    let shown = blocks.iter().map(|square| number(Some(*square))).collect::<Vec<_>>().join(" ");
    text.push_str(&format!("value weights, squared norm of a head, mean by block: {shown}\n"));
    text
}
