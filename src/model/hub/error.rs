//! Errors of the hub. Messages say what was asked, what came back and what to do next; none holds a token.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    time::Duration,
};

use super::HubId;
use crate::checkpoint::CheckpointError;
use base::secret;

/// A text of somebody else's as it may be shown: without a secret that it quotes.
#[derive(Clone, PartialEq, Eq)]
pub struct Shown(String);

impl Shown {
    /// A text between quotes, with what a terminal would obey written out.
    pub(super) fn quoted(text: &str) -> Shown {
        Shown(format!("{:?}", secret::hide(text)))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<T: AsRef<str>> From<T> for Shown {
    fn from(text: T) -> Shown {
        Shown(secret::hide(text.as_ref()).into_owned())
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// A fault of an id, the hub's answer, the connection or the cache.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// A text that is no model id.
    #[error(
        "{text:?}: {why}; expected owner/name, owner/name@revision, e.g. EleutherAI/pythia-70m@step1000, or a file of \
         either as owner/name:FILE.gguf"
    )]
    BadId {
        /// The text.
        text: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The model is not in the cache, and the hub must not be asked.
    #[error(
        "{id} is not in the cache {}, and the hub is not asked: HF_HUB_OFFLINE is set; unset it once to download the \
         model, or set HF_HOME to the cache that holds it",
        cache.display()
    )]
    Offline {
        /// The model asked for.
        id: HubId,
        /// Folder of the cache.
        cache: PathBuf,
    },
    /// The hub knows no such model, or not for this user.
    #[error(
        "{endpoint} has no model {}, or it is private; check the spelling{}",
        id.repo(),
        if *token { ", and that your token may read it" } else { "; for a private model set HF_TOKEN" }
    )]
    NoRepo {
        /// The model asked for.
        id: HubId,
        /// Address of the hub.
        endpoint: Shown,
        /// Whether a token was sent.
        token: bool,
    },
    /// The model has no such branch, tag or commit.
    #[error("{} has no revision {:?}; its branches and tags are listed on {endpoint}/{0}/tree/main", id.repo(), id.revision())]
    NoRevision {
        /// The model asked for.
        id: HubId,
        /// Address of the hub.
        endpoint: Shown,
    },
    /// A file that the hub lists and then does not have.
    #[error("{id}: {endpoint} lists {file} and yet has none; try again, or another revision")]
    NoFile {
        /// The model asked for.
        id: HubId,
        /// Address of the hub.
        endpoint: Shown,
        /// Name of the file in the repository.
        file: Shown,
    },
    /// A model whose licence this user has not accepted.
    #[error(
        "{} is gated: accept its licence on {endpoint}/{0}, {}",
        id.repo(),
        if *token {
            "with the account of your token (and let a fine-grained token read gated models); then run again"
        } else {
            "then set HF_TOKEN to a token of that account (or `hf auth login`) and run again"
        }
    )]
    Gated {
        /// The model asked for.
        id: HubId,
        /// Address of the hub.
        endpoint: Shown,
        /// Whether a token was sent.
        token: bool,
    },
    /// The hub refuses the token.
    #[error(
        "{endpoint} does not accept the token of HF_TOKEN (or of `hf auth login`); make a new one on \
         {endpoint}/settings/tokens, or unset it: public models need none"
    )]
    BadToken {
        /// Address of the hub.
        endpoint: Shown,
    },
    /// Too many requests: the hub asks for a pause longer than this program waits.
    #[error(
        "{id}: {endpoint} asks to wait {} s before the next request (429, too many requests); run again then, a token \
         in HF_TOKEN raises the limit",
        wait.as_secs().max(1)
    )]
    Busy {
        /// The model asked for.
        id: HubId,
        /// Address of the hub.
        endpoint: Shown,
        /// How long the hub asks to wait.
        wait: Duration,
    },
    /// An answer with an HTTP status of failure.
    #[error("{id}: {host} answered {status}{message}; run again later, what was downloaded is kept")]
    Status {
        /// The model asked for.
        id: HubId,
        /// Address of the host that answered.
        host: Shown,
        /// HTTP status.
        status: u16,
        /// The answer's own words, with a colon before them; empty if it has none.
        message: Shown,
    },
    /// An answer of another form than the hub gives.
    #[error("{id}: expected {expected}, found {found}; check HF_ENDPOINT")]
    BadAnswer {
        /// The model asked for.
        id: HubId,
        /// The answer that was expected.
        expected: &'static str,
        /// The answer that came.
        found: Shown,
    },
    /// No connection to a host.
    #[error(
        "{id}: cannot reach {host}: {why}; check the network, or set HF_HUB_OFFLINE=1 to use the cache alone"
    )]
    Unreachable {
        /// The model asked for.
        id: HubId,
        /// Address of the host that was asked.
        host: Shown,
        /// What the connection says.
        why: Shown,
    },
    /// A host whose certificate cannot be checked.
    #[error(
        "{id}: {host} is not trusted: {why}; if your network has certificates of its own, set SSL_CERT_FILE to them"
    )]
    Untrusted {
        /// The model asked for.
        id: HubId,
        /// Address of the host that was asked.
        host: Shown,
        /// What the connection says.
        why: Shown,
    },
    /// A download that was cut too often in a row.
    #[error(
        "{id}: the connection was cut {tries} times in a row while {file} came in ({why}); {have} of its {size} bytes \
         are kept, the next run goes on from there"
    )]
    Cut {
        /// The model asked for.
        id: HubId,
        /// Name of the file in the repository.
        file: Shown,
        /// Bytes that are here.
        have: u64,
        /// Bytes of the whole file.
        size: u64,
        /// Cuts in a row.
        tries: u32,
        /// What the connection says.
        why: Shown,
    },
    /// A downloaded file whose content has another hash than announced.
    #[error(
        "{id}: {file} is not what the hub says it is: expected the hash {expected}, found {found}; the download was \
         discarded, run again"
    )]
    WrongHash {
        /// The model asked for.
        id: HubId,
        /// Name of the file in the repository.
        file: Shown,
        /// Hash that the hub announces.
        expected: String,
        /// Hash of what came.
        found: Shown,
    },
    /// A repository without config or weights that are read.
    #[error(
        "{id} is no checkpoint that can be read: expected config.json and {}, found {}; {}",
        "model.safetensors or pytorch_model.bin",
        listed(files),
        next(files)
    )]
    NotACheckpoint {
        /// The model asked for.
        id: HubId,
        /// Names of the files that the repository has.
        files: Vec<Shown>,
    },
    /// A repository without the GGUF file that is asked for.
    #[error("{id}: expected {file} in the repository, found {}; name one of its GGUF files", ggufs(files))]
    NoGguf {
        /// The model asked for.
        id: HubId,
        /// The file, or the part of it, that is missing.
        file: String,
        /// Names of the files that the repository has.
        files: Vec<Shown>,
    },
    /// A model that cannot be measured, as its config shows before its weights are downloaded.
    #[error("{id}: {why} (its weights were not downloaded)")]
    Unfit {
        /// The model asked for.
        id: HubId,
        /// Why it cannot be measured.
        why: Shown,
    },
    /// No room for what is downloaded.
    #[error(
        "{}: the disk is full; {missing} more bytes are needed: make room or set HF_HOME to a larger disk, what was \
         downloaded is kept",
        path.display()
    )]
    DiskFull {
        /// File or folder on this machine.
        path: PathBuf,
        /// Bytes that found no room.
        missing: u64,
    },
    /// The cache cannot be read or written.
    #[error("cannot {what} {}: {error}; the hub cache (HF_HOME) must be readable and writable", path.display())]
    Io {
        /// The verb that failed, e.g. `write`.
        what: &'static str,
        /// File or folder on this machine.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
    /// `SSL_CERT_FILE` names a file without certificates.
    #[error("{}: expected certificates in PEM, found {why}; correct SSL_CERT_FILE or unset it", path.display())]
    Certificates {
        /// File or folder on this machine.
        path: PathBuf,
        /// What the file holds instead.
        why: Shown,
    },
    /// The index of a checkpoint in shards cannot be read.
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
fn listed(files: &[Shown]) -> String {
    let weights: Vec<&str> = files.iter().map(Shown::as_str).filter(|name| is_weights(name)).collect();
    let shown: Vec<&str> =
        if weights.is_empty() { files.iter().map(Shown::as_str).take(5).collect() } else { weights };
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

/// The GGUF files there are, of parts the first.
fn ggufs(files: &[Shown]) -> String {
    const SHOWN: usize = 12;
    let names = files.iter().map(Shown::as_str).filter(|name| crate::checkpoint::gguf_parts(name).is_ok());
    let names: Vec<&str> = names.filter(|name| is_gguf(name)).collect();
    match names.len() {
        0 => "no GGUF file".to_string(),
        1..=SHOWN => plain(&names),
        _ => format!("{}, …", plain(&names[..SHOWN])),
    }
}

fn is_gguf(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with(".gguf")
}

fn next(files: &[Shown]) -> &'static str {
    if files.iter().any(|name| is_gguf(name.as_str())) {
        return "name one of its GGUF files, as owner/name:FILE.gguf";
    }
    if files.iter().any(|name| is_weights(name.as_str())) {
        "other weights are not read: look for a revision with safetensors (the hub's conversion bot opens one as \
         refs/pr/N), or convert them with transformers' save_pretrained"
    } else {
        "give the repository of a language model in transformers' layout"
    }
}

fn is_weights(name: &str) -> bool {
    [".bin", ".pt", ".pth", ".gguf", ".h5", ".msgpack", ".onnx"].iter().any(|end| name.ends_with(end))
}
