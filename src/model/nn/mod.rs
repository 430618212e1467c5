//! Building blocks of transformers as graph functions.
//!
//! Token rows lie packed, `[T, ..]`, all prompts one after another without padding. Only attention sees prompts.

pub mod activation;
pub mod attention;
pub mod expert_mlp;
pub mod experts;
pub mod groups;
pub mod length;
pub mod linear;
pub mod mask;
pub mod mlp;
pub mod norm;
mod numbers;
pub mod positions;
pub mod rope;
pub mod rounds;
mod scope;
pub mod temperature;

pub use scope::{ExpertLayout, Scope, WEIGHT};

use crate::graph::Dim;

/// Tokens of all prompts of a batch.
pub const TOKENS: Dim = Dim::Named("T");
/// Prompts of a batch.
pub const PROMPTS: Dim = Dim::Named("P");
/// Tokens of the longest prompt of a batch.
pub const LONGEST: Dim = Dim::Named("M");
/// Rows that are read out: of any prompt, at any layer, scaled or not.
pub const ROWS: Dim = Dim::Named("R");
/// Rows of a piece of the vocabulary.
pub const CHUNK: Dim = Dim::Named("C");
