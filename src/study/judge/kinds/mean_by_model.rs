//! `mean-by-model`: per model the mean over prompts with its interval, and how many models lie clear of a value.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    judge::{
        cells::Cells,
        context::TestContext,
        effect::Effect,
        findings::Findings,
        hypothesis::Quantity,
        kind::{Kind, Parts},
        outcome::Estimate,
        shared::units::unit,
        statistics::{Null, statistics},
    },
    stats::{
        Interval, Units, holm, mean, random_effects, sign_flip_p, sign_test, smallest_sign_p,
        standard_deviation,
    },
};

/// Per model: mean over prompts, bootstrap interval with prompts as units, sign test against `against`. The pool, the effect and
/// shares count lineages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MeanByModel {
    pub of: Quantity,
    #[serde(default)]
    pub against: f64,
}

statistics! {
    MeanByModel {
        models,
        lineages,
        families,
        models_above,
        models_below,
        share_above,
        share_below,
        smallest_low,
        smallest_high,
        largest_low,
        largest_high,
        equivalence_low,
        equivalence_high,
        share_above_significant,
        share_below_significant,
        pooled,
        low,
        high,
        p,
    }
    effect { pooled: Null::ByName(0.0), } of { low: low, high: high, p: p, units: lineages, }
}

impl Kind for MeanByModel {
    fn parts(&self) -> Parts<'_> {
        Parts::of([("of", &self.of)])
    }

    /// `smallest-low` and `smallest-high` are the limits of the lowest model; `equivalence-low` and `-high` span every model's
    /// 1-2alpha interval, for two one-sided tests (TOST) against a smallest effect of interest.
    ///
    /// A model counts above (below) `against` when its whole interval does; one prompt has no interval and counts neither.
    fn run(&self, context: &TestContext<'_>) -> Findings {
        let MeanByModel { of, against } = self;
        let against = *against;
        let mut findings = Findings::new(unit(of));
        let cells = context.enough(of, &mut findings);
        findings.uses(cells.protocol);
        let lineages = context.lineages(cells.models.keys(), &mut findings);
        let joined = lineages.cells(&cells);
        let (mut above, mut below, mut without) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
        let (mut intervals, mut narrow, mut unreachable) = (Vec::new(), Vec::new(), Vec::new());
        for (model, cells) in &cells.models {
            let values = cells.values();
            let both = context.cache.means(&values, context.alpha);
            let interval = both.map(|[at_alpha, _]| at_alpha);
            // A model counts by its whole interval, never by its mean alone.
            above.extend(interval.filter(|i| i.low > against).map(|_| *model));
            below.extend(interval.filter(|i| i.high < against).map(|_| *model));
            intervals.extend(interval);
            narrow.extend(both.map(|[_, at_two_alpha]| at_two_alpha));
            if interval.is_none() {
                without.push(*model);
            }
            let reachable = smallest_sign_p(values.len()) <= context.alpha;
            if !reachable && values.len() > 1 {
                unreachable.push(format!("{model} ({} prompts)", values.len()));
            }
            findings.estimates.push(Estimate {
                label: model.to_string(),
                value: cells.mean(),
                low: interval.map(|i| i.low),
                high: interval.map(|i| i.high),
                p: sign_test(&values, against).filter(|_| reachable),
                n: values.len() as u64,
            });
        }
        if !without.is_empty() {
            findings
                .notes
                .push(format!("one unit, no interval, neither above nor below: {}", without.join(", ")));
        }
        if !unreachable.is_empty() {
            findings.notes.push(format!("sign test {}: {}", context.no_p_given(""), unreachable.join(", ")));
        }
        if findings.estimates.iter().any(|e| e.p.is_some()) {
            findings
                .notes
                .push(format!("p: two-sided sign test of a model's prompts against {against}, uncorrected"));
        }
        // The pool is pushed to the estimates below: these are the models alone.
        let adjusted = holm(&findings.estimates.iter().map(|e| e.p.unwrap_or(1.0)).collect::<Vec<_>>());
        let share = |holds: &dyn Fn(&str) -> bool| lineages.share(holds, context.alpha).map(|s| s.value);
        let significant = |above: bool| {
            let hits = cells.models.iter().zip(&adjusted).filter(|((_, own), p)| {
                **p < context.alpha && own.mean().is_some_and(|v| v != against && (v > against) == above)
            });
            let hits: BTreeSet<&str> = hits.map(|((model, _), _)| *model).collect();
            share(&|model| hits.contains(model))
        };
        let effects: Vec<(f64, f64)> = joined
            .models
            .values()
            .filter_map(|own| {
                let (values, sd) = (own.values(), standard_deviation(&own.values())?);
                Some((own.mean()? - against, sd * sd / values.len() as f64))
            })
            .collect();
        let pooled = random_effects(&effects, context.alpha);
        if let Some(pooled) = &pooled {
            findings.notes.push(format!(
                "pooled: random effects over {} lineages, interval and p by Student's t (Hartung-Knapp), p of {against}; significance of models is after Holm",
                effects.len()
            ));
            findings.estimates.push(Estimate {
                label: "pooled".into(),
                value: Some(pooled.effect + against),
                low: Some(pooled.interval.low + against),
                high: Some(pooled.interval.high + against),
                p: Some(pooled.p),
                n: effects.len() as u64,
            });
        }
        // What is said of all models needs an interval from each.
        let every = |of: &[Interval], pick: fn(&Interval) -> f64, better: fn(f64, f64) -> f64| {
            of.iter().map(pick).reduce(better).filter(|_| of.len() == cells.models.len())
        };
        let models = cells.models.len() as f64;
        findings.offer(Statistics {
            models: Some(models),
            lineages: findings.lineages(),
            families: findings.families(),
            models_above: Some(above.len() as f64),
            models_below: Some(below.len() as f64),
            share_above: share(&|model| above.contains(model)),
            share_below: share(&|model| below.contains(model)),
            smallest_low: every(&intervals, |i| i.low, f64::min),
            smallest_high: intervals.iter().map(|i| i.high).reduce(f64::min),
            largest_low: intervals.iter().map(|i| i.low).reduce(f64::max),
            largest_high: every(&intervals, |i| i.high, f64::max),
            equivalence_low: every(&narrow, |i| i.low, f64::min),
            equivalence_high: every(&narrow, |i| i.high, f64::max),
            share_above_significant: significant(true),
            share_below_significant: significant(false),
            pooled: pooled.map(|p| p.effect + against),
            low: pooled.map(|p| p.interval.low + against),
            high: pooled.map(|p| p.interval.high + against),
            p: pooled.map(|p| p.p),
        });
        over_lineages(context, &joined, against, &mut findings);
        findings
    }
}

