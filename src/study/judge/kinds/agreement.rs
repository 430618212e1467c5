//! `agreement`: are models on the same side of a value under every protocol?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    judge::{
        cells::{Cells, ModelCells},
        context::TestContext,
        findings::{Findings, estimate, point},
        hypothesis::Quantity,
        kind::{Fault, Kind, Parts},
        shared::sides::{at_least_two, one},
        statistics::{Null, statistics},
    },
    stats::{Effect, Interval, kappa, mean},
};
use number::{metric::Metric, protocol::Protocol};

/// Cohen's kappa between protocols of which side of `against` the means of lineages lie on: that of the pair that agrees least.
/// A lineage of which some model's interval over prompts holds `against` under one of the two may lie on either side: `low` is the
/// end of kappa's interval if all such lineages disagreed, `high` if all agreed.
/// `share-on-side`: the smallest share, over models, of prompts on their model's side under the first protocol.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Agreement {
    pub metric: Metric,
    pub protocols: Vec<Protocol>,
    #[serde(default = "one")]
    pub against: f64,
    #[serde(default)]
    pub across_protocols: bool,
}

statistics! {
    Agreement {
        kappa,
        low,
        high,
        share_on_side,
        mean_share_on_side,
        models,
        lineages,
        families,
    }
    effect { kappa: Null::ByName(0.0), } of { low: low, high: high, units: lineages, }
}

impl Kind for Agreement {
    fn parts(&self) -> Parts<'_> {
        Parts { protocols: &self.protocols, ..Parts::default().compared(self.across_protocols) }
    }

    fn faults(&self) -> Vec<Fault> {
        at_least_two(&self.protocols, "agreement")
    }

    fn no_permutation_reason(&self) -> &'static str {
        "kappa says how often protocols agree, and that they do not is nobody's null"
    }

    /// The estimates are each pair of protocols' kappa with its large-sample interval, then each model's share of prompts on
    /// its side under the first protocol.
    fn run(&self, context: &TestContext<'_>) -> Findings {
        let mut findings = Findings::new("kappa");
        let side = |value: f64| usize::from(value > self.against);
        let mut sides: Vec<BTreeMap<&str, usize>> = Vec::new();
        // Models whose side the prompts leave open, by protocol.
        let mut unclear: Vec<BTreeSet<&str>> = Vec::new();
        let mut shares = BTreeMap::new();
        let mut all = Vec::new();
        for (i, protocol) in self.protocols.iter().enumerate() {
            let quantity = Quantity { protocol: Some(*protocol), ..Quantity::of(self.metric) };
            let cells = context.enough(&quantity, &mut findings);
            let clear = |cells: &ModelCells<'_>| {
                let interval = context.mean_interval(&cells.values());
                interval.is_some_and(|i| i.low > self.against || i.high < self.against)
            };
            unclear.push(cells.models.iter().filter(|(_, c)| !clear(c)).map(|(m, _)| *m).collect());
            sides.push(cells.models.iter().filter_map(|(m, c)| Some((*m, side(c.mean()?)))).collect());
            if i == 0 {
                for (model, cells) in &cells.models {
                    let own = cells.mean().map(side);
                    let values = cells.values();
                    let same = values.iter().filter(|v| Some(side(**v)) == own).count();
                    shares.insert(*model, (same as f64 / values.len() as f64, values.len()));
                }
            }
            all.push(cells);
        }
        let [first, others @ ..] = &all[..] else { return findings };
        if others.iter().any(|other| !findings.comparable(context, first, other)) {
            return findings;
        }
        let models: Vec<&str> =
            sides[0].keys().copied().filter(|m| sides.iter().all(|side| side.contains_key(m))).collect();
        if models.is_empty() && !findings.lacks() {
            findings.missing.push("no model has a value under every one of the protocols".into());
        }
        let lineages = context.lineages(&models, &mut findings);
        // A lineage is on the side of its mean.
        let on = |cells: &Cells<'_>| -> Vec<usize> {
            lineages.series(&cells.by_model()).values().map(side).collect()
        };
        let labels: Vec<Vec<usize>> = all.iter().map(on).collect();
        let mut least = None::<Effect>;
        let mut undefined = false;
        let mut open = BTreeSet::new();
        for (i, left) in labels.iter().enumerate() {
            for (j, right) in labels.iter().enumerate().skip(i + 1) {
                let found = kappa(left, right, context.alpha);
                let label = format!("{} and {}", self.protocols[i], self.protocols[j]);
                // Kappa with the open models all on the same side as under the other protocol, or all on the other.
                let turned = |agree: bool| {
                    let unclear = |m: &str| unclear[i].contains(m) || unclear[j].contains(m);
                    let side = |((models, l), r): ((&[&str], &usize), &usize)| match models
                        .iter()
                        .any(|m| unclear(m))
                    {
                        true if agree => *l,
                        true => 1 - l,
                        false => *r,
                    };
                    let turned: Vec<usize> = lineages.members().zip(left).zip(right).map(side).collect();
                    kappa(left, &turned, context.alpha)
                };
                let found = found.map(|k| {
                    let (agreed, parted) = (turned(true), turned(false));
                    Effect {
                        low: parted.map_or(-1.0, |other| other.low.min(k.low)),
                        high: agreed.map_or(1.0, |other| other.high.max(k.high)),
                        ..k
                    }
                });
                open.extend(
                    models.iter().copied().filter(|m| unclear[i].contains(m) || unclear[j].contains(m)),
                );
                let interval = found.map(|k| Interval { low: k.low, high: k.high });
                findings.estimates.push(estimate(
                    label,
                    found.map(|k| k.value),
                    interval,
                    None,
                    lineages.len(),
                ));
                undefined |= found.is_none();
                least = least.into_iter().chain(found).min_by(|a, b| a.value.total_cmp(&b.value));
            }
        }
        if undefined && !models.is_empty() {
            findings.notes.push(format!(
                "every lineage lies on the same side of {} under two protocols: kappa says nothing there",
                self.against
            ));
            least = None;
        }
        if !open.is_empty() {
            let open: Vec<&str> = open.into_iter().collect();
            findings.notes.push(format!(
                "the prompts leave open on which side these lie, so that they may agree or not: {}",
                open.join(", ")
            ));
        }
        for model in &models {
            let (share, prompts) = shares[model];
            findings.estimates.push(point(
                format!("{model} (share of prompts on its side)"),
                Some(share),
                prompts,
            ));
        }
        let on_side: Vec<f64> = models.iter().map(|m| shares[m].0).collect();
        findings.offer(Statistics {
            kappa: least.map(|k| k.value),
            low: least.map(|k| k.low),
            high: least.map(|k| k.high),
            share_on_side: on_side.iter().copied().reduce(f64::min),
            mean_share_on_side: mean(&on_side),
            models: Some(models.len() as f64),
            lineages: findings.lineages(),
            families: findings.families(),
        });
        findings
    }
}
