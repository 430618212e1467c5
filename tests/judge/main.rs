//! Verdicts on small made-up tables: each is reached for its reason, and says what decided it.

mod joint;
mod between;
mod contrasts;
mod kinds;
mod multiverse;
mod layers;
mod quantities;
mod scale;
mod table;
mod trainings;
mod verdicts;
