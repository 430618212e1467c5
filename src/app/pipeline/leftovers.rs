//! Files that the last report of a results folder left and the new one does not have, e.g. the picture of a hypothesis that is
//! gone. Only what a report wrote is removed, and only where nobody changed it since.

use std::fs;
use std::path::{Component, Path};

use super::written::Manifest;
use base::foreign::{self, Kind};
use base::hash::Key;
use base::progress::Progress;
use results::tidy;

/// The files of the last report with their digests; none where no report was written, or its list cannot be read.
pub(super) fn listed(results: &Path) -> Manifest {
    let list = foreign::read_text(&results.join(tidy::RESEARCH_OBJECT), Kind::Json);
    list.map(|list| tidy::files_of(&list)).unwrap_or_default()
}

/// Removes files of `before` that are not in `now`. One that cannot be removed is said, and stays.
pub(super) fn remove(results: &Path, before: &Manifest, now: &Manifest, progress: &dyn Progress) {
    let gone = before.iter().filter(|(name, _)| !now.contains_key(*name) && *name != tidy::RESEARCH_OBJECT);
    for (name, digest) in gone {
        let path = results.join(name);
        if !is_ours(&path, Path::new(name), digest) {
            continue;
        }
        if let Err(error) = fs::remove_file(&path) {
            let path = path.display();
            progress
                .note(&format!("{path} is of an earlier report and cannot be removed: {error}; remove it"));
        }
    }
}

/// A file below the folder, no link, with the content that was written.
fn is_ours(path: &Path, name: &Path, digest: &Key) -> bool {
    name.components().all(|part| matches!(part, Component::Normal(_)))
        && fs::symlink_metadata(path).is_ok_and(|found| found.is_file())
        && Key::of_file(path).is_ok_and(|(found, _)| found == *digest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::progress::Silent;

    #[test]
    fn only_what_was_written_and_not_changed_since_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let results = folder.path().join("results");
        fs::create_dir_all(results.join("report")).unwrap();
        let put = |name: &str, text: &str| {
            fs::write(results.join(name), text).unwrap();
            (name.to_string(), Key::of_bytes(b"ours"))
        };
        let before = [
            put("report/gone.svg", "ours"),
            put("report/changed.svg", "mine"),
            put("report/kept.svg", "ours"),
            put("../outside.svg", "ours"),
        ];
        put("report/unknown.svg", "ours");
        let now = Manifest::from([before[2].clone()]);
        remove(&results, &Manifest::from(before), &now, &Silent);
        let there = [
            "report/gone.svg",
            "report/changed.svg",
            "report/kept.svg",
            "../outside.svg",
            "report/unknown.svg",
        ]
        .map(|name| results.join(name).exists());
        assert_eq!(there, [false, true, true, true, true]);
    }
}
