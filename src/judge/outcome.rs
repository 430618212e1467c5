//! What judging a hypothesis yields: verdicts with the numbers and protocols behind them.

use serde::{Deserialize, Serialize};

use crate::evidence::Evidence;
use crate::hash::Key;
use crate::protocol::{Protocol, named_enum};

named_enum! {
    /// How a claim fares. Definitions: README, "Verdicts".
    Verdict, "verdict" {
        /// In the predicted direction and beyond the smallest effect of interest.
        Supported = "supported",
        /// Beyond the smallest effect of interest, the other way.
        Contradicted = "contradicted",
        /// The interval lies inside the smallest effect of interest.
        Negligible = "negligible",
        /// None of the above.
        Inconclusive = "inconclusive",
        /// The verdict changes with a defensible protocol.
        Fragile = "fragile",
        /// What the test needs does not exist here.
        Untestable = "untestable",
    }
}

/// One estimate with its interval, for one model, group or pool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// What it is of: a model id, a category, `pooled`.
    pub label: String,
    /// `None` where it cannot be computed (the note says why).
    pub value: Option<f64>,
    pub low: Option<f64>,
    pub high: Option<f64>,
    /// Two-sided unless the test says otherwise.
    pub p: Option<f64>,
    /// Resampling units behind it.
    pub n: u64,
}

/// A named number a test produced, which decision rules refer to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Statistic {
    pub name: String,
    pub value: Option<f64>,
}

/// One prediction judged on one kind of evidence under one protocol.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    pub evidence: Evidence,
    /// The protocol of the numbers, or the protocols compared.
    pub protocols: Vec<Protocol>,
    pub verdict: Verdict,
    /// Unit of the estimates, e.g. `log ratio`.
    pub unit: String,
    pub statistics: Vec<Statistic>,
    pub estimates: Vec<Estimate>,
    /// Which conditions of the rule held, in words with numbers.
    pub because: String,
    /// What is missing, if untestable (models, taps, prompts), one entry each.
    pub missing: Vec<String>,
    /// Facts a reader needs, e.g. "cannot reach alpha = 0.05 with 4 units".
    pub notes: Vec<String>,
}

/// One prediction on one kind of evidence: the primary protocol and every other defensible one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PredictionOutcome {
    pub id: String,
    pub claim: String,
    /// Whether the hypothesis stands or falls with it.
    pub core: bool,
    pub evidence: Evidence,
    /// Overall: the primary verdict, or `fragile` when an equivalent protocol gives the other one.
    pub verdict: Verdict,
    pub primary: Judgement,
    /// The same test under the other protocols of the hypothesis, in the order the file lists them.
    pub others: Vec<Judgement>,
}

/// A hypothesis judged on all evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HypothesisOutcome {
    pub id: String,
    pub title: String,
    pub statement: String,
    /// What was published about it, in short.
    pub published_verdict: String,
    /// Content hash of the hypothesis (meaning, not comments or layout of the file).
    pub hash: Key,
    /// `re-analysis` (the data were seen when the file was written) or `prospective`.
    pub status: String,
    pub predictions: Vec<PredictionOutcome>,
    /// Overall verdict per kind of evidence, same order as `Evidence::ALL`.
    pub verdicts: Vec<(Evidence, Verdict)>,
}
