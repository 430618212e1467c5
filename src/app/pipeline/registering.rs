//! Registering: each hypothesis against what it was when first registered, and the first entry where there is none.

use std::path::{Path, PathBuf};

use super::error::PipelineError;
use super::executor::Done;
use super::inputs::{Inputs, tables_digest};
use super::measured_jobs::asks;
use crate::plan::keys::STATISTICS_VERSION;
use base::hash::{Fields, Key};
use number::evidence::Evidence;
use study::config::Loaded;
use study::judge::hypothesis::{Hypothesis, Status};
use study::judge::outcome::{HypothesisOutcome, Registration, Verdict};
use study::registration::{self, Entered, Log, New};

const FIRST: &str = "first verdict";

pub(super) fn folder(results: &Path) -> PathBuf {
    results.join("registered")
}

/// What enters the verdict of a hypothesis beside it.
pub(super) fn entered(loaded: &Loaded, hypothesis: &Hypothesis, tables: Option<Key>) -> Entered {
    let reads = |evidence| hypothesis.predictions.iter().any(|one| one.evidence.contains(&evidence));
    let models = loaded.selected().filter(|model| asks(hypothesis, model));
    let tables = tables.filter(|_| reads(Evidence::Published));
    Entered::of(loaded, hypothesis, models, tables, STATISTICS_VERSION)
}

pub(super) fn tables(loaded: &Loaded) -> Result<Option<Key>, PipelineError> {
    loaded.published.as_deref().map(tables_digest).transpose()
}

type AsRegistered = Vec<(usize, Result<Hypothesis, String>)>;

/// Compares every hypothesis of an experiment with its registration: by id, in the experiment's order; and those that mean
/// something else now, as they were.
pub(super) fn compare(
    loaded: &Loaded,
    results: &Path,
) -> Result<(Vec<(String, Registration)>, AsRegistered), PipelineError> {
    let (log, tables) = (Log::read(&folder(results))?, tables(loaded)?);
    let one = |hypothesis: &Hypothesis| {
        let found = registration::compare(&log, hypothesis, &entered(loaded, hypothesis, tables));
        (hypothesis.id.clone(), found)
    };
    let hypotheses = || loaded.hypotheses.iter().map(|(_, hypothesis, _)| hypothesis);
    let then = hypotheses().enumerate().filter_map(|(number, hypothesis)| {
        registration::first_meaning(&log, hypothesis).map(|then| (number, then))
    });
    Ok((hypotheses().map(one).collect(), then.collect()))
}

/// Compares, as a run does, what is registered with an experiment: nothing is computed or written.
///
/// # Errors
/// A log that cannot be read or was changed, published tables that cannot be read.
pub fn registrations(loaded: &Loaded, results: &Path) -> Result<Vec<(String, Registration)>, PipelineError> {
    Ok(compare(loaded, results)?.0)
}

/// Registers what gets its first verdict now, unless that is untestable or the hypothesis is a draft. Returns the ids.
pub(super) fn first_verdicts<'o>(
    loaded: &Loaded,
    results: &Path,
    outcome: impl Fn(usize) -> Option<&'o HypothesisOutcome>,
) -> Result<Vec<String>, PipelineError> {
    add(loaded, results, FIRST, |log, number, hypothesis| {
        let decided = |outcome: &HypothesisOutcome| {
            outcome.predictions.iter().any(|prediction| prediction.verdict != Verdict::Untestable)
        };
        Ok(hypothesis.status != Status::Draft
            && log.of(&hypothesis.id).is_empty()
            && outcome(number).is_some_and(decided))
    })
}

/// Adds entries for the hypotheses that are chosen.
pub(super) fn add(
    loaded: &Loaded,
    results: &Path,
    why: &str,
    chosen: impl Fn(&Log, usize, &Hypothesis) -> Result<bool, PipelineError>,
) -> Result<Vec<String>, PipelineError> {
    let log = Log::read(&folder(results))?;
    let mut new = Vec::new();
    for (number, (path, hypothesis, _)) in loaded.hypotheses.iter().enumerate() {
        if chosen(&log, number, hypothesis)? {
            new.push((path, hypothesis));
        }
    }
    append(loaded, results, why, &new)
}

pub(super) fn append(
    loaded: &Loaded,
    results: &Path,
    why: &str,
    chosen: &[(&PathBuf, &Hypothesis)],
) -> Result<Vec<String>, PipelineError> {
    if chosen.is_empty() {
        return Ok(Vec::new());
    }
    let tables = tables(loaded)?;
    let new = chosen.iter().map(|(path, hypothesis)| New {
        hypothesis,
        why,
        commit: registration::commit(path),
        entered: entered(loaded, hypothesis, tables),
    });
    Ok(registration::register(&folder(results), new.collect())?)
}

/// Digest of the registrations that a report shows; `None` where all are as first registered, which is no news.
pub(super) fn digest(registrations: &[(String, Registration)]) -> Option<Key> {
    let mut fields = Fields::new("registrations");
    for (id, registration) in registrations.iter().filter(|(_, registration)| is_news(registration)) {
        let said =
            [&registration.later, &registration.diff, &registration.entered].map(|lines| lines.join("\n"));
        let derived = registration.derived.as_ref().map(|derived| derived.diff.join("\n"));
        fields = said.iter().chain(&derived).fold(fields, |fields, said| fields.with(id, said));
    }
    (!fields.fields.is_empty()).then(|| fields.key())
}

fn is_news(registration: &Registration) -> bool {
    let Registration { registered: _, exploratory, diff: _, later, entered, derived, effects: _ } =
        registration;
    *exploratory || !later.is_empty() || !entered.is_empty() || derived.is_some()
}

/// The registrations of a plan, each with what its change does to the verdicts of a run.
pub(super) fn with_effects(inputs: &Inputs<'_>, done: &Done) -> Vec<(String, Registration)> {
    let mut registrations = inputs.registrations.clone();
    for (number, then) in &inputs.as_registered {
        let verdicts = (done.as_registered.get(number), done.outcomes.get(number));
        registrations[*number].1.effects = match (then, verdicts) {
            (Err(why), _) => vec![format!("as first registered it cannot be judged any more: {why}")],
            (Ok(_), (Some(then), Some(now))) => effects(then, now),
            (Ok(_), _) => Vec::new(), // not judged: the plan failed before
        };
    }
    registrations
}

/// What the change since the first registration does: predictions and claims whose verdicts differ, a sentence each.
fn effects(then: &HypothesisOutcome, now: &HypothesisOutcome) -> Vec<String> {
    let mut found = Vec::new();
    let mut differs = |what: &str, evidence: Evidence, then: Verdict, now: Verdict| {
        if then != now {
            found.push(format!("the change moves {what}, {evidence}: {then} as first registered, {now} now"));
        }
    };
    for (evidence, now) in &now.verdicts {
        if let Some((_, then)) = then.verdicts.iter().find(|(one, _)| one == evidence) {
            differs("the claim", *evidence, *then, *now);
        }
    }
    for now in &now.predictions {
        let same = |one: &&study::judge::outcome::PredictionOutcome| {
            one.id == now.id && one.evidence == now.evidence
        };
        if let Some(then) = then.predictions.iter().find(same) {
            differs(&now.id, now.evidence, then.verdict, now.verdict);
        }
    }
    found
}
