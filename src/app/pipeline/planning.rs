//! Planning: the models are opened, the prompts tokenised, and every kind of job says which jobs there are under which keys.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::thread;

use rayon::prelude::*;

use super::cells::cells;
use super::device::runtime;
use super::error::{ModelFailure, PipelineError};
use super::executor::{Kind, Run, kind_of};
use super::inputs::{Inputs, Unmeasured, WhyUnmeasured, published_digest, recipes_digest};
use super::measured_jobs::asks;
use super::places::Places;
use super::subject::{Subject, SubjectError, WhenMissing, locate, tokenizers};
use super::{calibrated, kinds, registering};
use crate::plan::{Job, JobGraph, Plan};
use crate::store::{Damaged, Snapshot, Store, StoreError, damage_notes};
use base::hash::Fields;
use base::progress::Progress;
use base::threads;
use model::checkpoint::Memo;
use study::config::Loaded;
use study::config::experiment::Model;

/// Models that a note names one by one.
const MOST_NAMED: usize = 5;

/// Everything a run needs to know before it computes.
pub struct Planned<'a> {
    /// Models, prompts, tables and store, of which the jobs are made.
    pub inputs: Inputs<'a>,
    /// Every job with its state, in the order in which they run.
    pub plan: Plan,
    pub(super) kinds: Vec<Box<dyn Kind>>,
}

impl<'a> Planned<'a> {
    /// A run of the plan in which nothing is done yet.
    pub(super) fn start(&'a self, places: &'a Places, progress: &'a dyn Progress) -> Run<'a> {
        Run::new((&self.inputs, &self.kinds, &self.plan), places, progress)
    }
}

/// Opens models and store, tokenises prompts, and compares every key with what the store holds.
///
/// # Errors
/// No runtime, a store, published tables or registrations that cannot be read. A model that cannot be opened is listed.
pub fn plan<'a>(
    loaded: &'a Loaded,
    places: &Places,
    missing: WhenMissing,
    progress: &dyn Progress,
) -> Result<Planned<'a>, PipelineError> {
    let _span = tracing::info_span!("plan").entered();
    let (runtime, store) = thread::scope(|scope| {
        let store = threads::beside(scope, "store", || open_store(&places.store));
        let runtime = runtime(places.device, places.memory, progress);
        (runtime, store.join())
    });
    let (runtime, (store, snapshot, damaged)) = (runtime?, store?);
    let (asked, unasked): (Vec<&Model>, Vec<&Model>) =
        loaded.selected().partition(|model| loaded.hypotheses.iter().any(|(_, h, _)| asks(h, model)));
    if !unasked.is_empty() {
        let mut ids: Vec<&str> = unasked.iter().map(|model| model.id.as_str()).take(MOST_NAMED).collect();
        let others = (unasked.len() > MOST_NAMED).then(|| format!("{} others", unasked.len() - MOST_NAMED));
        ids.extend(others.as_deref());
        progress.note(&format!("not measured, since no hypothesis asks for them: {}", ids.join(", ")));
    }
    let mut subjects = Vec::new();
    let mut unmeasured = Vec::new();
    for (model, opened) in asked.iter().zip(open(&asked, loaded, places, missing, progress)) {
        match opened {
            Ok(subject) => subjects.push(subject),
            Err(error) => {
                let why = match error {
                    SubjectError::NotHere { .. } => WhyUnmeasured::Absent,
                    SubjectError::NotFetched { .. } => WhyUnmeasured::Unfetched,
                    _ => WhyUnmeasured::Failed,
                };
                let what = ModelFailure { model: model.id.clone(), error: error.to_string() };
                unmeasured.push(Unmeasured { what, why });
            }
        }
    }
    for (index, subject) in subjects.iter().enumerate() {
        if let Some(twin) = subjects[..index]
            .iter()
            .find(|other| other.weights() == subject.weights() && other.intervention == subject.intervention)
        {
            let (one, other) = (&subject.id, &twin.id);
            progress.note(&format!("{one} has the weights of {other}: statistics count them as two models"));
        }
    }
    let mut refused = Vec::new();
    let cells = cells(loaded, &subjects, &runtime, &mut refused);
    let published = loaded.published.as_deref().map(published_digest).transpose()?;
    let recipes = loaded.published.as_deref().map(recipes_digest).transpose()?;
    let (registrations, as_registered) = registering::compare(loaded, &places.results)?;
    let mut inputs = Inputs {
        loaded,
        runtime,
        store,
        snapshot,
        subjects,
        cells,
        published,
        recipes,
        calibrated: calibrated::read(&places.results, loaded, progress),
        registrations,
        as_registered,
        unmeasured,
    };
    let (mut kinds, mut jobs) = (kinds::all(), Vec::new());
    for kind in &mut kinds {
        let mine = kind.jobs(&inputs, &jobs, &mut refused);
        jobs.extend(mine);
    }
    let refused = refused.into_iter().map(|what| Unmeasured { what, why: WhyUnmeasured::Failed });
    inputs.unmeasured.extend(refused);
    inputs.unmeasured.sort_by_key(|one| one.why);
    for failure in inputs.unusable() {
        progress.note(&format!("{}: {}", failure.model, failure.error));
    }
    for model in inputs.unfetched() {
        progress.note(&format!("without {}: {}", model.model, model.error));
    }
    for note in inputs.snapshot.notes().iter().cloned().chain(damage_notes(&damaged)) {
        progress.note(&note);
    }
    let names: Vec<&'static str> = kinds.iter().map(|kind| kind.name()).collect();
    let fields = |job: &Job| match kind_of(&kinds, job) {
        Some(kind) => kind.fields(&inputs, job.index),
        None => Fields::new(job.kind), // every job was made by one of the kinds
    };
    let plan = JobGraph::new(jobs, turns(&kinds))?.plan(&inputs.snapshot, &names, &fields);
    Ok(Planned { inputs, plan, kinds })
}

