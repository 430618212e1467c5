//! Progress of long work, as the stages report it. The terminal shows it; tests and `--quiet` do not.

use std::{iter::Sum, time::Duration};

/// What a walk of prompts through one model has to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Tokens of all prompts.
    pub tokens: u64,
    /// Rows that are computed: prompts that begin alike share them.
    pub rows: u64,
    /// Products of the runtime, in float32.
    pub by_runtime: Products,
    /// Products of this program, with the weight as it is stored.
    pub as_stored: Products,
}

/// Products with weight matrices. Attention scores are left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Products {
    /// Floating-point operations, a multiplication and an addition each.
    pub operations: u64,
    /// The largest product that is computed at once.
    pub largest: Product,
}

/// `[rows, inputs]` with a weight `[outputs, inputs]`, or one of that size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Product {
    /// Rows that are multiplied.
    pub rows: usize,
    /// Width of a row before.
    pub inputs: usize,
    /// Width of a row after.
    pub outputs: usize,
}

/// A walk that is over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Done {
    /// What was done.
    pub work: Work,
    /// How long it took.
    pub elapsed: Duration,
}

impl Work {
    /// Floating-point operations of all products.
    pub fn operations(&self) -> u64 {
        self.by_runtime.operations + self.as_stored.operations
    }
}

impl Sum for Work {
    fn sum<I: Iterator<Item = Work>>(all: I) -> Work {
        all.fold(Work::default(), |a, b| Work {
            tokens: a.tokens + b.tokens,
            rows: a.rows + b.rows,
            by_runtime: a.by_runtime.and(b.by_runtime),
            as_stored: a.as_stored.and(b.as_stored),
        })
    }
}

impl Products {
    fn and(self, other: Products) -> Products {
        let largest = if other.largest.size() > self.largest.size() { other.largest } else { self.largest };
        Products { operations: self.operations + other.operations, largest }
    }

    /// Adds one product, of which `most` is computed at once.
    pub fn add(&mut self, product: Product, most: Product) {
        *self = self.and(Products { operations: 2 * product.size(), largest: most });
    }
}

impl Product {
    fn size(self) -> u64 {
        [self.rows, self.inputs, self.outputs].iter().map(|count| *count as u64).product()
    }
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
