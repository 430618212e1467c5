//! Judging: a hypothesis and an evidence table in, verdicts with their numbers out.
//!
//! `hypothesis` says what is claimed, and `kinds` holds one file per kind of test. Around them, `lookup` finds the
//! numbers of a quantity, `decide` applies the rule of a prediction in the words of `meaning`, `multiverse` lists the ways to judge, `curve`
//! compares them, `overall` combines predictions, `family` corrects for how many claims there are, and `summary`
//! counts.

mod behind;
mod cache;
mod calibration;
mod cells;
mod combine;
mod condition;
mod context;
mod curve;
mod decide;
mod digits;
mod effect;
mod family;
mod findings;
pub mod hypothesis;
mod inputs;
mod judging;
pub(crate) mod kind;
pub mod kinds;
mod lookup;
mod meaning;
mod multiverse;
pub(crate) mod nature;
mod notes;
pub mod outcome;
mod overall;
mod population;
mod relevance;
mod remedy;
mod row_filter;
mod shared;
mod spread;
mod statistics;
pub mod summary;
pub mod verdict;

pub use behind::{Behind, behind};
pub use cache::StatisticsCache;
pub use calibration::{Calibration, Rates, WANTED_POWER, calibrate};
pub use family::{family, listed};
pub use judging::{judge, judge_with, primary};
pub use meaning::in_words;
pub use relevance::{asks_for, is_derived};
pub use remedy::would_decide;
