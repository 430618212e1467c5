//! Evidence: published tables and what is observed here in one schema, a table for each kind, never mixed.
//!
//! The long table has one row per number. Every row says what produced it: evidence kind, source, model,
//! prompt, protocol, dtype and, in words, the exact definition.

use std::borrow::Cow;

use crate::facts::ModelFacts;
use crate::metric::Metric;
use crate::protocol::Protocol;
use crate::text::Text;
use base::named_enum;

named_enum! {
    /// Where a number comes from, and so what it can be evidence of.
    Evidence, "evidence" {
        /// Imported from published tables.
        Published = "published",
        /// Observed here, on a checkpoint that was trained on natural data.
        Measured = "measured",
        /// Observed here, on a miniature, on random weights, or on a stage or variant of these: it tests the instrument and says
        /// nothing about language models.
        Rehearsal = "rehearsal",
    }
}

impl Evidence {
    /// The kinds that this program observes itself.
    pub const OBSERVED: [Evidence; 2] = [Evidence::Measured, Evidence::Rehearsal];
}

/// One number with everything that produced it.
#[derive(Clone, Debug, PartialEq)]
pub struct Measurement {
    /// Where the number comes from.
    pub evidence: Evidence,
    /// Published: the source's name, e.g. `four_model`. Observed here: `streamgauge`.
    pub source: Text,
    /// Model id (published name, or id of the model list).
    pub model: Text,
    /// Prompt id; `None` for a property of the weights, or an aggregate over prompts.
    pub prompt: Option<Text>,
    /// Category of the prompt, e.g. `Factual`.
    pub category: Option<Text>,
    /// What was measured.
    pub metric: Metric,
    /// The branch of the blocks that the number is of, where the metric does not say it ([`Metric::is_of_branch`]).
    pub branch: Option<Text>,
    /// Layer index for per-layer metrics: l = the stream entering block l, L = output of the last block.
    pub layer: Option<u32>,
    /// `None` only where no token enters the number (a property of the weights).
    pub protocol: Option<Protocol>,
    /// dtype of the computation that produced the number, e.g. `float32`, `bfloat16`.
    pub dtype: Text,
    /// In the metric's own unit.
    pub value: f64,
    /// What was divided by what, in words, where the source deviates from the metric's definition; else empty.
    pub definition: Text,
}

impl Measurement {
    /// The name of the number in tables and files: that of its metric, with the branch in parentheses, if it has one.
    pub fn name(&self) -> Cow<'static, str> {
        match &self.branch {
            None => Cow::Borrowed(self.metric.as_str()),
            Some(branch) => Cow::Owned(format!("{}({branch})", self.metric)),
        }
    }
}

/// One prompt as far as statistics need it.
#[derive(Clone, Debug, PartialEq)]
pub struct PromptInfo {
    /// Id within its prompt set, as rows state it.
    pub id: String,
    /// E.g. `Factual`.
    pub category: String,
    /// The text that was run; empty where a published table gives none.
    pub text: String,
    /// The prompt sets that it is in, the first one first: prompts of one set resemble each other, so statistics over prompts stay
    /// within sets. None where no source states it.
    pub sets: Vec<String>,
}

/// A model as far as statistics need it.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelInfo {
    /// Id as rows state it.
    pub id: String,
    /// What its numbers are evidence of.
    pub evidence: Evidence,
    /// What its config or the published tables say of it.
    pub facts: ModelFacts,
}

/// All the numbers of one kind of evidence, with models and prompts behind them. Rows are sorted.
#[derive(Clone, Debug, Default)]
pub struct EvidenceTable {
    /// Models that have rows.
    pub models: Vec<ModelInfo>,
    /// Prompts that rows name.
    pub prompts: Vec<PromptInfo>,
    /// One per number.
    pub rows: Vec<Measurement>,
}

/// What is judged: a table for each kind of evidence.
#[derive(Clone, Copy, Debug)]
pub struct Tables<'a> {
    /// Rows of earlier work.
    pub published: &'a EvidenceTable,
    /// Rows of checkpoints that were trained on natural data.
    pub measured: &'a EvidenceTable,
    /// Rows of checkpoints that only test the instrument.
    pub rehearsal: &'a EvidenceTable,
}

impl<'a> Tables<'a> {
    /// The table of one kind of evidence.
    pub fn of(&self, evidence: Evidence) -> &'a EvidenceTable {
        match evidence {
            Evidence::Published => self.published,
            Evidence::Measured => self.measured,
            Evidence::Rehearsal => self.rehearsal,
        }
    }
}
