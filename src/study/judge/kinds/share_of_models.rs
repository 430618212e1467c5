//! `share-of-models`: the share of lineages whose models' means lie above a value, against a null share.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    judge::{
        context::TestContext,
        digits::digits,
        effect::Effect,
        findings::{Findings, point},
        hypothesis::Quantity,
        kind::{Kind, Parts},
        outcome::Estimate,
        shared::units::unit,
        statistics::{Null, statistics},
    },
    stats::{Units, binomial_at_least, out_of_reach},
};

/// Share of lineages whose models' means lie above `above`: one-sided binomial p against `share`, Clopper–Pearson interval.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ShareOfModels {
    pub of: Quantity,
    #[serde(default)]
    pub above: f64,
    #[serde(default = "half")]
    pub share: f64,
}

fn half() -> f64 {
    0.5
}

statistics! {
    ShareOfModels {
        share,
        p,
        low,
        high,
        models,
        lineages,
        families,
    }
    effect { share: Null::ByName(0.5), } of { low: low, high: high, p: p, units: lineages, }
}

impl Kind for ShareOfModels {
    fn parts(&self) -> Parts<'_> {
        Parts::of([("of", &self.of)])
    }

    /// One-sided exact binomial p of "more than `share` of the lineages lie above `above`". The estimates are the models'
    /// means, then the share itself.
    fn run(&self, context: &TestContext<'_>) -> Findings {
        let ShareOfModels { of, above, share } = self;
        let (above, share) = (*above, *share);
        let mut findings = Findings::new(unit(of));
        let cells = context.enough(of, &mut findings);
        findings.uses(cells.protocol);
        let lineages = context.lineages(cells.models.keys(), &mut findings);
        for (model, cells) in &cells.models {
            findings.estimates.push(point(model, cells.mean(), cells.values().len()));
        }
        let models = cells.models.len();
        let n = lineages.len() as u64;
        let lies_above = |model: &str| cells.models.get(model)?.mean().map(|mean| mean > above);
        let found = lineages.share(|model| lies_above(model) == Some(true), context.alpha);
        let reachable = binomial_at_least(n, n, share).is_some_and(|p| p <= context.alpha);
        if !reachable && n > 0 {
            let why = out_of_reach(context.alpha, &format!(" with {n} lineages even if all lie above"));
            findings.reason(&["p"], why.clone());
            findings.notes.push(format!("{why}: no p given"));
        }
        if n > 0 {
            findings.notes.push(format!(
                "p: binomial, one-sided, share above {share}, of lineages with all their models above; interval: \
                 Clopper-Pearson, two-sided"
            ));
        }
        let p = found.and_then(|found| binomial_at_least(found.whole, n, share)).filter(|_| reachable);
        let (value, interval) = (found.map(|f| f.value), found.and_then(|f| f.interval));
        findings.estimates.push(Estimate {
            label: "share of lineages".into(),
            value,
            low: interval.map(|i| i.low),
            high: interval.map(|i| i.high),
            p,
            n,
        });
        findings.effect = value.map(|value| Effect {
            value,
            low: interval.map(|i| i.low),
            high: interval.map(|i| i.high),
            p,
            n,
            null: share,
            what: format!("share of lineages above {}", digits(above)),
            hypothesis: None,
        });
        // A turned sign is as likely as not only where half of the lineages are expected above.
        if share == 0.5 {
            let side = |model: &str| Some(if lies_above(model)? { 0.5 } else { -0.5 });
            let sides = lineages.means(side).into_iter().map(|(name, side)| (name.to_string(), side));
            findings.units = Some(Units::Signs { of: "lineages", deviations: sides.collect() });
        }
        findings.limits_of_share(&lineages, context.alpha, &["low"], &["high"]);
        findings.offer(Statistics {
            share: value,
            p,
            low: interval.map(|i| i.low),
            high: interval.map(|i| i.high),
            models: Some(models as f64),
            lineages: findings.lineages(),
            families: findings.families(),
        });
        findings
    }
}