/// The turn of a job: model by model, and within a model in the order of the kinds, but a kind that makes outputs of another
/// on the way before that one. What is about no single model comes last.
fn turns(kinds: &[Box<dyn Kind>]) -> impl Fn(&Job) -> (usize, usize, bool) {
    let place = |name: &str| kinds.iter().position(|kind| kind.name() == name);
    let turn =
        |kind: &dyn Kind| (place(kind.also_makes().unwrap_or(kind.name())), kind.also_makes().is_none());
    let turns: BTreeMap<&'static str, (Option<usize>, bool)> =
        kinds.iter().map(|kind| (kind.name(), turn(&**kind))).collect();
    move |job| {
        let (place, itself) = turns.get(job.kind).copied().unwrap_or((None, true));
        (job.model.unwrap_or(usize::MAX), place.unwrap_or(usize::MAX), itself)
    }
}

/// The store, what it holds and what of that is damaged.
fn open_store(folder: &Path) -> Result<(Store, Snapshot, Vec<Damaged>), StoreError> {
    let _span = tracing::info_span!("check store").entered();
    let store = Store::open(folder)?;
    let (snapshot, damaged) = store.checked_snapshot()?;
    Ok((store, snapshot, damaged))
}

/// The models, in their order. What has to be downloaded comes one after the other, with its progress.
fn open(
    models: &[&Model],
    loaded: &Loaded,
    places: &Places,
    missing: WhenMissing,
    progress: &dyn Progress,
) -> Vec<Result<Subject, SubjectError>> {
    let memo = Memo::at(&places.store.join("identities.json"));
    let locate = |model: &&Model| locate(model, &loaded.models, &loaded.models_path, missing, progress);
    let located: Vec<Result<PathBuf, SubjectError>> = models.iter().map(locate).collect();
    let folders: BTreeSet<&PathBuf> = located.iter().flatten().collect();
    let folders: Vec<&PathBuf> = folders.into_iter().collect();
    let tokenizers: BTreeMap<PathBuf, _> =
        folders.iter().copied().cloned().zip(tokenizers(&folders)).collect();
    let notes = tokenizers.values().flatten().filter_map(|tokenizer| tokenizer.note());
    notes.for_each(|note| progress.note(&note));
    let open = |(model, at): (&&Model, Result<PathBuf, SubjectError>)| {
        let at = at?;
        Subject::listed_with(model, &at, tokenizers[&at].clone(), &memo)
    };
    let subjects: Vec<_> = models.par_iter().zip(located).map(open).collect();
    // Variants of a base say the same.
    let opened = subjects.iter().flatten();
    let notes: BTreeSet<&String> = opened.flat_map(|subject| subject.checkpoint.notes()).collect();
    notes.into_iter().for_each(|note| progress.note(note));
    subjects
}
