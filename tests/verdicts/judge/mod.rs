//! Verdicts on small made-up tables: each is reached for its reason, and says what decided it.

mod between;
mod contrasts;
mod joint;
mod kinds;
mod layers;
mod multiverse;
mod quantities;
mod table;
mod trainings;
mod units;
mod verdicts;
