//! Files of a folder that are exchanged together: whoever is killed meanwhile leaves all the old ones or all the new ones.
//!
//! The new files are written to the folder [`NEW`] beside the old ones and brought to the disk. Renaming it to [`READY`] is the
//! one step that decides: before it the exchange is undone by the next call, after it the next call finishes it.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::Path;

use base::{lookup, publish};

const NEW: &str = "accepting";
const READY: &str = "accepted";

/// Has these files, name and content, in the folder in place of those of the same names.
///
/// # Errors
/// What the system says. The old files are then all in their places; or, where only the last step failed, the new ones are
/// complete, and the next call of [`exchange`] or [`recover`] puts them into their places.
pub(super) fn exchange(folder: &Path, files: &[(&str, &[u8])]) -> io::Result<()> {
    publish::make_folder(folder)?;
    let _lock = lock(folder)?;
    finish(folder)?;
    let prepared = prepare(folder, files);
    if prepared.is_err() {
        // What cannot be removed is removed by the next call.
        let _ = fs::remove_dir_all(folder.join(NEW));
    }
    prepared?;
    finish(folder)
}

/// Finishes or undoes an exchange that a killed process left. Waits for one that a living process is about.
///
/// # Errors
/// What the system says where complete new files cannot be put into their places.
pub(super) fn recover(folder: &Path) -> io::Result<()> {
    if !lookup::is_folder(&folder.join(NEW))? && !lookup::is_folder(&folder.join(READY))? {
        return Ok(());
    }
    let _lock = lock(folder)?;
    finish(folder)
}

/// Held while the folder's files change; other processes wait.
fn lock(folder: &Path) -> io::Result<Option<File>> {
    if !cfg!(unix) {
        return Ok(None); // folders cannot be opened
    }
    let file = File::open(folder)?;
    match lookup::lock(&file) {
        Ok(()) => Ok(Some(file)),
        Err(error) if error.kind() == ErrorKind::Unsupported => Ok(None),
        Err(error) => Err(error),
    }
}

/// The new files complete and on the disk, under the name that says so.
fn prepare(folder: &Path, files: &[(&str, &[u8])]) -> io::Result<()> {
    let new = folder.join(NEW);
    fs::create_dir(&new)?;
    files.iter().try_for_each(|(name, bytes)| publish::write_synced(&new.join(name), &[bytes]))?;
    fs::rename(&new, folder.join(READY))?;
    publish::sync_folder(folder)
}

/// Moves complete new files into their places and removes incomplete ones.
fn finish(folder: &Path) -> io::Result<()> {
    let ready = folder.join(READY);
    match lookup::entries(&ready) {
        Ok(entries) => {
            for path in entries {
                fs::rename(&path, folder.join(path.file_name().unwrap_or_default()))?; // an entry has a name
            }
            publish::sync_folder(folder)?;
            fs::remove_dir(&ready)?;
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    match fs::remove_dir_all(folder.join(NEW)) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: [(&str, &[u8]); 2] = [("a", b"old a"), ("b", b"old b")];
    const FRESH: [(&str, &[u8]); 3] = [("a", b"new a"), ("b", b"new b"), ("c", b"new c")];

    fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
        let mut found: Vec<(String, Vec<u8>)> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| {
                (path.file_name().unwrap().to_str().unwrap().to_string(), fs::read(&path).unwrap_or_default())
            })
            .collect();
        found.sort();
        found
    }

    fn expected(files: &[(&str, &[u8])]) -> Vec<(String, Vec<u8>)> {
        files.iter().map(|(name, bytes)| (name.to_string(), bytes.to_vec())).collect()
    }

    /// What a process had done when it was killed.
    type Kill<'a> = (&'a str, &'a dyn Fn(&Path));

    /// Killed after each step of an exchange in turn.
    #[test]
    fn an_exchange_that_was_killed_is_undone_or_finished_by_the_next_call() {
        let kills: [Kill<'_>; 5] = [
            ("the folder was made", &|folder| fs::create_dir(folder.join(NEW)).unwrap()),
            ("one file was half written", &|folder| {
                fs::create_dir(folder.join(NEW)).unwrap();
                fs::write(folder.join(NEW).join("a.1-0.part"), "ne").unwrap();
            }),
            ("all were written", &|folder| {
                prepare(folder, &FRESH).unwrap();
                fs::rename(folder.join(READY), folder.join(NEW)).unwrap();
            }),
            ("they were complete", &|folder| prepare(folder, &FRESH).unwrap()),
            ("one was in its place", &|folder| {
                prepare(folder, &FRESH).unwrap();
                fs::rename(folder.join(READY).join("b"), folder.join("b")).unwrap();
            }),
        ];
        for (place, (after, kill)) in kills.iter().enumerate() {
            for call in [recover, |folder: &Path| exchange(folder, &[])] {
                let dir = tempfile::tempdir().unwrap();
                exchange(dir.path(), &OLD).unwrap();
                kill(dir.path());
                call(dir.path()).unwrap();
                let all: &[(&str, &[u8])] = if place < 3 { &OLD } else { &FRESH };
                assert_eq!(files(dir.path()), expected(all), "killed after {after}");
            }
        }
    }

    #[test]
    fn what_cannot_be_written_leaves_the_old_files() {
        let dir = tempfile::tempdir().unwrap();
        exchange(dir.path(), &OLD).unwrap();
        assert!(exchange(dir.path(), &[("a", b"new a"), ("no/folder", b"x")]).is_err());
        assert_eq!(files(dir.path()), expected(&OLD));
    }
}
