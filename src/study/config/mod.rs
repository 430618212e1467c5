//! Experiments as TOML: files in, validated types out, every mistake reported at once with its place.
//!
//! The types of `experiment` and of [`judge::hypothesis`](crate::judge::hypothesis) are the one source of truth. `schema`
//! turns them into JSON Schemas, `document` keeps the place of every value, `check` finds the mistakes, `report` prints
//! them, and `load` chains these.

mod check;
pub(crate) mod document;
pub mod experiment;
mod id;
pub mod intervention;
pub mod kind;
mod load;
mod paths;
pub mod report;
pub mod schema;
mod source;
pub mod template;

pub use check::branches::{BranchesByModel, branches as check_branches, names_a_branch};
pub use kind::Kind;
pub use load::{
    Checked, Loaded, NO_MEANING, check, hypothesis_key, load, load_models, load_prompts, meaning, problems,
};
pub use report::{Diagnostic, Report};
