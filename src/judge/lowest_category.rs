//! `lowest-category`: is one category's mean the lowest of all, model by model?

use std::collections::BTreeMap;

use super::{
    bench::{Bench, Tested, point},
    effect::Effect,
    units::unit,
};
use crate::{config::hypothesis::Quantity, stats::mean};

/// The estimates are the category's mean minus the lowest mean of the others: below 0 where it is the lowest.
pub(super) fn test(bench: &Bench<'_>, of: &Quantity, category: &str) -> Tested {
    let mut tested = Tested::new(format!("{} minus the lowest other category", unit(of)));
    let cells = bench.enough(of, &mut tested);
    tested.uses(cells.protocol);
    let (mut lowest, mut models, mut chance) = (0, 0, 0.0);
    for (model, cells) in &cells.models {
        let mut groups = BTreeMap::<&str, Vec<f64>>::new();
        for (value, category) in cells.categorised() {
            groups.entry(category).or_default().push(value);
        }
        let own = groups.remove(category);
        let others = groups.values().filter_map(|v| mean(v)).min_by(f64::total_cmp);
        let (Some(own), Some(others)) = (own, others) else {
            tested.notes.push(format!("{model}: no category {category:?} beside others, left out"));
            continue;
        };
        let difference = mean(&own).map(|m| m - others);
        models += 1;
        chance += 1.0 / (groups.len() + 1) as f64;
        lowest += u32::from(difference.is_some_and(|d| d < 0.0));
        tested.estimates.push(point(model, difference, own.len()));
    }
    if models == 0 && !tested.lacks() {
        tested.missing.push(format!("needs a model with prompts of category {category:?} and of others"));
    }
    bench.enough_models(models, &mut tested);
    tested.effect = (models > 0).then(|| Effect {
        value: f64::from(lowest) / models as f64,
        low: None,
        high: None,
        p: None,
        n: models as u64,
        null: chance / models as f64,
        what: format!("share of models where {category} is lowest"),
    });
    tested.statistic("share", f64::from(lowest) / models as f64);
    tested.statistic("models", models as f64);
    tested
}
