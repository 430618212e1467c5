//! Jobs: what is to be done, and what decides its output.

use base::{
    hash::{Fields, Key},
    named_enum,
};

named_enum! {
    /// The kinds of job, in the order of the data flow.
    JobKind, "job kind" {
        /// Read published tables.
        Import = "import",
        /// Build the ONNX graphs of a model shape.
        Export = "export",
        /// Run one prompt through one model.
        Observe = "observe",
        /// Measure what the weights of one model are like.
        Weigh = "weigh",
        /// Measure how the token vectors of a prompt set lie in one model.
        Spectra = "spectra",
        /// Judge one hypothesis.
        Judge = "judge",
        /// Write the report.
        Report = "report",
    }
}

/// A node of the job graph.
#[derive(Clone)]
pub struct Job<'a> {
    pub kind: JobKind,
    /// Human identity, unique, e.g. `observe/zoo-llama/grand25/france/auto`: finds the previous key.
    pub slot: String,
    /// For progress and plans, e.g. `zoo-llama: The capital of France is`.
    pub label: String,
    pub key: Key,
    /// Jobs whose outputs this one reads: places in the list that the graph is made of.
    pub needs: Vec<usize>,
    decided: &'a dyn Decided,
}

/// What knows the fields of a key. Only a stale job is asked for them, to say why: of 100,000 fresh ones they would be most
/// of a plan's memory.
pub trait Decided {
    fn fields(&self) -> Fields;
}

impl Decided for Fields {
    fn fields(&self) -> Fields {
        self.clone()
    }
}

impl<'a> Job<'a> {
    /// A job that needs nothing. The key is that of the fields that `decided` gives.
    pub fn new(
        kind: JobKind,
        slot: impl Into<String>,
        label: impl Into<String>,
        key: Key,
        decided: &'a dyn Decided,
    ) -> Job<'a> {
        Job { kind, slot: slot.into(), label: label.into(), key, needs: Vec::new(), decided }
    }

    #[must_use]
    pub fn needing(mut self, jobs: impl IntoIterator<Item = usize>) -> Job<'a> {
        self.needs.extend(jobs);
        self
    }

    /// What decides the output.
    pub fn fields(&self) -> Fields {
        self.decided.fields()
    }
}
