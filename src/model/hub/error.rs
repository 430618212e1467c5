//! Why a model of the hub cannot be had: what was asked, what came back, what to do next. No message holds a token.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use super::HubId;
use crate::checkpoint::CheckpointError;

/// What is wrong with an id, the hub's answer, the connection or the cache.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    #[error(
        "{text:?}: {why}; expected owner/name, or owner/name@revision, e.g. EleutherAI/pythia-70m@step1000"
    )]
    BadId { text: String, why: &'static str },
    #[error(
        "{id} is not in the cache {}, and the hub is not asked: HF_HUB_OFFLINE is set; unset it once to download the \
         model, or set HF_HOME to the cache that holds it",
        cache.display()
    )]
    Offline { id: HubId, cache: PathBuf },
    #[error(
        "{endpoint} has no model {}, or it is private; check the spelling{}",
        id.repo(),
        if *token { ", and that your token may read it" } else { "; for a private model set HF_TOKEN" }
    )]
    NoRepo { id: HubId, endpoint: String, token: bool },
    #[error("{} has no revision {:?}; its branches and tags are listed on {endpoint}/{0}/tree/main", id.repo(), id.revision())]
    NoRevision { id: HubId, endpoint: String },
    #[error("{id}: {endpoint} lists {file} and yet has none; try again, or another revision")]
    NoFile { id: HubId, endpoint: String, file: String },
    #[error(
        "{} is gated: accept its licence on {endpoint}/{0}, {}",
        id.repo(),
        if *token {
            "with the account of your token (and let a fine-grained token read gated models); then run again"
        } else {
            "then set HF_TOKEN to a token of that account (or `hf auth login`) and run again"
        }
    )]
    Gated { id: HubId, endpoint: String, token: bool },
    #[error(
        "{endpoint} does not accept the token of HF_TOKEN (or of `hf auth login`); make a new one on \
         {endpoint}/settings/tokens, or unset it: public models need none"
    )]
    BadToken { endpoint: String },
    #[error(
        "{id}: {endpoint} asks to wait {} s before the next request (429, too many requests); run again then, a token \
         in HF_TOKEN raises the limit",
        wait.as_secs().max(1)
    )]
    Busy { id: HubId, endpoint: String, wait: Duration },
    #[error("{id}: {host} answered {status}{message}; run again later, what was downloaded is kept")]
    Status { id: HubId, host: String, status: u16, message: String },
    #[error("{id}: expected {expected}, found {found}; check HF_ENDPOINT")]
    BadAnswer { id: HubId, expected: &'static str, found: String },
    #[error(
        "{id}: cannot reach {host}: {why}; check the network, or set HF_HUB_OFFLINE=1 to use the cache alone"
    )]
    Unreachable { id: HubId, host: String, why: String },
    #[error(
        "{id}: {host} is not trusted: {why}; if your network has certificates of its own, set SSL_CERT_FILE to them"
    )]
    Untrusted { id: HubId, host: String, why: String },
    #[error(
        "{id}: the connection was cut {tries} times in a row while {file} came in ({why}); {have} of its {size} bytes \
         are kept, the next run goes on from there"
    )]
    Cut { id: HubId, file: String, have: u64, size: u64, tries: u32, why: String },
    #[error(
        "{id}: {file} is not what the hub says it is: expected the hash {expected}, found {found}; the download was \
         discarded, run again"
    )]
    WrongHash { id: HubId, file: String, expected: String, found: String },
    #[error(
        "{id} is no checkpoint that can be read: expected config.json and {}, found {}; {}",
        "model.safetensors (or its index)",
        listed(files),
        next(files)
    )]
    NotACheckpoint { id: HubId, files: Vec<String> },
    #[error("{id}: {why} (its weights were not downloaded)")]
    Unfit { id: HubId, why: String },
    #[error(
        "{}: the disk is full; {missing} more bytes are needed: make room or set HF_HOME to a larger disk, what was \
         downloaded is kept",
        path.display()
    )]
    DiskFull { path: PathBuf, missing: u64 },
    #[error("cannot {what} {}: {error}; the hub cache must be writable (HF_HOME)", path.display())]
    Io { what: &'static str, path: PathBuf, error: io::Error },
    #[error("{}: expected certificates in PEM, found {why}; correct SSL_CERT_FILE or unset it", path.display())]
    Certificates { path: PathBuf, why: String },
    #[error(transparent)]
    Index(#[from] CheckpointError),
}

impl HubError {
    pub(super) fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> HubError {
        move |error| match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                HubError::DiskFull { path: path.to_path_buf(), missing: 1 }
            }
            _ => HubError::Io { what, path: path.to_path_buf(), error },
        }
    }
}

/// The weights there are, else the first few files.
fn listed(files: &[String]) -> String {
    let weights: Vec<&str> = files.iter().map(String::as_str).filter(|name| is_weights(name)).collect();
    let shown: Vec<&str> =
        if weights.is_empty() { files.iter().map(String::as_str).take(5).collect() } else { weights };
    match shown.as_slice() {
        [] => "no file at all".to_string(),
        shown if shown.len() > 5 => format!("{}, …", plain(&shown[..5])),
        shown => plain(shown),
    }
}

/// Names come from the repository: what a terminal would obey is written out.
fn plain(names: &[&str]) -> String {
    names.join(", ").escape_debug().to_string()
}

fn next(files: &[String]) -> &'static str {
    if files.iter().any(|name| is_weights(name)) {
        "other weights are not read: look for a revision with safetensors (the hub's conversion bot opens one as \
         refs/pr/N), or convert them with transformers' save_pretrained"
    } else {
        "give the repository of a language model in transformers' layout"
    }
}

fn is_weights(name: &str) -> bool {
    [".bin", ".pt", ".pth", ".gguf", ".h5", ".msgpack", ".onnx"].iter().any(|end| name.ends_with(end))
}
