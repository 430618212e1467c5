//! What can go wrong with a store, named so that the reader knows what to do next.

use std::{
    io,
    path::{Path, PathBuf},
};

/// Why the store could not do something. Damaged objects are no error: see [`super::Stored`].
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk or the user's quota is full.
    #[error(
        "{path}: the disk (or quota) is full. Nothing already stored is lost: free some space and run again, \
         what is finished is not computed twice"
    )]
    DiskFull {
        /// What was being written.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// This user may not do it.
    #[error(
        "{path}: no permission to {doing} ({source}). Give this user write access to the store, or name another folder"
    )]
    Permission {
        /// What was tried, e.g. `write`.
        doing: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The folder holds something else than a store.
    #[error(
        "{path} is not a streamgauge store: it has no `format` file but holds {found:?}. Name an empty or a new folder"
    )]
    NotAStore {
        /// The folder.
        path: PathBuf,
        /// Name of something that lies in it.
        found: String,
    },
    /// A newer program wrote the store.
    #[error(
        "{path} has store format {found}, this streamgauge reads up to {supported}. Update streamgauge, \
         or name another folder"
    )]
    NewerFormat {
        /// Folder of the store.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format that this program reads.
        supported: u32,
    },
    /// The format file does not say what it should.
    #[error(
        "{path}: expected `streamgauge store <version>`, found {found:?}. The folder is no store, or the file was edited"
    )]
    BadFormat {
        /// The file that names the format.
        path: PathBuf,
        /// Its first line.
        found: String,
    },
    /// A part of the path is a file.
    #[error("{path}: a part of this path is a file; name a folder for the store")]
    NotAFolder {
        /// The path.
        path: PathBuf,
    },
    /// The system refused for another reason.
    #[error("{path}: cannot {doing}: {source}")]
    Io {
        /// What was tried, e.g. `read`.
        doing: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is there and the system could not read it. Nothing is known of its bytes: they may be sound.
    #[error(
        "{path}: cannot be read: {source}. Nothing was changed and nothing was judged without it. Run again; if it stays so, \
         check the disk, or remove the file: what it held is computed again"
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// An object has the bytes that were written, and this program makes nothing of them.
    #[error(
        "{path}: its bytes are as they were written, but this streamgauge cannot read them: {what}. Remove the file, and what it \
         held is computed again; or name another folder for the store"
    )]
    Undecodable {
        /// The object.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// An observation whose parts do not fit each other.
    #[error("{slot}: an observation cannot be stored: {what}")]
    Shape {
        /// Slot of the observation.
        slot: String,
        /// Which part has another shape than the others.
        what: String,
    },
    /// A segment could not be encoded or decoded.
    #[error("{what}: Parquet failed: {source}")]
    Parquet {
        /// The object.
        what: String,
        /// What the reader or writer said.
        source: polars::error::PolarsError,
    },
}

impl StoreError {
    /// Sorts an I/O error into what the user can do about it; for `map_err`.
    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
        let path = path.to_path_buf();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                StoreError::DiskFull { path, source }
            }
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                StoreError::Permission { doing, path, source }
            }
            io::ErrorKind::NotADirectory => StoreError::NotAFolder { path },
            _ => StoreError::Io { doing, path, source },
        }
    }

    /// The error of a read that the system refused; for `map_err`.
    pub(super) fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> StoreError {
        let path = path.to_path_buf();
        move |source| match source.kind() {
            io::ErrorKind::PermissionDenied => StoreError::Permission { doing: "read", path, source },
            io::ErrorKind::NotADirectory => StoreError::NotAFolder { path },
            _ => StoreError::Unreadable { path, source },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_named_with_the_remedy() {
        for errno in [28, 122] {
            // ENOSPC and EDQUOT
            let error = StoreError::io("write", Path::new("results/store/tmp/x"))(
                io::Error::from_raw_os_error(errno),
            );
            let text = error.to_string();
            assert!(matches!(error, StoreError::DiskFull { .. }), "{text}");
            assert!(text.contains("results/store/tmp/x") && text.contains("free some space"), "{text}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_read_only_place_is_a_matter_of_permission() {
        for errno in [1, 13, 30] {
            // EPERM, EACCES and EROFS
            let error =
                StoreError::io("create", Path::new("results/store"))(io::Error::from_raw_os_error(errno));
            assert!(matches!(error, StoreError::Permission { .. }), "{error}");
        }
    }
}
