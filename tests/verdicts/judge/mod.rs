//! Verdicts on small made-up tables: each is reached for its reason, and says what decided it.

mod between;
mod contrasts;
mod degenerate;
mod joint;
mod kinds;
mod layers;
mod logic;
mod multiverse;
mod quantities;
pub(crate) mod table;
mod trainings;
mod units;
mod verdicts;
