//! Numbers that follow from published rows of all layers: where a norm jumps, how far it ranges, how many blocks' attention
//! contracts. Only where no layer is missing: a largest gain among some layers is none.

use std::collections::BTreeMap;

use number::evidence::{Measurement, ModelInfo};
use number::metric::Metric;
use number::protocol::Endpoint;

/// Rows by layer of one run: source, model, prompt and protocol are those of the row kept beside them.
struct Layers<'a> {
    row: &'a Measurement,
    values: BTreeMap<u32, f64>,
}

/// Jump layer, plateau and range of the stream, and the share of contracting attention, of every run that has all layers.
pub(super) fn rows(rows: &[Measurement], models: &[ModelInfo]) -> Vec<Measurement> {
    let blocks: BTreeMap<&str, u32> =
        models.iter().filter_map(|model| Some((model.id.as_str(), model.facts.blocks?))).collect();
    let runs = |metric| layers(rows, metric, &blocks);
    let mut found = Vec::new();
    let mut put = |of: &Measurement, metric, value: f64, from: Metric| {
        found.push(Measurement {
            metric,
            layer: None,
            value,
            definition: format!("from the published {from} of all layers").into(),
            ..of.clone()
        });
    };
    let norms = runs(Metric::ResidualNorm);
    for (key, gains) in &runs(Metric::LayerGain) {
        let last = blocks.get(gains.row.model.as_str()).copied().unwrap_or_default();
        let Some(gains_of_all) = all(&gains.values, 1, last) else { continue };
        let mut jump = (1, gains_of_all[0]);
        for (layer, &gain) in (1..).zip(&gains_of_all) {
            if gain > jump.1 {
                jump = (layer, gain);
            }
        }
        put(gains.row, Metric::JumpLayer, f64::from(jump.0), Metric::LayerGain);
        let plateau = norms.get(key).and_then(|norms| all(&norms.values, jump.0, last.saturating_sub(1)));
        if let Some(ratio) = plateau.and_then(|norms| range(&norms)) {
            put(gains.row, Metric::PlateauRatio, ratio, Metric::ResidualNorm);
        }
    }
    for norms in norms.values() {
        let last = blocks.get(norms.row.model.as_str()).copied().unwrap_or_default();
        if let Some(ratio) = all(&norms.values, 1, last).and_then(|norms| range(&norms)) {
            put(norms.row, Metric::NormRange, ratio, Metric::ResidualNorm);
        }
    }
    for gains in runs(Metric::AttentionGain).values() {
        let last = blocks.get(gains.row.model.as_str()).copied().unwrap_or_default();
        let Some(all) = last.checked_sub(1).and_then(|last| all(&gains.values, 0, last)) else { continue };
        let contracting = all.iter().filter(|gain| **gain < 1.0).count();
        let share = contracting as f64 / all.len() as f64;
        put(gains.row, Metric::ContractingAttentionShare, share, Metric::AttentionGain);
    }
    found
}

type Key<'a> = (&'a str, &'a str, Option<&'a str>, Option<number::protocol::Protocol>, &'a str);

/// Rows of the stream itself, by run; those after the final norm are another quantity.
fn layers<'a>(
    rows: &'a [Measurement],
    metric: Metric,
    blocks: &BTreeMap<&str, u32>,
) -> BTreeMap<Key<'a>, Layers<'a>> {
    let mut runs = BTreeMap::<Key, Layers>::new();
    for row in rows.iter().filter(|row| row.metric == metric && blocks.contains_key(row.model.as_str())) {
        let Some(layer) = row.layer else { continue };
        if row.protocol.is_none_or(|protocol| protocol.endpoint != Endpoint::LastBlock) {
            continue;
        }
        let key: Key = (&row.source, &row.model, row.prompt.as_deref(), row.protocol, &row.dtype);
        let run = runs.entry(key).or_insert_with(|| Layers { row, values: BTreeMap::new() });
        run.values.insert(layer, row.value);
    }
    runs
}

/// The values of layers `first..=last`, if there are any and none is missing.
fn all(values: &BTreeMap<u32, f64>, first: u32, last: u32) -> Option<Vec<f64>> {
    (first..=last)
        .map(|layer| values.get(&layer).copied())
        .collect::<Option<Vec<f64>>>()
        .filter(|v| !v.is_empty())
}

fn range(values: &[f64]) -> Option<f64> {
    let (low, high) =
        values.iter().fold((f64::INFINITY, 0.0), |(low, high): (f64, f64), &v| (low.min(v), high.max(v)));
    Some(high / low).filter(|ratio| ratio.is_finite())
}
