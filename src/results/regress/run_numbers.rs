//! The numbers of one run: every observed value, measured number, estimate and verdict, each under a name that stays the
//! same from run to run.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use base::named_enum;
use number::evidence::Measurement;
use number::observation::{Axes, PromptObservation};
use number::protocol::{Bos, Protocol};
use study::judge::outcome::{HypothesisOutcome, Judgement};

named_enum! {
    /// What kind of number.
    Kind, "kind of number" {
        /// One value of an observation: only the BOS policy entered, no other part of a protocol.
        Observation = "observation",
        /// A metric under one protocol.
        Measurement = "measurement",
        /// A statistic of a judgement, or a part of one of its estimates.
        Estimate = "estimate",
    }
}

/// What a number is of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// What kind of number it is.
    pub kind: Kind,
    /// Model id; for estimates hypothesis, prediction and evidence.
    pub of: String,
    /// Prompt id; for estimates their label. Empty for statistics.
    pub item: String,
    /// Tap, metric, statistic, or part of an estimate.
    pub name: String,
    /// `reduction/endpoint/BOS`, for observations `BOS auto`; empty where a judgement has none.
    pub protocol: String,
    /// Layer, or block, for what there is one of by layer.
    pub layer: Option<u32>,
    /// Token position, 0 = first token run; for `top_prob` the rank, for `attn_off_diagonal` the head.
    pub position: Option<u32>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if !self.protocol.is_empty() {
            write!(f, " under {}", self.protocol)?;
        }
        write!(f, " of {}", self.of)?;
        if !self.item.is_empty() {
            write!(f, " on {}", self.item)?;
        }
        self.layer.iter().try_for_each(|layer| write!(f, ", layer {layer}"))?;
        self.position.iter().try_for_each(|position| write!(f, ", position {position}"))
    }
}

/// Everything one run showed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunNumbers {
    /// What entered, by name: versions and content hashes. They explain a difference; alone they are none.
    pub made_with: BTreeMap<String, String>,
    /// Verdict by hypothesis, prediction, evidence and protocol.
    pub verdicts: BTreeMap<String, String>,
    /// float32 for all: half the size, and its rounding (6e-8) is far below the tolerance.
    pub numbers: BTreeMap<Place, f32>,
}

impl RunNumbers {
    /// Adds every value of one observation.
    pub fn observation(&mut self, model: &str, prompt: &str, bos: Bos, seen: &PromptObservation) {
        let place = Place {
            kind: Kind::Observation,
            of: model.to_string(),
            item: prompt.to_string(),
            name: String::new(),
            protocol: format!("BOS {bos}"),
            layer: None,
            position: None,
        };
        let mut put = |name: &str, layer: Option<usize>, position: Option<usize>, value: f32| {
            let (layer, position) = (layer.map(|l| l as u32), position.map(|t| t as u32));
            let place = Place { name: name.to_string(), layer, position, ..place.clone() };
            self.numbers.insert(place, value);
        };
        for (t, &id) in seen.token_ids.iter().enumerate() {
            put("token_id", None, Some(t), id as f32); // exact: no vocabulary reaches 2^24
        }
        for tap in seen.named() {
            for ((row, column), &value) in seen.tap(&tap.name).indexed_iter() {
                let (layer, position) = match tap.tap.axes {
                    Axes::Stream | Axes::Blocks | Axes::Heads | Axes::Experts | Axes::Choices => {
                        (Some(row), Some(column))
                    }
                    Axes::Layers => (Some(row), None),
                    Axes::Tokens => (None, Some(column)),
                    Axes::Prompt => (None, None),
                };
                if !value.is_nan() {
                    put(&tap.name, layer, position, value);
                }
            }
        }
        for (rank, top) in seen.top.iter().enumerate() {
            put("top_prob", None, Some(rank), top.prob);
        }
    }

    /// Adds one measured number under its protocol.
    pub fn measurement(&mut self, row: &Measurement) {
        let place = Place {
            kind: Kind::Measurement,
            of: row.model.to_string(),
            item: row.prompt.as_deref().unwrap_or_default().to_string(),
            name: row.name().into_owned(),
            protocol: row.protocol.as_ref().map(Protocol::to_string).unwrap_or_default(),
            layer: row.layer,
            position: None,
        };
        self.numbers.insert(place, row.value as f32);
    }

    /// Adds the verdicts of one hypothesis, on all evidence and under all protocols, with the numbers behind them.
    pub fn outcome(&mut self, outcome: &HypothesisOutcome) {
        for (evidence, verdict) in &outcome.verdicts {
            self.verdicts.insert(format!("{} ({evidence})", outcome.id), verdict.to_string());
        }
        for prediction in &outcome.predictions {
            let of = format!("{}/{} ({})", outcome.id, prediction.id, prediction.evidence);
            self.verdicts.insert(of.clone(), prediction.verdict.to_string());
            for judgement in std::iter::once(&prediction.primary).chain(&prediction.others) {
                self.judgement(&of, judgement);
            }
        }
    }

