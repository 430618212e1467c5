//! Spectra of a prompt set as evidence rows.

use super::Metric;
use super::measurements::{DTYPE, SOURCE};
use crate::evidence::{Evidence, Measurement};
use crate::protocol::{Bos, Endpoint, Protocol, Reduction};
use crate::spectra::Spectra;

/// What stands for the prompts of a set where a row has no one prompt.
pub(super) fn set_as_prompt(set: &str) -> String {
    format!("set:{set}")
}

/// Rows of one model on all prompts of a set together: all tokens under `frobenius`, all but the first of each prompt
/// under `frobenius-without-first`. What is not defined has no row.
pub fn spectra(model: &str, set: &str, spectra: &Spectra, bos: Bos) -> Vec<Measurement> {
    let mut rows = Vec::new();
    for (reduction, layers) in
        [(Reduction::Frobenius, &spectra.all), (Reduction::FrobeniusWithoutFirst, &spectra.without_first)]
    {
        let mut put = |metric: Metric, layer: Option<usize>, value: Option<f64>| {
            let Some(value) = value.filter(|value| value.is_finite()) else { return };
            rows.push(Measurement {
                evidence: Evidence::Measured,
                source: SOURCE.into(),
                model: model.into(),
                prompt: Some(set_as_prompt(set).into()),
                category: None,
                metric,
                branch: None,
                layer: layer.map(|layer| layer as u32),
                protocol: metric.filed_under(Protocol::new(reduction, Endpoint::LastBlock, bos)),
                dtype: DTYPE.into(),
                value,
                definition: "".into(),
            });
        };
        for (layer, found) in layers.iter().enumerate() {
            put(Metric::Anisotropy, Some(layer), found.anisotropy);
            put(Metric::EffectiveRank, Some(layer), found.effective_rank);
            put(Metric::MeanCosine, Some(layer), found.mean_cosine);
        }
        put(Metric::AnisotropyRange, None, Spectra::anisotropy_range(layers));
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spectra::Spectrum;

    #[test]
    fn every_layer_is_filed_under_the_tokens_that_entered() {
        let layer = |anisotropy| Spectrum {
            anisotropy: Some(anisotropy),
            effective_rank: Some(3.0),
            mean_cosine: None,
        };
        let all = vec![layer(0.9), layer(0.5), layer(0.75)];
        let found = Spectra { all, without_first: vec![layer(0.1), layer(0.2), layer(0.4)] };
        let rows = spectra("m", "five", &found, Bos::Always);
        assert_eq!(rows.len(), 2 * (3 * 2 + 1));
        let of = |metric, layer, protocol: &str| {
            let row = rows
                .iter()
                .find(|r| r.metric == metric && r.layer == layer && r.protocol == protocol.parse().ok())
                .unwrap();
            assert_eq!(row.prompt.as_deref(), Some("set:five"));
            row.value
        };
        assert_eq!(of(Metric::Anisotropy, Some(2), "frobenius/last-block/always"), 0.75);
        assert_eq!(of(Metric::Anisotropy, Some(0), "frobenius-without-first/last-block/always"), 0.1);
        assert_eq!(of(Metric::AnisotropyRange, None, "frobenius/last-block/always"), 0.25);
        assert_eq!(of(Metric::EffectiveRank, Some(1), "frobenius-without-first/last-block/always"), 3.0);
        assert!(rows.iter().all(|row| row.metric != Metric::MeanCosine));
    }
}
