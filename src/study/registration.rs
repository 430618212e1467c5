//! Preregistration: the text of a hypothesis when it was first judged, or deliberately registered before.
//!
//! ```text
//! registered/H13.toml   one entry per registration, oldest first: hash, status, program, commit, why, and the meaning that
//!                       was hashed, as JSON
//! ```
//!
//! Entries are only ever added. A hypothesis whose meaning is not that of its *first* entry is exploratory, whatever was
//! registered later: a later entry says that and why the claim was changed, it does not make seen data unseen. No clock
//! enters, and the commit is read from the checkout's own files.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::config::hypothesis_key;
use crate::judge::hypothesis::Hypothesis;
use crate::judge::outcome::Registration;
use base::foreign::{self, Kind};
use base::hash::{Fields, Key};
use base::publish;

/// Unchanged lines beside each change of a diff.
const CONTEXT: usize = 2;

const HEADER: &str = "# What this hypothesis said when it was first judged, and every registration since. Written by streamgauge, which \
     only adds to it;\n# a changed entry is refused. Keep it under version control.\n";

/// Why a registration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RegistrationError {
    /// The file is no registration, or an entry was changed after it was made.
    #[error("{}: {what}; restore it from version control", path.display())]
    Broken {
        /// The registration file.
        path: PathBuf,
        /// What is wrong with it, in words.
        what: String,
    },
    /// The file cannot be read.
    #[error("cannot read {}: {what}; name a results folder that this user may read and write", path.display())]
    Read {
        /// The registration file.
        path: PathBuf,
        /// What is wrong with it, in words.
        what: String,
    },
    /// The file cannot be written.
    #[error("cannot write {}: {what}; name a results folder that this user may read and write", path.display())]
    Write {
        /// The registration file.
        path: PathBuf,
        /// What is wrong with it, in words.
        what: String,
    },
    #[error(
        "{id} was registered as {} and means something else now; say why with --note, the first registration stays",
        first.short()
    )]
    /// The hypothesis means something else than its first registration, and no note says why.
    Changed {
        /// Id of the hypothesis.
        id: String,
        /// Hash of what was registered first.
        first: Key,
    },
    /// The experiment has no hypothesis of this id.
    #[error("no hypothesis {id:?} in this experiment; it has {known}")]
    Unknown {
        /// The id that was asked for.
        id: String,
        /// The ids that the experiment has.
        known: String,
    },
}

/// A registration file: every registration of one hypothesis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registered {
    /// Id of the hypothesis.
    pub id: String,
    /// The registrations, oldest first.
    #[serde(rename = "registration")]
    pub entries: Vec<Entry>,
}

/// One registration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Hash of the meaning, as verdicts carry it.
    pub hash: Key,
    /// `re-analysis` or `prospective`, as the file said.
    pub status: String,
    /// Version of this program.
    pub program: String,
    /// Commit of the checkout that held the experiment, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// `first verdict`, or a note.
    pub why: String,
    /// The hashed meaning, indented.
    pub meaning: String,
}

/// Reads the registration of a hypothesis; `None` if it has none.
///
/// # Errors
/// A file that is not one, or an entry whose meaning is not what its hash is of.
pub fn read(folder: &Path, id: &str) -> Result<Option<Registered>, RegistrationError> {
    let path = path(folder, id);
    let broken = |what: String| RegistrationError::Broken { path: path.clone(), what };
    let text = match foreign::read_text(&path, Kind::Text) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) if error.kind() == ErrorKind::InvalidData => return Err(broken(error.to_string())),
        read => {
            read.map_err(|error| RegistrationError::Read { path: path.clone(), what: error.to_string() })?
        }
    };
    let found: Registered = toml::from_str(&text).map_err(|error| broken(error.message().to_string()))?;
    if found.id != id || found.entries.is_empty() {
        return Err(broken(format!("it is no registration of {id}")));
    }
    for (i, entry) in found.entries.iter().enumerate() {
        let meaning: serde_json::Value = serde_json::from_str(&entry.meaning)
            .map_err(|error| broken(format!("the meaning of registration {} is no JSON: {error}", i + 1)))?;
        if Fields::new("hypothesis").with("meaning", meaning).key() != entry.hash {
            return Err(broken(format!("registration {} was changed after it was made", i + 1)));
        }
    }
    Ok(Some(found))
}

