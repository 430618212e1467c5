//! The outcome of judging a hypothesis: verdicts with the numbers and protocols behind them.

use serde::{Deserialize, Serialize};

use super::hypothesis::Stands;
use base::hash::Key;
use base::named_enum;
use number::evidence::Evidence;
use number::protocol::Protocol;

pub use super::verdict::Verdict;

/// One estimate with its interval, for one model, group or pool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The unit it is of: a model id, a category, `pooled`.
    pub label: String,
    /// `None` where it cannot be computed (the note says why).
    pub value: Option<f64>,
    /// Lower end of the 1-alpha interval.
    pub low: Option<f64>,
    /// Upper end of the 1-alpha interval.
    pub high: Option<f64>,
    /// Two-sided unless the test says otherwise.
    pub p: Option<f64>,
    /// Resampling units behind it.
    pub n: u64,
}

/// A named number a test produced, which decision rules refer to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Statistic {
    /// Name of the statistic, e.g. `share-above`.
    pub name: String,
    /// `None` where it could not be computed.
    pub value: Option<f64>,
}

impl Statistic {
    /// A statistic; a value that is no finite number counts as none.
    pub(crate) fn new(name: &str, value: Option<f64>) -> Statistic {
        Statistic { name: name.to_string(), value: value.filter(|value| value.is_finite()) }
    }
}

/// One prediction judged on one kind of evidence under one protocol.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// The kind of evidence it was judged on.
    pub evidence: Evidence,
    /// The kind of its test, which says what its statistics mean.
    #[serde(default)]
    pub kind: String,
    /// The protocol of the numbers, or the protocols compared.
    pub protocols: Vec<Protocol>,
    /// The verdict of the rule.
    pub verdict: Verdict,
    /// Unit of the estimates, e.g. `log ratio`.
    pub unit: String,
    /// The statistics of the test, in the order of its kind; none where the test could not run.
    pub statistics: Vec<Statistic>,
    /// Numbers for the reader: one per model, group or pool.
    pub estimates: Vec<Estimate>,
    /// Which conditions of the rule held, in words with numbers.
    pub because: String,
    /// What is missing, if untestable (models, taps, prompts), one entry each.
    pub missing: Vec<String>,
    /// What would decide it, in words; empty where it is decided.
    #[serde(default)]
    pub would_decide: String,
    /// The verdicts that these data allow: those that the rule could give on as many units, whatever they showed.
    #[serde(default)]
    pub allows: Vec<Verdict>,
    /// Whether what was found in print holds here too; `None` where the file does not say what that was, or it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_printed: Option<bool>,
    /// Facts a reader needs, e.g. "cannot reach alpha = 0.05 with 4 units".
    pub notes: Vec<String>,
}

/// One prediction on one kind of evidence: the primary protocol and every other defensible one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PredictionOutcome {
    /// Id of the prediction, e.g. `H13a`.
    pub id: String,
    /// The prediction in one sentence.
    pub claim: String,
    /// Whether the hypothesis stands or falls with it.
    pub core: bool,
    /// The kind of evidence it was judged on.
    pub evidence: Evidence,
    /// Overall: the primary verdict, or `fragile` when an equivalent protocol gives the other one.
    pub verdict: Verdict,
    /// The judgement under the primary protocol.
    pub primary: Judgement,
    /// The same test under the other protocols of the hypothesis, in the order the file lists them.
    pub others: Vec<Judgement>,
}

/// A hypothesis judged on all evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HypothesisOutcome {
    /// Id of the hypothesis, e.g. `H13`.
    pub id: String,
    /// The claim in a few words.
    pub title: String,
    /// The claim in one sentence.
    pub statement: String,
    /// What was published about it, in short.
    pub published_verdict: String,
    /// Content hash of the hypothesis (meaning, not comments or layout of the file).
    pub hash: Key,
    /// `re-analysis` (the data were seen when the file was written) or `prospective`.
    pub status: String,
    /// Every prediction on every kind of evidence it names, in the order of the file.
    pub predictions: Vec<PredictionOutcome>,
    /// Overall verdict on each kind of evidence that a prediction asks for, in the order of `Evidence::ALL`.
    pub verdicts: Vec<(Evidence, Verdict)>,
    /// What the published conclusion would be called here; `None` where nothing definite was concluded.
    #[serde(default)]
    pub published_conclusion: Option<Verdict>,
    /// Whether it claims all of its core predictions, or any one of them.
    #[serde(default, skip_serializing_if = "Stands::is_all")]
    pub stands: Stands,
    /// Specification curves, one per prediction and kind of evidence that has a single effect.
    #[serde(default)]
    pub curves: Vec<Curve>,
}

/// One choice of a way of measuring, e.g. `reduction` = `last`, `BOS` = `never`, `models` = `without family llama`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Choice {
    /// Name of the dimension, e.g. `reduction`.
    pub dimension: String,
    /// What was chosen, e.g. `last`.
    pub value: String,
}

named_enum! {
    /// How a specification relates to the primary one.
    Kinship, "relation" {
        /// It is the primary one.
        Primary = "primary",
        /// Estimates the same thing as well: a different verdict makes the claim fragile.
        Equivalent = "equivalent",
        /// Asks another question; shown beside the claim.
        DifferentEstimand = "different-estimand",
    }
}

