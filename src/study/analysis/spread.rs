//! Analysis of variance of the log gain over models, categories, prompts and protocols, crossed.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::stats::decompose;
use number::evidence::{Evidence, Measurement};
use number::index::{EvidenceIndex, IndexedModel};
use number::metric::Metric;
use number::protocol::{Bos, Endpoint, Protocol, Reduction};

/// The decomposition over one set of protocols.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// What its models are evidence of.
    pub evidence: Evidence,
    /// The logarithm of this is decomposed.
    pub metric: Metric,
    /// Which protocols, in words.
    pub over: String,
    /// Every level of the factor protocol.
    pub protocols: Vec<Protocol>,
    /// Number of models.
    pub models: usize,
    /// Number of prompts that every model has under every protocol.
    pub prompts: usize,
    /// Number of categories of those prompts.
    pub categories: usize,
    /// Standard deviation of the log gain over all cells.
    pub deviation: f64,
    /// Shares of the total sum of squares; they sum to 1.
    pub parts: Vec<Part>,
}

/// One factor or interaction.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Part {
    /// E.g. `model` or `model × protocol`.
    pub name: String,
    /// Part of the total sum of squares.
    pub share: f64,
}

/// Of fewer models or prompts of a source no spread is told apart.
const FEWEST: usize = 3;

/// Of the last gain of models that are neither stages of a training nor variants: these would be counted with what they are
/// made of. Of what is observed here over all protocols, and over those that average ordinary tokens at the last block; of what
/// was published by source, each under its own protocol.
pub fn spreads(evidence: Evidence, index: &EvidenceIndex<'_>) -> Vec<Spread> {
    if evidence == Evidence::Published {
        return by_source(index);
    }
    let all: Vec<Protocol> = Protocol::all(Bos::Auto).collect();
    let equivalent: Vec<Protocol> =
        [Reduction::Last, Reduction::MeanWithoutFirst, Reduction::FrobeniusWithoutFirst]
            .map(|reduction| Protocol::new(reduction, Endpoint::LastBlock, Bos::Auto))
            .into();
    let value = |model: &str, prompt: &str, protocol| index.number(GAIN, protocol, None, model, prompt);
    let models = models(index.of_metric(GAIN).iter().copied(), index);
    [("every reduction and endpoint", all), ("reductions without the first token, last block", equivalent)]
        .into_iter()
        .filter_map(|(over, protocols)| {
            Cells { evidence, index, models: &models, protocols, value: &value }.spread(over)
        })
        .collect()
}

const GAIN: Metric = Metric::LastGain;

/// Of each published source and protocol by itself: another source's gains are made otherwise.
fn by_source(index: &EvidenceIndex<'_>) -> Vec<Spread> {
    let mut rows: BTreeMap<(&str, Protocol), Vec<&Measurement>> = BTreeMap::new();
    for row in index.of_metric(GAIN) {
        if let (Some(protocol), Some(_)) = (row.protocol, &row.prompt) {
            rows.entry((&row.source, protocol)).or_default().push(row);
        }
    }
    let spread = |((source, protocol), rows): ((&str, Protocol), Vec<&Measurement>)| {
        let models = models(rows.iter().copied(), index);
        let key = |row: &&Measurement| (row.model.clone(), row.prompt.clone().unwrap_or_default());
        let values: BTreeMap<_, f64> = rows.iter().map(|row| (key(row), row.value)).collect();
        let value = |model: &str, prompt: &str, _| values.get(&(model.into(), prompt.into())).copied();
        let cells = Cells {
            evidence: Evidence::Published,
            index,
            models: &models,
            protocols: vec![protocol],
            value: &value,
        };
        cells.spread(source).filter(|spread| spread.models >= FEWEST && spread.prompts >= FEWEST)
    };
    rows.into_iter().filter_map(spread).collect()
}

