//! The log of registrations: one file, entries that are only ever added, each with the hash of the one before.
//!
//! ```text
//! registered/log.toml   [[registration]] number, hypothesis, means, status, program, commit, why, before, hash, meaning, entered
//! ```
//!
//! `means` is the hash of the meaning and `meaning` its text, left out where it is that of the hypothesis's entry before.
//! `hash` is over all the rest of the entry and with `before` over every entry before it, so that none can be changed, removed or
//! exchanged unseen; that the last ones are still there, the version that the checkout holds tells ([`Log::read`]).

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::checkout;
use super::entered::Entered;
use super::error::RegistrationError;
use crate::nesting::{DEEPEST, too_deep};
use base::foreign::{self, Kind};
use base::hash::{Fields, Key};
use base::{lookup, publish};

const FILE: &str = "log.toml";
const HEADER: &str = "# Every registration of a hypothesis: what it meant when it was first judged, or was put on record before, and every change\n\
     # since. Written by streamgauge, which only adds to it and refuses a log of which an entry was changed or removed. Keep it\n\
     # under version control.\n";

/// Every registration there is, oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Log {
    /// The entries.
    pub entries: Vec<Entry>,
    /// The bytes of the file.
    text: String,
}

/// One registration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Place in the log, from 1.
    pub number: usize,
    /// Id of the hypothesis.
    pub hypothesis: String,
    /// Hash of the meaning, as verdicts carry it.
    pub means: Key,
    /// `re-analysis` or `prospective`, as the hypothesis file said.
    pub status: String,
    /// Version of this program.
    pub program: String,
    /// Commit of the checkout that held the experiment, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// `first verdict`, or a note.
    pub why: String,
    /// Hash of the entry before; none in the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Key>,
    /// Hash of this entry, see [`Entry::own_hash`].
    pub hash: Key,
    /// The hashed meaning as JSON, indented; none where it is that of the hypothesis's entry before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meaning: Option<String>,
    /// What else entered the verdict; none in entries of before this was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entered: Option<Entered>,
}

/// A file of one entry, as it is appended.
#[derive(Serialize, Deserialize)]
struct Listed<T> {
    registration: T,
}

impl Entry {
    /// The hash over all else that the entry says.
    pub(super) fn own_hash(&self) -> Key {
        let or_empty = |text: &Option<String>| text.clone().unwrap_or_default();
        let entered = self.entered.as_ref().and_then(|entered| serde_json::to_string(entered).ok());
        Fields::new("registration")
            .with("number", self.number)
            .with("hypothesis", &self.hypothesis)
            .with("means", self.means)
            .with("status", &self.status)
            .with("program", &self.program)
            .with("commit", or_empty(&self.commit))
            .with("why", &self.why)
            .with("before", self.before.map(|key| key.to_string()).unwrap_or_default())
            .with("meaning", or_empty(&self.meaning))
            .with("entered", entered.unwrap_or_default())
            .key()
    }
}

impl Log {
    /// Reads the log of a folder and compares it with the version that the checkout's last commit holds, where there is one.
    /// No file is an empty log.
    ///
    /// # Errors
    /// A file that cannot be read, that is no log, of which an entry was changed, removed or exchanged, or that lacks what was
    /// committed.
    pub fn read(folder: &Path) -> Result<Log, RegistrationError> {
        let log = Log::parse(folder)?;
        let path = folder.join(FILE);
        let Some((commit, committed)) = checkout::committed(&path) else { return Ok(log) };
        let committed = plain(&committed);
        if log.text.starts_with(&committed) {
            return Ok(log);
        }
        let broken = |what: String| RegistrationError::Broken { path: path.clone(), what };
        let then = entries(&committed)
            .map_err(|what| broken(format!("as commit {} has it, {what}", short(&commit))))?;
        let lost = then.iter().enumerate().find(|(i, entry)| log.entries.get(*i) != Some(entry));
        Err(broken(match lost {
            Some((_, entry)) => format!(
                "registration {} ({}) of commit {} was removed or exchanged",
                entry.number,
                entry.hypothesis,
                short(&commit)
            ),
            None => format!("it does not begin as commit {} has it", short(&commit)),
        }))
    }

    fn parse(folder: &Path) -> Result<Log, RegistrationError> {
        let path = folder.join(FILE);
        let broken = |what: String| RegistrationError::Broken { path: path.clone(), what };
        let text = match foreign::read_text(&path, Kind::Table) {
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            Err(error) if error.kind() == ErrorKind::InvalidData => return Err(broken(error.to_string())),
            read => {
                read.map_err(|error| RegistrationError::Read { path: path.clone(), what: error.to_string() })?
            }
        };
        let text = plain(&text);
        let entries = entries(&text).map_err(broken)?;
        Ok(Log { entries, text })
    }

