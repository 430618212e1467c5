//! `pairs`: every changed model against the one it was changed from, prompt by prompt.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    judge::{
        context::TestContext,
        findings::{Findings, estimate},
        hypothesis::{Quantity, Scale},
        inputs::enough_of,
        kind::{Fault, Kind, Parts},
        population::Scope,
        shared::{
            lineages::{Lineages, pool_of_lineages},
            units::unit,
        },
        spread::{differences, has_spread, in_words},
        statistics::{Null, statistics},
    },
    stats::{
        Interval, Method, Sampled, Units, correlation_interval, holm, mean, paired_t, pearson,
        random_effects, wilcoxon,
    },
};
use base::glob;
use number::{facts::ModelFacts, metric::Series};

/// Every model whose fact `change` matches (`*` stands for any text) less its base, prompt by prompt. A pair is significant where
/// t and Wilcoxon both are, after Holm over the pairs, and its mean difference is at least `size`. The pool and shares count
/// lineages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Pairs {
    pub of: Quantity,
    /// E.g. `instruct`, `rope-theta x10`, `rope-theta *`.
    pub change: String,
    #[serde(default)]
    pub size: f64,
}

statistics! {
    Pairs {
        pairs,
        lineages,
        families,
        share_lower_significant,
        share_higher_significant,
        share_significant,
        share_sign_change,
        share_falls_through,
        pooled,
        low,
        high,
        p,
        r,
        r_low,
        r_high,
        smallest_ratio,
        largest_ratio,
        smallest_size,
        largest_size,
        equivalence_low,
        equivalence_high,
        share_cannot_fall_through,
    }
    effect { pooled: Null::ByName(0.0), } of { low: low, high: high, p: p, units: lineages, }
}

impl Kind for Pairs {
    fn takes(&self, lineage: &ModelFacts) -> bool {
        lineage.change.as_deref().is_some_and(|change| glob::matches(&self.change, change))
    }

    fn faults(&self) -> Vec<Fault> {
        Fault::if_negative("size", self.size)
    }

    fn null(&self, statistic: &str) -> Option<f64> {
        matches!(statistic, "low" | "high").then_some(0.0)
    }

