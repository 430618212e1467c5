//! Hypotheses, statistics and the judge: how numbers become verdicts.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod calibration;
mod claims;
mod config;
mod judge;
mod lineages;
mod published;
mod statistics;
mod stats;
mod stats_properties;
mod stats_reference;
mod stored;
mod worlds;
