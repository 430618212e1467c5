//! The effect of the first token: a Frobenius norm is F² = B² + (n-1) r², one heavy first token and n-1 ordinary ones, so a
//! Frobenius gain follows the length of the prompt. The norms B and r are fitted on a model's other prompts, and the gain that
//! follows from them is checked on ladders of lengths.

use std::borrow::Borrow;

use serde::Serialize;

use super::crossing::{Length, Norms, Unit, length};
use crate::stats::Seed;
use number::evidence::{Evidence, PromptInfo};
use number::index::EvidenceIndex;
use number::metric::Metric;
use number::protocol::{Bos, Endpoint, Protocol, Reduction};

/// What the category of prompts begins with that make a ladder: one text cut to growing lengths. What follows tells ladders apart.
const LADDER: &str = "Ladder";

/// Of the intervals; each model has its own.
const SEED: Seed = Seed(20_261_130);

/// One model's first token and the others around its last block, and what follows for prompts of other lengths.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sink {
    /// Id of the model.
    pub model: String,
    /// What the model is evidence of.
    pub evidence: Evidence,
    /// Of every norm here.
    pub protocol: Protocol,
    /// Prompts behind the norms; no ladder is among them.
    pub prompts: usize,
    /// Root mean square over prompts of the first token's norm, before and after the last block.
    pub first: [f64; 2],
    /// Of one other token's norm (root mean square over tokens and prompts).
    pub other: [f64; 2],
    /// Tokens at which the predicted Frobenius gain is 1.
    pub crossing: Length,
    /// The same where the norm of ordinary tokens may grow with the length of the prompt; `None` where too few lengths say so.
    pub growing: Option<Growing>,
    /// Every ladder, by length.
    pub rungs: Vec<Rung>,
    /// Of each ladder whose gain changes side of 1, in the order of the prompts: the lengths of the two neighbouring rungs between
    /// which it first does.
    pub seen: Vec<[f64; 2]>,
    /// Share of the ladders' prompts whose gain lies on the predicted side of 1.
    pub right_side: Option<f64>,
    /// 1 - Σ(log observed - log predicted)² / Σ(log observed - mean)², over the ladders; the prediction saw none of them.
    pub r_squared: Option<f64>,
}

/// Ordinary tokens whose norm follows a power of the length: r² ~ (n-1)^power.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Growing {
    /// The power, before and after the last block.
    pub power: [f64; 2],
    /// Tokens at which the gain that follows is 1.
    pub crossing: Length,
    /// As [`Sink::r_squared`], of this model.
    pub r_squared: Option<f64>,
}

/// One prompt of a ladder.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rung {
    /// Id of the prompt.
    pub prompt: String,
    /// Its category, which is that of the whole ladder.
    pub ladder: String,
    /// Its length, tokens, BOS included.
    pub tokens: f64,
    /// Frobenius gain of the last block.
    pub observed: f64,
    /// The gain that follows from the length alone.
    pub predicted: f64,
}

/// One entry per model that has prompts outside the ladders with at least two tokens.
pub fn sinks(evidence: Evidence, index: &EvidenceIndex<'_>) -> Vec<Sink> {
    let models = index.table.models.iter();
    models.filter_map(|model| sink((evidence, index), &model.id, model.facts.blocks?)).collect()
}

