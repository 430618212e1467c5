//! `categories`: do a model's categories of prompts differ?

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    judge::{
        cells::Cells,
        context::TestContext,
        effect::Effect,
        findings::Findings,
        hypothesis::Quantity,
        kind::{Fault, Kind, Parts},
        outcome::Estimate,
        shared::blocks::{sets, within_blocks},
        statistics::statistics,
    },
    stats::{Method, eta_squared, holm, kruskal_wallis},
};

/// Per model: do categories differ (Kruskal–Wallis, permutation p, Holm over models)? Prompts of several sets are ranked within
/// their set. They are alike where the upper limit of the share of variance between them (eta squared) is below `size`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Categories {
    pub of: Quantity,
    #[serde(default = "tenth", skip_serializing_if = "is_tenth")]
    pub size: f64,
}

fn tenth() -> f64 {
    0.1
}

// Serde asks with a reference. What is not written does not enter the hash of older files.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_tenth(size: &f64) -> bool {
    *size == tenth()
}

statistics! {
    Categories {
        share_significant,
        share_alike,
        models,
        lineages,
        families,
    }
}

impl Kind for Categories {
    fn parts(&self) -> Parts<'_> {
        Parts::of([("of", &self.of)])
    }

    fn faults(&self) -> Vec<Fault> {
        Fault::if_negative("size", self.size)
    }

    fn no_permutation_reason(&self) -> &'static str {
        "a share of models that are significant has no value to deviate from"
    }

    /// Kruskal–Wallis per model with permutation p, Holm over models. The estimates are epsilon squared, H over the most it
    /// can be, n - 1: H itself grows with the number of prompts and compares with nothing.
    fn run(&self, context: &TestContext<'_>) -> Findings {
        let of = &self.of;
        let mut findings = Findings::new("epsilon squared");
        findings.within_sets = true;
        let cells = context.enough(of, &mut findings);
        findings.uses(cells.protocol);
        let (mut p, mut models, mut alike) = (Vec::new(), Vec::new(), BTreeSet::new());
        let labelled: Vec<Labelled<'_>> =
            cells.models.keys().map(|model| Labelled::new(&cells, model)).collect();
        let lists: Vec<_> =
            labelled.iter().map(|own| (&own.values[..], &own.labels[..], own.blocks.as_deref())).collect();
        let chances = context.cache.kruskal_ps(&lists);
        if labelled.iter().any(|own| own.blocks.is_some()) {
            findings
                .notes
                .push("prompts of several sets are ranked, and dealt anew, within their set".into());
        }
        for (Labelled { model, values, labels, .. }, own) in labelled.iter().zip(chances) {
            let found = kruskal_wallis(values, labels);
            match (found, own) {
                (Some(found), Some(own)) => {
                    p.push(own);
                    models.push(*model);
                    let between = eta_squared(values, labels, context.alpha);
                    if between.is_some_and(|(_, limits)| limits.high < self.size) {
                        alike.insert(*model);
                    }
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
            hypothesis: None,
        });
        findings.offer(Statistics {
            share_significant: share.map(|s| s.value),
            share_alike: lineages.share(|model| alike.contains(model), context.alpha).map(|s| s.value),
            models: Some(lineages.models() as f64),
            lineages: findings.lineages(),
            families: findings.families(),
        });
        findings
    }
}

/// The prompts of a model that have a category.
struct Labelled<'a> {
    model: &'a str,
    /// Numbers, or where they are of several sets ranks within the set.
    values: Vec<f64>,
    /// By prompt, its category as a number.
    labels: Vec<usize>,
    /// By prompt, its set, where there are several.
    blocks: Option<Vec<usize>>,
}

impl<'a> Labelled<'a> {
    fn new(cells: &Cells<'a>, model: &'a str) -> Labelled<'a> {
        let own = &cells.models[model];
        let with = own.prompts.iter().filter_map(|(prompt, cell)| {
            cell.category.filter(|c| !c.is_empty()).map(|category| (*prompt, (cell.value, category)))
        });
        let with: BTreeMap<&str, (f64, &str)> = with.collect();
        let prompts: Vec<&str> = with.keys().copied().collect();
        let (sets, names) = sets(own, &prompts);
        let values = cells.series(with.iter().map(|(prompt, (value, _))| (*prompt, *value)).collect());
        let several = names.len() > 1;
        let values = if several { within_blocks(&values, &sets, Method::Spearman) } else { values };
        let kept: Vec<&str> = values.iter().map(|(prompt, _)| *prompt).collect();
        let mut known: Vec<&str> = with.values().map(|(_, category)| *category).collect();
        known.sort_unstable();
        known.dedup();
        Labelled {
            model,
            values: values.values().collect(),
            labels: kept.iter().map(|prompt| known.partition_point(|k| *k < with[prompt].1)).collect(),
            blocks: several.then(|| kept.iter().map(|prompt| sets[prompt]).collect()),
        }
    }
}
