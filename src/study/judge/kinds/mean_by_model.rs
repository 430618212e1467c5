//! `mean-by-model`: per model the mean over prompts with its interval, and how many models lie clear of a value.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    judge::{
        cache::MeanAgainst,
        cells::{Cells, ModelCells},
        context::TestContext,
        effect::Effect,
        findings::{Findings, estimate},
        hypothesis::Quantity,
        kind::{Kind, Parts},
        outcome::Estimate,
        shared::{
            every::{Every, One},
            units::unit,
        },
        statistics::{Null, statistics},
    },
    stats::{
        Sampled, Units, holm, mean, random_effects, sign_flip_p, smallest_sign_p, standard_deviation, widened,
    },
};

/// Per model: mean over prompts, bootstrap interval with prompts as units and the p of `against` that goes with it. Where the
/// support rests on the smallest or the largest model, effect and p are of "every model", with Holm over models; else of the mean
/// over lineages. The pool and shares count lineages.
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

/// What is said of every model, or of some, by their intervals.
const EVERY: [&str; 6] =
    ["smallest-low", "smallest-high", "largest-low", "largest-high", "equivalence-low", "equivalence-high"];

impl Kind for MeanByModel {
    fn parts(&self) -> Parts<'_> {
        Parts::of([("of", &self.of)])
    }

    fn null(&self, statistic: &str) -> Option<f64> {
        (!statistic.starts_with("equivalence")).then_some(self.against)
    }

    /// `smallest-low` and `smallest-high` are the limits of the lowest model; `equivalence-low` and `-high` span every model's
    /// 1-2alpha interval, for two one-sided tests (TOST) against a smallest effect of interest.
    ///
    /// A model counts above (below) `against` when its whole interval does; one prompt has no interval and counts neither.
    fn run<'a>(&self, context: &TestContext<'a>) -> Findings {
        let MeanByModel { of, against } = self;
        let against = *against;
        let mut findings = Findings::new(unit(of));
        let cells = context.enough(of, &mut findings);
        findings.uses(cells.protocol);
        let lineages = context.lineages(cells.models.keys(), &mut findings);
        let joined = lineages.cells(&cells);
        let (mut above, mut below, mut without) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
        let (mut ones, n) = (Vec::new(), cells.models.len());
        for (model, cells) in &cells.models {
            let Some(one) = One::new(context, model, cells.labelled(), against, n) else { continue };
            let interval = one.found.map(|found| found.alone);
            // A model counts by its whole interval, never by its mean alone.
            above.extend(interval.filter(|i| i.low > against).map(|_| *model));
            below.extend(interval.filter(|i| i.high < against).map(|_| *model));
            if interval.is_none() {
                without.push(*model);
            }
            let (p, prompts) = (one.found.map(|found| found.p), one.deviations.len());
            findings.estimates.push(estimate(model, Some(one.mean), interval, p, prompts));
            ones.push(one);
        }
        if !without.is_empty() {
            findings
                .notes
                .push(format!("one unit, no interval, neither above nor below: {}", without.join(", ")));
            let needs =
                format!("needs 2 prompts of every model that differ, {} have one unit", without.join(", "));
            findings.reason(&EVERY, needs);
        }
        if findings.estimates.iter().any(|e| e.p.is_some()) {
            findings.notes.push(format!(
                "p of a model: the level at which its interval reaches {against}, two-sided, uncorrected; the upper end of \
                 the lowest model's interval and the lower end of the highest's are of intervals that hold for all {n} models at once"
            ));
        }
        let adjusted = holm(&ones.iter().map(|one| one.found.map_or(1.0, |f| f.p)).collect::<Vec<_>>());
        let share = |holds: &dyn Fn(&str) -> bool| lineages.share(holds, context.alpha).map(|s| s.value);
        let significant = |above: bool| {
            let hits = ones.iter().zip(&adjusted).filter(|(one, p)| {
                **p < context.alpha && one.mean != against && (one.mean > against) == above
            });
            let hits: BTreeSet<&str> = hits.map(|(one, _)| one.model).collect();
            share(&|model| hits.contains(model))
        };
        let several = joined.models.values().filter(|own| own.prompts.len() > 1);
        let around = several.filter_map(|own| own.sampled()).map(|own| own.around(against));
        let effects: Vec<Sampled<&str>> = around.collect();
        let pooled = random_effects(&effects, context.alpha);
        if effects.len() < 2 {
            let needs = format!("needs 2 models with prompts that differ, has {}", effects.len());
            findings.reason(&["pooled", "low", "high", "p"], needs);
        }
        if let Some(pooled) = &pooled {
            findings.notes.push(format!(
                "pooled: random effects over {} lineages, crossed with the prompts that they share, interval and p by Student's t \
                 (Hartung-Knapp), p of {against}; significance of models is after Holm",
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
        // What is said of all models needs an interval from each; what one of many says against it, one that holds for all.
        let found: Vec<MeanAgainst> = ones.iter().filter_map(|one| one.found).collect();
        let any = |pick: fn(&MeanAgainst) -> f64, better: fn(f64, f64) -> f64| {
            found.iter().map(pick).reduce(better)
        };
        let every = |pick, better| any(pick, better).filter(|_| found.len() == n);
        findings.offer(Statistics {
            models: Some(n as f64),
            lineages: findings.lineages(),
            families: findings.families(),
            models_above: Some(above.len() as f64),
            models_below: Some(below.len() as f64),
            share_above: share(&|model| above.contains(model)),
            share_below: share(&|model| below.contains(model)),
            smallest_low: every(|f| f.alone.low, f64::min),
            smallest_high: any(|f| f.among.high, f64::min),
            largest_low: any(|f| f.among.low, f64::max),
            largest_high: every(|f| f.alone.high, f64::max),
            equivalence_low: every(|f| f.narrow.low, f64::min),
            equivalence_high: every(|f| f.narrow.high, f64::max),
            share_above_significant: significant(true),
            share_below_significant: significant(false),
            pooled: pooled.map(|p| p.effect + against),
            low: pooled.map(|p| p.interval.low + against),
            high: pooled.map(|p| p.interval.high + against),
            p: pooled.map(|p| p.p),
        });
        let unit = findings.unit.clone();
        let of_every = Every::of(context.supported())
            .and_then(|(every, _)| every.effect(&ones, against, &format!("mean {unit}")));
        match of_every {
            Some((effect, units)) => {
                (findings.effect, findings.units) = (Some(effect), Some(units));
            }
            None => over_lineages(context, &joined, against, &mut findings),
        }
        findings
    }
}

/// The effect of a claim about the mean: the plain mean over lineages of their means, with lineages as units, crossed with the prompts
/// that they share; of a single lineage the mean over its prompts.
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
    let sampled: Vec<Sampled<&str>> = cells.models.values().filter_map(ModelCells::sampled).collect();
    let centre = mean(&values);
    let wider = centre.zip(standard_deviation(&values).and_then(|own| widened(&sampled, own, context.alpha)));
    let interval = context.mean_interval(&values);
    let interval = interval.map(|own| wider.map_or(own, |(mean, wider)| wider.interval(mean, own)));
    // A p beside the rule.
    let wanted = context.reads(&[]) && smallest_sign_p(values.len()) <= context.alpha;
    let deviations: Vec<(String, f64)> = units.into_iter().map(|(unit, v)| (unit, v - against)).collect();
    let around: Vec<f64> = deviations.iter().map(|(_, d)| *d).collect();
    let p = if wanted { sign_flip_p(&around, context.seed.derive("effect")) } else { None };
    findings.effect = centre.map(|value| Effect {
        value,
        low: interval.map(|i| i.low),
        high: interval.map(|i| i.high),
        p: p.map(|p| wider.map_or(p, |(mean, wider)| wider.raised(p, mean - against))),
        n: values.len() as u64,
        null: against,
        what: format!("mean {} over {over}", findings.unit),
        hypothesis: None,
    });
    findings.units = Some(Units::Signs { of, deviations });
}
