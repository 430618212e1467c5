//! `ratio`: one number over another.

use super::bench::{Bench, Tested, point};
use crate::{config::hypothesis::Quantity, stats::Units};

/// With one model on each side, the ratio of their means over the selected rows; with several, each model's own
/// ratio, and their geometric mean as the statistic.
pub(super) fn test(bench: &Bench<'_>, numerator: &Quantity, denominator: &Quantity, across: bool) -> Tested {
    let mut tested = Tested::new("ratio");
    let top = bench.enough(numerator, &mut tested);
    let bottom = bench.enough(denominator, &mut tested);
    let ratio = if let (Some(a), Some(b)) = (top.only(), bottom.only()) {
        let n = bottom.models.values().map(|m| m.values().len()).sum();
        let pair = tested.pair(&a, &b, across);
        let ratio = pair.map(|p| p.x()[0] / p.y()[0]);
        bench.enough_models(1, &mut tested);
        tested.estimates.push(point("ratio", ratio, n));
        ratio
    } else if let Some(pair) = tested.pair(&top.by_model(), &bottom.by_model(), across) {
        if pair.is_empty() && !tested.lacks() {
            tested.missing.push("no model has both numbers".into());
        }
        bench.enough_models(pair.len(), &mut tested);
        let ratios: Vec<f64> = pair.x().iter().zip(pair.y()).map(|(x, y)| x / y).collect();
        for (model, ratio) in pair.keys().iter().zip(&ratios) {
            tested.estimates.push(point(model, Some(*ratio), 1));
        }
        if pair.len() > 1 {
            tested.notes.push(format!("ratio is the geometric mean over {} models", pair.len()));
        }
        let logs = pair.keys().iter().zip(&ratios).map(|(model, r)| (model.clone(), r.ln()));
        tested.units = Some(Units::Signs(logs.filter(|(_, log)| log.is_finite()).collect()));
        Some((ratios.iter().map(|r| r.ln()).sum::<f64>() / ratios.len() as f64).exp())
    } else {
        None
    };
    tested.statistic("ratio", ratio);
    tested
}
