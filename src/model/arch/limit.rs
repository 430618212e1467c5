//! Prompts up to which a model is computed as it is defined.

/// A limit on the length of prompts below the context: beyond it the model computes what this instrument does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PromptLimit {
    /// The longest prompt, tokens.
    pub tokens: usize,
    /// The key of the config that says so.
    pub key: &'static str,
    /// What happens beyond it.
    pub beyond: &'static str,
}