/// Adds a registration, unless the last one has the same meaning. The answer is whether one was added: it is on the disk then.
///
/// # Errors
/// A registration that cannot be read (see [`read`]) or written.
pub fn register(
    folder: &Path,
    hypothesis: &Hypothesis,
    why: &str,
    commit: Option<String>,
) -> Result<bool, RegistrationError> {
    let before = read(folder, &hypothesis.id)?;
    let mut entries = before.map(|found| found.entries).unwrap_or_default();
    if entries.last().is_some_and(|last| same_meaning(last, hypothesis)) {
        return Ok(false);
    }
    let status = serde_json::to_value(hypothesis.status).unwrap_or_default(); // a word always serialises
    entries.push(Entry {
        hash: hypothesis_key(hypothesis),
        status: status.as_str().unwrap_or_default().to_string(),
        program: env!("CARGO_PKG_VERSION").to_string(),
        commit,
        why: why.split_whitespace().collect::<Vec<_>>().join(" "),
        meaning: meaning(hypothesis),
    });
    let path = path(folder, &hypothesis.id);
    let failed = |what: String| RegistrationError::Write { path: path.clone(), what };
    let file = Registered { id: hypothesis.id.clone(), entries };
    let text = toml::to_string_pretty(&file).map_err(|error| failed(error.to_string()))?;
    publish::make_folder(folder).map_err(|error| failed(error.to_string()))?;
    publish::write_synced(&path, &[HEADER.as_bytes(), text.as_bytes()])
        .map_err(|error| failed(error.to_string()))?;
    Ok(true)
}

/// Compares a hypothesis with its first registration. One that has none yet counts as registered with its present meaning,
/// because its first verdict registers it.
pub fn compare(registered: Option<&Registered>, hypothesis: &Hypothesis) -> Registration {
    let Some(first) = registered.and_then(|found| found.entries.first()) else {
        return Registration { registered: Some(hypothesis_key(hypothesis)), ..Registration::default() };
    };
    let exploratory = !same_meaning(first, hypothesis);
    let later = registered.iter().flat_map(|found| found.entries.iter().enumerate().skip(1));
    Registration {
        registered: Some(first.hash),
        exploratory,
        diff: if exploratory { diff(&first.meaning, &meaning(hypothesis)) } else { Vec::new() },
        later: later.map(|(i, entry)| format!("{}: {} ({})", i + 1, entry.why, entry.hash.short())).collect(),
    }
}

fn path(folder: &Path, id: &str) -> PathBuf {
    folder.join(format!("{id}.toml"))
}

/// The text that is hashed, indented so that a diff shows one value a line.
fn meaning(hypothesis: &Hypothesis) -> String {
    serde_json::to_string_pretty(hypothesis).unwrap_or_default() + "\n" // text keys only: always serialises
}

/// Whether an entry registers what the hypothesis means now: by its hash, or, where the format of hypothesis files has grown
/// since, by the hash of the entry read in the present format.
fn same_meaning(entry: &Entry, hypothesis: &Hypothesis) -> bool {
    let now = hypothesis_key(hypothesis);
    let then = || serde_json::from_str::<Hypothesis>(&entry.meaning).ok();
    entry.hash == now || then().is_some_and(|then| hypothesis_key(&then) == now)
}

fn diff(then: &str, now: &str) -> Vec<String> {
    let diff = similar::TextDiff::from_lines(then, now);
    let text = diff.unified_diff().context_radius(CONTEXT).header("registered", "now").to_string();
    text.lines().map(String::from).collect()
}

