//! A memo of identities, so that an unchanged checkpoint is not read again only to be hashed.
//!
//! A JSON file from a folder's canonical path to its weight files' stamps (size, inode, times) and the identity
//! they had. Paths and times decide only whether to hash anew: none of them enters a key. The file may be deleted
//! at any time; one that cannot be read counts as empty.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};

use base::foreign::{self, Kind};
use base::hash::Key;

/// The file in which identities are remembered, if there is one.
#[derive(Clone, Debug)]
pub struct Memo {
    path: Option<PathBuf>,
}

/// Facts that tell one state of a file from another without reading it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    name: String,
    size: u64,
    inode: u64,
    /// Seconds and nanoseconds.
    modified: (i64, i64),
    /// Time of the inode: unlike `modified` it cannot be set back by copying tools.
    changed: (i64, i64),
}

const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Contents {
    version: u32,
    checkpoints: BTreeMap<String, Known>,
}

#[derive(Serialize, Deserialize)]
struct Known {
    files: Vec<Stamp>,
    identity: Key,
}

impl Memo {
    /// A memo kept in this file, made when first needed.
    pub fn at(path: &Path) -> Memo {
        Memo { path: Some(path.to_path_buf()) }
    }

    /// Remembers nothing: every identity is hashed from the bytes.
    pub fn none() -> Memo {
        Memo { path: None }
    }

    pub(super) fn get(&self, folder: &Path, files: &[Stamp]) -> Option<Key> {
        let mut contents = read(self.path.as_deref()?);
        let known = contents.checkpoints.remove(&canonical(folder)?)?;
        (known.files == files).then_some(known.identity)
    }

    /// Of two processes that write at once the later wins whole; the other's entry is hashed again next time. Threads of one
    /// wait for each other.
    pub(super) fn put(&self, folder: &Path, files: Vec<Stamp>, identity: Key) {
        static WRITING: Mutex<()> = Mutex::new(());
        let (Some(path), Some(folder)) = (&self.path, canonical(folder)) else { return };
        let _writing = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
        let mut contents = read(path);
        contents.checkpoints.insert(folder, Known { files, identity });
        // A memo that cannot be written costs time, never a result.
        let _ = write(path, &contents);
    }
}

impl Stamp {
    /// Whether a file of this stamp still holds what one of the other did. A new name or other permissions change neither.
    pub(super) fn same_content(&self, other: &Stamp) -> bool {
        (self.size, self.inode, self.modified) == (other.size, other.inode, other.modified)
    }

    /// `None` where the system has no inodes: then nothing is remembered.
    #[cfg(unix)]
    pub(super) fn of(name: &Path, meta: &fs::Metadata) -> Option<Stamp> {
        use std::os::unix::fs::MetadataExt;
        Some(Stamp {
            name: name.to_str()?.to_string(),
            size: meta.size(),
            inode: meta.ino(),
            modified: (meta.mtime(), meta.mtime_nsec()),
            changed: (meta.ctime(), meta.ctime_nsec()),
        })
    }

    #[cfg(not(unix))]
    pub(super) fn of(_: &Path, _: &fs::Metadata) -> Option<Stamp> {
        None
    }
}

fn canonical(folder: &Path) -> Option<String> {
    Some(folder.canonicalize().ok()?.to_str()?.to_string())
}

fn read(path: &Path) -> Contents {
    let contents =
        foreign::read(path, Kind::Json).ok().and_then(|text| serde_json::from_slice::<Contents>(&text).ok());
    contents
        .filter(|contents| contents.version == VERSION)
        .unwrap_or(Contents { version: VERSION, checkpoints: BTreeMap::new() })
}

fn write(path: &Path, contents: &Contents) -> io::Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let file = tempfile::NamedTempFile::new_in(folder)?;
    serde_json::to_writer_pretty(&file, contents)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
