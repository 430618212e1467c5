//! Leads: hypotheses that the opening page tells first, with the numbers of every prompt that their verdicts are read off.

use std::collections::BTreeMap;

use number::evidence::{Evidence, Measurement};
use number::metric::Metric;
use number::protocol::Protocol;

/// A hypothesis that the opening page tells first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lead {
    /// Id of the hypothesis.
    pub hypothesis: String,
    /// What is drawn, in the order of its predictions.
    pub readings: Vec<Reading>,
}

/// One number of every prompt, of one model under one protocol, which one prediction is read off.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// Id of the prediction.
    pub prediction: String,
    /// What the model is evidence of.
    pub evidence: Evidence,
    /// Id of the model.
    pub model: String,
    /// What the numbers are.
    pub metric: Metric,
    /// Of all the numbers.
    pub protocol: Protocol,
    /// Ids of prompts, each with its number, in the metric's unit.
    pub values: Vec<(String, f64)>,
}

impl Reading {
    /// One reading for each model and protocol of the rows of a prediction's one quantity. Rows without a prompt or a protocol have
    /// no place in it.
    pub fn all(prediction: &str, evidence: Evidence, rows: &[Measurement]) -> Vec<Reading> {
        let mut found = BTreeMap::<(&str, Metric, Protocol), Vec<(String, f64)>>::new();
        for row in rows {
            if let (Some(prompt), Some(protocol)) = (&row.prompt, row.protocol) {
                let values = found.entry((&row.model, row.metric, protocol)).or_default();
                values.push((prompt.to_string(), row.value));
            }
        }
        let one = |((model, metric, protocol), values): ((&str, Metric, Protocol), _)| Reading {
            prediction: prediction.to_string(),
            evidence,
            model: model.to_string(),
            metric,
            protocol,
            values,
        };
        found.into_iter().map(one).collect()
    }

    /// How many of the numbers are above one.
    pub fn above_one(&self) -> usize {
        self.values.iter().filter(|(_, value)| *value > 1.0).count()
    }
}
