//! Progress of long work, as the stages report it. The terminal shows it; tests and `--quiet` do not.

use std::time::Duration;

/// What a walk of prompts through one model has to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Tokens of all prompts.
    pub tokens: u64,
    /// Rows that are computed: prompts that begin alike share them.
    pub rows: u64,
    /// Floating-point operations of the products with weight matrices, a multiplication and an addition each. Attention
    /// scores are left out.
    pub operations: u64,
}

/// A walk that is over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Done {
    pub work: Work,
    pub elapsed: Duration,
    pub largest: Product,
}

/// The largest matrix product of a walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Product {
    pub rows: usize,
    pub inputs: usize,
    pub outputs: usize,
    /// By the processor's tile registers, with the weight as it is stored.
    pub on_tiles: bool,
}

/// Receives progress. Implementations must not influence results.
pub trait Progress: Sync {
    /// A stage of `total` steps begins, e.g. `observe zoo-llama`, one step a block.
    fn start(&self, stage: &str, total: u64);
    /// A stage of `total` bytes begins, one step a byte.
    fn start_bytes(&self, stage: &str, total: u64) {
        self.start(stage, total);
    }
    /// `steps` more steps are done.
    fn advance(&self, steps: u64);
    /// A walk through a model is over; what it took.
    fn computed(&self, _: &Done) {}
    /// The stage is over.
    fn finish(&self);
    /// One line for people that is not an error, e.g. a quarantined object.
    fn note(&self, line: &str);
}

/// Shows nothing.
pub struct Silent;

impl Progress for Silent {
    fn start(&self, _: &str, _: u64) {}
    fn advance(&self, _: u64) {}
    fn finish(&self) {}
    fn note(&self, _: &str) {}
}

/// Passes notes on and shows no stages: for small work inside a larger one.
pub struct NotesOnly<'a>(pub &'a dyn Progress);

impl Progress for NotesOnly<'_> {
    fn start(&self, _: &str, _: u64) {}
    fn advance(&self, _: u64) {}
    fn computed(&self, done: &Done) {
        self.0.computed(done);
    }
    fn finish(&self) {}
    fn note(&self, line: &str) {
        self.0.note(line);
    }
}
