//! Errors of a checkpoint. Messages name the file and the tensor, what was expected and found, and what to do next.

use std::{io, path::PathBuf};

use crate::gguf::GgufError;

/// A fault of a checkpoint folder.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// A path that is no folder.
    #[error("{}: expected a checkpoint folder, found {found}; give the folder that holds config.json and model.safetensors", folder.display())]
    NotAFolder {
        /// The folder.
        folder: PathBuf,
        /// What is there.
        found: &'static str,
    },
    /// A file that cannot be read.
    #[error("{}: {what}: {source}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What was tried, e.g. `cannot open`.
        what: &'static str,
        /// The system's error.
        source: io::Error,
    },
    /// A folder without `config.json`.
    #[error(
        "{}: no config.json; download it from the model's repository into this folder, or give the path of a GGUF file",
        folder.display()
    )]
    NoConfig {
        /// The folder.
        folder: PathBuf,
    },
    /// A file that is no JSON of the form expected.
    #[error("{}: expected {expected}, found {found}; download the file again", file.display())]
    Json {
        /// The file.
        file: PathBuf,
        /// What should be there.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// A folder without weights.
    #[error("{}: expected model.safetensors or pytorch_model.bin (or an index as model.safetensors.index.json), found {found}; {next}", folder.display())]
    NoWeights {
        /// The folder.
        folder: PathBuf,
        /// What is there.
        found: String,
        /// What to do next.
        next: &'static str,
    },
    /// A file of weights that contradicts itself or its index.
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
    /// A tensor whose entry in a header contradicts itself or the file.
    #[error("{}: tensor {tensor:?}: expected {expected}, found {found}; {next}", file.display())]
    Tensor {
        /// The file.
        file: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// What should be there.
        expected: String,
        /// What is there.
        found: String,
        /// What to do next.
        next: &'static str,
    },
    /// A tensor of a type that holds no weights this program reads.
    #[error(
        "{}: tensor {tensor:?}: expected a weight of dtype F32, F16 or BF16, found {dtype}; use a checkpoint that \
         stores it in one of these, or whose config.json says how it is quantised",
        file.display()
    )]
    NotAWeight {
        /// The file.
        file: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// Its type in the header.
        dtype: String,
    },
    /// A file of weights that was written to, replaced or removed while it was read.
    #[error(
        "{}: expected the file that was opened, found {found}: it changed while it was read, and nothing that was computed \
         since is kept; wait until whatever writes it is done, then run again",
        file.display()
    )]
    Changed {
        /// The file.
        file: PathBuf,
        /// What is there now.
        found: String,
    },
    /// Weights that are quantised in a way that is not read.
    #[error("{}: {what}: expected {expected}, found {found}; {next}", file.display())]
    Quantisation {
        /// The config, or the file of the tensor.
        file: PathBuf,
        /// Method and key, or tensor.
        what: String,
        /// What should be there.
        expected: String,
        /// What is there.
        found: String,
        /// What to do next.
        next: &'static str,
    },
    /// A GGUF file that contradicts itself or is not computed with.
    #[error(transparent)]
    Gguf(#[from] GgufError),
    /// A tensor that the checkpoint does not have.
    #[error(
        "{}: no tensor {tensor:?} among its {count}{}; check that config.json belongs to these weights",
        folder.display(),
        similar.as_ref().map(|name| format!(" (most similar: {name:?})")).unwrap_or_default()
    )]
    NoTensor {
        /// The folder.
        folder: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// How many tensors there are.
        count: usize,
        /// The most similar name.
        similar: Option<String>,
    },
}

/// The advice about a file that its own header contradicts.
pub(super) const AGAIN: &str = "download the file again or write it anew with safetensors";
/// The advice about weights that are quantised in a way that is not read.
pub(super) const OTHERWISE: &str = "use a checkpoint that is quantised so, or the one that it was made from";
