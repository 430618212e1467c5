//! Files that appear whole or not at all: written beside their place under a lock, then renamed.
//!
//! The file that is written beside `NAME` is called `NAME.<process>-<number>.part` and is locked as long as its writer lives. One
//! that nobody holds was left by a writer that was killed, and is removed when `NAME` is written again or its folder is swept.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, File, FileType, TryLockError},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU64, Ordering},
};

use crate::lookup;

const ENDING: &str = ".part";
/// Links in a row that are followed, as Linux does.
const MOST_LINKS: usize = 40;
/// Bytes of a name that its part repeats: what is added still fits into the 255 that a name may have.
const MOST_OF_NAME: usize = 200;

/// Has `parts`, one after another, at `path`; whoever reads there sees the old file or the new one. A link is followed: the file
/// that it leads to is replaced. After a loss of power the file may be the old one, the new one or damaged: see [`write_synced`].
///
/// # Errors
/// A path where something else than a file is: a folder, a device, a pipe, a socket. What the system says. The old file, if there
/// was one, is then as it was.
pub fn write(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    publish(path, parts, false)
}

/// [`write`] for what cannot be made again: the bytes are on the disk before they are under their name, and the name before this
/// returns.
///
/// # Errors
/// As [`write`]. Where only the last step fails, to bring the name to the disk, the new file is in its place.
pub fn write_synced(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    publish(path, parts, true)
}

/// Makes a folder and those above it, and brings their names to the disk.
///
/// # Errors
/// What the system says.
pub fn make_folder(path: &Path) -> io::Result<()> {
    if path.as_os_str().is_empty() || lookup::is_folder(path)? {
        return Ok(());
    }
    let above = folder_of(path);
    // The working folder is above itself; it may have been removed.
    if above != path {
        make_folder(above)?;
    }
    match fs::create_dir(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => match path.is_dir() {
            true => {} // another process has made it
            false => return Err(ErrorKind::NotADirectory.into()),
        },
        made => made?,
    }
    sync_folder(above)
}

/// Brings the names of a folder to the disk.
///
/// # Errors
/// What the system says.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    if !cfg!(unix) {
        return Ok(()); // folders cannot be opened
    }
    match File::open(path)?.sync_all() {
        // Some network file systems have nothing to bring to a disk.
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        synced => synced,
    }
}

/// Removes from a folder what killed writers left there. What a living one writes stays, and so does what cannot be removed.
pub fn sweep(folder: &Path) {
    remove_leftovers(folder, |_| true);
}

fn publish(path: &Path, parts: &[&[u8]], synced: bool) -> io::Result<()> {
    let target = target(path)?;
    let mut part = Part::create(&target)?;
    parts.iter().try_for_each(|bytes| part.file.write_all(bytes))?;
    if synced {
        part.file.sync_all()?;
    }
    fs::rename(&part.path, &target)?;
    part.is_published = true;
    if synced {
        sync_folder(folder_of(&target))?;
    }
    let prefix = prefix(&target);
    remove_leftovers(folder_of(&target), |name| {
        name.as_encoded_bytes().starts_with(prefix.as_encoded_bytes())
    });
    Ok(())
}

