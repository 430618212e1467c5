//! `mean-by-model`: per model the mean over prompts with its interval, and how many models lie clear of a value.

use super::{
    bench::{Bench, Tested},
    cells::Cells,
    effect::Effect,
    outcome::Estimate,
    units::unit,
};
use crate::{
    config::hypothesis::Quantity,
    stats::{Interval, Units, mean, sign_flip_p, sign_test, smallest_sign_p},
};

/// `smallest-low` and `smallest-high` are the limits of the lowest model; `equivalence-low` and `-high` span every model's
/// 1-2alpha interval, for two one-sided tests (TOST) against a smallest effect of interest.
///
/// A model counts above (below) `against` when its whole interval does; one prompt has no interval and counts neither.
pub(super) fn test(bench: &Bench<'_>, of: &Quantity, against: f64) -> Tested {
    let mut tested = Tested::new(unit(of));
    let cells = bench.enough(of, &mut tested);
    tested.uses(cells.protocol);
    bench.enough_models(cells.models.len(), &mut tested);
    let (mut above, mut below, mut without) = (0, 0, Vec::new());
    let (mut intervals, mut narrow) = (Vec::new(), Vec::new());
    let mut unreachable = Vec::new();
    for (model, cells) in &cells.models {
        let values = cells.values();
        let both = bench.memo.means(&values, bench.alpha);
        let interval = both.map(|[at_alpha, _]| at_alpha);
        above += u32::from(interval.is_some_and(|i| i.low > against));
        below += u32::from(interval.is_some_and(|i| i.high < against));
        intervals.extend(interval);
        narrow.extend(both.map(|[_, at_two_alpha]| at_two_alpha));
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
    tested.statistic("smallest-high", intervals.iter().map(|i| i.high).reduce(f64::min));
    tested.statistic("equivalence-low", every(&narrow, |i| i.low, f64::min));
    tested.statistic("equivalence-high", every(&narrow, |i| i.high, f64::max));
    over_models(bench, &cells, against, &mut tested);
    tested
}

/// The effect: the mean over models of their means, with models as units, since they were drawn and prompts are shared; of
/// a single model the mean over its prompts.
fn over_models(bench: &Bench<'_>, cells: &Cells, against: f64, tested: &mut Tested) {
    let (units, over): (Vec<(String, f64)>, _) = match cells.models.len() {
        1 => {
            let one = cells.models.values().flat_map(|m| &m.prompts);
            (one.map(|(prompt, cell)| (prompt.clone(), cell.value)).collect(), "prompts of one model")
        }
        _ => {
            let means = cells.models.iter().filter_map(|(model, m)| Some((model.clone(), m.mean()?)));
            (means.collect(), "models")
        }
    };
    let values: Vec<f64> = units.iter().map(|(_, v)| *v).collect();
    let interval = bench.memo.means(&values, bench.alpha).map(|[at_alpha, _]| at_alpha);
    let reachable = smallest_sign_p(values.len()) <= bench.alpha;
    let deviations: Vec<(String, f64)> = units.into_iter().map(|(unit, v)| (unit, v - against)).collect();
    let around: Vec<f64> = deviations.iter().map(|(_, d)| *d).collect();
    tested.effect = mean(&values).map(|value| Effect {
        value,
        low: interval.map(|i| i.low),
        high: interval.map(|i| i.high),
        p: sign_flip_p(&around, bench.seed.derive("effect")).filter(|_| reachable),
        n: values.len() as u64,
        null: against,
        what: format!("mean {} over {over}", tested.unit),
    });
    tested.units = Some(Units::Signs(deviations));
}
