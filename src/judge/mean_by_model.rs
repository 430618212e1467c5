//! `mean-by-model`: per model the mean over prompts with its interval, and how many models lie clear of a value.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    kind::{Kind, Parts},
    bench::{Bench, Tested},
    outcome::Estimate,
    units::unit,
};
use crate::{
    config::hypothesis::Quantity,
    stats::{Interval, mean_interval, sign_test, smallest_sign_p},
};

/// Per model: mean over prompts, bootstrap interval with prompts as units, sign test against `against`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MeanByModel {
    pub of: Quantity,
    #[serde(default)]
    pub against: f64,
}

impl MeanByModel {
    pub const STATISTICS: &'static [&'static str] = &["models", "models-above", "models-below", "share-above", "share-below", "smallest-low", "smallest-high", "largest-low", "largest-high", "equivalence-low", "equivalence-high", "share-above-significant", "share-below-significant", "pooled", "low", "high", "p"];
}

impl Kind for MeanByModel {
    fn parts(&self) -> Parts<'_> {
        Parts::of([("of", &self.of)])
    }

    /// `smallest-low` and `smallest-high` are the limits of the lowest model; `equivalence-low` and `-high` span every model's
    /// 1-2alpha interval, for two one-sided tests (TOST) against a smallest effect of interest.
    ///
    /// A model counts above (below) `against` when its whole interval does; one prompt has no interval and counts neither.
    fn run(&self, bench: &Bench<'_>) -> Tested {
        let MeanByModel { of, against } = self;
        let against = *against;
        let mut tested = Tested::new(unit(of));
        let cells = bench.enough(of, &mut tested);
        tested.uses(cells.protocol);
        bench.enough_models(cells.models.keys().copied(), &mut tested);
        let (mut above, mut below, mut without) = (0, 0, Vec::new());
        let (mut intervals, mut narrow) = (Vec::new(), Vec::new());
        let mut unreachable = Vec::new();
        for (model, cells) in &cells.models {
            let values = cells.values();
            let interval = mean_interval(&values, bench.alpha, bench.seed.derive(model));
            above += u32::from(interval.is_some_and(|i| i.low > against));
            below += u32::from(interval.is_some_and(|i| i.high < against));
            intervals.extend(interval);
            narrow.extend(mean_interval(&values, 2.0 * bench.alpha, bench.seed.derive(model)));
            if interval.is_none() {
                without.push(*model);
            }
            let reachable = smallest_sign_p(values.len()) <= bench.alpha;
            if !reachable && values.len() > 1 {
                unreachable.push(format!("{model} ({} prompts)", values.len()));
            }
            tested.estimates.push(Estimate {
                label: model.to_string(),
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
        if tested.estimates.iter().any(|e| e.p.is_some()) {
            tested
                .notes
                .push(format!("p: two-sided sign test of a model's prompts against {against}, uncorrected"));
        }
        // What is said of all models needs an interval from each.
        let every = |of: &[Interval], pick: fn(&Interval) -> f64, better: fn(f64, f64) -> f64| {
            of.iter().map(pick).reduce(better).filter(|_| of.len() == cells.models.len())
        };
        let models = cells.models.len() as f64;
        tested.statistic("models", models);
        tested.statistic("models-above", f64::from(above));
        tested.statistic("models-below", f64::from(below));
        tested.statistic("share-above", f64::from(above) / models);
        tested.statistic("share-below", f64::from(below) / models);
        tested.statistic("smallest-low", every(&intervals, |i| i.low, f64::min));
        tested.statistic("smallest-high", "largest-low", "largest-high", intervals.iter().map(|i| i.high).reduce(f64::min));
        tested.statistic("equivalence-low", every(&narrow, |i| i.low, f64::min));
        tested.statistic("equivalence-high", every(&narrow, |i| i.high, f64::max));
        tested
    }
}
