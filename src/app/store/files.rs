//! The store's folder: layout, lock, atomic publication, quarantine.
//!
//! ```text
//! format                      `streamgauge store 1`
//! lock                        held exclusively by whoever writes; readers never touch it
//! objects/<2 hex>/<digest>.parquet | .blob      immutable, named by the blake3 of their bytes
//! index/<number>-<digest>.jsonl                 what is in the objects; written last
//! quarantine/                 objects and index files whose bytes did not match their name
//! tmp/                        being written; what a dead process left is removed at the next open
//! ```

use std::{
    collections::BTreeSet,
    fs::{self, File, TryLockError},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU64, Ordering},
};

use super::{
    StoreError,
    index::{self, ObjectName},
};
use base::foreign;
use base::hash::Key;
use base::lookup;
use base::publish;

/// The newest store format this program reads and the one it writes.
const FORMAT: u32 = 1;
/// How the names began under which earlier versions of this program wrote the format file.
const OLD_FORMAT: &str = ".format-";
const FOLDERS: [&str; 4] = ["objects", "index", "quarantine", "tmp"];

#[derive(Debug)]
pub(super) struct Files {
    root: PathBuf,
}

/// Held while writing; released when dropped or when the process ends.
pub(super) struct Lock(File);

/// What a read of a file whose name tells its bytes gave. That the system could not read it is an error: nothing is known then.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<T> {
    /// The bytes of its name.
    Sound(T),
    /// Other bytes; in words, what was found.
    Wrong(String),
    /// There is no such file.
    Gone,
}

/// A published file whose temporary name still exists: the mark that its record may not be written yet.
pub(super) struct Published(PathBuf);

