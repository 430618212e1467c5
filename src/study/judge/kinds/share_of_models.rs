//! `share-of-models`: the share of models whose mean lies above a value, against a null share.

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
    stats::{Units, binomial_at_least, clopper_pearson, out_of_reach},
};

/// Share of models whose mean lies above `above`: one-sided binomial p against `share`, Clopper–Pearson interval.
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
    }
    effect { share: Null::ByName(0.5), } of { low: low, high: high, p: p, units: models, }
}

impl Kind for ShareOfModels {
    fn parts(&self) -> Parts<'_> {
        Parts::of([("of", &self.of)])
    }

    /// One-sided exact binomial p of "more than `share` of the models lie above `above`". The estimates are the models'
    /// means, then the share itself.
    fn run(&self, context: &TestContext<'_>) -> Findings {
        let ShareOfModels { of, above, share } = self;
        let (above, share) = (*above, *share);
        let mut findings = Findings::new(unit(of));
        let cells = context.enough(of, &mut findings);
        findings.uses(cells.protocol);
        context.enough_models(cells.models.keys().copied(), &mut findings);
        let mut count = 0;
        for (model, cells) in &cells.models {
            let mean = cells.mean();
            count += u64::from(mean.is_some_and(|m| m > above));
            findings.estimates.push(point(model, mean, cells.values().len()));
        }
        let models = cells.models.len() as u64;
        let reachable = binomial_at_least(models, models, share).is_some_and(|p| p <= context.alpha);
        if !reachable && models > 0 {
            let why = out_of_reach(context.alpha, &format!(" with {models} models even if all lie above"));
            findings.notes.push(format!("{why}: no p given"));
        }
        if models > 0 {
            findings.notes.push(format!(
                "p: binomial, one-sided, share above {share}; interval: Clopper-Pearson, two-sided; both take models as \
                 unrelated, though some are tunes or sizes of one another"
            ));
        }
        let p = binomial_at_least(count, models, share).filter(|_| reachable);
        let interval = clopper_pearson(count, models, context.alpha);
        let value = (models > 0).then(|| count as f64 / models as f64);
        findings.estimates.push(Estimate {
            label: "share of models".into(),
            value,
            low: interval.map(|i| i.low),
            high: interval.map(|i| i.high),
            p,
            n: models,
        });
        findings.effect = value.map(|value| Effect {
            value,
            low: interval.map(|i| i.low),
            high: interval.map(|i| i.high),
            p,
            n: models,
            null: share,
            what: format!("share of models above {}", digits(above)),
        });
        // A turned sign is as likely as not only where half of the models are expected above.
        if share == 0.5 {
            let sides = cells.models.iter().filter_map(|(model, cells)| {
                Some((model.to_string(), if cells.mean()? > above { 0.5 } else { -0.5 }))
            });
            findings.units = Some(Units::Signs { of: "models", deviations: sides.collect() });
        }
        findings.offer(Statistics {
            share: value,
            p,
            low: interval.map(|i| i.low),
            high: interval.map(|i| i.high),
            models: Some(models as f64),
        });
        findings
    }
}
