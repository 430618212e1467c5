//! `sign-flip`: on how many models do two protocols disagree about the side of a value?

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::judge::{
    context::TestContext,
    effect::Effect,
    findings::{Findings, point},
    hypothesis::Quantity,
    kind::{Fault, Kind, Parts},
    outcome::Estimate,
    shared::sides::{at_least_two, one},
    statistics::{Null, statistics},
};
use number::{metric::Metric, protocol::Protocol};

/// Share of lineages whose models lie on different sides of `against` under two protocols.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SignFlip {
    pub metric: Metric,
    pub protocols: Vec<Protocol>,
    #[serde(default = "one")]
    pub against: f64,
    #[serde(default)]
    pub across_protocols: bool,
}

statistics! {
    SignFlip {
        share,
        low,
        high,
        models,
        lineages,
        families,
    }
    effect { share: Null::ByName(0.5), } of { low: low, high: high, units: lineages, }
}

impl Kind for SignFlip {
    fn parts(&self) -> Parts<'_> {
        Parts { protocols: &self.protocols, ..Parts::default().compared(self.across_protocols) }
    }

    fn faults(&self) -> Vec<Fault> {
        at_least_two(&self.protocols, "a sign flip")
    }

    fn no_permutation_reason(&self) -> &'static str {
        "a share of models that change side has no value that chance alone would give"
    }

    /// Share of lineages whose models' means under `protocols` lie on both sides of `against`, with its Clopper–Pearson interval.
    fn run(&self, context: &TestContext<'_>) -> Findings {
        let SignFlip { metric, protocols, against, across_protocols } = self;
        let (metric, against, across) = (*metric, *against, *across_protocols);
        let mut findings = Findings::new(metric.describe().unit);
        let [first, others @ ..] = &protocols[..] else {
            findings.missing.push("refused: a sign flip needs protocols".into());
            return findings;
        };
        let mut cells = |protocol: &Protocol| {
            let quantity = Quantity { protocol: Some(*protocol), ..Quantity::of(metric) };
            context.enough(&quantity, &mut findings)
        };
        let base = cells(first);
        let others: Vec<_> = others.iter().map(&mut cells).collect();
        // Model by model: the side under each protocol that has the model.
        let mut sides = std::collections::BTreeMap::<String, Vec<(Protocol, f64)>>::new();
        for other in &others {
            let Some(pair) = findings.pair(&base.by_model(), &other.by_model(), across) else {
                return findings;
            };
            for ((model, &x), &y) in pair.keys().iter().zip(pair.x()).zip(pair.y()) {
                let entry = sides.entry(model.to_string()).or_insert_with(|| vec![(*first, x)]);
                entry.extend(other.protocol.map(|p| (p, y)));
            }
        }
        sides.retain(|_, values| values.len() == protocols.len());
        if sides.is_empty() && !findings.lacks() {
            findings.missing.push("no model has a value under every one of the protocols".into());
        }
        let lineages = context.lineages(sides.keys(), &mut findings);
        let mut flips = BTreeSet::new();
        for (model, values) in &sides {
            let above = values.iter().filter(|(_, v)| *v > against).count();
            if above > 0 && above < values.len() {
                flips.insert(model.as_str());
            }
            for (protocol, value) in values {
                let of = others.iter().chain([&base]).find(|c| c.protocol == Some(*protocol));
                let prompts = of.and_then(|c| c.models.get(model.as_str())).map_or(1, |m| m.values().len());
                findings.estimates.push(point(format!("{model} {protocol}"), Some(*value), prompts));
            }
        }
        if !sides.is_empty() {
            findings.notes.push(
                "sides are those of the means, however close to the value; the interval of the share is Clopper-Pearson with \
                 lineages as units"
                    .into(),
            );
        }
        let models = sides.len() as u64;
        let found = lineages.share(|model| flips.contains(model), context.alpha);
        let (share, interval) = (found.map(|f| f.value), found.and_then(|f| f.interval));
        let n = lineages.len() as u64;
        let (low, high) = (interval.map(|i| i.low), interval.map(|i| i.high));
        findings.estimates.push(Estimate {
            label: "share that flips".into(),
            value: share,
            low,
            high,
            p: None,
            n,
        });
        findings.effect = share.map(|value| Effect {
            value,
            low,
            high,
            p: None,
            n,
            null: 0.0,
            what: "share of lineages that flip".into(),
            hypothesis: None,
        });
        findings.offer(Statistics {
            share,
            low,
            high,
            models: Some(models as f64),
            lineages: findings.lineages(),
            families: findings.families(),
        });
        findings
    }
}
