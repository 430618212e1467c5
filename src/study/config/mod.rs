//! Experiments as TOML: files in, validated types out, every mistake reported at once with its place.
//!
//! One source of truth: the serde types of `experiment` and `hypothesis`. `schema` turns them into JSON Schemas;
//! `shape` checks the spanned tree of `document` against those; only a clean file is accepted (`repair` lets checks read on after a slip); then `rules` checks what
//! a file says by itself and `names` what files say about each other. `load` chains these.

mod asked;
pub(crate) mod document;
pub mod experiment;
pub mod intervention;
pub mod kind;
mod law;
mod load;
mod names;
mod paths;
mod regions;
mod repair;
pub mod report;
mod rules;
pub mod schema;
mod shape;
mod source;
pub mod template;

pub use crate::judge::hypothesis;
pub use kind::Kind;
pub use load::{Checked, Loaded, check, hypothesis_key, load, load_models, load_prompts};
pub use report::{Diagnostic, Report, nearest};
