//! A memo of identities, so that an unchanged checkpoint is not read again only to be hashed.
//!
//! A JSON file from a folder's canonical path to its weight files' stamps (size, inode, times) and the identity
//! they had, bound together by a digest: an entry of which a digit changed, or that lies under another folder's name, counts as
//! none. Paths and times decide only whether to hash anew: none of them enters a key. The file may be deleted at any time; one
//! that cannot be read counts as empty.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};

use base::foreign::{self, Kind};
use base::hash::{Fields, Key};
use base::publish;

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

const VERSION: u32 = 2;

#[derive(Serialize, Deserialize)]
struct Contents {
    version: u32,
    checkpoints: BTreeMap<String, Known>,
}

#[derive(Serialize, Deserialize)]
struct Known {
    files: Vec<Stamp>,
    identity: Key,
    /// Of the folder, the files and the identity.
    digest: Key,
}

impl Known {
    fn new(folder: &str, files: Vec<Stamp>, identity: Key) -> Known {
        let digest = digest(folder, &files, &identity);
        Known { files, identity, digest }
    }

    /// Whether this is the entry that was written for the folder.
    fn is_of(&self, folder: &str) -> bool {
        self.digest == digest(folder, &self.files, &self.identity)
    }
}

fn digest(folder: &str, files: &[Stamp], identity: &Key) -> Key {
    let files = serde_json::to_string(files).unwrap_or_default(); // plain structs always serialise
    Fields::new("known identity").with("folder", folder).with("files", files).with("identity", identity).key()
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
        let known = Known::new(&folder, files, identity);
        contents.checkpoints.insert(folder, known);
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

/// The entries of the file that are as they were written.
fn read(path: &Path) -> Contents {
    let contents =
        foreign::read(path, Kind::Json).ok().and_then(|text| serde_json::from_slice::<Contents>(&text).ok());
    let mut contents = contents
        .filter(|contents| contents.version == VERSION)
        .unwrap_or(Contents { version: VERSION, checkpoints: BTreeMap::new() });
    contents.checkpoints.retain(|folder, known| known.is_of(folder));
    contents
}

fn write(path: &Path, contents: &Contents) -> io::Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    publish::make_folder(folder)?;
    let mut bytes = serde_json::to_vec_pretty(contents)?;
    bytes.push(b'\n');
    publish::write(path, &[&bytes])
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn an_entry_that_was_changed_or_lies_under_another_name_is_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let folder = |name: &str| {
            let folder = dir.path().join(name);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("w"), "weights").unwrap();
            folder
        };
        let (one, two) = (folder("one"), folder("two"));
        let stamps = |folder: &Path| {
            vec![Stamp::of(Path::new("w"), &fs::metadata(folder.join("w")).unwrap()).unwrap()]
        };
        let file = dir.path().join("identities.json");
        let (memo, a, b) = (Memo::at(&file), Key::of_bytes(b"a"), Key::of_bytes(b"b"));
        memo.put(&one, stamps(&one), a);
        memo.put(&two, stamps(&two), b);
        assert_eq!((memo.get(&one, &stamps(&one)), memo.get(&two, &stamps(&two))), (Some(a), Some(b)));

        let text = fs::read_to_string(&file).unwrap();
        let digit = if a.to_string().starts_with('0') { "1" } else { "0" };
        fs::write(&file, text.replace(&a.to_string(), &(digit.to_string() + &a.to_string()[1..]))).unwrap();
        assert_eq!((memo.get(&one, &stamps(&one)), memo.get(&two, &stamps(&two))), (None, Some(b)));

        // Both folders' files alike but for their names, so that nothing but the digest tells the entries apart.
        let mut exchanged: serde_json::Value = serde_json::from_str(&text).unwrap();
        let (one_name, two_name) = (canonical(&one).unwrap(), canonical(&two).unwrap());
        exchanged["checkpoints"][&one_name] = exchanged["checkpoints"][&two_name].clone();
        fs::write(&file, exchanged.to_string()).unwrap();
        assert_eq!(memo.get(&one, &stamps(&two)), None);
        assert_eq!(memo.get(&two, &stamps(&two)), Some(b));
        // What is put next leaves no forgotten entry behind.
        memo.put(&one, stamps(&one), a);
        assert_eq!((memo.get(&one, &stamps(&one)), memo.get(&two, &stamps(&two))), (Some(a), Some(b)));
    }
}
