//! `trend`: does a quantity rise or fall along a training?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use std::collections::BTreeMap;

use crate::{
    judge::{
        context::TestContext,
        findings::{Findings, estimate},
        hypothesis::Quantity,
        kind::{Fault, Kind, Parts},
        population::Scope,
        shared::{revisions::trainings, units::unit},
        statistics::{Null, statistics},
    },
    stats::{Method, correlation_interval, correlation_p, holm, quantile, smallest_correlation_p, spearman},
};
use number::{facts::ModelFacts, metric::Series};

/// Per training (fact `series`), Spearman's rho of a revision's step and its mean over prompts, permutation p, Holm over trainings.
/// A training falls (rises) where rho is at most -`size` (at least `size`) and significant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Trend {
    pub of: Quantity,
    #[serde(default)]
    pub size: f64,
}

statistics! {
    Trend {
        series,
        series_falling,
        series_rising,
        share_falling,
        share_rising,
        rho,
        p,
        revisions,
    }
    effect { rho: Null::InUnit(0.0), } of { p: p, }
}

impl Kind for Trend {
    fn takes(&self, lineage: &ModelFacts) -> bool {
        lineage.series.is_some()
    }

    fn faults(&self) -> Vec<Fault> {
        Fault::if_negative("size", self.size)
    }

    fn parts(&self) -> Parts<'_> {
        Parts::of([("of", &self.of)])
    }

    fn no_permutation_reason(&self) -> &'static str {
        "revisions of one training resemble their neighbours: their orders are not equally likely"
    }

    /// The estimates are the trainings' rho with Fisher z interval and permutation p. `rho` is their median, `p` the largest
    /// after Holm, `revisions` the fewest.
    fn run(&self, context: &TestContext<'_>) -> Findings {
        let mut findings = Findings::new(format!("Spearman's rho of step and {}", unit(&self.of)));
        let cells = context.with(Scope::EveryKind).enough(&self.of, &mut findings);
        findings.uses(cells.protocol);
        let all = trainings(context, cells.models.keys().copied(), 4, &mut findings);
        let mut found = Vec::new();
        for (series, steps) in &all {
            let at = steps.iter().enumerate();
            let x = Series::tagged(None, None, at.clone().map(|(i, (step, _))| (i, *step)).collect());
            let means: BTreeMap<usize, f64> =
                at.filter_map(|(i, (_, model))| Some((i, cells.models[model].mean()?))).collect();
            let Some(pair) = findings.pair(&x, &cells.series(means), false) else { return findings };
            let Some(rho) = spearman(&pair) else {
                findings.notes.push(format!("{series}: all revisions are equal, left out"));
                continue;
            };
            let reachable = findings.reachable(context, series, smallest_correlation_p(pair.len()));
            let p = correlation_p(&pair, Method::Spearman, None, context.seed.derive(series))
                .filter(|_| reachable);
            let interval = correlation_interval(rho, pair.len(), 0, Method::Spearman, context.alpha);
            findings.estimates.push(estimate(series, Some(rho), interval, p, pair.len()));
            found.push((rho, p, pair.len()));
        }
        let adjusted = holm(&found.iter().map(|(_, p, _)| p.unwrap_or(1.0)).collect::<Vec<_>>());
        let n = found.len() as f64;
        let count = |sign: f64| {
            let hits = found.iter().zip(&adjusted);
            hits.filter(|((rho, ..), p)| **p < context.alpha && rho * sign > 0.0 && rho.abs() >= self.size)
                .count() as f64
        };
        if !found.is_empty() {
            findings.notes.push(format!(
                "p: permutation of revisions, uncorrected, though neighbours along a training resemble each other; significance \
                 is after Holm over {n} trainings"
            ));
        }
        let rhos: Vec<f64> = found.iter().map(|(rho, ..)| *rho).collect();
        let share = |count: f64| (!found.is_empty()).then_some(count / n);
        let every = found.iter().all(|(_, p, _)| p.is_some());
        findings.offer(Statistics {
            series: Some(n),
            series_falling: Some(count(-1.0)),
            series_rising: Some(count(1.0)),
            share_falling: share(count(-1.0)),
            share_rising: share(count(1.0)),
            rho: quantile(&rhos, 0.5),
            p: adjusted.iter().copied().reduce(f64::max).filter(|_| every),
            revisions: found.iter().map(|(.., n)| *n as f64).reduce(f64::min),
        });
        findings
    }
}
