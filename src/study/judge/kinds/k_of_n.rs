//! `k-of-n`: do at least k lineages show it?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    judge::{
        context::TestContext,
        effect::Effect,
        findings::{Findings, estimate},
        hypothesis::Quantity,
        kind::{Fault, Kind, Parts},
        shared::units::unit,
        statistics::statistics,
    },
    stats::{binomial_at_least, partial_conjunction},
};

/// Partial conjunction over lineages (Benjamini and Heller 2008): p of "fewer than k lineages lie on `side` of `against`", from each
/// one's one-sided sign test over prompts (each the mean of its models). `k`, or `share` of the lineages rounded up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct KOfN {
    pub of: Quantity,
    #[serde(default)]
    pub against: f64,
    #[serde(default)]
    pub side: Side,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub k: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    #[default]
    Above,
    Below,
}

statistics! {
    KOfN {
        p,
        p_against,
        k,
        largest_k,
        models,
        lineages,
        families,
    }
}

impl Kind for KOfN {
    fn parts(&self) -> Parts<'_> {
        Parts::of([("of", &self.of)])
    }

    fn faults(&self) -> Vec<Fault> {
        let message = "k-of-n takes one of `k` (at least 1) and `share` (above 0, at most 1)";
        let good = match (self.k, self.share) {
            (Some(k), None) => k > 0,
            (None, Some(share)) => share > 0.0 && share <= 1.0,
            (Some(_), Some(_)) | (None, None) => false,
        };
        (!good)
            .then(|| Fault { path: vec![], message: message.into(), advice: "e.g. share = 0.75" })
            .into_iter()
            .collect()
    }

    fn no_permutation_reason(&self) -> &'static str {
        "its null lets some lineages lie beyond, and a flip of every one's prompts would test another"
    }

    /// The estimates are the lineages' means with bootstrap intervals and one-sided p.
    fn run(&self, context: &TestContext<'_>) -> Findings {
        let mut findings = Findings::new(unit(&self.of));
        let cells = context.enough(&self.of, &mut findings);
        findings.uses(cells.protocol);
        let models = cells.models.len();
        let lineages = context.lineages(cells.models.keys(), &mut findings);
        let cells = lineages.cells(&cells);
        let (mut found, mut against, mut least) = (Vec::new(), Vec::new(), Vec::new());
        for (model, cells) in &cells.models {
            let values = cells.values();
            let beyond = |v: &&f64| match self.side {
                Side::Above => **v > self.against,
                Side::Below => **v < self.against,
            };
            let hits = values.iter().filter(beyond).count() as u64;
            let moved = values.iter().filter(|v| **v != self.against).count() as u64;
            let p = binomial_at_least(hits, moved, 0.5).filter(|_| moved > 0).unwrap_or(1.0);
            found.push(p);
            let other = binomial_at_least(moved - hits, moved, 0.5).filter(|_| moved > 0).unwrap_or(1.0);
            against.push(other);
            least.push(0.5_f64.powi(i32::try_from(values.len()).unwrap_or(i32::MAX)));
            let interval = context.mean_interval(&values);
            findings.estimates.push(estimate(model, cells.mean(), interval, Some(p), values.len()));
        }
        let n = found.len();
        let share = self.share.map(|share| (share * n as f64 - 1e-9).ceil().max(1.0) as usize);
        let k = self.k.map(|k| k as usize).or(share).unwrap_or(n);
        if k > n && !findings.lacks() {
            findings
                .missing
                .push(format!("needs {k} lineages of models, have {n} ({})", names(cells.models.keys())));
        }
        let what = format!("{k} of {n} lineages");
        let reachable = partial_conjunction(&least, k).is_some_and(|p| findings.reachable(context, &what, p));
        let p = partial_conjunction(&found, k).filter(|_| reachable);
        // That fewer than k lie beyond follows where more than n - k lie on the other side.
        let p_against =
            n.checked_sub(k).and_then(|left| partial_conjunction(&against, left + 1)).filter(|_| reachable);
        let significant = |k: &usize| partial_conjunction(&found, *k).is_some_and(|p| p < context.alpha);
        // Monotone in k, so the first failure ends it.
        let largest = (1..=n).take_while(significant).last().unwrap_or(0);
        if n > 0 {
            findings.notes.push(format!(
                "p of a lineage: one-sided sign test of its prompts; p: partial conjunction, fewer than {k} of {n} lineages"
            ));
        }
        findings.effect = (n > 0).then(|| Effect {
            value: largest as f64 / n as f64,
            low: None,
            high: None,
            p,
            n: n as u64,
            null: 0.0,
            what: "share of lineages that are beyond, at least".into(),
            hypothesis: None,
        });
        findings.offer(Statistics {
            p,
            p_against,
            k: Some(k as f64),
            largest_k: Some(largest as f64),
            models: Some(models as f64),
            lineages: findings.lineages(),
            families: findings.families(),
        });
        findings
    }
}

fn names<'a>(models: impl Iterator<Item = &'a &'a str>) -> String {
    models.copied().collect::<Vec<_>>().join(", ")
}