fn sink((evidence, index): (Evidence, &EvidenceIndex<'_>), model: &str, blocks: u32) -> Option<Sink> {
    let protocol = Protocol::new(Reduction::Frobenius, Endpoint::LastBlock, Bos::Auto);
    let layers = [blocks.checked_sub(1)?, blocks];
    let tokens = |prompt: &str| index.number(Metric::TokenCount, protocol, None, model, prompt);
    let norm = |reduction, layer, prompt: &str| {
        let protocol = Protocol { reduction, ..protocol };
        index.number(Metric::ResidualNorm, protocol, Some(layer), model, prompt)
    };
    let (ladder, rest): (Vec<_>, Vec<_>) =
        index.table.prompts.iter().partition(|p| p.category.starts_with(LADDER));
    let unit = |prompt: &str| {
        let tokens = tokens(prompt).filter(|n| *n >= 2.0)?;
        let squares = |reduction| {
            let of = |layer| norm(reduction, layer, prompt).map(|f| f * f);
            Some([of(layers[0])?, of(layers[1])?])
        };
        let (all, others) = (squares(Reduction::Frobenius)?, squares(Reduction::FrobeniusWithoutFirst)?);
        Some(Unit { tokens, first: [all[0] - others[0], all[1] - others[1]], others })
    };
    let units: Vec<Unit> = rest.into_iter().filter_map(|prompt| unit(&prompt.id)).collect();
    let norms = Norms::constant(&units)?;
    let rung = |prompt: &PromptInfo| {
        let n = tokens(&prompt.id)?;
        let observed = index.number(Metric::LastGain, protocol, None, model, &prompt.id)?;
        let (id, ladder) = (prompt.id.clone(), prompt.category.clone());
        Some(Rung { prompt: id, ladder, tokens: n, observed, predicted: norms.gain(n) })
    };
    let sorted = |mut rungs: Vec<Rung>| {
        rungs.sort_by(|a, b| a.tokens.total_cmp(&b.tokens));
        rungs
    };
    let ladders: Vec<Vec<Rung>> =
        ladders(ladder.into_iter().filter_map(rung)).into_iter().map(sorted).collect();
    let seen = ladders.iter().filter_map(|rungs| seen(rungs)).collect();
    let rungs = sorted(ladders.concat());
    let right = rungs.iter().filter(|r| (r.observed > 1.0) == (r.predicted > 1.0)).count();
    let seed = SEED.derive(model);
    let growing = Norms::growing(&units).map(|norms| Growing {
        power: norms.power,
        crossing: length(&units, Norms::growing, seed.derive("growing")),
        r_squared: r_squared(&rungs, |rung| norms.gain(rung.tokens)),
    });
    Some(Sink {
        model: model.to_string(),
        evidence,
        protocol,
        prompts: units.len(),
        first: norms.first.map(f64::sqrt),
        other: norms.scale.map(f64::sqrt),
        crossing: length(&units, Norms::constant, seed),
        growing,
        seen,
        right_side: (!rungs.is_empty()).then(|| right as f64 / rungs.len() as f64),
        r_squared: r_squared(&rungs, |rung| rung.predicted),
        rungs,
    })
}

/// The rungs of each ladder; ladders and rungs in the order in which they come.
pub fn ladders<R: Borrow<Rung>>(rungs: impl IntoIterator<Item = R>) -> Vec<Vec<R>> {
    let mut found: Vec<Vec<R>> = Vec::new();
    for rung in rungs {
        match found.iter_mut().find(|rungs| rungs[0].borrow().ladder == rung.borrow().ladder) {
            Some(rungs) => rungs.push(rung),
            None => found.push(vec![rung]),
        }
    }
    found
}

/// Between which neighbouring rungs the observed gain first changes side of 1.
fn seen(rungs: &[Rung]) -> Option<[f64; 2]> {
    let change = rungs.windows(2).find(|pair| (pair[0].observed > 1.0) != (pair[1].observed > 1.0))?;
    Some([change[0].tokens, change[1].tokens])
}

fn r_squared(rungs: &[Rung], predicted: impl Fn(&Rung) -> f64) -> Option<f64> {
    let mean = rungs.iter().map(|r| r.observed.ln()).sum::<f64>() / rungs.len() as f64;
    let total: f64 = rungs.iter().map(|r| (r.observed.ln() - mean).powi(2)).sum();
    let missed: f64 = rungs.iter().map(|r| (r.observed / predicted(r)).ln().powi(2)).sum();
    Some(1.0 - missed / total).filter(|r| rungs.len() > 2 && r.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use number::evidence::{EvidenceTable, Measurement, ModelInfo};
    use number::facts::ModelFacts;
    use number::text::Text;

    /// A model whose norms obey the sink model exactly: LLaMA's numbers of the input-dependency test.
    fn table() -> EvidenceTable {
        let (first, other) = ([492.9_f64, 163.7], [58.1_f64, 85.9]);
        let mut table = EvidenceTable {
            models: vec![ModelInfo {
                id: "m".into(),
                evidence: Evidence::Measured,
                facts: ModelFacts { blocks: Some(4), ..ModelFacts::default() },
            }],
            ..EvidenceTable::default()
        };
        for (id, category, n) in
            [("a", "Factual", 6.0), ("b", "Factual", 12.0), ("s", LADDER, 10.0), ("l", LADDER, 100.0)]
        {
            table.prompts.push(PromptInfo {
                id: id.into(),
                category: category.into(),
                text: id.into(),
                sets: Vec::new(),
            });
            let mut put = |metric: Metric, reduction, layer, value| {
                let protocol = Protocol::new(reduction, Endpoint::LastBlock, Bos::Auto);
                table.rows.push(Measurement {
                    evidence: Evidence::Measured,
                    source: "streamgauge".into(),
                    model: "m".into(),
                    prompt: Some(id.into()),
                    category: Some(category.into()),
                    branch: None,
                    metric,
                    layer,
                    protocol: metric.filed_under(protocol),
                    dtype: "float32".into(),
                    value,
                    definition: "".into(),
                });
            };
            let rest = |side: usize| (n - 1.0) * other[side].powi(2);
            let all = |side: usize| (first[side].powi(2) + rest(side)).sqrt();
            put(Metric::TokenCount, Reduction::Last, None, n);
            for side in 0..2 {
                let layer = Some(3 + side as u32);
                put(Metric::ResidualNorm, Reduction::Frobenius, layer, all(side));
                put(Metric::ResidualNorm, Reduction::FrobeniusWithoutFirst, layer, rest(side).sqrt());
            }
            put(Metric::LastGain, Reduction::Frobenius, None, all(1) / all(0));
        }
        table
    }

    #[test]
    fn norms_that_obey_the_model_are_recovered_and_predict_the_ladder() {
        let table = table();
        let found = sinks(Evidence::Measured, &EvidenceIndex::new(&table));
        let sink = &found[0];
        assert_eq!((found.len(), sink.prompts, sink.rungs.len()), (1, 2, 2));
        assert!((sink.first[0] - 492.9).abs() < 1e-9 && (sink.other[1] - 85.9).abs() < 1e-9);
        assert!((50.0..60.0).contains(&sink.crossing.tokens.unwrap()), "{:?}", sink.crossing);
        assert_eq!(
            (sink.growing, sink.seen.clone()),
            (None, vec![[10.0, 100.0]]),
            "two lengths tell no growth"
        );
        assert!(sink.rungs[0].observed < 1.0 && sink.rungs[1].observed > 1.0);
        assert!(sink.rungs.iter().all(|r| (r.observed / r.predicted - 1.0).abs() < 1e-12));
        assert_eq!(sink.right_side, Some(1.0));
    }

    #[test]
    fn ladders_of_several_texts_are_looked_at_one_by_one() {
        let mut table = table();
        let other = |id: &str| if id == "s" || id == "l" { format!("{id}2") } else { id.to_string() };
        for mut prompt in table.prompts.clone().into_iter().filter(|prompt| prompt.category == LADDER) {
            (prompt.id, prompt.category) = (other(&prompt.id), format!("{LADDER}, another text"));
            table.prompts.push(prompt);
        }
        for mut row in table.rows.clone() {
            let prompt = row.prompt.as_deref().map(other);
            if prompt.as_deref() != row.prompt.as_deref() {
                // Its gain falls below 1 where that of the first text rises above it.
                if row.metric == Metric::LastGain {
                    row.value = 1.0 / row.value;
                }
                row.prompt = prompt.map(Text::from);
                table.rows.push(row);
            }
        }
        let found = sinks(Evidence::Measured, &EvidenceIndex::new(&table));
        assert_eq!(found[0].rungs.len(), 4);
        assert_eq!(found[0].seen, [[10.0, 100.0]; 2]);
    }

    #[test]
    fn a_gain_that_stays_on_one_side_has_no_crossing() {
        let crossing = |first, scale| Norms { first, scale, power: [0.0; 2] }.crossing();
        assert_eq!(crossing([4.0, 5.0], [1.0, 2.0]), None);
        assert_eq!(crossing([4.0, 4.0], [1.0, 1.0]), None);
        assert_eq!(crossing([4.0, 1.0], [1.0, 2.0]), Some(4.0));
    }

    #[test]
    fn without_prompts_beside_the_ladder_nothing_is_predicted() {
        let mut table = table();
        table.prompts.iter_mut().for_each(|p| p.category = LADDER.into());
        assert_eq!(sinks(Evidence::Measured, &EvidenceIndex::new(&table)), []);
    }
}
