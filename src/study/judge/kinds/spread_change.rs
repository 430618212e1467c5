//! `spread-change`: do prompts differ less after a change along a training?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    judge::{
        cells::Cells,
        context::TestContext,
        digits::digits,
        findings::{Findings, estimate},
        hypothesis::Quantity,
        kind::{Fault, Kind, Parts},
        population::Scope,
        shared::revisions::{Training, changes, trainings},
        statistics::{Null, statistics},
    },
    stats::{holm, mean, quantile, sign_flip_p, smallest_sign_p},
};
use number::facts::ModelFacts;

/// Per training (fact `series`), the variance over prompts of `of` after over before the step where `at` changes. Paired over
/// prompts: each one's mean absolute deviation from its revision's mean, after less before, sign-flip p, Holm over trainings. A
/// training falls where the ratio is at most `size` and significant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SpreadChange {
    pub of: Quantity,
    pub at: Quantity,
    #[serde(default = "half")]
    pub size: f64,
    #[serde(default)]
    pub across_protocols: bool,
}

fn half() -> f64 {
    0.5
}

statistics! {
    SpreadChange {
        ratio,
        largest_ratio,
        p,
        series,
        series_falling,
        share_falling,
    }
    effect { ratio: Null::ByName(1.0), } of { p: p, }
}

impl Kind for SpreadChange {
    fn takes(&self, lineage: &ModelFacts) -> bool {
        lineage.series.is_some()
    }

    fn faults(&self) -> Vec<Fault> {
        Fault::if_negative("size", self.size)
    }

    fn parts(&self) -> Parts<'_> {
        Parts::of([("of", &self.of), ("at", &self.at)]).compared(self.across_protocols)
    }

    fn no_permutation_reason(&self) -> &'static str {
        "a flip of a prompt's deviations leaves no ratio of variances"
    }

    /// The estimates are the trainings' ratios of variances; `ratio` is their median, `p` the largest after Holm.
    fn run(&self, context: &TestContext<'_>) -> Findings {
        let mut findings = Findings::new("variance after over before");
        let every = context.with(Scope::EveryKind);
        let of = every.enough(&self.of, &mut findings);
        let at = every.enough(&self.at, &mut findings);
        if !findings.comparable(context, &of, &at) {
            return findings;
        }
        let both = of.models.keys().copied().filter(|m| at.models.contains_key(m));
        let all = trainings(context, both, 4, &mut findings);
        let mut found = Vec::new();
        for (series, steps) in &all {
            let seed = context.seed.derive(series);
            let Some(change) = changes(steps, &at, seed) else {
                findings.notes.push(format!("{series}: {} does not change, left out", self.at.name()));
                continue;
            };
            let Some(spread) = spread(steps, &of, change.index) else {
                findings.notes.push(format!("{series}: fewer than two prompts run through it all, left out"));
                continue;
            };
            let n = spread.less.len();
            let reachable = findings.reachable(context, series, smallest_sign_p(n));
            let p = sign_flip_p(&spread.less, seed.derive("flips")).filter(|_| reachable);
            let label = format!("{series} (change at step {})", digits(change.step));
            findings.estimates.push(estimate(label, Some(spread.ratio), None, p, n));
            found.push((spread.ratio, p));
        }
        let adjusted = holm(&found.iter().map(|(_, p)| p.unwrap_or(1.0)).collect::<Vec<_>>());
        let falling =
            found.iter().zip(&adjusted).filter(|((r, _), p)| *r <= self.size && **p < context.alpha).count();
        if !found.is_empty() {
            findings.notes.push(format!(
                "p: sign flips of each prompt's mean absolute deviation after less before, uncorrected; falling is after Holm \
                 over {} trainings",
                found.len()
            ));
        }
        let ratios: Vec<f64> = found.iter().map(|(ratio, _)| *ratio).collect();
        let n = found.len() as f64;
        let given = found.iter().all(|(_, p)| p.is_some());
        findings.offer(Statistics {
            ratio: quantile(&ratios, 0.5),
            largest_ratio: ratios.iter().copied().reduce(f64::max),
            p: adjusted.iter().copied().reduce(f64::max).filter(|_| given),
            series: Some(n),
            series_falling: Some(falling as f64),
            share_falling: (n > 0.0).then_some(falling as f64 / n),
        });
        findings
    }
}

struct Spread {
    /// Variance over prompts, mean over revisions, after over before.
    ratio: f64,
    /// By prompt: mean absolute deviation from its revision's mean, after less before.
    less: Vec<f64>,
}

/// The spreads of the prompts that every revision has; the first revision after the change is `index`.
fn spread(training: &Training<'_>, cells: &Cells<'_>, index: usize) -> Option<Spread> {
    let revisions: Vec<_> = training.iter().map(|(_, model)| &cells.models[model].prompts).collect();
    let prompts: Vec<&str> =
        revisions[0].keys().copied().filter(|p| revisions.iter().all(|r| r.contains_key(p))).collect();
    // By revision, then prompt.
    let deviations: Vec<Vec<f64>> = revisions
        .iter()
        .map(|revision| {
            let values: Vec<f64> = prompts.iter().map(|p| revision[p].value).collect();
            let centre = mean(&values).unwrap_or_default();
            values.iter().map(|v| v - centre).collect()
        })
        .collect();
    let (before, after) = deviations.split_at(index);
    // Both halves have the same prompts, so sums of squares compare as variances do.
    let square = |half: &[Vec<f64>]| {
        let sums: Vec<f64> = half.iter().map(|d| d.iter().map(|d| d * d).sum()).collect();
        mean(&sums)
    };
    let size = |half: &[Vec<f64>], prompt: usize| {
        mean(&half.iter().map(|d| d[prompt].abs()).collect::<Vec<_>>()).unwrap_or_default()
    };
    let ratio = square(after)? / square(before)?;
    let less = (0..prompts.len()).map(|prompt| size(after, prompt) - size(before, prompt)).collect();
    (prompts.len() > 1 && ratio.is_finite()).then_some(Spread { ratio, less })
}