/// The commit that the checkout around a path is at, read from its `.git`; `None` outside of one.
pub fn commit(path: &Path) -> Option<String> {
    let start = fs::canonicalize(path).ok()?;
    let git = start.ancestors().map(|folder| folder.join(".git")).find(|git| git.exists())?;
    let text = |path: PathBuf| foreign::read_text(&path, Kind::Text);
    // A linked worktree has a file that names its folder.
    let own = match text(git.clone()) {
        Ok(text) => git.parent()?.join(text.strip_prefix("gitdir:")?.trim()),
        Err(_) => git,
    };
    let head = text(own.join("HEAD")).ok()?;
    let hash = |text: &str| {
        let word = text.split_whitespace().next().unwrap_or_default();
        (word.len() >= 40 && word.chars().all(|c| c.is_ascii_hexdigit())).then(|| word.to_string())
    };
    let Some(reference) = head.trim().strip_prefix("ref:").map(str::trim) else { return hash(&head) };
    let common = text(own.join("commondir")).map_or(own.clone(), |text| own.join(text.trim()));
    let loose = [&own, &common].into_iter().find_map(|git| text(git.join(reference)).ok());
    if let Some(text) = loose {
        return hash(&text);
    }
    let packed = text(common.join("packed-refs")).ok()?;
    packed.lines().find(|line| line.split_whitespace().nth(1) == Some(reference)).and_then(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hypothesis() -> Hypothesis {
        let text = crate::config::template::hypothesis("H19");
        toml::from_str(&text).expect("the template is valid")
    }

    #[test]
    fn a_changed_meaning_is_exploratory_with_its_diff_and_stays_so_when_registered_again() {
        let dir = tempfile::tempdir().unwrap();
        let first = hypothesis();
        let new = compare(read(dir.path(), "H19").unwrap().as_ref(), &first);
        assert_eq!((new.registered, new.exploratory), (Some(hypothesis_key(&first)), false));
        assert!(register(dir.path(), &first, "first verdict", None).unwrap());
        assert!(!register(dir.path(), &first, "again", None).unwrap(), "nothing to add");
        let same = compare(read(dir.path(), "H19").unwrap().as_ref(), &first);
        assert_eq!(same, new, "a first verdict and a second one look the same");

        let changed = Hypothesis { alpha: 0.1, ..first.clone() };
        let found = compare(read(dir.path(), "H19").unwrap().as_ref(), &changed);
        assert!(found.exploratory && found.registered == Some(hypothesis_key(&first)));
        assert!(found.diff.contains(&"-  \"alpha\": 0.05,".to_string()), "{:#?}", found.diff);
        assert!(found.diff.contains(&"+  \"alpha\": 0.1,".to_string()), "{:#?}", found.diff);

        assert!(register(dir.path(), &changed, "level of\nthe field", Some("c0ffee".into())).unwrap());
        let again = compare(read(dir.path(), "H19").unwrap().as_ref(), &changed);
        assert!(again.exploratory && again.diff == found.diff, "no laundering");
        assert!(again.later[0].starts_with("2: level of the field ("), "{:?}", again.later);
        assert!(!compare(read(dir.path(), "H19").unwrap().as_ref(), &first).exploratory, "back to the first");
    }

    #[test]
    fn an_entry_that_was_edited_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        register(dir.path(), &hypothesis(), "first verdict", None).unwrap();
        let path = dir.path().join("H19.toml");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains("\"alpha\": 0.05"), "{text}");
        fs::write(&path, text.replace("\"alpha\": 0.05", "\"alpha\": 0.1")).unwrap();
        let error = read(dir.path(), "H19").unwrap_err().to_string();
        assert!(error.contains("H19.toml") && error.contains("changed after it was made"), "{error}");
    }

    #[test]
    fn the_commit_of_a_checkout_is_read_from_its_own_files() {
        let dir = tempfile::tempdir().unwrap();
        let (git, inside) = (dir.path().join(".git"), dir.path().join("experiments"));
        fs::create_dir_all(git.join("refs/heads")).unwrap();
        fs::create_dir_all(&inside).unwrap();
        let (a, b) = ("a".repeat(40), "b".repeat(40));
        fs::write(git.join("HEAD"), "ref: refs/heads/main\n").unwrap();
        assert_eq!(commit(&inside), None, "no commit yet");
        fs::write(git.join("packed-refs"), format!("# pack-refs\n{b} refs/heads/main\n")).unwrap();
        assert_eq!(commit(&inside), Some(b.clone()));
        fs::write(git.join("refs/heads/main"), format!("{a}\n")).unwrap();
        assert_eq!(commit(&inside), Some(a.clone()));
        // A linked worktree beside it.
        let (own, tree) = (git.join("worktrees/tree"), dir.path().join("tree"));
        fs::create_dir_all(&own).unwrap();
        fs::create_dir_all(&tree).unwrap();
        fs::write(tree.join(".git"), format!("gitdir: {}\n", own.display())).unwrap();
        fs::write(own.join("commondir"), "../..\n").unwrap();
        fs::write(own.join("HEAD"), format!("{b}\n")).unwrap();
        assert_eq!(commit(&tree), Some(b));
        fs::write(own.join("HEAD"), "ref: refs/heads/main\n").unwrap();
        assert_eq!(commit(&tree), Some(a));
    }
}
