//! Where a command reads, writes and computes.

use std::path::PathBuf;

use base::device::Wanted;

/// Where a run reads, writes and computes.
#[derive(Clone, Debug)]
pub struct Places {
    /// Folder of the store.
    pub store: PathBuf,
    /// Folder of reports, verdicts, tables and registrations.
    pub results: PathBuf,
    /// The device that was asked for.
    pub device: Wanted,
    /// Bytes of memory that observing may take; `None`: what the machine has left.
    pub memory: Option<u64>,
}
