//! `categories`: do a model's categories of prompts differ?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    bench::{Bench, Tested},
    effect::Effect,
    kind::{Kind, Parts},
    outcome::Estimate,
    statistics::statistics,
};
use crate::{
    config::hypothesis::Quantity,
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
    }
}

impl Kind for Categories {
    fn parts(&self) -> Parts<'_> {
        Parts::of([("of", &self.of)])
    }

    fn unflippable(&self) -> &'static str {
        "a share of models that are significant has no value to deviate from"
    }

    /// Kruskal–Wallis per model with permutation p, Holm over models. The estimates are epsilon squared, H over the most it
    /// can be, n - 1: H itself grows with the number of prompts and compares with nothing.
    fn run(&self, bench: &Bench<'_>) -> Tested {
        let of = &self.of;
        let mut tested = Tested::new("epsilon squared");
        let cells = bench.enough(of, &mut tested);
        tested.uses(cells.protocol);
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
        let chances = bench.memo.kruskal_ps(&lists);
        for ((model, values, labels), own) in labelled.iter().zip(chances) {
            let found = kruskal_wallis(values, labels);
            match (found, own) {
                (Some(found), Some(own)) => {
                    p.push(own);
                    models.push(*model);
                    tested.estimates.push(Estimate {
                        label: model.to_string(),
                        value: Some(found.h / (values.len() - 1) as f64),
                        low: None,
                        high: None,
                        p: Some(own),
                        n: values.len() as u64,
                    });
                }
                _ => tested.notes.push(format!("{model}: fewer than two categories to compare, left out")),
            }
        }
        if p.is_empty() && !tested.lacks() {
            tested.missing.push("needs a model with prompts of at least two categories".into());
        }
        bench.enough_models(models, &mut tested);
        let significant = holm(&p).into_iter().filter(|p| *p < bench.alpha).count() as f64;
        if !p.is_empty() {
            tested.notes.push(format!("epsilon squared = Kruskal-Wallis H / (n - 1), the share of the variance of ranks that lies between categories; \
                 permutation p, uncorrected; significance is after Holm over {} models",
                p.len()));
        }
        tested.effect = (!p.is_empty()).then(|| Effect {
            value: significant / p.len() as f64,
            low: None,
            high: None,
            p: None,
            n: p.len() as u64,
            null: 0.0,
            what: "share of models whose categories differ".into(),
        });
        tested.offer(Statistics {
            share_significant: Some(significant / p.len() as f64),
            models: Some(p.len() as f64),
        });
        tested
    }
}
