//! Why a checkpoint cannot be read: the file and tensor, what was expected and found, and what to do next.

use std::{io, path::PathBuf};

/// What is wrong with a checkpoint folder.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    #[error("{}: expected a checkpoint folder, found {found}; give the folder that holds config.json and model.safetensors", folder.display())]
    NotAFolder { folder: PathBuf, found: &'static str },
    #[error("{}: {what}: {source}", file.display())]
    Io { file: PathBuf, what: &'static str, source: io::Error },
    #[error("{}: no config.json; download it from the model's repository into this folder", folder.display())]
    NoConfig { folder: PathBuf },
    #[error("{}: expected {expected}, found {found}; download the file again", file.display())]
    Json { file: PathBuf, expected: &'static str, found: String },
    #[error("{}: expected model.safetensors or model.safetensors.index.json, found {found}; {next}", folder.display())]
    NoWeights { folder: PathBuf, found: String, next: &'static str },
    #[error("{}: expected {expected}, found {found}; {next}", file.display())]
    File { file: PathBuf, expected: String, found: String, next: &'static str },
    #[error("{}: tensor {tensor:?}: expected {expected}, found {found}; {next}", file.display())]
    Tensor { file: PathBuf, tensor: String, expected: String, found: String, next: &'static str },
    #[error(
        "{}: tensor {tensor:?}: expected a weight of dtype F32, F16 or BF16, found {dtype}; use a checkpoint that \
         stores it in one of these (quantised weights are not read)",
        file.display()
    )]
    NotAWeight { file: PathBuf, tensor: String, dtype: String },
    #[error(
        "{}: no tensor {tensor:?} among its {count}{}; check that config.json belongs to these weights",
        folder.display(),
        similar.as_ref().map(|name| format!(" (most similar: {name:?})")).unwrap_or_default()
    )]
    NoTensor { folder: PathBuf, tensor: String, count: usize, similar: Option<String> },
}

/// What to do about a file that its own header contradicts.
pub(super) const AGAIN: &str = "download the file again or write it anew with safetensors";