    fn parts(&self) -> Parts<'_> {
        Parts::of([("of", &self.of)])
    }

    /// The estimates are the mean differences, each with its bootstrap interval and the larger p of Student's t and Wilcoxon,
    /// then their pool by random effects with lineages as units. `equivalence-low` and `-high` span every pair's 1-2alpha interval
    /// (TOST). A pair falls through 0 where the base's interval lies above and the changed model's below; it cannot where the
    /// base's lies below or the changed model's above.
    fn run(&self, context: &TestContext<'_>) -> Findings {
        let mut findings = Findings::new(format!("{}, changed less base", unit(&self.of)));
        let cells = context.with(Scope::Changed).enough_as_they_are(&self.of, &mut findings);
        findings.uses(cells.protocol);
        let mut pairs: Vec<Pair<'_>> = Vec::new();
        let mut unreachable = Vec::new();
        for changed in cells.models.keys().copied() {
            let Some(model) = context.model(changed) else { continue };
            let word = |fact| model.fact(fact).and_then(serde_json::Value::as_str);
            let (Some(change), Some(base)) = (word("change"), word("base")) else { continue };
            if !glob::matches(&self.change, change) || !context.takes_base(base) {
                continue;
            }
            let across = context.across;
            let Some(pair) = findings.pair(&cells.by_prompt(changed), &cells.by_prompt(base), across) else {
                return findings;
            };
            let differences = differences(pair.x(), pair.y(), self.of.scale);
            let (Some(difference), Some(over), Some(under)) =
                (mean(&differences), mean(pair.x()), mean(pair.y()))
            else {
                findings.notes.push(format!("{changed}: no prompt in common with its base {base}, left out"));
                continue;
            };
            let differ = has_spread(&differences);
            if differences.len() > 1 && !differ {
                let name = format!("{changed} less {base}");
                findings.reason(&[], in_words(&name, &differences, "prompts"));
            }
            let ranks = wilcoxon(&differences).filter(|_| differ);
            let reachable = ranks.is_some_and(|w| w.smallest_p <= context.alpha);
            if !reachable {
                unreachable.push(format!("{changed} ({} prompts)", differences.len()));
            }
            let both = context.mean_intervals(&differences);
            pairs.push(Pair {
                changed,
                difference,
                sampled: Sampled::mean(pair.keys().iter().copied().zip(differences.iter().copied()))
                    .filter(|_| differ),
                prompts: differences.len(),
                means: (over, under),
                changed_interval: context.mean_interval(pair.x()),
                base_interval: context.mean_interval(pair.y()),
                interval: both.map(|[at_alpha, _]| at_alpha),
                narrow: both.map(|[_, at_two_alpha]| at_two_alpha),
                p: paired_t(&differences, context.alpha)
                    .zip(ranks)
                    .filter(|_| reachable)
                    .map(|(t, w)| t.p.max(w.p)),
            });
        }
        if !unreachable.is_empty() {
            findings.notes.push(format!("Wilcoxon {}: {}", context.no_p_given(""), unreachable.join(", ")));
        }
        let lineages = context.lineages(pairs.iter().map(|pair| pair.changed), &mut findings);
        let what = format!("lineages with pairs of change = {} with their base", self.change);
        enough_of(context.needs.pairs.max(1), &what, lineages.names(), &mut findings);
        self.summary(context, &pairs, &lineages, &mut findings);
        let of: BTreeMap<&str, f64> = pairs.iter().map(|pair| (pair.changed, pair.difference)).collect();
        let signs = lineages.means(|changed| of.get(changed).copied());
        let deviations = signs.into_iter().map(|(lineage, mean)| (lineage.to_string(), mean)).collect();
        findings.units = Some(Units::Signs { of: "lineages", deviations });
        findings
    }
}

/// A changed model and its base.
struct Pair<'a> {
    changed: &'a str,
    difference: f64,
    /// The difference with what each prompt makes of it.
    sampled: Option<Sampled<&'a str>>,
    prompts: usize,
    /// The means of the changed model and of its base.
    means: (f64, f64),
    changed_interval: Option<Interval>,
    base_interval: Option<Interval>,
    interval: Option<Interval>,
    /// At 1 - 2alpha.
    narrow: Option<Interval>,
    p: Option<f64>,
}

