//! Tidy tables.