    /// The registrations of a hypothesis, oldest first, each with its meaning.
    pub fn of(&self, hypothesis: &str) -> Vec<(&Entry, &str)> {
        let mut meaning = "";
        let mine = self.entries.iter().filter(|entry| entry.hypothesis == hypothesis);
        mine.map(|entry| {
            meaning = entry.meaning.as_deref().unwrap_or(meaning);
            (entry, meaning)
        })
        .collect()
    }

    /// Appends what `new` makes of the log as it is under the lock, in one step: it is on the disk when this returns. Number, hashes
    /// of the chain and a repeated meaning are filled in here.
    ///
    /// # Errors
    /// As [`Log::read`]; a file that cannot be written.
    pub(super) fn append(
        folder: &Path,
        new: impl FnOnce(&Log) -> Vec<Entry>,
    ) -> Result<Vec<String>, RegistrationError> {
        let path = folder.join(FILE);
        let failed =
            |error: std::io::Error| RegistrationError::Write { path: path.clone(), what: error.to_string() };
        publish::make_folder(folder).map_err(failed)?;
        // Two commands that register at once: one after the other, or one would overwrite what the other added.
        let _lock = Lock::of(folder).map_err(failed)?;
        let mut log = Log::read(folder)?;
        let (mut added, mut text) = (Vec::new(), log.text.clone());
        if text.is_empty() {
            text += HEADER;
        }
        for mut entry in new(&log) {
            let last = log.of(&entry.hypothesis).last().map(|(_, meaning)| meaning.to_string());
            if last.is_some() && entry.meaning == last {
                entry.meaning = None;
            }
            entry.number = log.entries.len() + 1;
            entry.before = log.entries.last().map(|before| before.hash);
            entry.hash = entry.own_hash();
            let one = toml::to_string_pretty(&Listed { registration: [&entry] })
                .map_err(|error| RegistrationError::Write { path: path.clone(), what: error.to_string() })?;
            text += "\n";
            text += &one;
            added.push(entry.hypothesis.clone());
            log.entries.push(entry);
        }
        if !added.is_empty() {
            publish::write_synced(&path, &[text.as_bytes()]).map_err(failed)?;
        }
        Ok(added)
    }
}

/// Held while the log is written; the system releases it with the file.
struct Lock(#[allow(dead_code, reason = "held, not read")] Option<File>);

impl Lock {
    fn of(folder: &Path) -> std::io::Result<Lock> {
        if !cfg!(unix) {
            return Ok(Lock(None)); // folders cannot be opened
        }
        let folder = File::open(folder)?;
        match lookup::lock(&folder) {
            // Some network file systems know no locks.
            Err(error) if error.kind() == ErrorKind::Unsupported => Ok(Lock(None)),
            locked => locked.map(|()| Lock(Some(folder))),
        }
    }
}

/// A text without a mark of byte order, with line ends of one character: editors and checkouts change these.
fn plain(text: &str) -> String {
    text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n")
}

fn short(commit: &str) -> &str {
    commit.get(..8).unwrap_or(commit)
}

/// The entries of a log, or in words why it is none.
fn entries(text: &str) -> Result<Vec<Entry>, String> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    if too_deep(text).is_some() {
        return Err(format!("its tables lie in each other more than {DEEPEST} deep"));
    }
    let found: Listed<Vec<Entry>> = toml::from_str(text).map_err(|error| error.message().to_string())?;
    let mut before: Option<Key> = None;
    for (i, entry) in found.registration.iter().enumerate() {
        let named = format!("registration {} ({})", i + 1, entry.hypothesis);
        if entry.own_hash() != entry.hash {
            return Err(format!("{named} was changed after it was made"));
        }
        if entry.before != before || entry.number != i + 1 {
            return Err(format!(
                "{named} does not follow the one before it: one was removed, added or exchanged"
            ));
        }
        let earlier = found.registration[..i].iter().any(|other| other.hypothesis == entry.hypothesis);
        if let Some(meaning) = &entry.meaning {
            let meaning: Value = serde_json::from_str(meaning)
                .map_err(|error| format!("the meaning of {named} is no JSON: {error}"))?;
            if Fields::new("hypothesis").with("meaning", meaning).key() != entry.means {
                return Err(format!("the meaning of {named} is not what its hash is of"));
            }
        } else if !earlier {
            return Err(format!("{named} has no meaning, and its hypothesis no entry before"));
        }
        before = Some(entry.hash);
    }
    Ok(found.registration)
}

/// The path of a folder's log.
pub fn path(folder: &Path) -> PathBuf {
    folder.join(FILE)
}
