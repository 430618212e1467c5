//! Errors of GGUF files. Messages name the file and the key or tensor, what was expected and found, and what to do next.

use std::path::PathBuf;

/// A fault of a GGUF file.
#[derive(Debug, thiserror::Error)]
pub enum GgufError {
    /// A file that is no GGUF, or one that contradicts itself.
    #[error("{}: expected {expected}, found {found}; {next}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What should be there.
        expected: String,
        /// What is there.
        found: String,
        /// What to do next.
        next: &'static str,
    },
    /// An entry of the metadata that is missing, damaged, or means what is not computed here.
    #[error("{}: key `{}`: expected {expected}, found {found}; {next}", file.display(), key.escape_debug())]
    Key {
        /// The file.
        file: PathBuf,
        /// Name of the key.
        key: String,
        /// What should be there.
        expected: String,
        /// What is there.
        found: String,
        /// What to do next.
        next: &'static str,
    },
    /// A tensor whose entry in the directory contradicts itself or the file, or that is not used here.
    #[error("{}: tensor {tensor:?}: expected {expected}, found {found}; {next}", file.display())]
    Tensor {
        /// The file.
        file: PathBuf,
        /// Name of the tensor in the file.
        tensor: String,
        /// What should be there.
        expected: String,
        /// What is there.
        found: String,
        /// What to do next.
        next: &'static str,
    },
}

/// The advice about a file that contradicts itself.
pub(crate) const AGAIN: &str = "download the file again";
/// The advice about a model that is not computed here.
pub(super) const OTHER: &str =
    "use the model's safetensors checkpoint, or a model of a family that is read from GGUF";
