//! Prompt sets as blocks: what varies between sets, e.g. trained templates and word salads, is no relation between prompts.

use std::collections::BTreeMap;

use crate::{
    judge::cells::ModelCells,
    stats::{Method, average_ranks, mean, standard_deviation},
};
use number::metric::Series;

/// The set of each of these prompts of a model, as a number, and the names of the sets; prompts of no stated set are one set.
pub(crate) fn sets<'a>(
    model: &ModelCells<'a>,
    prompts: &[&'a str],
) -> (BTreeMap<&'a str, usize>, Vec<&'a str>) {
    let of = |prompt: &'a str| model.prompts.get(prompt).and_then(|cell| cell.set).unwrap_or("no stated set");
    let mut names: Vec<&str> = prompts.iter().map(|prompt| of(prompt)).collect();
    names.sort_unstable();
    names.dedup();
    let place = |name: &str| names.partition_point(|other| *other < name);
    (prompts.iter().map(|prompt| (*prompt, place(of(prompt)))).collect(), names)
}

/// Values or ranks within their block, less its mean and over its standard deviation: a correlation of two such sides is the mean
/// of the blocks' correlations, weighted by their prompts. A block without spread has nothing to correlate, and drops out.
pub(crate) fn within_blocks<'a>(
    series: &Series<&'a str>,
    blocks: &BTreeMap<&'a str, usize>,
    method: Method,
) -> Series<&'a str> {
    let mut members = BTreeMap::<usize, Vec<(&'a str, f64)>>::new();
    for (prompt, value) in series.iter() {
        if let Some(block) = blocks.get(prompt) {
            members.entry(*block).or_default().push((*prompt, value));
        }
    }
    let mut standard = BTreeMap::new();
    for own in members.into_values() {
        let values: Vec<f64> = own.iter().map(|(_, value)| *value).collect();
        let values = if method == Method::Spearman { average_ranks(&values) } else { values };
        let (Some(centre), Some(spread)) = (mean(&values), standard_deviation(&values)) else { continue };
        // The root of n in the block, not of n - 1, so that the weight of a block is its number of prompts.
        let spread = spread * ((values.len() - 1) as f64 / values.len() as f64).sqrt();
        if spread > 1e-12 * centre.abs() {
            standard.extend(own.iter().zip(&values).map(|((prompt, _), v)| (*prompt, (v - centre) / spread)));
        }
    }
    series.with_values(standard)
}
