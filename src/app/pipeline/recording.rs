//! Putting hypotheses on record: on purpose, or because they say that their data are unseen, which the plan shows.

use std::path::Path;

use super::error::PipelineError;
use super::places::Places;
use super::planning::{Planned, plan};
use super::registering::{add, append, entered, folder, tables};
use super::subject::WhenMissing;
use base::progress::Silent;
use study::config::Loaded;
use study::judge::hypothesis::{Hypothesis, Status};
use study::registration::{self, Log, RegistrationError};

const BEFORE: &str = "before its data";

/// Registers prospective hypotheses before anything of theirs is computed. Returns their ids.
pub(super) fn before_data(planned: &Planned<'_>, results: &Path) -> Result<Vec<String>, PipelineError> {
    let loaded = planned.inputs.loaded;
    add(loaded, results, BEFORE, |log, number, hypothesis| {
        let new = hypothesis.status == Status::Prospective && log.of(&hypothesis.id).is_empty();
        if new {
            unseen(planned, number, hypothesis)?;
        }
        Ok(new)
    })
}

/// Registers hypotheses on purpose: before their first verdict, or again after a change, which needs a note. Returns the
/// ids that got an entry; the others are registered as they are.
///
/// # Errors
/// An id that the experiment does not have, a draft, a change without a note, a prospective hypothesis whose data the store has; a
/// log that cannot be read or written.
pub fn register(
    loaded: &Loaded,
    places: &Places,
    ids: &[String],
    note: Option<&str>,
) -> Result<Vec<String>, PipelineError> {
    let results = &places.results;
    let (log, tables) = (Log::read(&folder(results))?, tables(loaded)?);
    let mut chosen = Vec::new();
    for id in ids {
        let found = loaded.hypotheses.iter().position(|(_, hypothesis, _)| hypothesis.id == *id);
        chosen.push(found.ok_or_else(|| {
            let known: Vec<&str> = loaded.hypotheses.iter().map(|(_, h, _)| h.id.as_str()).collect();
            RegistrationError::Unknown { id: id.clone(), known: known.join(", ") }
        })?);
    }
    let (mut planned, mut new) = (None, Vec::new());
    for &number in &chosen {
        let (_, hypothesis, _) = &loaded.hypotheses[number];
        let id = hypothesis.id.clone();
        if hypothesis.status == Status::Draft {
            return Err(RegistrationError::Draft { id }.into());
        }
        if log.of(&id).is_empty() {
            if hypothesis.status == Status::Prospective {
                if planned.is_none() {
                    planned = Some(plan(loaded, places, WhenMissing::Report, &Silent)?);
                }
                planned.as_ref().map_or(Ok(()), |planned| unseen(planned, number, hypothesis))?;
            }
            new.push(number);
            continue;
        }
        let now = registration::compare(&log, hypothesis, &entered(loaded, hypothesis, tables));
        match (note, now.registered) {
            (None, Some(first)) if now.exploratory => {
                return Err(RegistrationError::Changed { id, first }.into());
            }
            (None, _) if !now.entered.is_empty() => {
                return Err(RegistrationError::EnteredChanged { id, what: now.entered }.into());
            }
            (None, _) => {} // registered as it is
            (Some(_), _) => new.push(number),
        }
    }
    let files = new.iter().map(|&number| (&loaded.hypotheses[number].0, &loaded.hypotheses[number].1));
    append(loaded, results, note.unwrap_or("registered before a verdict"), &files.collect::<Vec<_>>())
}

/// Refuses a prospective hypothesis of whose observations the store already has some.
fn unseen(planned: &Planned<'_>, number: usize, hypothesis: &Hypothesis) -> Result<(), PipelineError> {
    let jobs = &planned.plan.jobs;
    let judged = jobs.iter().find(|one| one.job.kind == "judge" && one.job.index == number);
    let needs = || judged.iter().flat_map(|one| &one.job.needs).map(|&place| &jobs[place]);
    let observed = || needs().filter(|one| one.job.kind == "observe");
    // A claim about weights alone reads nothing else.
    let read: Vec<_> = if observed().next().is_some() { observed().collect() } else { needs().collect() };
    let held: Vec<_> = read.iter().filter(|one| one.why.is_none()).collect();
    match held.first() {
        None => Ok(()),
        Some(example) => Err(RegistrationError::Seen {
            id: hypothesis.id.clone(),
            held: held.len(),
            of: read.len(),
            example: example.job.slot.clone(),
        }
        .into()),
    }
}
