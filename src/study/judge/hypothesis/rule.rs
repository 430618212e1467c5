//! Decision rules: from statistics to the verdict of a prediction, and from predictions to their hypothesis.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::judge::verdict::Verdict;

/// When a prediction is supported, contradicted or negligible: all conditions of a list must hold, of `contradicted` any
/// one if it says so. What fits no list is inconclusive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Rule {
    /// Conditions that support the prediction.
    pub supported: Vec<Condition>,
    /// Conditions that contradict it.
    #[serde(default)]
    pub contradicted: Vec<Condition>,
    /// A claim of several parts falls with any of them.
    #[serde(default, skip_serializing_if = "Holds::is_all")]
    pub contradicted_when: Holds,
    /// Conditions under which the effect is too small to matter.
    #[serde(default)]
    pub negligible: Vec<Condition>,
}

/// How many of a list's conditions must hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Holds {
    /// All of them.
    #[default]
    All,
    /// Any one of them.
    Any,
}

impl Holds {
    // Serde asks with a reference. What is not written does not enter the hash of older files.
    #[allow(clippy::trivially_copy_pass_by_ref)]
    fn is_all(&self) -> bool {
        *self == Holds::All
    }
}

/// The conditions that lead to a verdict, and how many of them must hold.
#[derive(Clone, Copy, Debug)]
pub struct Way<'a> {
    /// The verdict that the conditions lead to.
    pub verdict: Verdict,
    /// The conditions; an empty list is never met.
    pub conditions: &'a [Condition],
    /// How many of them must hold.
    pub holds: Holds,
}

impl Rule {
    /// The three verdicts that a rule can give, each with its conditions.
    pub fn ways(&self) -> [Way<'_>; 3] {
        [
            Way { verdict: Verdict::Supported, conditions: &self.supported, holds: Holds::All },
            Way {
                verdict: Verdict::Contradicted,
                conditions: &self.contradicted,
                holds: self.contradicted_when,
            },
            Way { verdict: Verdict::Negligible, conditions: &self.negligible, holds: Holds::All },
        ]
    }
}

/// A bound on one statistic. Bounds given together must all hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Condition {
    /// Name of the statistic, one of those that the test offers.
    pub statistic: String,
    /// The statistic is larger than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<f64>,
    /// The statistic is at least this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
    /// The statistic is smaller than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<f64>,
    /// The statistic is at most this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<f64>,
}

/// How a claim follows from its core predictions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Stands {
    /// "And": it stands with all of them, and any that is contradicted refutes it.
    #[default]
    All,
    /// "Or": it stands with any of them, and is refuted when all are contradicted.
    Any,
}

impl Stands {
    // Serde asks with a reference. What is not written does not enter the hash of older files.
    #[allow(clippy::trivially_copy_pass_by_ref)]
    pub(crate) fn is_all(&self) -> bool {
        *self == Stands::All
    }
}
