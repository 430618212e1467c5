//! Published means against ours, for models that both measured: with an interval that carries both sampling errors.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::stats::{mean, prediction_interval, standard_deviation};
use number::index::EvidenceIndex;
use number::metric::Metric;
use number::protocol::Protocol;
use number::text::Text;

const ALPHA: f64 = 0.05;

/// One published mean log gain and ours, over the same prompts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Replication {
    /// Id that both kinds of evidence use.
    pub model: String,
    /// Published source.
    pub source: String,
    /// dtype of the published run.
    pub dtype: String,
    /// What both measured.
    pub metric: Metric,
    /// Of both means.
    pub protocol: Protocol,
    /// Number of prompts that both have.
    pub prompts: usize,
    /// Geometric mean of the published gains.
    pub published: f64,
    /// Geometric mean of ours.
    pub measured: f64,
    /// Where our geometric mean may lie, with 95 %, if the published one holds; `None` with fewer than two prompts.
    pub low: Option<f64>,
    /// The upper end of that interval.
    pub high: Option<f64>,
    /// Whether our mean lies in that interval.
    pub replicates: Option<bool>,
}

/// Model, source, dtype, protocol.
type Run = (Text, Text, Text, Protocol);

/// Every (model, source, dtype, protocol) whose prompts were measured here too, under the same protocol.
pub fn replications(published: &EvidenceIndex<'_>, measured: &EvidenceIndex<'_>) -> Vec<Replication> {
    let mut groups = BTreeMap::<Run, Vec<(f64, f64)>>::new();
    for row in published.of_metric(Metric::LastGain) {
        let (Some(protocol), Some(prompt)) = (row.protocol, &row.prompt) else { continue };
        let own = measured.number(Metric::LastGain, protocol, None, &row.model, prompt);
        let Some(own) = own else { continue };
        let key = (row.model.clone(), row.source.clone(), row.dtype.clone(), protocol);
        groups.entry(key).or_default().push((row.value.ln(), own.ln()));
    }
    let one = |((model, source, dtype, protocol), pairs): (Run, Vec<(f64, f64)>)| {
        let (theirs, own): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
        let (published, measured) = (mean(&theirs)?, mean(&own)?);
        let interval = standard_deviation(&theirs)
            .and_then(|sd| prediction_interval((published, sd, theirs.len()), own.len(), ALPHA));
        Some(Replication {
            model: (&model).into(),
            source: (&source).into(),
            dtype: (&dtype).into(),
            metric: Metric::LastGain,
            protocol,
            prompts: own.len(),
            published: published.exp(),
            measured: measured.exp(),
            low: interval.map(|i| i.low.exp()),
            high: interval.map(|i| i.high.exp()),
            replicates: interval.map(|i| (i.low..=i.high).contains(&measured)),
        })
    };
    groups.into_iter().filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use number::evidence::{Evidence, EvidenceTable, Measurement};

    fn rows(source: &str, model: &str, protocol: &str, gains: &[f64]) -> EvidenceTable {
        let row = |(at, &value): (usize, &f64)| Measurement {
            evidence: Evidence::Published,
            source: source.into(),
            model: model.into(),
            prompt: Some(format!("p{at}").into()),
            category: None,
            branch: None,
            metric: Metric::LastGain,
            layer: None,
            protocol: protocol.parse().ok(),
            dtype: "float16".into(),
            value,
            definition: "".into(),
        };
        EvidenceTable { rows: gains.iter().enumerate().map(row).collect(), ..EvidenceTable::default() }
    }

    fn found(published: &EvidenceTable, measured: &EvidenceTable) -> Vec<Replication> {
        replications(&EvidenceIndex::new(published), &EvidenceIndex::new(measured))
    }

    #[test]
    fn a_mean_within_both_sampling_errors_replicates_and_one_far_away_does_not() {
        let published = rows("gu", "m", "last/last-block", &[1.0, 1.1, 1.2, 1.3]);
        let near = found(&published, &rows("streamgauge", "m", "last/last-block", &[1.1, 1.1, 1.2, 1.2]));
        assert_eq!((near[0].prompts, near[0].replicates), (4, Some(true)));
        let far = found(&published, &rows("streamgauge", "m", "last/last-block", &[2.0, 2.1, 2.2, 2.3]));
        assert_eq!(far[0].replicates, Some(false));
    }

    #[test]
    fn other_models_and_other_protocols_are_no_replication() {
        let published = rows("gu", "m", "last/last-block", &[1.0, 1.1]);
        assert_eq!(found(&published, &rows("s", "other", "last/last-block", &[1.0, 1.1])), []);
        assert_eq!(found(&published, &rows("s", "m", "mean/last-block", &[1.0, 1.1])), []);
    }
}