/// One way of measuring and what it says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Specification {
    /// Every choice, dimensions in the order of the curve.
    pub choices: Vec<Choice>,
    /// How it relates to the primary specification.
    pub relation: Kinship,
    /// The verdict under this specification.
    pub verdict: Verdict,
    /// Value of the effect.
    pub effect: Option<f64>,
    /// Lower end of the 1-alpha interval of the effect.
    pub low: Option<f64>,
    /// Upper end of the 1-alpha interval of the effect.
    pub high: Option<f64>,
    /// p of the effect.
    pub p: Option<f64>,
    /// Units behind it.
    pub n: u64,
}

/// Every defensible way of measuring one prediction, sorted by effect (Simonsohn, Simmons and Nelson 2020).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// Id of the prediction.
    pub prediction: String,
    /// The kind of evidence it was judged on.
    pub evidence: Evidence,
    /// What the effect is, e.g. `mean log gain over models` or `Spearman's rho`.
    pub effect: String,
    /// Value of the effect under the null hypothesis, e.g. 0 for a log ratio or a correlation.
    pub null: f64,
    /// The null hypothesis that p of the primary specification is of, in words.
    #[serde(default)]
    pub null_hypothesis: String,
    /// The specifications that have an effect, smallest first.
    pub specifications: Vec<Specification>,
    /// Share of the equivalent specifications (the primary among them) that give the primary's verdict.
    pub agreement: Option<f64>,
    /// Median effect over the equivalent specifications.
    pub median: Option<f64>,
    /// p of the median effect, and of the share beyond the null, from the same flips of units in every equivalent
    /// specification; `None` where no flip can tell (the note says why).
    pub joint_p_median: Option<f64>,
    /// p of the share of specifications beyond the null in one direction; `None` likewise.
    pub joint_p_share: Option<f64>,
    /// Flips behind the joint p.
    pub flips: u64,
    /// The choices that change the verdict by themselves, everything else as in the primary specification.
    pub deciding: Vec<Deciding>,
    /// Facts a reader needs, e.g. how many flips the joint p has.
    pub notes: Vec<String>,
}

/// A choice that changes the verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Deciding {
    /// Name of the dimension, e.g. `reduction`.
    pub dimension: String,
    /// The choice of the primary specification.
    pub from: String,
    /// The choice that changes the verdict.
    pub to: String,
    /// How the changed specification relates to the primary one.
    pub relation: Kinship,
    /// The verdict that it gives.
    pub verdict: Verdict,
}

/// One hypothesis in the family: its primary p on one kind of evidence, and the same after Holm over the family.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FamilyMember {
    /// Id of the hypothesis.
    pub hypothesis: String,
    /// The kind of evidence that the p is from.
    pub evidence: Evidence,
    /// Prediction the p is of.
    pub prediction: Option<String>,
    /// The null hypothesis that the p is of, in words; empty where there is no p.
    #[serde(default)]
    pub null: String,
    /// The verdict of the hypothesis by itself.
    #[serde(default)]
    pub before: Option<Verdict>,
    /// The verdict as one of the family: one that does not outlast the correction, or has no p to correct, is inconclusive.
    #[serde(default)]
    pub after: Option<Verdict>,
    /// The primary p; `None` where there is none (the note says why).
    pub p: Option<f64>,
    /// The same after Holm over the family.
    pub holm: Option<f64>,
    /// How many hypotheses the family has.
    #[serde(skip)]
    pub of: usize,
    /// How many of them have a p on this evidence; the others are counted as p = 1.
    #[serde(skip)]
    pub with_p: usize,
    /// Why there is no p, or that a support would not outlast the correction; else empty.
    pub note: String,
}

/// A p of the exploratory list: of a prediction that is not the one its hypothesis brings to the family.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Listed {
    /// Id of the hypothesis.
    pub hypothesis: String,
    /// Id of the prediction.
    pub prediction: String,
    /// The kind of evidence that the p is from.
    pub evidence: Evidence,
    /// p of the prediction.
    pub p: f64,
    /// After Benjamini and Hochberg over the list: of those below q, a share of at most q is false.
    pub adjusted: f64,
}

/// The comparison of a hypothesis file with its first registration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Registration {
    /// Hash of the hypothesis when first judged or registered; `None` where nothing was looked up.
    pub registered: Option<Key>,
    /// Whether it means something else since, so that its verdicts are exploratory.
    pub exploratory: bool,
    /// The changes, as lines of a unified diff of the canonical file.
    pub diff: Vec<String>,
    /// Registrations after the first, one line each: number, note, short hash.
    #[serde(default)]
    pub later: Vec<String>,
    /// What enters its verdict otherwise than when registered: models, prompts, tables, seed, version of the judge.
    #[serde(default)]
    pub entered: Vec<String>,
    /// The registered claim of another id that it copies.
    #[serde(default)]
    pub derived: Option<Derived>,
    /// What the change of meaning does to the verdicts, a sentence each: as first registered, and now.
    #[serde(default)]
    pub effects: Vec<String>,
}

/// A claim of another id that a claim copies but for wording and numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Derived {
    /// The other id.
    pub from: String,
    /// What differs, as lines of a unified diff.
    pub diff: Vec<String>,
}
