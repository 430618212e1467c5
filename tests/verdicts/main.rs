//! Hypotheses, statistics and the judge: how numbers become verdicts.

mod claims;
mod config;
mod judge;
mod published;
mod stats;
mod stats_properties;
mod stats_reference;
mod stored;
