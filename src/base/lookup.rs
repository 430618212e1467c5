//! What is in the file system, told from not being able to look: a disk that fails is no reason to take a file for missing.

use std::{
    fs::{self, File},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

/// Whether a file, or a link to one, is there.
///
/// # Errors
/// What the system says where it cannot tell.
pub fn is_file(path: &Path) -> io::Result<bool> {
    Ok(look(path)?.is_some_and(|found| found.is_file()))
}

/// Whether a folder, or a link to one, is there.
///
/// # Errors
/// What the system says where it cannot tell.
pub fn is_folder(path: &Path) -> io::Result<bool> {
    Ok(look(path)?.is_some_and(|found| found.is_dir()))
}

/// Whether a file or a folder, or a link to one, is there.
///
/// # Errors
/// What the system says where it cannot tell.
pub fn is_there(path: &Path) -> io::Result<bool> {
    Ok(look(path)?.is_some_and(|found| found.is_file() || found.is_dir()))
}

/// What a path leads to; `None` where that is nothing. A link to nothing, and a file in place of a folder, lead to nothing.
fn look(path: &Path) -> io::Result<Option<fs::Metadata>> {
    match fs::metadata(path) {
        Ok(found) => Ok(Some(found)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The paths in a folder, sorted.
///
/// # Errors
/// What the system says of the folder or of any of its entries.
pub fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = uninterrupted(|| fs::read_dir(folder))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<PathBuf>>>()?;
    paths.sort();
    Ok(paths)
}

/// Waits until no other process holds the file, then holds it.
///
/// # Errors
/// What the system says.
pub fn lock(file: &File) -> io::Result<()> {
    uninterrupted(|| file.lock())
}

/// A call that a signal ended before it did anything is made again. The standard library does so where it reads and writes, but
/// not where it copies a file, lists a folder or waits for a lock.
///
/// # Errors
/// Every other error of the call.
pub fn uninterrupted<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_no_error_and_what_cannot_be_looked_at_is_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "x").unwrap();
        assert!(is_file(&file).unwrap() && !is_folder(&file).unwrap() && is_folder(folder.path()).unwrap());
        assert!(!is_file(&folder.path().join("other")).unwrap() && !is_file(&file.join("inside")).unwrap());
        assert!(is_there(&file).unwrap() && is_there(folder.path()).unwrap());
        assert!(!is_there(&folder.path().join("other")).unwrap());
        assert!(is_file(&folder.path().join("n".repeat(300))).is_err());
        assert_eq!(entries(folder.path()).unwrap(), std::slice::from_ref(&file));
        assert!(entries(&file).is_err());
    }
}
