//! The numbers of one run: every observed value, measured number, estimate and verdict, each under a name that stays the
//! same from run to run.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use base::named_enum;
use number::evidence::Measurement;
use number::observation::PromptObservation;
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
        let others = [
            ("resid", &seen.resid),
            ("max_abs", &seen.max_abs),
            ("attn_off_diagonal", &seen.attn_off_diagonal),
        ];
        for (name, table) in others.into_iter().chain(seen.by_block()) {
            for ((l, t), &value) in table.indexed_iter() {
                put(name, Some(l), Some(t), value);
            }
        }
        for (name, value) in [("logit_shift", seen.logit_shift), ("loss_nats", seen.loss_nats)] {
            value.into_iter().for_each(|value| put(name, None, None, value));
        }
        for (l, &entropy) in seen.lens_entropy_nats.iter().flatten().enumerate() {
            put("lens_entropy_nats", Some(l), None, entropy);
        }
        for (t, &norm) in seen.final_norm.iter().enumerate() {
            put("final_norm", None, Some(t), norm);
        }
        put("entropy_nats", None, None, seen.entropy_nats);
        for (rank, top) in seen.top.iter().enumerate() {
            put("top_prob", None, Some(rank), top.prob);
        }
    }

    /// Adds one measured number under its protocol.
    pub fn measurement(&mut self, row: &Measurement) {
        let place = Place {
            kind: Kind::Measurement,
            of: row.model.clone(),
            item: row.prompt.clone().unwrap_or_default(),
            name: row.metric.to_string(),
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
    use ndarray::{Array1, Array2};

    use super::*;
    use base::hash::Key;
    use number::evidence::Evidence;
    use number::observation::TopToken;
    use study::judge::hypothesis::Stands;
    use study::judge::outcome::{Estimate, PredictionOutcome, Statistic, Verdict};

    #[test]
    fn every_value_of_an_observation_has_its_own_place() {
        let mut n = 0.0;
        let mut next = || {
            n += 1.0;
            n
        };
        let mut array = |rows| Array2::from_shape_simple_fn((rows, 2), &mut next);
        let seen = PromptObservation {
            token_ids: vec![7, 8],
            resid: array(4),
            attn_out: array(3),
            mlp_out: array(3),
            attn_module_in: array(3),
            attn_module_out: array(3),
            mlp_module_in: array(3),
            mlp_module_out: array(3),
            write: array(3),
            write_cosine: array(3),
            max_abs: array(4),
            attn_off_diagonal: array(3), // two heads
            final_norm: Array1::from(vec![101.0, 102.0]),
            entropy_nats: 103.0,
            logit_shift: Some(105.0),
            top: vec![TopToken { id: 3, prob: 104.0 }],
            loss_nats: Some(106.0),
            lens_entropy_nats: Some(Array1::from(vec![107.0, 108.0, 109.0, 110.0])),
        };
        let mut shown = RunNumbers::default();
        shown.observation("m", "p", Bos::Never, &seen);
        // Tokens, two taps at 4 layers and nine at 3, final norm, entropy, top, shift, loss, lens.
        assert_eq!(shown.numbers.len(), 2 + 2 * (2 * 4 + 9 * 3) + 2 + 1 + 1 + 1 + 1 + 4);
        let (place, _) = shown.numbers.iter().find(|(_, value)| **value == seen.mlp_out[[2, 1]]).unwrap();
        assert_eq!(place.to_string(), "mlp_out under BOS never of m on p, layer 2, position 1");
    }

    #[test]
    fn every_judgement_has_its_verdict_and_its_numbers() {
        let judgement = |protocol: &str, verdict| Judgement {
            evidence: Evidence::Measured,
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
