//! Quantities: which numbers a test reads.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::models::FactCondition;
use number::metric::{DecisiveParts, Metric};
use number::protocol::Protocol;

/// Which numbers: a metric under a protocol, possibly of selected rows only, or a fact of the model; possibly times or over
/// others. With `times` or `over`, `scale` is that of the result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Quantity {
    /// One of `metric` and `fact`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<Metric>,
    /// The branch of the blocks that the metric is of, for metrics of a branch such as `branch-write`: the name that its taps
    /// begin with, `attn`, `mlp` or another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// A fact of the model that is a number, e.g. `rope_theta`: one value per model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fact: Option<String>,
    /// How each number is transformed before the test.
    #[serde(default)]
    pub scale: Scale,
    /// Instead of the hypothesis's protocol. A test that compares quantities under different ones must set
    /// `across-protocols = true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,
    /// Which rows or models it is read from.
    #[serde(default, skip_serializing_if = "Select::is_empty")]
    pub select: Select,
    /// Multiplied by this, prompt by prompt; a property of the model multiplies every prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<Box<Quantity>>,
    /// Divided by this, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<Box<Quantity>>,
}

impl Quantity {
    /// The metric as it is, under the protocol of the hypothesis and of all rows.
    pub fn of(metric: Metric) -> Quantity {
        Quantity {
            metric: Some(metric),
            branch: None,
            fact: None,
            scale: Scale::Linear,
            protocol: None,
            select: Select::default(),
            times: None,
            over: None,
        }
    }

    /// This quantity and those it is combined with, each with the fields that lead to it.
    pub fn walk(&self) -> Vec<(Vec<&'static str>, &Quantity)> {
        let mut all = vec![(Vec::new(), self)];
        for (field, inner) in [("times", &self.times), ("over", &self.over)] {
            for (path, quantity) in inner.iter().flat_map(|inner| inner.walk()) {
                all.push(([&[field], &path[..]].concat(), quantity));
            }
        }
        all
    }

    /// The metric and, if it does not name it itself, the branch under which the numbers are filed; `None` of a fact, and of a
    /// branch that has no such number.
    pub fn filed(&self) -> Option<(Metric, Option<&str>)> {
        self.metric?.filed_of(self.branch.as_deref())
    }

    /// The parts of a protocol that enter the number, without what it is combined with: of its own protocol or else of
    /// `primary`. None enters a fact.
    pub fn decisive(&self, primary: Protocol) -> DecisiveParts {
        let protocol = self.protocol.unwrap_or(primary);
        self.metric.map(|metric| metric.decisive(protocol)).unwrap_or_default()
    }

    /// Whether the number has a protocol at all: facts and properties of the weights have none.
    pub fn has_protocol(&self) -> bool {
        self.metric.is_some_and(|metric| metric.describe().needs_protocol())
    }

    /// In words, e.g. `unembedding-spectral-norm times last-gain` or `vocabulary`.
    pub fn name(&self) -> String {
        let own = match (&self.metric, &self.fact) {
            (Some(metric), _) => match &self.branch {
                Some(branch) => format!("{metric} of {branch}"),
                None => metric.to_string(),
            },
            (None, Some(fact)) => fact.clone(),
            (None, None) => "nothing".to_string(),
        };
        let inner = |word: &str, inner: &Option<Box<Quantity>>| {
            inner.as_ref().map(|q| format!(" {word} {}{}", q.scale.prefix(), q.name())).unwrap_or_default()
        };
        format!("{own}{}{}", inner("times", &self.times), inner("over", &self.over))
    }
}

/// Keep only rows that match everything given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Select {
    /// Source of the row, e.g. a published table; `streamgauge` for what is measured here.
    pub source: Option<String>,
    /// Id of the model.
    pub model: Option<String>,
    /// Id of the prompt.
    pub prompt: Option<String>,
    /// Layer, counted from 0 (the embedding); block l ends at layer l.
    pub layer: Option<u32>,
    /// Layer counted back from the last block's output (0 = L, 1 = L-1), for models of different depth.
    pub layers_before_last: Option<u32>,
    /// Dtype that the row was computed in.
    pub dtype: Option<String>,
    /// Prompts of these categories are left out.
    pub without_categories: Vec<String>,
    /// Models with these facts only, e.g. one group of the models that the filter takes.
    #[serde(rename = "where", skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<FactCondition>,
}

impl Select {
    /// Whether every row is kept.
    pub fn is_empty(&self) -> bool {
        *self == Select::default()
    }
}

/// Transformation of each number before the test.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scale {
    /// The number as it is.
    #[default]
    Linear,
    /// Natural logarithm.
    Log,
    /// |natural logarithm|.
    AbsLog,
    /// |number - 1|: how far a ratio is from changing nothing.
    AbsMinusOne,
    /// Square root.
    Sqrt,
}

impl Scale {
    /// Before a name: `log ` for the logarithm of what is named.
    pub fn prefix(self) -> &'static str {
        match self {
            Scale::Linear => "",
            Scale::Log => "log ",
            Scale::AbsLog => "|log| ",
            Scale::AbsMinusOne => "distance from 1 of ",
            Scale::Sqrt => "sqrt ",
        }
    }
}
