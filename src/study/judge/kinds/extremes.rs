//! `extremes`: how small and how large a quantity gets.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    judge::{
        cache::MeanAgainst,
        context::TestContext,
        findings::{Findings, estimate, point},
        hypothesis::Quantity,
        kind::{Fault, Kind, Parts},
        shared::{
            every::{Every, One},
            lineages::Lineages,
            units::unit,
        },
        statistics::statistics,
    },
    stats::{mean, quantile},
};

/// Smallest, largest and median value over models (each the median of its prompts, or their mean) or over cells (every model and
/// prompt); `share-inside` of those that lie in `inside`. Over models, the median and the share count lineages; where the support rests on the smallest or
/// largest model, effect and p are of "every model", with Holm over models. With `relative-to`,
/// values are multiples of that quantity's mean over its lineages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Extremes {
    pub of: Quantity,
    #[serde(default)]
    pub over: Over,
    #[serde(default)]
    pub summary: Summary,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inside: Option<[f64; 2]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relative_to: Option<Quantity>,
    #[serde(default)]
    pub across_protocols: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Over {
    #[default]
    Models,
    Cells,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Summary {
    #[default]
    Median,
    Mean,
}

statistics! {
    Extremes {
        smallest,
        largest,
        median,
        cells,
        models,
        lineages,
        families,
        share_inside,
        low,
        high,
        smallest_low,
        smallest_high,
        largest_low,
        largest_high,
    }
}

impl Extremes {
    /// The bounds within which models are to lie; `None` where cells are, or what is relative to others.
    pub(crate) fn within(&self) -> Option<[f64; 2]> {
        self.inside.filter(|_| self.over == Over::Models && self.relative_to.is_none())
    }
}

impl Kind for Extremes {
    fn parts(&self) -> Parts<'_> {
        Parts::of([("of", &self.of)])
            .and("relative-to", self.relative_to.as_ref())
            .compared(self.across_protocols)
    }

    fn faults(&self) -> Vec<Fault> {
        let upside_down = self.inside.filter(|[low, high]| low > high);
        let fault =
            Fault::new("inside", "no value lies inside: the first bound is above the second", "swap them");
        upside_down.map(|_| fault).into_iter().collect()
    }

    /// The estimates are the models' values (over cells: their extremes), then the share inside.
    fn run(&self, context: &TestContext<'_>) -> Findings {
        let mut findings = Findings::new(unit(&self.of));
        let cells = context.enough(&self.of, &mut findings);
        findings.uses(cells.protocol);
        let mut scale = Some(1.0);
        if let Some(reference) = &self.relative_to {
            let other = context.enough(reference, &mut findings);
            if !findings.comparable(context, &cells, &other) {
                return findings;
            }
            let relatives = Lineages::of(context, other.models.keys());
            let means: Vec<f64> = relatives.series(&other.by_model()).values().collect();
            scale = mean(&means);
            findings.unit = format!("multiples of the mean of {}", reference.name());
            findings.estimates.push(point(format!("mean of {}", reference.name()), scale, means.len()));
        }
        let Some(scale) = scale else { return findings };
        let lineages = context.lineages(cells.models.keys(), &mut findings);
        let (mut values, mut of_models, mut ones) = (Vec::new(), BTreeMap::new(), Vec::new());
        // A rule on the smallest or largest model is about every one.
        let about = Every::of(context.supported()).filter(|_| self.over == Over::Models);
        let about = about.and_then(|(every, condition)| Some((every, every.bound(condition)?)));
        let n = cells.models.len();
        for (model, cells) in &cells.models {
            let own: Vec<f64> = cells.values().iter().map(|v| v / scale).collect();
            let summary = match self.summary {
                Summary::Mean => mean(&own),
                Summary::Median => quantile(&own, 0.5),
            };
            match self.over {
                Over::Models => {
                    let labelled =
                        cells.labelled().into_iter().map(|(prompt, v)| (prompt, v / scale)).collect();
                    let null = about.map_or(f64::NAN, |(_, bound)| bound);
                    let one = match self.summary {
                        Summary::Mean => One::new(context, model, labelled, null, n),
                        Summary::Median => One::by_median(context, model, labelled, null, n),
                    };
                    let found = one.as_ref().and_then(|one| one.found);
                    let p = found.map(|f| f.p).filter(|_| about.is_some());
                    findings.estimates.push(estimate(model, summary, found.map(|f| f.alone), p, own.len()));
                    ones.extend(one);
                    values.extend(summary);
                    of_models.extend(summary.map(|value| (*model, value)));
                }
                Over::Cells => {
                    let ends = (own.iter().copied().reduce(f64::min), own.iter().copied().reduce(f64::max));
                    findings.estimates.push(point(format!("{model} (smallest)"), ends.0, own.len()));
                    findings.estimates.push(point(format!("{model} (largest)"), ends.1, own.len()));
                    values.extend(own);
                }
            }
        }
        let cells_read: usize = cells.models.values().map(|m| m.values().len()).sum();
        let n = values.len();
        let lies_inside = |value: &f64| self.inside.is_some_and(|[low, high]| (low..=high).contains(value));
        let (share, interval) = match (self.inside.filter(|_| n > 0), self.over) {
            (None, _) => (None, None),
            // Cells of one model are relatives: only lineages are counted as units.
            (Some(_), Over::Cells) => {
                (Some(values.iter().filter(|v| lies_inside(v)).count() as f64 / n as f64), None)
            }
            (Some(_), Over::Models) => {
                let share = lineages.share(|m| of_models.get(m).is_some_and(lies_inside), context.alpha);
                (share.map(|s| s.value), share.and_then(|s| s.interval))
            }
        };
        let median = match self.over {
            Over::Cells => quantile(&values, 0.5),
            Over::Models => {
                let means = lineages.means(|model| of_models.get(model).copied());
                quantile(&means.into_iter().map(|(_, value)| value).collect::<Vec<_>>(), 0.5)
            }
        };
        if share.is_some() {
            findings.estimates.push(estimate("share inside", share, interval, None, n));
        }
        // What is said of all models needs an interval from each; what one of many says against it, one that holds for all.
        let found: Vec<MeanAgainst> = ones.iter().filter_map(|one| one.found).collect();
        let any = |pick: fn(&MeanAgainst) -> f64, better: fn(f64, f64) -> f64| {
            found.iter().map(pick).reduce(better)
        };
        let every = |pick, better| any(pick, better).filter(|_| found.len() == ones.len());
        let unit = findings.unit.clone();
        if let Some((effect, units)) = about.and_then(|(side, bound)| side.effect(&ones, bound, &unit)) {
            findings.notes.push(
                "p of a model: that its interval reaches the bound of the rule, two-sided, uncorrected; the upper \
                 end of the lowest model's interval and the lower end of the highest's are of intervals that hold for all models at once"
                    .into(),
            );
            (findings.effect, findings.units) = (Some(effect), Some(units));
        }
        if interval.is_some() {
            findings.limits_of_share(&lineages, context.alpha, &["low"], &["high"]);
        }
        findings.offer(Statistics {
            smallest_low: every(|f| f.alone.low, f64::min),
            smallest_high: any(|f| f.among.high, f64::min),
            largest_low: any(|f| f.among.low, f64::max),
            largest_high: every(|f| f.alone.high, f64::max),
            smallest: values.iter().copied().reduce(f64::min),
            largest: values.iter().copied().reduce(f64::max),
            median,
            cells: Some(cells_read as f64),
            models: Some(cells.models.len() as f64),
            lineages: findings.lineages(),
            families: findings.families(),
            share_inside: share,
            low: interval.map(|i| i.low),
            high: interval.map(|i| i.high),
        });
        findings
    }
}
