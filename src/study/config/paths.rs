//! Paths in files: relative to the file that names them; `*.toml` at the end stands for all such files, in order.

use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
};

use base::lookup;

/// Why a name stands for no files.
pub(super) enum Problem {
    /// There is no such file. The files that are there come along, written as the naming file would.
    Missing(Vec<String>),
    /// The pattern matches nothing.
    NoMatch,
    /// The system cannot tell what is there.
    Unreadable(PathBuf, io::Error),
}

/// What the system cannot look at, and what it says.
pub(super) struct Unreadable(pub PathBuf, pub io::Error);

impl From<Unreadable> for Problem {
    fn from(Unreadable(path, error): Unreadable) -> Problem {
        Problem::Unreadable(path, error)
    }
}

/// `name` relative to the folder of `file`.
pub(super) fn beside(file: &Path, name: &str) -> PathBuf {
    file.parent().unwrap_or(Path::new("")).join(name)
}

/// The files that `name`, found in `file`, stands for.
pub(super) fn expand(file: &Path, name: &str) -> Result<Vec<PathBuf>, Problem> {
    let path = beside(file, name);
    let folder = path.parent().unwrap_or(Path::new("."));
    let last = path.file_name().and_then(|last| last.to_str()).unwrap_or_default();
    if let Some(prefix) = last.strip_suffix("*.toml") {
        let starts =
            |path: &PathBuf| path.file_name().is_some_and(|last| last.to_string_lossy().starts_with(prefix));
        let found: Vec<PathBuf> = listed(folder)?.into_iter().filter(starts).collect();
        return if found.is_empty() { Err(Problem::NoMatch) } else { Ok(found) };
    }
    if is_file(&path)? {
        return Ok(vec![path]);
    }
    let parent = name.rsplit_once('/').map_or(String::new(), |(parent, _)| format!("{parent}/"));
    let as_written = |path: &PathBuf| Some(format!("{parent}{}", path.file_name()?.to_string_lossy()));
    Err(Problem::Missing(listed(folder)?.iter().filter_map(as_written).collect()))
}

/// All `*.toml` of a folder and the folders in it, each folder once: links may lead back to one that holds them.
pub(super) fn toml_files(folder: &Path) -> Result<Vec<PathBuf>, Problem> {
    toml_files_but(folder, &mut BTreeSet::new())
}

fn toml_files_but(folder: &Path, seen: &mut BTreeSet<PathBuf>) -> Result<Vec<PathBuf>, Problem> {
    let unreadable = |error| Problem::Unreadable(folder.to_path_buf(), error);
    if !seen.insert(folder.canonicalize().map_err(unreadable)?) {
        return Ok(Vec::new());
    }
    let mut files = listed(folder)?;
    for inner in entries(folder)? {
        if lookup::is_folder(&inner).map_err(|error| Problem::Unreadable(inner.clone(), error))? {
            files.extend(toml_files_but(&inner, seen)?);
        }
    }
    Ok(files)
}

/// `*.toml` of one folder, numbers inside names in numeric order (H9 before H13).
pub(super) fn listed(folder: &Path) -> Result<Vec<PathBuf>, Unreadable> {
    let mut files = Vec::new();
    for path in entries(folder)? {
        if path.extension().is_some_and(|extension| extension == "toml") && is_file(&path)? {
            files.push(path);
        }
    }
    files.sort_by_key(|path| natural(&path.to_string_lossy()));
    Ok(files)
}

/// What is in a folder; a folder that is not there holds nothing.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, Unreadable> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    match lookup::entries(folder) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(Vec::new())
        }
        found => found.map_err(|error| Unreadable(folder.to_path_buf(), error)),
    }
}

fn is_file(path: &Path) -> Result<bool, Unreadable> {
    lookup::is_file(path).map_err(|error| Unreadable(path.to_path_buf(), error))
}

/// Sort key: runs of digits compare as numbers.
fn natural(text: &str) -> Vec<(u64, String)> {
    let mut parts = vec![(0u64, String::new())];
    let mut in_digits = false;
    for c in text.chars() {
        if let Some(digit) = c.to_digit(10) {
            if !in_digits {
                parts.push((0, String::new()));
            }
            if let Some((number, _)) = parts.last_mut() {
                *number = number.saturating_mul(10).saturating_add(u64::from(digit));
            }
        } else if let Some((_, word)) = parts.last_mut() {
            word.push(c);
        }
        in_digits = c.is_ascii_digit();
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_sort_as_numbers() {
        let mut names = ["H13.toml", "H9.toml", "H16.toml"];
        names.sort_by_key(|name| natural(name));
        assert_eq!(names, ["H9.toml", "H13.toml", "H16.toml"]);
    }
}
