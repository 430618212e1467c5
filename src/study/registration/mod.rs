//! Preregistration: what a hypothesis meant when it was first judged, or deliberately registered before.
//!
//! Registrations are entries of one log ([`Log`]), which are only ever added. A hypothesis whose meaning is not that of its
//! *first* entry is exploratory, whatever was registered later: a later entry says that and why the claim was changed, it does not
//! make seen data unseen. What enters a verdict beside the meaning is registered too ([`Entered`]), and a claim that copies a
//! registered one is shown beside it. No clock enters, and the commit is read from the checkout's own files.

mod checkout;
mod entered;
mod error;
mod likeness;
mod log;

use std::path::Path;

use serde_json::Value;

use crate::config::{NO_MEANING, hypothesis_key, meaning, problems};
use crate::judge::hypothesis::Hypothesis;
use crate::judge::outcome::{Derived, Registration};
use base::hash::Key;
use number::evidence::Evidence;

pub use checkout::commit;
pub use entered::{Entered, OTHER_JUDGE, Texts};
pub use error::RegistrationError;
pub use log::{Entry, Log, path};

/// Unchanged lines beside each change of a diff.
const CONTEXT: usize = 2;

/// What is to be registered of a hypothesis.
pub struct New<'a> {
    /// The hypothesis.
    pub hypothesis: &'a Hypothesis,
    /// `first verdict`, or a note.
    pub why: &'a str,
    /// Commit of the checkout that holds its file.
    pub commit: Option<String>,
    /// What enters its verdict beside it.
    pub entered: Entered,
}

/// Adds registrations in one step; leaves out those whose last entry says the same already. The answer is the ids of which one was
/// added: they are on the disk then.
///
/// # Errors
/// As [`Log::read`]; a log that cannot be written.
pub fn register(folder: &Path, new: Vec<New<'_>>) -> Result<Vec<String>, RegistrationError> {
    let entry = |log: &Log, one: New<'_>| {
        let last = log.of(&one.hypothesis.id).pop();
        let same = |(last, text): (&Entry, &str)| {
            same_meaning(last, text, one.hypothesis) && last.entered.as_ref() == Some(&one.entered)
        };
        if last.is_some_and(same) {
            return None;
        }
        let mut entry = Entry {
            number: 0,
            hypothesis: one.hypothesis.id.clone(),
            means: hypothesis_key(one.hypothesis),
            status: one.hypothesis.status.as_str().to_string(),
            program: env!("CARGO_PKG_VERSION").to_string(),
            commit: one.commit,
            why: one.why.split_whitespace().collect::<Vec<_>>().join(" "),
            before: None,
            hash: Key::of_bytes(b""), // filled in when it is appended
            meaning: Some(text(one.hypothesis)),
            entered: Some(one.entered),
        };
        // The format of hypothesis files may have grown since: the same meaning keeps the words it was registered with.
        if let Some((last, text)) = last.filter(|(last, text)| same_meaning(last, text, one.hypothesis)) {
            (entry.means, entry.meaning) = (last.means, Some(text.to_string()));
        }
        Some(entry)
    };
    Log::append(folder, |log| new.into_iter().filter_map(|one| entry(log, one)).collect())
}

/// Compares a hypothesis, and what enters its verdict, with its first registration. One that has none yet counts as registered with
/// its present meaning, because its first verdict registers it.
pub fn compare(log: &Log, hypothesis: &Hypothesis, entered: &Entered) -> Registration {
    let mine = log.of(&hypothesis.id);
    let derived = derived(log, hypothesis);
    let Some(&(first, text)) = mine.first() else {
        return Registration {
            registered: Some(hypothesis_key(hypothesis)),
            derived,
            ..Registration::default()
        };
    };
    let exploratory = !same_meaning(first, text, hypothesis);
    let then_meant = parse(first, text);
    // Entries of before this was recorded have nothing to compare with.
    let mut recorded = mine.iter().filter_map(|(entry, _)| entry.entered.as_ref());
    let then = recorded.next().map(|first| Entered {
        models_as_listed: first
            .models_as_listed
            .or_else(|| recorded.find_map(|later| later.models_as_listed)),
        ..first.clone()
    });
    let later = mine.iter().enumerate().skip(1);
    Registration {
        // In the present format, so that the hash of what is the same is the same.
        registered: Some(then_meant.as_ref().map_or(first.means, hypothesis_key)),
        exploratory,
        diff: if exploratory {
            let then = then_meant.map_or_else(|_| text.to_string(), |then| self::text(&then));
            diff(&then, &self::text(hypothesis), "registered", "now")
        } else {
            Vec::new()
        },
        later: later
            .map(|(i, (entry, _))| format!("{}: {} ({})", i + 1, entry.why, entry.means.short()))
            .collect(),
        entered: then.map(|then| then.changes(entered)).unwrap_or_default(),
        derived,
        effects: Vec::new(),
    }
}

