//! The effect of the first token: a Frobenius norm is F² = B² + (n-1) r², one heavy first token and n-1 ordinary ones, so a
//! Frobenius gain follows the length of the prompt. The norms B and r are fitted on a model's other prompts, and the gain that
//! follows from them is checked on a ladder of lengths.

use serde::Serialize;

use number::evidence::Evidence;
use number::index::EvidenceIndex;
use number::metric::Metric;
use number::protocol::{Bos, Endpoint, Protocol, Reduction};

/// Category of the prompts that make the ladder: one text cut to growing lengths.
const LADDER: &str = "Ladder";

/// One model's first token and the others around its last block, and what follows for prompts of other lengths.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sink {
    /// Id of the model.
    pub model: String,
    /// What the model is evidence of.
    pub evidence: Evidence,
    /// Of every norm here.
    pub protocol: Protocol,
    /// Prompts behind the norms; the ladder is not among them.
    pub prompts: usize,
    /// Root mean square over prompts of the first token's norm, before and after the last block.
    pub first: [f64; 2],
    /// Of one other token's norm (root mean square over tokens and prompts).
    pub other: [f64; 2],
    /// Tokens at which the predicted Frobenius gain is 1; `None` where it is on one side at every length.
    pub crossing: Option<f64>,
    /// The ladder, by length.
    pub rungs: Vec<Rung>,
    /// Share of the ladder's prompts whose gain lies on the predicted side of 1.
    pub right_side: Option<f64>,
    /// 1 - Σ(log observed - log predicted)² / Σ(log observed - mean)², over the ladder; the prediction saw none of it.
    pub r_squared: Option<f64>,
}

/// One prompt of the ladder.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rung {
    /// Id of the prompt.
    pub prompt: String,
    /// Its length, tokens, BOS included.
    pub tokens: f64,
    /// Frobenius gain of the last block.
    pub observed: f64,
    /// The gain that follows from the length alone.
    pub predicted: f64,
}

/// One entry per model that has prompts outside the ladder with at least two tokens.
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
    let (mut first, mut other, mut others, mut prompts) = ([0.0; 2], [0.0; 2], 0.0, 0);
    let (ladder, rest): (Vec<_>, Vec<_>) = index.table.prompts.iter().partition(|p| p.category == LADDER);
    for prompt in rest {
        let Some(n) = tokens(&prompt.id).filter(|n| *n >= 2.0) else { continue };
        let squares = |reduction| {
            let of = |layer| norm(reduction, layer, &prompt.id).map(|f| f * f);
            Some([of(layers[0])?, of(layers[1])?])
        };
        let (Some(all), Some(without)) =
            (squares(Reduction::Frobenius), squares(Reduction::FrobeniusWithoutFirst))
        else {
            continue;
        };
        for side in 0..2 {
            first[side] += all[side] - without[side];
            other[side] += without[side];
        }
        others += n - 1.0;
        prompts += 1;
    }
    if prompts == 0 {
        return None;
    }
    let first = first.map(|b| b.max(0.0) / f64::from(prompts));
    let other = other.map(|r| r / others);
    let predict = |n: f64| ((first[1] + (n - 1.0) * other[1]) / (first[0] + (n - 1.0) * other[0])).sqrt();
    let mut rungs: Vec<Rung> = ladder
        .into_iter()
        .filter_map(|prompt| {
            let n = tokens(&prompt.id)?;
            let observed = index.number(Metric::LastGain, protocol, None, model, &prompt.id)?;
            Some(Rung { prompt: prompt.id.clone(), tokens: n, observed, predicted: predict(n) })
        })
        .collect();
    rungs.sort_by(|a, b| a.tokens.total_cmp(&b.tokens));
    let right = rungs.iter().filter(|r| (r.observed > 1.0) == (r.predicted > 1.0)).count();
    Some(Sink {
        model: model.to_string(),
        evidence,
        protocol,
        prompts: prompts as usize,
        first: first.map(f64::sqrt),
        other: other.map(f64::sqrt),
        crossing: crossing(first, other),
        right_side: (!rungs.is_empty()).then(|| right as f64 / rungs.len() as f64),
        r_squared: r_squared(&rungs),
        rungs,
    })
}

/// Where B_L² + (n-1) r_L² = B_{L-1}² + (n-1) r_{L-1}², for n > 1.
fn crossing(first: [f64; 2], other: [f64; 2]) -> Option<f64> {
    Some(1.0 + (first[0] - first[1]) / (other[1] - other[0])).filter(|n| n.is_finite() && *n > 1.0)
}

fn r_squared(rungs: &[Rung]) -> Option<f64> {
    let mean = rungs.iter().map(|r| r.observed.ln()).sum::<f64>() / rungs.len() as f64;
    let total: f64 = rungs.iter().map(|r| (r.observed.ln() - mean).powi(2)).sum();
    let missed: f64 = rungs.iter().map(|r| (r.observed / r.predicted).ln().powi(2)).sum();
    Some(1.0 - missed / total).filter(|r| rungs.len() > 2 && r.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use number::evidence::{EvidenceTable, Measurement, ModelInfo, PromptInfo};
    use number::facts::ModelFacts;

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
            table.prompts.push(PromptInfo { id: id.into(), category: category.into(), text: id.into() });
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
                    definition: String::new(),
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
        assert!((50.0..60.0).contains(&sink.crossing.unwrap()), "{:?}", sink.crossing);
        assert!(sink.rungs[0].observed < 1.0 && sink.rungs[1].observed > 1.0);
        assert!(sink.rungs.iter().all(|r| (r.observed / r.predicted - 1.0).abs() < 1e-12));
        assert_eq!(sink.right_side, Some(1.0));
    }

    #[test]
    fn a_gain_that_stays_on_one_side_has_no_crossing() {
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
