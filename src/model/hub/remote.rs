//! A file as the hub announces it.

use super::digest::Etag;

/// A file of the hub that is to be downloaded.
pub(super) struct Remote {
    /// Within the repository, e.g. `model.safetensors`.
    pub name: String,
    /// Address of its content, after redirects.
    pub url: String,
    /// Hash of the content.
    pub etag: Etag,
    /// Bytes.
    pub size: u64,
}