/// The hypothesis as it was first registered, in the present format, where that is another one than now. `Err`: a later version
/// of the format cannot say it any more.
pub fn first_meaning(log: &Log, hypothesis: &Hypothesis) -> Option<Result<Hypothesis, String>> {
    let (first, text) = log.of(&hypothesis.id).into_iter().next()?;
    let sound = |then: Hypothesis| match problems(&then).into_iter().next() {
        None => Ok(then),
        Some(problem) => Err(problem),
    };
    (!same_meaning(first, text, hypothesis)).then(|| parse(first, text).and_then(sound))
}

/// The claim of an earlier registration that a hypothesis copies.
fn derived(log: &Log, hypothesis: &Hypothesis) -> Option<Derived> {
    let mine = log.entries.iter().position(|entry| entry.hypothesis == hypothesis.id);
    let earlier = &log.entries[..mine.unwrap_or(log.entries.len())];
    let like = |entry: &&Entry| {
        let text = entry.meaning.as_deref().unwrap_or_default();
        entry.hypothesis != hypothesis.id
            && parse(entry, text).is_ok_and(|other| likeness::is_derived(hypothesis, &other))
    };
    let entry = earlier.iter().find(like)?;
    let text = entry.meaning.as_deref().unwrap_or_default();
    let names = (entry.hypothesis.as_str(), hypothesis.id.as_str());
    Some(Derived {
        from: entry.hypothesis.clone(),
        diff: diff(text, &self::text(hypothesis), names.0, names.1),
    })
}

/// The text that is hashed, indented so that a diff shows one value a line.
fn text(hypothesis: &Hypothesis) -> String {
    serde_json::to_string_pretty(&meaning(hypothesis)).unwrap_or_default() + "\n" // text keys only: always serialises
}

/// What an entry says that a hypothesis meant, in the present format. What does not belong to it (title and origin) is empty where
/// it is not there.
fn parse(entry: &Entry, text: &str) -> Result<Hypothesis, String> {
    let mut value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if let Value::Object(fields) = &mut value {
        for name in NO_MEANING {
            fields.entry(name).or_insert_with(|| Value::String(String::new()));
        }
    }
    let mut then: Hypothesis = serde_json::from_value(value).map_err(|error| error.to_string())?;
    if !knows_rehearsal(entry) {
        for prediction in &mut then.predictions {
            if prediction.evidence.contains(&Evidence::Measured) {
                prediction.evidence.push(Evidence::Rehearsal);
            }
        }
    }
    Ok(then)
}

/// Version of the judge before which `measured` was whatever is observed here, miniatures and random weights too: entries of then
/// mean both.
const REHEARSAL_SINCE: u32 = 8;

fn knows_rehearsal(entry: &Entry) -> bool {
    entry.entered.as_ref().is_some_and(|entered| entered.judge >= REHEARSAL_SINCE)
}

/// Whether an entry registers what the hypothesis means now: by its hash, or, where the format of hypothesis files has grown
/// since, by the hash of the entry read in the present format.
fn same_meaning(entry: &Entry, text: &str, hypothesis: &Hypothesis) -> bool {
    let now = hypothesis_key(hypothesis);
    (knows_rehearsal(entry) && entry.means == now)
        || parse(entry, text).is_ok_and(|then| hypothesis_key(&then) == now)
}

fn diff(then: &str, now: &str, then_name: &str, now_name: &str) -> Vec<String> {
    let diff = similar::TextDiff::from_lines(then, now);
    let text = diff.unified_diff().context_radius(CONTEXT).header(then_name, now_name).to_string();
    text.lines().map(String::from).collect()
}

#[cfg(test)]
mod tests;
