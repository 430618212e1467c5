//! `sink-fit`: does a Frobenius gain follow from one heavy first token and n-1 ordinary ones?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    judge::{
        cells::Cells,
        context::TestContext,
        findings::{Findings, point},
        hypothesis::{Quantity, Select},
        kind::{Kind, Parts},
        statistics::statistics,
    },
    stats::{Interval, bootstrap_of, crossing_tokens, sink_fit, sink_gain},
};
use number::{
    metric::Metric,
    protocol::{Endpoint, Protocol, Reduction},
};

/// Fit F² = B² + (n-1) r² over prompts of n tokens at the last two layers; compare with the observed Frobenius gain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SinkFit {
    #[serde(default)]
    pub select: Select,
}

statistics! {
    SinkFit {
        r2,
        r2_low,
        r2_high,
        crossing_tokens,
    }
}

impl Kind for SinkFit {
    fn parts(&self) -> Parts<'_> {
        Parts { selects: vec![(vec!["select".into()], &self.select)], ..Parts::default() }
    }

    /// Fits F² = B² + (n-1) r² at layers L-1 and L of each model; `r2` is of the gain so predicted against the observed
    /// one. With several models the worst-fitting one gives both statistics.
    fn run<'a>(&self, context: &TestContext<'a>) -> Findings {
        let mut findings = Findings::new("R2 of the Frobenius gain");
        let read = self.quantities(context.protocol);
        let tokens = context.enough(&read.tokens, &mut findings);
        let below = context.cells(&read.below, &mut findings);
        let above = context.cells(&read.above, &mut findings);
        let gains = context.cells(&read.gain, &mut findings);
        findings.uses(read.gain.protocol);
        let (mut worst, mut models) = (None::<(f64, Option<f64>)>, Vec::new());
        let mut limits = Some(Vec::new());
        for model in tokens.models.keys() {
            let lengths = tokens.by_prompt(model);
            let mut pair = |other: &Cells<'a>| findings.pair(&lengths, &other.by_prompt(model), false);
            let (Some(low), Some(high), Some(gain)) = (pair(&below), pair(&above), pair(&gains)) else {
                return findings;
            };
            let (Some(low), Some(high)) = (sink_fit(&low), sink_fit(&high)) else {
                findings.notes.push(format!("{model}: needs three prompts of different lengths, left out"));
                continue;
            };
            let predicted: Vec<Option<f64>> = gain.x().iter().map(|&n| sink_gain(&low, &high, n)).collect();
            let mean = gain.y().iter().sum::<f64>() / gain.len() as f64;
            let total: f64 = gain.y().iter().map(|g| (g - mean).powi(2)).sum();
            let missed: Option<f64> =
                predicted.iter().zip(gain.y()).map(|(p, g)| Some((g - (*p)?).powi(2))).sum();
            let r2 = missed.map(|m| 1.0 - m / total).filter(|r| r.is_finite());
            findings.estimates.push(point(model, r2, gain.len()));
            for (layer, fit) in [("L-1", &low), ("L", &high)] {
                findings.estimates.push(point(
                    format!("{model}: R2 of F^2 at {layer}"),
                    Some(fit.r_squared),
                    fit.units,
                ));
            }
            let Some(r2) = r2 else {
                findings
                    .notes
                    .push(format!("{model}: the fit predicts a negative square, or all gains are equal"));
                continue;
            };
            // The fit is held, and prompts are drawn: how far another set of prompts would lie from it.
            let index: Vec<f64> = (0..gain.len()).map(|i| i as f64).collect();
            let drawn = |sample: &[f64]| {
                let stay: Vec<usize> = sample.iter().map(|&i| i as usize).collect();
                let centre = stay.iter().map(|&i| gain.y()[i]).sum::<f64>() / stay.len() as f64;
                let total: f64 = stay.iter().map(|&i| (gain.y()[i] - centre).powi(2)).sum();
                let missed: Option<f64> =
                    stay.iter().map(|&i| Some((gain.y()[i] - predicted[i]?).powi(2))).sum();
                missed.map(|missed| 1.0 - missed / total).filter(|r2| r2.is_finite())
            };
            let own = bootstrap_of(&index, drawn, context.alpha, context.seed.derive(model));
            limits = limits.zip(own).map(|(mut all, own)| {
                all.push(own);
                all
            });
            models.push(*model);
            if worst.is_none_or(|(w, _)| r2 < w) {
                worst = Some((r2, crossing_tokens(&low, &high)));
            }
        }
        if findings.estimates.is_empty() && !findings.lacks() {
            findings.missing.push("needs a model with at least three prompts of different lengths".into());
        }
        context.lineages(models, &mut findings);
        let ends = |pick: fn(&Interval) -> f64| {
            limits.as_ref().and_then(|all| all.iter().map(pick).reduce(f64::min))
        };
        findings.offer(Statistics {
            r2: worst.map(|(r2, _)| r2),
            r2_low: ends(|i| i.low),
            r2_high: ends(|i| i.high),
            crossing_tokens: worst.and_then(|(_, n)| n),
        });
        findings
    }
}

/// What a fit reads: of each prompt its tokens, the Frobenius norms at layers L-1 and L, and the gain.
pub(crate) struct Read {
    pub tokens: Quantity,
    pub below: Quantity,
    pub above: Quantity,
    pub gain: Quantity,
}

impl SinkFit {
    pub(crate) fn quantities(&self, of: Protocol) -> Read {
        let protocol = Protocol::new(Reduction::Frobenius, Endpoint::LastBlock, of.bos);
        let quantity = |metric, layers_before_last| Quantity {
            protocol: Some(protocol),
            select: Select { layers_before_last, layer: None, ..self.select.clone() },
            ..Quantity::of(metric)
        };
        Read {
            tokens: quantity(Metric::TokenCount, None),
            below: quantity(Metric::ResidualNorm, Some(1)),
            above: quantity(Metric::ResidualNorm, Some(0)),
            gain: quantity(Metric::LastGain, None),
        }
    }
}