/// The place that a path names, links followed, where a file is or nothing.
fn target(path: &Path) -> io::Result<PathBuf> {
    let mut target = path.to_path_buf();
    for _ in 0..MOST_LINKS {
        match fs::symlink_metadata(&target) {
            Ok(found) if found.is_symlink() => target = folder_of(&target).join(fs::read_link(&target)?),
            Ok(found) if found.is_file() => return Ok(target),
            Ok(found) => return Err(no_file(found.file_type())),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(target),
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(ErrorKind::InvalidInput, "it is a link that leads through too many links"))
}

fn no_file(found: FileType) -> io::Error {
    match found.is_dir() {
        true => io::Error::new(ErrorKind::IsADirectory, "it is a folder, expected a file or a new name"),
        false => io::Error::new(
            ErrorKind::InvalidInput,
            "it is a device, a pipe or a socket, expected a file or a new name",
        ),
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// How the names of the parts of a file begin.
fn prefix(target: &Path) -> OsString {
    let name = target.file_name().unwrap_or_default();
    let mut prefix = match name.to_str() {
        Some(text) => OsString::from(&text[..text.floor_char_boundary(MOST_OF_NAME)]),
        None => name.to_os_string(),
    };
    prefix.push(".");
    prefix
}

/// A file that is being written; removed when dropped before it has its name.
struct Part {
    path: PathBuf,
    /// Locked while it is open, where the file system knows locks.
    file: File,
    is_published: bool,
}

impl Part {
    fn create(target: &Path) -> io::Result<Part> {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        loop {
            let number = COUNTER.fetch_add(1, Ordering::Relaxed);
            let mut name = prefix(target);
            name.push(format!("{}-{number}{ENDING}", process::id()));
            let path = target.with_file_name(name);
            let part = match File::options().write(true).create_new(true).open(&path) {
                // A writer of the same process number left it.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                opened => Part { path, file: opened?, is_published: false },
            };
            // Between the two calls somebody who sweeps may have taken it for a leftover.
            let is_swept = matches!(part.file.try_lock(), Err(TryLockError::WouldBlock));
            if !is_swept && part.path.try_exists()? {
                return Ok(part);
            }
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.is_published {
            // A part that cannot be removed is swept later; the first error is the one to tell.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Removes parts of these names whose writer is gone.
fn remove_leftovers(folder: &Path, of: impl Fn(&OsStr) -> bool) {
    let names = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
    for name in names.filter(|name| is_part(name) && of(name)) {
        let path = folder.join(name);
        // Opened without following links or waiting for a pipe: only a file can be a part.
        if !fs::symlink_metadata(&path).is_ok_and(|found| found.is_file()) {
            continue;
        }
        if let Ok(file) = File::open(&path)
            && file.try_lock().is_ok()
        {
            let _ = fs::remove_file(&path); // as long as the lock is held
        }
    }
}

/// Whether a name ends in `.<process>-<number>.part`.
fn is_part(name: &OsStr) -> bool {
    let numbers =
        name.to_str().and_then(|name| name.strip_suffix(ENDING)?.rsplit_once('.')?.1.split_once('-'));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    numbers.is_some_and(|(process, number)| is_number(process) && is_number(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn what_cannot_be_written_leaves_the_folder_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file.txt");
        for write in [write, write_synced] {
            write(&path, &[b"one", b" two"]).unwrap();
            assert_eq!(fs::read(&path).unwrap(), b"one two");
            let taken = folder.path().join("taken");
            fs::create_dir_all(taken.join("inside")).unwrap();
            let error = write(&taken, &[b"x"]).unwrap_err();
            assert!(error.to_string().contains("a folder"), "{error}");
            assert_eq!(names(folder.path()), ["file.txt", "taken"]);
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_refused_and_stays() {
        use std::os::unix::{fs::FileTypeExt, net::UnixListener};
        let folder = tempfile::tempdir().unwrap();
        let (socket, link) = (folder.path().join("socket"), folder.path().join("link"));
        let _listening = UnixListener::bind(&socket).unwrap();
        std::os::unix::fs::symlink("socket", &link).unwrap();
        for path in [&socket, &link] {
            let error = write(path, &[b"x"]).unwrap_err();
            assert!(error.to_string().contains("a device, a pipe or a socket"), "{error}");
        }
        assert!(fs::symlink_metadata(&socket).unwrap().file_type().is_socket());
        assert_eq!(names(folder.path()), ["link", "socket"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_followed_and_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("inside")).unwrap();
        fs::write(at("inside/old"), "old").unwrap();
        for (link, to) in [("a", "b"), ("b", "inside/old"), ("to-nothing", "inside/new"), ("loop", "loop")] {
            std::os::unix::fs::symlink(to, at(link)).unwrap();
        }
        write(&at("a"), &[b"through two links"]).unwrap();
        write(&at("to-nothing"), &[b"a new file"]).unwrap();
        assert!(write(&at("loop"), &[b"x"]).is_err());
        assert_eq!(fs::read(at("inside/old")).unwrap(), b"through two links");
        assert_eq!(fs::read(at("inside/new")).unwrap(), b"a new file");
        assert_eq!(fs::read_link(at("a")).unwrap(), Path::new("b"));
        assert_eq!(names(&at("inside")), ["new", "old"]);
    }

    #[test]
    fn what_a_killed_writer_left_is_swept_and_what_a_living_one_writes_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let others = ["report.part", "report.md.1-x.part", "report.md.12-3.part.txt", "my-1.part"];
        for name in ["report.md.12-3.part", "old.svg.12-4.part"].iter().chain(&others) {
            fs::write(at(name), "half").unwrap();
        }
        let living = Part::create(&at("report.md")).unwrap();
        let living_name = living.path.file_name().unwrap().to_str().unwrap().to_string();
        write(&at("report.md"), &[b"whole"]).unwrap();
        // Of the file that was written; others may be anybody's until the folder is swept.
        assert!(!at("report.md.12-3.part").exists() && at("old.svg.12-4.part").exists());
        sweep(folder.path());
        let mut expected: Vec<String> = others.map(String::from).to_vec();
        expected.extend([living_name, "report.md".to_string()]);
        expected.sort();
        assert_eq!(names(folder.path()), expected);
        drop(living);
        assert_eq!(names(folder.path()).len(), others.len() + 1);
    }

    #[test]
    fn a_name_may_be_as_long_as_the_system_lets_it_be() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ä".repeat(127));
        write(&path, &[b"x"]).unwrap();
        assert_eq!(fs::read(path).unwrap(), b"x");
    }

    #[test]
    fn a_folder_is_made_with_those_above_it_and_a_file_in_the_way_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b/c");
        make_folder(&deep).unwrap();
        make_folder(&deep).unwrap();
        assert!(deep.is_dir());
        fs::write(folder.path().join("file"), "").unwrap();
        let error = make_folder(&folder.path().join("file/x")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotADirectory);
    }
}
