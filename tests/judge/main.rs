//! Verdicts on small made-up tables: each is reached for its reason, and says what decided it.

mod kinds;
mod table;
mod verdicts;