/// Models of rows with a protocol and a prompt.
fn models<'a>(rows: impl Iterator<Item = &'a Measurement>, index: &EvidenceIndex<'_>) -> BTreeSet<&'a str> {
    let original = |id: &str| index.model(id).is_none_or(IndexedModel::is_original);
    let rows = rows.filter(|row| row.protocol.is_some() && row.prompt.is_some());
    rows.map(|row| row.model.as_str()).filter(|id| original(id)).collect()
}

/// Gains of models, prompts and protocols, crossed.
struct Cells<'a> {
    evidence: Evidence,
    index: &'a EvidenceIndex<'a>,
    models: &'a BTreeSet<&'a str>,
    protocols: Vec<Protocol>,
    value: &'a dyn Fn(&str, &str, Protocol) -> Option<f64>,
}

impl Cells<'_> {
    /// Prompts that lack a number for some model or protocol are left out: the design stays fully crossed, so that the parts do
    /// not depend on an order. A prompt lies within its category: what prompts explain beyond categories is theirs.
    fn spread(self, over: &str) -> Option<Spread> {
        let value = |model: &str, prompt: &str, protocol| {
            let gain = (self.value)(model, prompt, protocol)?;
            Some(gain.ln()).filter(|v| v.is_finite())
        };
        let (models, protocols) = (self.models, &self.protocols);
        let mut by_text = BTreeSet::new();
        let whole = |prompt: &str| {
            models.iter().all(|m| protocols.iter().all(|&protocol| value(m, prompt, protocol).is_some()))
        };
        let prompts: Vec<_> = self
            .index
            .table
            .prompts
            .iter()
            .filter(|p| whole(&p.id))
            // A text under two names is one prompt.
            .filter(|p| by_text.insert(p.text.as_str()))
            .collect();
        let categories: BTreeSet<&str> = prompts.iter().map(|p| p.category.as_str()).collect();
        let place: BTreeMap<&str, usize> = categories.iter().copied().zip(0..).collect();
        let (mut with_prompt, mut with_category) = (Vec::new(), Vec::new());
        for (m, model) in models.iter().enumerate() {
            for (p, prompt) in prompts.iter().enumerate() {
                for (r, &protocol) in protocols.iter().enumerate() {
                    let value = value(model, &prompt.id, protocol)?;
                    with_prompt.push((vec![m, p, r], value));
                    with_category.push((vec![m, place[prompt.category.as_str()], r], value));
                }
            }
        }
        let fine = decompose(&with_prompt, &["model", "prompt", "protocol"])?;
        let coarse = decompose(&with_category, &["model", "category", "protocol"])?;
        let mut parts: Vec<Part> = Vec::new();
        for (fine, coarse) in fine.iter().zip(&coarse).filter(|(fine, _)| fine.name != "rest") {
            if fine.name == coarse.name {
                parts.push(Part { name: fine.name.clone(), share: fine.share });
            } else {
                let within = fine.name.replace("prompt", "prompt within category");
                parts.push(Part { name: coarse.name.clone(), share: coarse.share });
                parts.push(Part { name: within, share: fine.share - coarse.share });
            }
        }
        let rest = 1.0 - parts.iter().map(|part| part.share).sum::<f64>();
        parts.push(Part { name: "model × prompt × protocol".into(), share: rest });
        if protocols.len() == 1 {
            parts.retain(|part| !part.name.contains("protocol"));
        }
        let values: Vec<f64> = with_prompt.iter().map(|(_, value)| *value).collect();
        Some(Spread {
            evidence: self.evidence,
            metric: GAIN,
            over: over.to_string(),
            models: models.len(),
            prompts: prompts.len(),
            categories: categories.len(),
            deviation: crate::stats::standard_deviation(&values)?,
            parts,
            protocols: self.protocols,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use number::evidence::{EvidenceTable, PromptInfo};

    fn table(gain: impl Fn(usize, usize, Protocol) -> f64) -> EvidenceTable {
        let mut table = EvidenceTable::default();
        for p in 0..6 {
            let (id, category) = (format!("p{p}"), format!("c{}", p / 4));
            table.prompts.push(PromptInfo { id: id.clone(), category, text: id, sets: Vec::new() });
        }
        for m in 0..3 {
            for (p, prompt) in table.prompts.iter().enumerate() {
                for protocol in Protocol::all(Bos::Auto) {
                    table.rows.push(Measurement {
                        evidence: Evidence::Measured,
                        source: "streamgauge".into(),
                        model: format!("m{m}").into(),
                        prompt: Some(prompt.id.as_str().into()),
                        category: None,
                        branch: None,
                        metric: Metric::LastGain,
                        layer: None,
                        protocol: Some(protocol),
                        dtype: "float32".into(),
                        value: gain(m, p, protocol).exp(),
                        definition: "".into(),
                    });
                }
            }
        }
        table
    }

    fn found(table: &EvidenceTable) -> Vec<Spread> {
        spreads(Evidence::Measured, &EvidenceIndex::new(table))
    }

    fn share(spread: &Spread, name: &str) -> f64 {
        spread.parts.iter().find(|part| part.name == name).unwrap_or_else(|| panic!("no {name}")).share
    }

    #[test]
    fn a_spread_made_by_one_factor_is_that_factor_s() {
        let spread = &found(&table(|m, _, _| m as f64))[0];
        assert!((share(spread, "model") - 1.0).abs() < 1e-9, "{:?}", spread.parts);
        let spread = &found(&table(|_, p, _| if p < 4 { 0.0 } else { 1.0 }))[0];
        assert!((share(spread, "category") - 1.0).abs() < 1e-9, "{:?}", spread.parts);
        let spread = &found(&table(|_, p, _| (p % 2) as f64))[0];
        assert!((share(spread, "prompt within category") - 1.0).abs() < 1e-9, "{:?}", spread.parts);
        let by_protocol = |_, _, p: Protocol| if p.endpoint == Endpoint::HfLast { 1.0 } else { 0.0 };
        let all = found(&table(by_protocol));
        assert!((share(&all[0], "protocol") - 1.0).abs() < 1e-9);
        assert_eq!(all.len(), 1, "without spread among the equivalent protocols there is nothing to share");
    }

    #[test]
    fn published_gains_are_split_by_source_under_its_own_protocol() {
        let mut table = table(|m, p, _| m as f64 + 0.1 * p as f64);
        let protocol = Protocol::new(Reduction::Last, Endpoint::LastBlock, Bos::Auto);
        table.rows.retain(|row| row.protocol == Some(protocol));
        let mut other = table.rows.clone();
        other.iter_mut().for_each(|row| (row.source, row.value) = ("other".into(), row.value * 7.0));
        other.retain(|row| row.model != "m2");
        table.rows.extend(other);
        let found = spreads(Evidence::Published, &EvidenceIndex::new(&table));
        let [spread] = &found[..] else { panic!("two models are too few: {found:?}") };
        assert_eq!((spread.over.as_str(), spread.models, spread.prompts), ("streamgauge", 3, 6));
        let names: Vec<&str> = spread.parts.iter().map(|part| part.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "model",
                "category",
                "prompt within category",
                "model × category",
                "model × prompt within category"
            ]
        );
        // Variances of 0, 1, 2 and of 0.0 to 0.5, of 18 cells.
        let (model, prompt) = (2.0 / 3.0, 0.175 / 6.0);
        assert!((share(spread, "model") - model / (model + prompt)).abs() < 1e-9, "{:?}", spread.parts);
    }

    #[test]
    fn parts_sum_to_one_and_name_every_level() {
        let all = found(&table(|m, p, r| {
            (m * 7 + p * p) as f64 * 0.1 + if r.reduction == Reduction::Last { m as f64 } else { 0.0 }
        }));
        for spread in &all {
            assert!((spread.parts.iter().map(|p| p.share).sum::<f64>() - 1.0).abs() < 1e-12);
            assert_eq!((spread.models, spread.prompts, spread.categories), (3, 6, 2));
        }
        let names: Vec<&str> = all[0].parts.iter().map(|p| p.name.as_str()).collect();
        assert!(names.contains(&"model × protocol") && names.contains(&"prompt within category × protocol"));
    }
}
