//! Experiments as TOML: files in, validated types out, every mistake reported at once with its place.

pub mod experiment;
pub mod hypothesis;