    fn judgement(&mut self, of: &str, judgement: &Judgement) {
        let protocols: Vec<String> = judgement.protocols.iter().map(Protocol::to_string).collect();
        let protocol = protocols.join(" and ");
        self.verdicts.insert(format!("{of} under {protocol}"), judgement.verdict.to_string());
        let mut put = |item: &str, name: &str, value: Option<f64>| {
            let Some(value) = value else { return };
            let place = Place {
                kind: Kind::Estimate,
                of: of.to_string(),
                item: item.to_string(),
                name: name.to_string(),
                protocol: protocol.clone(),
                layer: None,
                position: None,
            };
            self.numbers.insert(place, value as f32);
        };
        for statistic in &judgement.statistics {
            put("", &statistic.name, statistic.value);
        }
        for estimate in &judgement.estimates {
            put(&estimate.label, "value", estimate.value);
            put(&estimate.label, "low", estimate.low);
            put(&estimate.label, "high", estimate.high);
            put(&estimate.label, "p", estimate.p);
            put(&estimate.label, "n", Some(estimate.n as f64));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::hash::Key;
    use number::evidence::Evidence;
    use number::observation::TopToken;
    use study::judge::hypothesis::Stands;
    use study::judge::outcome::{Estimate, PredictionOutcome, Statistic, Verdict};

    #[test]
    fn every_value_of_an_observation_has_its_own_place() {
        let mut n = 0.0;
        let mut seen = PromptObservation::made([3, 2, 2], |_, _| {
            n += 1.0;
            n
        });
        seen.token_ids = vec![107, 108];
        seen.top = vec![TopToken { id: 3, prob: 104.0 }];
        let mut shown = RunNumbers::default();
        shown.observation("m", "p", Bos::Never, &seen);
        // Tokens, two taps at 4 layers and nine at 3, final norm, entropy, top, shift, loss, lens.
        assert_eq!(shown.numbers.len(), 2 + 2 * (2 * 4 + 9 * 3) + 2 + 1 + 1 + 1 + 1 + 4);
        let (place, _) =
            shown.numbers.iter().find(|(_, value)| **value == seen.branch_out("mlp")[[2, 1]]).unwrap();
        assert_eq!(place.to_string(), "mlp_out under BOS never of m on p, layer 2, position 1");
    }

    #[test]
    fn every_judgement_has_its_verdict_and_its_numbers() {
        let judgement = |protocol: &str, verdict| Judgement {
            evidence: Evidence::Measured,
            kind: "mean-by-model".into(),
            protocols: vec![protocol.parse().unwrap()],
            verdict,
            unit: "ratio".into(),
            statistics: vec![Statistic { name: "rho".into(), value: Some(0.5) }],
            estimates: vec![Estimate {
                label: "m".into(),
                value: Some(1.0),
                low: None,
                high: Some(2.0),
                p: None,
                n: 3,
            }],
            because: String::new(),
            missing: Vec::new(),
            would_decide: String::new(),
            allows: Vec::new(),
            as_printed: None,
            notes: Vec::new(),
        };
        let mut shown = RunNumbers::default();
        shown.outcome(&HypothesisOutcome {
            id: "H1".into(),
            title: String::new(),
            statement: String::new(),
            published_verdict: String::new(),
            hash: Key::of_bytes(b""),
            status: "prospective".into(),
            predictions: vec![PredictionOutcome {
                id: "H1a".into(),
                claim: String::new(),
                core: true,
                evidence: Evidence::Measured,
                verdict: Verdict::Fragile,
                primary: judgement("last/last-block", Verdict::Supported),
                others: vec![judgement("mean/last-block", Verdict::Contradicted)],
            }],
            published_conclusion: None,
            stands: Stands::All,
            curves: Vec::new(),
            verdicts: vec![
                (Evidence::Published, Verdict::Untestable),
                (Evidence::Measured, Verdict::Fragile),
            ],
        });
        let verdicts: Vec<String> =
            shown.verdicts.iter().map(|(what, verdict)| format!("{what}: {verdict}")).collect();
        assert_eq!(
            verdicts,
            [
                "H1 (measured): fragile",
                "H1 (published): untestable",
                "H1/H1a (measured): fragile",
                "H1/H1a (measured) under last/last-block/auto: supported",
                "H1/H1a (measured) under mean/last-block/auto: contradicted",
            ]
        );
        assert_eq!(shown.numbers.len(), 2 * 4, "a missing bound is no number");
        let last = shown.numbers.keys().next_back().unwrap();
        assert_eq!(last.to_string(), "value under mean/last-block/auto of H1/H1a (measured) on m");
    }
}