/// The effect: the plain mean over lineages of their means, with lineages as units, since they were drawn and prompts are
/// shared; of a single lineage the mean over its prompts.
fn over_lineages(context: &TestContext<'_>, cells: &Cells<'_>, against: f64, findings: &mut Findings) {
    let (units, of, over): (Vec<(String, f64)>, _, _) = match cells.models.len() {
        1 => {
            let one = cells.models.values().flat_map(|m| &m.prompts);
            let values = one.map(|(prompt, cell)| (prompt.to_string(), cell.value));
            (values.collect(), "prompts", "prompts of one lineage")
        }
        _ => {
            let means = cells.models.iter().filter_map(|(model, m)| Some((model.to_string(), m.mean()?)));
            (means.collect(), "lineages", "lineages")
        }
    };
    let values: Vec<f64> = units.iter().map(|(_, v)| *v).collect();
    let interval = context.mean_interval(&values);
    let reachable = smallest_sign_p(values.len()) <= context.alpha;
    let deviations: Vec<(String, f64)> = units.into_iter().map(|(unit, v)| (unit, v - against)).collect();
    let around: Vec<f64> = deviations.iter().map(|(_, d)| *d).collect();
    findings.effect = mean(&values).map(|value| Effect {
        value,
        low: interval.map(|i| i.low),
        high: interval.map(|i| i.high),
        p: sign_flip_p(&around, context.seed.derive("effect")).filter(|_| reachable),
        n: values.len() as u64,
        null: against,
        what: format!("mean {} over {over}", findings.unit),
    });
    findings.units = Some(Units::Signs { of, deviations });
}
