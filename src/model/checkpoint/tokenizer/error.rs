//! What goes wrong between a text and its ids.

use std::path::PathBuf;

use super::super::CheckpointError;

/// A prompt or a tokenizer that gives no token ids.
#[derive(Debug, thiserror::Error)]
pub enum TokenizerError {
    /// A folder without a tokenizer.
    #[error(
        "{}: no tokenizer.json, nor vocab.json and merges.txt, nor tokenizer.model; download the model's tokenizer into this folder, or give token ids instead of text (`--tokens 1,2,3`)",
        folder.display()
    )]
    Missing {
        /// The folder.
        folder: PathBuf,
    },
    /// A file that is no tokenizer.
    #[error(
        "{}: expected a tokenizer of the `tokenizers` library, found: {found}; download the file again, or give token ids \
         instead of text (`--tokens 1,2,3`)",
        file.display()
    )]
    Bad {
        /// The tokenizer's file.
        file: PathBuf,
        /// What it holds instead.
        found: String,
    },
    /// Files of a tokenizer without `tokenizer.json` that make none.
    #[error("{}: expected {expected}, found {found}; {next}", file.display())]
    Older {
        /// The file.
        file: PathBuf,
        /// What should be there.
        expected: String,
        /// What is there.
        found: String,
        /// What to do.
        next: &'static str,
    },
    /// A policy that needs a BOS, of a tokenizer that has none.
    #[error(
        "{}: the policy {policy:?} needs a BOS token, but {why}; use the policy \"never\", or {other}",
        file.display()
    )]
    NoBos {
        /// The tokenizer's file.
        file: PathBuf,
        /// Name of the BOS policy.
        policy: &'static str,
        /// What is missing.
        why: String,
        /// What else helps.
        other: &'static str,
    },
    /// A prompt without text.
    #[error("the prompt is empty; give a text of at least one token")]
    EmptyText,
    /// A text that becomes no token.
    #[error("{}: {text:?} becomes no token at all; give a text of at least one token", file.display())]
    NoTokens {
        /// The tokenizer's file.
        file: PathBuf,
        /// The prompt.
        text: String,
    },
    /// A text that the tokenizer fails on.
    #[error(
        "{}: cannot encode {text:?}: {why}; give token ids instead of text (`--tokens 1,2,3`), or use the tokenizer.json of a model \
         that you trust",
        file.display()
    )]
    Encode {
        /// The tokenizer's file.
        file: PathBuf,
        /// The prompt.
        text: String,
        /// What the tokenizer says.
        why: String,
    },
    /// A file beside it cannot be read.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}
