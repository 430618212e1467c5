//! All numbers of one observation: every metric under every protocol, as evidence rows.

use ndarray::ArrayView1;

use super::{Metric, gains, reduce};
use crate::{
    evidence::{Evidence, Measurement, PromptInfo},
    observation::PromptObservation,
    protocol::{Bos, Endpoint, Protocol, Reduction},
};

/// The source name of measured rows.
pub const SOURCE: &str = "streamgauge";
/// Compute is float32 whatever the checkpoint's dtype.
pub const DTYPE: &str = "float32";

/// Rows for one (model, prompt): what cannot be computed has no row. Layers as in [`PromptObservation`]; the writes of
/// block l have layer l. Properties of the weights are not in an observation and are not here.
pub fn measurements(
    model: &str,
    prompt: &PromptInfo,
    observation: &PromptObservation,
    bos: Bos,
) -> Vec<Measurement> {
    let mut rows = Rows { model, prompt, rows: Vec::new() };
    for &reduction in Reduction::ALL {
        for &endpoint in Endpoint::ALL {
            let gains = gains(observation, reduction, endpoint);
            let protocol = Protocol::new(reduction, endpoint, bos);
            rows.put(Metric::LastGain, None, protocol, gains.last);
            rows.put(Metric::CumulativeGain, None, protocol, gains.cumulative);
            rows.put(Metric::GainAfterFirstBlock, None, protocol, gains.after_first_block);
            if endpoint == Endpoint::LastBlock {
                for (block, &gain) in gains.by_layer.iter().enumerate() {
                    rows.put(Metric::LayerGain, Some(block + 1), protocol, gain);
                }
            }
        }
        let protocol = Protocol::new(reduction, Endpoint::LastBlock, bos);
        for (metric, norms) in [
            (Metric::ResidualNorm, &observation.resid),
            (Metric::AttentionWrite, &observation.attn_out),
            (Metric::MlpWrite, &observation.mlp_out),
        ] {
            for (layer, row) in norms.rows().into_iter().enumerate() {
                rows.put(metric, Some(layer), protocol, reduce(row, reduction));
            }
        }
        let embedding = observation.resid.rows().into_iter().next().and_then(|row| reduce(row, reduction));
        rows.put(Metric::EmbeddingNorm, None, protocol, embedding);
    }
    let any = Protocol::new(Reduction::Last, Endpoint::HfLast, bos);
    for (layer, row) in observation.resid.rows().into_iter().enumerate() {
        rows.put(Metric::FirstTokenShare, Some(layer), any, first_token_share(row));
    }
    rows.put(Metric::OutputEntropy, None, any, Some(f64::from(observation.entropy_nats)));
    rows.put(Metric::TopProbability, None, any, observation.top.first().map(|t| f64::from(t.prob)));
    rows.put(Metric::TokenCount, None, any, Some(observation.tokens() as f64));
    rows.rows
}

struct Rows<'a> {
    model: &'a str,
    prompt: &'a PromptInfo,
    rows: Vec<Measurement>,
}

impl Rows<'_> {
    fn put(&mut self, metric: Metric, layer: Option<usize>, protocol: Protocol, value: Option<f64>) {
        let Some(value) = value.filter(|v| v.is_finite()) else { return };
        self.rows.push(Measurement {
            evidence: Evidence::Measured,
            source: SOURCE.to_string(),
            model: self.model.to_string(),
            prompt: Some(self.prompt.id.clone()),
            category: Some(self.prompt.category.clone()),
            metric,
            layer: layer.map(|l| l as u32),
            protocol: metric.filed_under(protocol),
            dtype: DTYPE.to_string(),
            value,
            definition: String::new(),
        });
    }
}

fn first_token_share(norms: ArrayView1<'_, f32>) -> Option<f64> {
    Some(f64::from(*norms.first()?) / reduce(norms, Reduction::MeanWithoutFirst)?)
}

#[cfg(test)]
mod tests {
    use super::super::gains::tests::observation;
    use super::*;
    use std::collections::BTreeSet;

    fn rows() -> Vec<Measurement> {
        let prompt = PromptInfo { id: "p".into(), category: "Factual".into(), text: "x".into() };
        measurements("m", &prompt, &observation(), Bos::Auto)
    }

    #[test]
    fn no_two_rows_claim_the_same_cell() {
        let rows = rows();
        let cells: BTreeSet<_> = rows.iter().map(|r| (r.metric, r.layer, r.protocol)).collect();
        assert_eq!(cells.len(), rows.len());
    }

    #[test]
    fn every_metric_of_an_observation_has_rows_under_every_protocol_it_depends_on() {
        let rows = rows();
        let count = |metric| rows.iter().filter(|r| r.metric == metric).count();
        assert_eq!(count(Metric::LastGain), 15);
        assert_eq!(count(Metric::CumulativeGain), 15);
        assert_eq!(count(Metric::LayerGain), 5 * 3);
        assert_eq!(count(Metric::ResidualNorm), 5 * 4);
        assert_eq!(count(Metric::MlpWrite), 5 * 3);
        assert_eq!(count(Metric::FirstTokenShare), 4);
        assert_eq!(count(Metric::TokenCount), 1);
        for &metric in Metric::ALL {
            // What an observation does not hold has no rows; what it holds is listed above.
            assert!(metric.describe().needs_protocol() || count(metric) == 0, "{metric}");
        }
    }

    #[test]
    fn a_cell_holds_the_number_of_its_own_protocol() {
        let rows = rows();
        let value = |metric, protocol: &str, layer| {
            let protocol = protocol.parse().ok();
            rows.iter()
                .find(|r| r.metric == metric && r.protocol == protocol && r.layer == layer)
                .unwrap()
                .value
        };
        assert_eq!(value(Metric::LastGain, "last/hf-last", None), 0.5);
        assert_eq!(value(Metric::LayerGain, "last/last-block", Some(3)), 4.0);
        assert_eq!(value(Metric::FirstTokenShare, "mean-without-first/last-block", Some(1)), 4.0);
        assert_eq!(value(Metric::OutputEntropy, "last/hf-last", None), 1.5);
    }
}