impl Pairs {
    fn summary<'a>(
        &self,
        context: &TestContext<'_>,
        pairs: &[Pair<'a>],
        lineages: &Lineages<'a>,
        findings: &mut Findings,
    ) {
        let n = pairs.len() as f64;
        let adjusted = holm(&pairs.iter().map(|pair| pair.p.unwrap_or(1.0)).collect::<Vec<_>>());
        let counts = |pair: &Pair<'_>, p: f64| p < context.alpha && pair.difference.abs() >= self.size;
        let share = |holds: &dyn Fn(&Pair<'_>, f64) -> bool| {
            let hits = pairs.iter().zip(&adjusted).filter(|(pair, p)| holds(pair, **p));
            let hits: BTreeSet<&str> = hits.map(|(pair, _)| pair.changed).collect();
            lineages.share(|changed| hits.contains(changed), context.alpha).map(|share| share.value)
        };
        let falls = |pair: &Pair<'_>| {
            pair.base_interval.is_some_and(|i| i.low > 0.0)
                && pair.changed_interval.is_some_and(|i| i.high < 0.0)
        };
        let rises = |pair: &Pair<'_>| {
            pair.base_interval.is_some_and(|i| i.high < 0.0)
                && pair.changed_interval.is_some_and(|i| i.low > 0.0)
        };
        let cannot_fall = |pair: &Pair<'_>| {
            pair.base_interval.is_some_and(|i| i.high < 0.0)
                || pair.changed_interval.is_some_and(|i| i.low > 0.0)
        };
        // What is said of all pairs needs an interval from each.
        let narrow: Option<Vec<Interval>> = pairs.iter().map(|pair| pair.narrow).collect();
        let end = |pick: fn(&Interval) -> f64, worse: fn(f64, f64) -> f64| {
            narrow.as_ref().and_then(|all| all.iter().map(pick).reduce(worse))
        };
        for pair in pairs {
            let Pair { changed, difference, interval, p, prompts, .. } = pair;
            findings.estimates.push(estimate(changed, Some(*difference), *interval, *p, *prompts));
        }
        let effects: BTreeMap<&str, Sampled<&'a str>> =
            pairs.iter().filter_map(|pair| Some((pair.changed, pair.sampled.clone()?))).collect();
        let effects = pool_of_lineages(lineages, &effects);
        let pooled = random_effects(&effects, context.alpha);
        if effects.len() < 2 {
            let needs = format!("needs 2 pairs whose prompts differ, has {}", effects.len());
            findings.reason(&["pooled", "low", "high", "p"], needs);
        }
        if pairs.len() < 4 {
            findings.reason(&["r", "r-low", "r-high"], format!("needs 4 pairs, has {}", pairs.len()));
        }
        if let Some(pooled) = pooled {
            let interval = Some(pooled.interval);
            findings.estimates.push(estimate(
                "pooled",
                Some(pooled.effect),
                interval,
                Some(pooled.p),
                effects.len(),
            ));
        }
        if !pairs.is_empty() {
            findings.notes.push(format!(
                "p of a pair: the larger of Student's t and Wilcoxon, uncorrected; significance is after Holm over {n} \
                 pairs; pooled by random effects with lineages as units, crossed with the prompts that they share (Hartung-Knapp)"
            ));
        }
        // Both means of a pair are of one quantity under one protocol.
        let side = |pick: fn(&Pair<'_>) -> f64| {
            let of: BTreeMap<&str, f64> = pairs.iter().map(|pair| (pair.changed, pick(pair))).collect();
            let means = lineages.means(|changed| of.get(changed).copied());
            Series::tagged(None, None, means.into_iter().collect())
        };
        let of_bases = findings.pair(&side(|p| p.means.1), &side(|p| p.means.0), false);
        // Two lineages always correlate perfectly and three nearly so.
        let r = of_bases.filter(|pair| pair.len() > 3).and_then(|pair| pearson(&pair));
        let r_interval =
            r.and_then(|r| correlation_interval(r, lineages.len(), 0, Method::Pearson, context.alpha));
        let log = self.of.scale == Scale::Log;
        let ratio = |pair: &Pair<'_>| if log { pair.difference.exp() } else { pair.means.0 / pair.means.1 };
        let (ratios, sizes) = (|| pairs.iter().map(ratio), || pairs.iter().map(|pair| pair.difference.abs()));
        findings.offer(Statistics {
            pairs: Some(n),
            lineages: findings.lineages(),
            families: findings.families(),
            share_lower_significant: share(&|pair, p| counts(pair, p) && pair.difference < 0.0),
            share_higher_significant: share(&|pair, p| counts(pair, p) && pair.difference > 0.0),
            share_significant: share(&counts),
            share_sign_change: share(&|pair, _| falls(pair) || rises(pair)),
            share_falls_through: share(&|pair, _| falls(pair)),
            pooled: pooled.map(|p| p.effect),
            low: pooled.map(|p| p.interval.low),
            high: pooled.map(|p| p.interval.high),
            p: pooled.map(|p| p.p),
            r,
            r_low: r_interval.map(|i| i.low),
            r_high: r_interval.map(|i| i.high),
            smallest_ratio: ratios().reduce(f64::min),
            largest_ratio: ratios().reduce(f64::max),
            smallest_size: sizes().reduce(f64::min),
            largest_size: sizes().reduce(f64::max),
            equivalence_low: end(|i| i.low, f64::min),
            equivalence_high: end(|i| i.high, f64::max),
            share_cannot_fall_through: share(&|pair, _| cannot_fall(pair)),
        });
    }
}
