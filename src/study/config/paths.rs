//! Paths in files: relative to the file that names them; `*.toml` at the end stands for all such files, in order.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// Why a named file is not there.
pub(super) enum Problem {
    /// There is no such file. The files that are there come along, written as the naming file would.
    Missing(Vec<String>),
    /// The pattern matches nothing.
    NoMatch,
}

/// `name` relative to the folder of `file`.
pub(super) fn beside(file: &Path, name: &str) -> PathBuf {
    file.parent().unwrap_or(Path::new("")).join(name)
}

/// The files that `name`, found in `file`, stands for.
pub(super) fn expand(file: &Path, name: &str) -> Result<Vec<PathBuf>, Problem> {
    let path = beside(file, name);
    let folder = path.parent().unwrap_or(Path::new("."));
    if let Some(prefix) =
        path.file_name().and_then(|last| last.to_str()).and_then(|last| last.strip_suffix("*.toml"))
    {
        let starts =
            |path: &PathBuf| path.file_name().is_some_and(|last| last.to_string_lossy().starts_with(prefix));
        let found: Vec<PathBuf> = listed(folder).into_iter().filter(starts).collect();
        return if found.is_empty() { Err(Problem::NoMatch) } else { Ok(found) };
    }
    if path.is_file() {
        return Ok(vec![path]);
    }
    let parent = name.rsplit_once('/').map_or(String::new(), |(parent, _)| format!("{parent}/"));
    let as_written = |path: &PathBuf| Some(format!("{parent}{}", path.file_name()?.to_string_lossy()));
    Err(Problem::Missing(listed(folder).iter().filter_map(as_written).collect()))
}

/// All `*.toml` of a folder and the folders in it, each folder once: links may lead back to one that holds them.
pub(super) fn toml_files(folder: &Path) -> Vec<PathBuf> {
    toml_files_but(folder, &mut BTreeSet::new())
}

fn toml_files_but(folder: &Path, seen: &mut BTreeSet<PathBuf>) -> Vec<PathBuf> {
    // A folder that has no canonical path cannot be listed either.
    if !folder.canonicalize().is_ok_and(|path| seen.insert(path)) {
        return Vec::new();
    }
    let mut files = listed(folder);
    let mut folders: Vec<PathBuf> = entries(folder).into_iter().filter(|path| path.is_dir()).collect();
    folders.sort();
    files.extend(folders.iter().flat_map(|inner| toml_files_but(inner, seen)));
    files
}

/// `*.toml` of one folder, numbers inside names in numeric order (H9 before H13).
fn listed(folder: &Path) -> Vec<PathBuf> {
    let toml = |path: &PathBuf| path.is_file() && path.extension().is_some_and(|ext| ext == "toml");
    let mut files: Vec<PathBuf> = entries(folder).into_iter().filter(toml).collect();
    files.sort_by_key(|path| natural(&path.to_string_lossy()));
    files
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries.flatten().map(|entry| entry.path()).collect()
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
