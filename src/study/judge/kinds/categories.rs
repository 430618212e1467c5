//! `categories`: do a model's categories of prompts differ?

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    judge::{
        context::TestContext,
        effect::Effect,
        findings::Findings,
        hypothesis::Quantity,
        kind::{Kind, Parts},
        outcome::Estimate,
        statistics::statistics,
    },
    stats::{holm, kruskal_wallis},
};

/// Per model: do categories differ (Kruskal–Wallis, permutation p, Holm over models)?
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Categories {
    pub of: Quantity,
}

statistics! {
    Categories {
        share_significant,
        models,
        lineages,
        families,
    }
}

impl Kind for Categories {
    fn parts(&self) -> Parts<'_> {
        Parts::of([("of", &self.of)])
    }

    fn no_permutation_reason(&self) -> &'static str {
        "a share of models that are significant has no value to deviate from"
    }

    /// Kruskal–Wallis per model with permutation p, Holm over models. The estimates are epsilon squared, H over the most it
    /// can be, n - 1: H itself grows with the number of prompts and compares with nothing.
    fn run(&self, context: &TestContext<'_>) -> Findings {
        let of = &self.of;
        let mut findings = Findings::new("epsilon squared");
        let cells = context.enough(of, &mut findings);
        findings.uses(cells.protocol);
        let (mut p, mut models) = (Vec::new(), Vec::new());
        let labelled: Vec<(&str, Vec<f64>, Vec<usize>)> = cells
            .models
            .iter()
            .map(|(model, cells)| {
                let (values, categories): (Vec<f64>, Vec<&str>) = cells.categorised().unzip();
                let mut known = categories.clone();
                known.sort_unstable();
                known.dedup();
                let place = |category: &&str| known.partition_point(|k| k < category);
                (*model, values, categories.iter().map(place).collect())
            })
            .collect();
        let lists: Vec<_> = labelled.iter().map(|(_, values, labels)| (&values[..], &labels[..])).collect();
        let chances = context.cache.kruskal_ps(&lists);
        for ((model, values, labels), own) in labelled.iter().zip(chances) {
            let found = kruskal_wallis(values, labels);
            match (found, own) {
                (Some(found), Some(own)) => {
                    p.push(own);
                    models.push(*model);
                    findings.estimates.push(Estimate {
                        label: model.to_string(),
                        value: Some(found.h / (values.len() - 1) as f64),
                        low: None,
                        high: None,
                        p: Some(own),
                        n: values.len() as u64,
                    });
                }
                _ => findings.notes.push(format!("{model}: fewer than two categories to compare, left out")),
            }
        }
        if p.is_empty() && !findings.lacks() {
            findings.missing.push("needs a model with prompts of at least two categories".into());
        }
        let lineages = context.lineages(&models, &mut findings);
        let hits = models.iter().zip(holm(&p)).filter(|(_, p)| *p < context.alpha);
        let hits: BTreeSet<&str> = hits.map(|(model, _)| *model).collect();
        let share = lineages.share(|model| hits.contains(model), context.alpha);
        if !p.is_empty() {
            findings.notes.push(format!("epsilon squared = Kruskal-Wallis H / (n - 1), the share of the variance of ranks that lies between categories; \
                 permutation p, uncorrected; significance is after Holm over {} models",
                p.len()));
        }
        findings.effect = share.map(|share| Effect {
            value: share.value,
            low: share.interval.map(|i| i.low),
            high: share.interval.map(|i| i.high),
            p: None,
            n: lineages.len() as u64,
            null: 0.0,
            what: "share of lineages whose categories differ".into(),
        });
        findings.offer(Statistics {
            share_significant: share.map(|s| s.value),
            models: Some(lineages.models() as f64),
            lineages: findings.lineages(),
            families: findings.families(),
        });
        findings
    }
}
