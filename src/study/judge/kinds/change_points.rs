//! `change-points`: do two quantities change at the same step of a training?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    judge::{
        context::TestContext,
        findings::{Findings, point},
        hypothesis::Quantity,
        kind::{Kind, Parts},
        population::Scope,
        shared::revisions::{changes, trainings},
        statistics::statistics,
    },
    stats::{holm, quantile},
};
use number::facts::ModelFacts;

/// Per training (fact `series`), the step where the profile of `a` over revisions changes (two constants fit best), and of `b`.
/// `series-within` counts trainings whose two steps differ by at most `factor`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ChangePoints {
    pub a: Quantity,
    pub b: Quantity,
    #[serde(default = "two")]
    pub factor: f64,
    #[serde(default)]
    pub across_protocols: bool,
}

fn two() -> f64 {
    2.0
}

statistics! {
    ChangePoints {
        series,
        series_within,
        share_within,
        factor,
        a_step,
        b_step,
        a_p,
        b_p,
    }
}

impl Kind for ChangePoints {
    fn takes(&self, lineage: &ModelFacts) -> bool {
        lineage.series.is_some()
    }

    fn parts(&self) -> Parts<'_> {
        Parts::of([("a", &self.a), ("b", &self.b)]).compared(self.across_protocols)
    }

    /// The estimates are the trainings' steps of both changes. `factor`, `a-step` and `b-step` are medians over trainings,
    /// `a-p` and `b-p` the largest p of a change after Holm.
    fn run(&self, context: &TestContext<'_>) -> Findings {
        let mut findings = Findings::new("training step");
        let every = context.with(Scope::EveryKind);
        let a = every.enough(&self.a, &mut findings);
        let b = every.enough(&self.b, &mut findings);
        if !findings.comparable(context, &a, &b) {
            return findings;
        }
        let both = a.models.keys().copied().filter(|m| b.models.contains_key(m));
        let all = trainings(context, both, 4, &mut findings);
        let mut found = Vec::new();
        for (series, steps) in &all {
            let seed = context.seed.derive(series);
            let (Some(of_a), Some(of_b)) =
                (changes(steps, &a, seed.derive("a")), changes(steps, &b, seed.derive("b")))
            else {
                findings.notes.push(format!("{series}: all revisions are equal, left out"));
                continue;
            };
            for (side, change) in [("a", &of_a), ("b", &of_b)] {
                let mut one = point(format!("{series} {side}"), Some(change.step), steps.len());
                one.p = Some(change.p);
                findings.estimates.push(one);
            }
            found.push((of_a, of_b));
        }
        let factors: Vec<f64> = found.iter().map(|(a, b)| (a.step / b.step).max(b.step / a.step)).collect();
        let n = factors.len() as f64;
        // Steps on a grid of powers of 2 differ by exactly 2.
        let within = factors.iter().filter(|f| **f <= self.factor * (1.0 + 1e-9)).count() as f64;
        let largest = |p: Vec<f64>| holm(&p).into_iter().reduce(f64::max);
        let median = |steps: Vec<f64>| quantile(&steps, 0.5);
        if !found.is_empty() {
            findings.notes.push(
                "a change lies between two revisions and is put at the geometric mean of their steps (before step 1: half a \
                 step); p: rearranged revisions, uncorrected, a trend is a rejection too"
                    .into(),
            );
        }
        findings.offer(Statistics {
            series: Some(n),
            series_within: Some(within),
            share_within: (n > 0.0).then_some(within / n),
            factor: median(factors.clone()),
            a_step: median(found.iter().map(|(a, _)| a.step).collect()),
            b_step: median(found.iter().map(|(_, b)| b.step).collect()),
            a_p: largest(found.iter().map(|(a, _)| a.p).collect()),
            b_p: largest(found.iter().map(|(_, b)| b.p).collect()),
        });
        findings
    }
}
