//! `lowest-category`: is one category's mean the lowest of all, model by model?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    judge::{
        cells::ModelCells,
        context::TestContext,
        effect::Effect,
        findings::{Findings, point},
        hypothesis::Quantity,
        kind::{Kind, Parts},
        shared::units::unit,
        statistics::{Null, statistics},
    },
    stats::mean,
};

/// Per model: is this category's mean the lowest? The share counts lineages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LowestCategory {
    pub of: Quantity,
    pub category: String,
}

statistics! {
    LowestCategory {
        share,
        low,
        high,
        models,
        lineages,
        families,
    }
    effect { share: Null::ByName(0.5), } of { low: low, high: high, units: lineages, }
}

impl Kind for LowestCategory {
    fn parts(&self) -> Parts<'_> {
        Parts { categories: vec![(vec!["category".into()], &self.category)], ..Parts::of([("of", &self.of)]) }
    }

    fn no_permutation_reason(&self) -> &'static str {
        "a share of models counts one category in each: categories have prompts of their own, and none can be dealt anew across models"
    }

    /// The estimates are the category's mean minus the lowest mean of the others: below 0 where it is the lowest.
    fn run(&self, context: &TestContext<'_>) -> Findings {
        let LowestCategory { of, category } = self;
        let mut findings = Findings::new(format!("{} minus the lowest other category", unit(of)));
        findings.within_sets = true;
        let cells = context.enough(of, &mut findings);
        findings.uses(cells.protocol);
        let (mut lowest, mut chances) = (BTreeSet::new(), BTreeMap::new());
        for (model, cells) in &cells.models {
            let mut groups = BTreeMap::<&str, Vec<f64>>::new();
            for (value, category) in around_sets(cells) {
                groups.entry(category).or_default().push(value);
            }
            let own = groups.remove(category.as_str());
            let others = groups.values().filter_map(|v| mean(v)).min_by(f64::total_cmp);
            let (Some(own), Some(others)) = (own, others) else {
                findings.notes.push(format!("{model}: no category {category:?} beside others, left out"));
                continue;
            };
            let difference = mean(&own).map(|m| m - others);
            chances.insert(*model, 1.0 / (groups.len() + 1) as f64);
            if difference.is_some_and(|d| d < 0.0) {
                lowest.insert(*model);
            }
            findings.estimates.push(point(model, difference, own.len()));
        }
        if chances.is_empty() && !findings.lacks() {
            findings
                .missing
                .push(format!("needs a model with prompts of category {category:?} and of others"));
        }
        let lineages = context.lineages(chances.keys(), &mut findings);
        let share = lineages.share(|model| lowest.contains(model), context.alpha);
        let by_chance: Vec<f64> = lineages
            .means(|model| chances.get(model).copied())
            .into_iter()
            .map(|(_, chance)| chance)
            .collect();
        findings.effect = share.zip(mean(&by_chance)).map(|(share, chance)| Effect {
            value: share.value,
            low: share.interval.map(|i| i.low),
            high: share.interval.map(|i| i.high),
            p: None,
            n: lineages.len() as u64,
            null: chance,
            what: format!("share of lineages where {category} is lowest"),
            hypothesis: None,
        });
        findings.limits_of_share(&lineages, context.alpha, &["low"], &["high"]);
        findings.offer(Statistics {
            share: share.map(|s| s.value),
            low: share.and_then(|s| s.interval).map(|i| i.low),
            high: share.and_then(|s| s.interval).map(|i| i.high),
            models: Some(lineages.models() as f64),
            lineages: findings.lineages(),
            families: findings.families(),
        });
        findings
    }
}

/// The values of prompts that have a category, each less the mean of its set's: what sets differ in is no category's.
fn around_sets<'a>(cells: &ModelCells<'a>) -> Vec<(f64, &'a str)> {
    let with = || {
        cells.prompts.values().filter_map(|cell| {
            cell.category.filter(|c| !c.is_empty()).map(|category| (cell.set, cell.value, category))
        })
    };
    let mut by_set = BTreeMap::<Option<&str>, Vec<f64>>::new();
    with().for_each(|(set, value, _)| by_set.entry(set).or_default().push(value));
    let several = by_set.len() > 1;
    let centre = |set| if several { mean(&by_set[&set]).unwrap_or(0.0) } else { 0.0 };
    with().map(|(set, value, category)| (value - centre(set), category)).collect()
}
