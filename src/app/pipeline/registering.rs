//! Registering: each hypothesis against what it was when first judged, and the first entry where there is none.

use std::path::{Path, PathBuf};

use super::error::PipelineError;
use base::hash::{Fields, Key};
use study::config::Loaded;
use study::judge::hypothesis::Hypothesis;
use study::judge::outcome::Registration;
use study::registration::{self, RegistrationError};

const FIRST: &str = "first verdict";

fn folder(results: &Path) -> PathBuf {
    results.join("registered")
}

/// Compares every hypothesis of an experiment with its registration; by id, in the experiment's order.
pub(super) fn compare(loaded: &Loaded, results: &Path) -> Result<Vec<(String, Registration)>, PipelineError> {
    let one = |hypothesis: &Hypothesis| {
        let found = registration::read(&folder(results), &hypothesis.id)?;
        Ok((hypothesis.id.clone(), registration::compare(found.as_ref(), hypothesis)))
    };
    loaded.hypotheses.iter().map(|(_, hypothesis, _)| one(hypothesis)).collect()
}

/// Registers what is judged for the first time.
pub(super) fn first_verdicts(loaded: &Loaded, results: &Path) -> Result<(), PipelineError> {
    for (path, hypothesis, _) in &loaded.hypotheses {
        if registration::read(&folder(results), &hypothesis.id)?.is_none() {
            registration::register(&folder(results), hypothesis, FIRST, registration::commit(path))?;
        }
    }
    Ok(())
}

/// Digest of the registrations that a report shows; `None` where all are as first registered, which is no news.
pub(super) fn digest(registrations: &[(String, Registration)]) -> Option<Key> {
    let mut fields = Fields::new("registrations");
    for (id, registration) in registrations.iter().filter(|(_, r)| r.exploratory || !r.later.is_empty()) {
        fields = fields.with(id, registration.later.join("\n")).with("diff", registration.diff.join("\n"));
    }
    (!fields.fields.is_empty()).then(|| fields.key())
}

/// Registers hypotheses on purpose: before their first verdict, or again after a change, which needs a note. Returns the
/// ids that got an entry; the others are registered as they are.
pub fn register(
    loaded: &Loaded,
    results: &Path,
    ids: &[String],
    note: Option<&str>,
) -> Result<Vec<String>, PipelineError> {
    let mut chosen = Vec::new();
    for id in ids {
        let found = loaded.hypotheses.iter().find(|(_, hypothesis, _)| hypothesis.id == *id);
        chosen.push(found.ok_or_else(|| {
            let known: Vec<&str> = loaded.hypotheses.iter().map(|(_, h, _)| h.id.as_str()).collect();
            RegistrationError::Unknown { id: id.clone(), known: known.join(", ") }
        })?);
    }
    let mut added = Vec::new();
    for (path, hypothesis, _) in chosen {
        let folder = folder(results);
        let before = registration::read(&folder, &hypothesis.id)?;
        let now = registration::compare(before.as_ref(), hypothesis);
        if let (true, None, Some(first)) = (now.exploratory, note, now.registered) {
            return Err(RegistrationError::Changed { id: hypothesis.id.clone(), first }.into());
        }
        let why = note.unwrap_or("registered before a verdict");
        if registration::register(&folder, hypothesis, why, registration::commit(path))? {
            added.push(hypothesis.id.clone());
        }
    }
    Ok(added)
}
