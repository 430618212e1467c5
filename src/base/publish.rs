//! Files that appear whole or not at all: written beside their place, then renamed.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
    process,
};

/// Has `parts`, one after another, at `path`; whoever reads there sees the old file or the new one.
///
/// # Errors
/// What the system says; the old file, if there was one, is then as it was.
pub fn write(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let part = path.with_extension(format!("{}.part", process::id()));
    let written = File::create(&part)
        .and_then(|mut file| parts.iter().try_for_each(|bytes| file.write_all(bytes)))
        .and_then(|()| fs::rename(&part, path));
    if written.is_err() {
        // A part that cannot be removed either is the disk's to keep; the first error is the one to tell.
        let _ = fs::remove_file(&part);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_written_leaves_the_folder_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file.txt");
        write(&path, &[b"one", b" two"]).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one two");
        let taken = folder.path().join("taken");
        fs::create_dir_all(taken.join("inside")).unwrap();
        assert!(write(&taken, &[b"x"]).is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
