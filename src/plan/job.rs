//! Jobs: what is to be done, and what decides its output.

use crate::{
    hash::{Fields, Key},
    protocol::named_enum,
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    pub kind: JobKind,
    /// Human identity, unique, e.g. `observe/zoo-llama/grand25/france/auto`: finds the previous key.
    pub slot: String,
    /// For progress and plans, e.g. `zoo-llama: The capital of France is`.
    pub label: String,
    /// What decides the output.
    pub fields: Fields,
    /// Slots of the jobs whose outputs this one reads.
    pub needs: Vec<String>,
}

impl Job {
    /// A job that needs nothing.
    pub fn new(kind: JobKind, slot: impl Into<String>, label: impl Into<String>, fields: Fields) -> Job {
        Job { kind, slot: slot.into(), label: label.into(), fields, needs: Vec::new() }
    }

    #[must_use]
    pub fn needing<S: Into<String>>(mut self, slots: impl IntoIterator<Item = S>) -> Job {
        self.needs.extend(slots.into_iter().map(Into::into));
        self
    }

    pub fn key(&self) -> Key {
        self.fields.key()
    }
}