impl Files {
    /// Opens the folder, or makes it a store if it is new or empty.
    pub(super) fn open(root: &Path) -> Result<Files, StoreError> {
        let files = Files { root: root.to_path_buf() };
        let format = root.join("format");
        match fs::read_to_string(&format) {
            Ok(text) => check_format(root, &format, &text)?,
            Err(e) if e.kind() == io::ErrorKind::NotFound => files.create(&format)?,
            Err(e) if e.kind() == io::ErrorKind::InvalidData => {
                let found = e.to_string();
                return Err(StoreError::BadFormat { path: format, found });
            }
            Err(e) => return Err(StoreError::unreadable(&format)(e)),
        }
        for folder in FOLDERS {
            make_folder(&root.join(folder))?;
        }
        files.sweep_root();
        Ok(files)
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn object_path(&self, name: &ObjectName) -> PathBuf {
        let file = name.file();
        self.root.join("objects").join(&file[..2]).join(file)
    }

    /// Whether there is a file of an object's name. A folder or a link to nothing in its place is none.
    pub(super) fn has_object(&self, name: &ObjectName) -> Result<bool, StoreError> {
        let path = self.object_path(name);
        match fs::metadata(&path) {
            Ok(metadata) => Ok(metadata.is_file()),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(e) => Err(StoreError::unreadable(&path)(e)),
        }
    }

    /// Waits for every other writer.
    pub(super) fn lock(&self) -> Result<Lock, StoreError> {
        let (file, path) = self.lock_file()?;
        lookup::lock(&file).map_err(StoreError::io("lock", &path))?;
        Ok(Lock(file))
    }

    /// The lock if nobody writes and this user may.
    pub(super) fn try_lock(&self) -> Option<Lock> {
        let (file, _) = self.lock_file().ok()?;
        match file.try_lock() {
            Ok(()) => Some(Lock(file)),
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => None,
        }
    }

    fn lock_file(&self) -> Result<(File, PathBuf), StoreError> {
        let path = self.root.join("lock");
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        Ok((file.map_err(StoreError::io("lock", &path))?, path))
    }

    /// The index files, sorted by name.
    pub(super) fn index_names(&self) -> Result<Vec<String>, StoreError> {
        let mut names = self.list("index")?;
        names.retain(|n| n.ends_with(".jsonl"));
        Ok(names)
    }

    /// The content of an index file of this name.
    pub(super) fn read_index(&self, name: &str) -> Result<Found<Vec<u8>>, StoreError> {
        let Some(digest) = index::digest_of(name) else {
            return Ok(Found::Wrong("its name is not <number>-<digest>.jsonl".to_string()));
        };
        self.read(&self.root.join("index").join(name), digest)
    }

    /// Whether an object's bytes are those of its name, read in pieces.
    pub(super) fn verify_object(&self, name: &ObjectName) -> Result<Found<()>, StoreError> {
        let path = self.object_path(name);
        match Key::of_file(&path) {
            Ok((digest, _)) if digest == name.digest => Ok(Found::Sound(())),
            Ok((_, bytes)) => Ok(Found::Wrong(mismatch(bytes))),
            Err(e) => unread(&path, e),
        }
    }

    /// The bytes of an object, verified against its name.
    pub(super) fn read_object(&self, name: &ObjectName) -> Result<Found<Vec<u8>>, StoreError> {
        self.read(&self.object_path(name), name.digest)
    }

    fn read(&self, path: &Path, digest: Key) -> Result<Found<Vec<u8>>, StoreError> {
        match read_whole(path) {
            Ok(bytes) if Key::of_bytes(&bytes) == digest => Ok(Found::Sound(bytes)),
            Ok(bytes) => Ok(Found::Wrong(mismatch(bytes.len() as u64))),
            Err(e) => unread(path, e),
        }
    }

    /// Writes an object; an identical one that exists is success, a damaged one goes to quarantine.
    pub(super) fn publish_object(
        &self,
        _: &Lock,
        name: &ObjectName,
        bytes: &[u8],
    ) -> Result<Published, StoreError> {
        let path = self.object_path(name);
        if let Some(folder) = path.parent() {
            make_folder(folder)?;
        }
        let damaged = match self.read_object(name)? {
            Found::Sound(_) => false,
            Found::Wrong(_) => true,
            Found::Gone => path.is_symlink(), // to nothing: it would keep its place for ever
        };
        if damaged {
            self.move_to_quarantine(name)?;
        }
        self.publish(&path, bytes)
    }

    pub(super) fn publish_index(&self, _: &Lock, name: &str, bytes: &[u8]) -> Result<Published, StoreError> {
        self.publish(&self.root.join("index").join(name), bytes)
    }

    /// Unique temporary file, fsync, link under the final name without replacing, fsync of the folder.
    fn publish(&self, path: &Path, bytes: &[u8]) -> Result<Published, StoreError> {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let unique = format!("{}-{}", process::id(), COUNTER.fetch_add(1, Ordering::Relaxed));
        let temporary = self.root.join("tmp").join(unique);
        write_synced(&temporary, bytes).inspect_err(|_| drop(fs::remove_file(&temporary)))?;
        match fs::hard_link(&temporary, path) {
            Ok(()) => {}
            // Same name, same content: names are digests of contents.
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            // A file system without hard links: the lock keeps other writers out, so nothing is replaced.
            Err(e) if matches!(e.kind(), io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied) => {
                fs::rename(&temporary, path).map_err(StoreError::io("publish", path))?;
            }
            Err(e) => {
                drop(fs::remove_file(&temporary));
                return Err(StoreError::io("publish", path)(e));
            }
        }
        if let Some(folder) = path.parent() {
            publish::sync_folder(folder).map_err(StoreError::io("sync", folder))?;
        }
        Ok(Published(temporary))
    }

    /// Reads a damaged object once more, since the fault may have been in memory or on the way, or another process may have
    /// replaced it. What is wrong again is moved aside, so that its cells are computed again; the answer says with the bytes
    /// whether it was. In a store that this user cannot write it stays where it is.
    pub(super) fn look_again(&self, name: &ObjectName) -> Result<(Found<Vec<u8>>, bool), StoreError> {
        let lock = self.lock().ok();
        let found = self.read_object(name)?;
        let moved =
            lock.is_some() && matches!(found, Found::Wrong(_)) && self.move_to_quarantine(name).is_ok();
        Ok((found, moved))
    }

    fn move_to_quarantine(&self, name: &ObjectName) -> Result<(), StoreError> {
        let folder = self.root.join("quarantine");
        // Ends: the folder holds finitely many files, and the lock keeps others from adding more.
        let free =
            (0u32..).map(|n| folder.join(if n == 0 { name.file() } else { format!("{}.{n}", name.file()) }));
        let path = self.object_path(name);
        for to in free {
            // A link to nothing is in the way too.
            if fs::symlink_metadata(&to).is_err() {
                return fs::rename(&path, &to).map_err(StoreError::io("move to quarantine", &path));
            }
        }
        Ok(())
    }

    /// Moves an index file that was read twice with wrong bytes aside if nobody writes; its cells are recorded anew when they
    /// are computed again.
    pub(super) fn quarantine_index(&self, name: &str) {
        let (from, to) = (self.root.join("index").join(name), self.root.join("quarantine").join(name));
        if let Some(_lock) = self.try_lock() {
            // Where it cannot be moved it stays ignored, with a note at every run.
            drop(fs::rename(from, to));
        }
    }

    /// Removes what a process that died while writing left: temporary files, and objects that no record names
    /// (none are removed where `named` is not known).
    pub(super) fn sweep(&self, _: &Lock, named: Option<&BTreeSet<String>>) -> Result<(), StoreError> {
        let folders = if named.is_some() { self.list("objects")? } else { Vec::new() };
        for folder in folders.iter().map(|name| Path::new("objects").join(name)) {
            for object in self.list(&folder)?.into_iter().filter(|o| named.is_some_and(|n| !n.contains(o))) {
                let path = self.root.join(&folder).join(object);
                fs::remove_file(&path).map_err(StoreError::io("remove", &path))?;
            }
        }
        for name in self.leftovers()? {
            let path = self.root.join("tmp").join(name);
            fs::remove_file(&path).map_err(StoreError::io("remove", &path))?;
        }
        Ok(())
    }

    /// What is in `tmp/`: empty unless somebody is writing or died while writing.
    pub(super) fn leftovers(&self) -> Result<Vec<String>, StoreError> {
        self.list("tmp")
    }

    fn list(&self, folder: impl AsRef<Path>) -> Result<Vec<String>, StoreError> {
        let path = self.root.join(folder);
        let entries = lookup::entries(&path).map_err(StoreError::io("list", &path))?;
        let names = entries.iter().filter_map(|entry| entry.file_name());
        Ok(names.map(|name| name.to_string_lossy().into_owned()).collect())
    }

    /// Makes a new or empty folder a store. The format file appears whole or not at all.
    fn create(&self, format: &Path) -> Result<(), StoreError> {
        make_folder(&self.root)?;
        // Another process may be making the same store at this moment, or was killed when it did.
        let foreign =
            self.list("")?.into_iter().find(|n| !n.starts_with("format.") && !n.starts_with(OLD_FORMAT));
        if let Some(found) = foreign {
            // It has made it by now: the format is written first.
            return match fs::read_to_string(format) {
                Ok(text) => check_format(&self.root, format, &text),
                Err(e) if e.kind() == io::ErrorKind::NotFound => {
                    Err(StoreError::NotAStore { path: self.root.clone(), found })
                }
                Err(e) => Err(StoreError::unreadable(format)(e)),
            };
        }
        publish::write_synced(format, &[format!("streamgauge store {FORMAT}\n").as_bytes()])
            .map_err(StoreError::io("create", format))
    }

    /// Removes what killed processes left in the store's own folder.
    fn sweep_root(&self) {
        publish::sweep(&self.root);
        for name in self.list("").into_iter().flatten().filter(|name| name.starts_with(OLD_FORMAT)) {
            // The format is there, so nobody needs it any more. What cannot be removed does no harm.
            let _ = fs::remove_file(self.root.join(name));
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Not left to closing: a child process that is just being started holds copies of all open files until its
        // exec, and with them the lock. Where unlocking fails, closing does it.
        drop(self.0.unlock());
    }
}

impl Published {
    /// The record is written: the mark can go.
    pub(super) fn done(self) {
        // A mark that stays is only swept later.
        drop(fs::remove_file(self.0));
    }
}

fn read_whole(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    foreign::open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What a failed read says of a file: that it is not there, that something else is in its place, or nothing.
fn unread<T>(path: &Path, error: io::Error) -> Result<Found<T>, StoreError> {
    match error.kind() {
        io::ErrorKind::NotFound => Ok(Found::Gone),
        // Not the system's words, but those of whoever opened it: it is a folder, a pipe, a device.
        io::ErrorKind::IsADirectory | io::ErrorKind::InvalidInput if error.raw_os_error().is_none() => {
            Ok(Found::Wrong(error.to_string()))
        }
        _ => Err(StoreError::unreadable(path)(error)),
    }
}

fn mismatch(bytes: u64) -> String {
    format!("its {bytes} bytes do not match the digest in its name")
}

fn check_format(root: &Path, path: &Path, text: &str) -> Result<(), StoreError> {
    let version = text.trim_end().strip_prefix("streamgauge store ").and_then(|v| v.parse::<u32>().ok());
    match version {
        Some(found) if found > FORMAT => {
            Err(StoreError::NewerFormat { path: root.to_path_buf(), found, supported: FORMAT })
        }
        Some(1..) => Ok(()),
        _ => {
            let found = text.chars().take(40).collect();
            Err(StoreError::BadFormat { path: path.to_path_buf(), found })
        }
    }
}

fn make_folder(path: &Path) -> Result<(), StoreError> {
    publish::make_folder(path).map_err(StoreError::io("create the folder", path))
}

fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let write = || {
        let mut file = File::create(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(StoreError::io("write", path))
}
