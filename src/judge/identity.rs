//! `identity`: two quantities that should be the same number, cell by cell.

use std::collections::BTreeMap;

use super::bench::{Bench, Tested, point};
use crate::{config::hypothesis::Quantity, stats::quantile};

/// |left - right| / max(|left|, |right|) over every (model, prompt) that has both; the estimates are each model's worst.
pub(super) fn test(bench: &Bench<'_>, left: &Quantity, right: &Quantity, across: bool) -> Tested {
    let mut tested = Tested::new("relative error");
    let a = bench.enough(left, &mut tested);
    let b = bench.enough(right, &mut tested);
    let Some(pair) = tested.pair(&a.by_cell(), &b.by_cell(), across) else { return tested };
    if pair.is_empty() && !tested.lacks() {
        tested.missing.push("no model and prompt has both quantities".into());
    }
    let errors: Vec<f64> = pair.x().iter().zip(pair.y()).map(|(&x, &y)| relative(x, y)).collect();
    let mut models = BTreeMap::<&str, Vec<f64>>::new();
    for ((model, _), error) in pair.keys().iter().zip(&errors) {
        models.entry(model).or_default().push(*error);
    }
    bench.enough_models(models.len(), &mut tested);
    for (model, errors) in models {
        tested.estimates.push(point(model, errors.iter().copied().reduce(f64::max), errors.len()));
    }
    tested.statistic("worst-relative-error", errors.iter().copied().reduce(f64::max));
    tested.statistic("median-relative-error", quantile(&errors, 0.5));
    tested.statistic("cells", errors.len() as f64);
    tested
}

fn relative(x: f64, y: f64) -> f64 {
    if x == y { 0.0 } else { (x - y).abs() / x.abs().max(y.abs()) }
}
