//! Judging: a hypothesis and an evidence table in, verdicts with their numbers out.

pub mod outcome;
