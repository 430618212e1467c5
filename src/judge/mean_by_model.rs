//! `mean-by-model`: per model the mean over prompts with its interval, and how many models lie clear of a value.

use super::{
    bench::{Bench, Tested},
    outcome::Estimate,
    units::unit,
};
use crate::{
    config::hypothesis::Quantity,
    stats::{mean_interval, sign_test, smallest_sign_p},
};

/// A model counts above (below) `against` when its whole interval does; one prompt has no interval and counts neither.
pub(super) fn test(bench: &Bench<'_>, of: &Quantity, against: f64) -> Tested {
    let mut tested = Tested::new(unit(of));
    let cells = bench.enough(of, &mut tested);
    tested.uses(cells.protocol);
    bench.enough_models(cells.models.len(), &mut tested);
    let (mut above, mut below, mut without) = (0, 0, Vec::new());
    let mut unreachable = Vec::new();
    for (model, cells) in &cells.models {
        let values = cells.values();
        let interval = mean_interval(&values, bench.alpha, bench.seed.derive(model));
        above += u32::from(interval.is_some_and(|i| i.low > against));
        below += u32::from(interval.is_some_and(|i| i.high < against));
        if interval.is_none() {
            without.push(model.as_str());
        }
        let reachable = smallest_sign_p(values.len()) <= bench.alpha;
        if !reachable && values.len() > 1 {
            unreachable.push(format!("{model} ({} prompts)", values.len()));
        }
        tested.estimates.push(Estimate {
            label: model.clone(),
            value: cells.mean(),
            low: interval.map(|i| i.low),
            high: interval.map(|i| i.high),
            p: sign_test(&values, against).filter(|_| reachable),
            n: values.len() as u64,
        });
    }
    if !without.is_empty() {
        tested.notes.push(format!("one unit, no interval, neither above nor below: {}", without.join(", ")));
    }
    if !unreachable.is_empty() {
        let alpha = bench.alpha;
        tested
            .notes
            .push(format!("sign test cannot reach alpha = {alpha}, no p given: {}", unreachable.join(", ")));
    }
    let models = cells.models.len() as f64;
    tested.statistic("models", models);
    tested.statistic("models-above", f64::from(above));
    tested.statistic("models-below", f64::from(below));
    tested.statistic("share-above", f64::from(above) / models);
    tested.statistic("share-below", f64::from(below) / models);
    tested
}
