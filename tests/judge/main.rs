//! Verdicts on small made-up tables: each is reached for its reason, and says what decided it.

mod joint;
mod kinds;
mod multiverse;
mod table;
mod verdicts;
