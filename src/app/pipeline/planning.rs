//! Planning: which models, which cells (model × prompt × BOS), under which keys; and what of it is stale.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::thread;

use rayon::prelude::*;

use super::basis::Basis;
use super::cells::{Cell, cells};
use super::device::runtime;
use super::jobs::{self, Beside, Conclusions};
use super::registering;
use super::spectra::{SetSpectra, set_spectra};
use super::subject::tokenizers;
use super::weighing::{Weighing, weighings};
use super::{Missing, ModelFailure, PipelineError, Places, Subject, SubjectError, lineage, locate};
use crate::plan::{Known, Plan, keys};
use crate::store::{Damaged, Snapshot, Store, StoreError, damage_notes};
use base::hash::{Fields, Key};
use base::progress::Progress;
use engine::run::Runtime;
use model::checkpoint::Memo;
use study::claims::RECIPES;
use study::config::Loaded;
use study::config::experiment::Model;
use study::judge::asks_for;
use study::judge::hypothesis::Hypothesis;
use study::judge::outcome::Registration;

/// Models that a note names one by one.
const MOST_NAMED: usize = 5;

/// Everything a run needs to know before it computes.
pub struct Planned {
    pub runtime: Runtime,
    pub store: Store,
    pub snapshot: Snapshot,
    pub subjects: Vec<Subject>,
    pub cells: Vec<Cell>,
    /// One per subject.
    pub weighings: Vec<Weighing>,
    pub spectra: Vec<SetSpectra>,
    pub(super) beside: Beside,
    pub(super) conclusions: Conclusions,
    /// By hypothesis id: what it means against what it was registered as.
    pub registrations: Vec<(String, Registration)>,
    /// Every job with its state.
    pub plan: Plan,
    /// Models and prompts that cannot be run, with the reason.
    pub failures: Vec<ModelFailure>,
    /// Models of the hub that are not on this machine and were not to be downloaded.
    pub absent: Vec<ModelFailure>,
}

impl Planned {
    /// Everything there is to measure.
    pub(super) fn basis(&self) -> Basis<'_> {
        Basis::all(&self.cells, &self.weighings, &self.spectra)
    }

    /// Cells whose observation the store does not hold, one per key.
    pub fn missing(&self) -> Vec<&Cell> {
        let mut seen = BTreeSet::new();
        self.cells.iter().filter(|cell| !self.snapshot.has(&cell.key) && seen.insert(cell.key)).collect()
    }

    /// What cannot be observed: failures and absent models.
    pub fn unusable(&self) -> impl Iterator<Item = &ModelFailure> {
        self.failures.iter().chain(&self.absent)
    }
}

/// Opens models and store, tokenises prompts, and compares every key with what the store holds.
pub fn plan(
    loaded: &Loaded,
    places: &Places,
    missing: Missing,
    progress: &dyn Progress,
) -> Result<Planned, PipelineError> {
    let _span = tracing::info_span!("plan").entered();
    let (runtime, store) = thread::scope(|scope| {
        let store = scope.spawn(|| open_store(&places.store));
        let runtime = runtime(places.device, places.memory, progress);
        (runtime, store.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
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
    let (mut failures, mut absent) = (Vec::new(), Vec::new());
    for (model, opened) in asked.iter().zip(open(&asked, loaded, places, missing, progress)) {
        match opened {
            Ok(subject) => subjects.push(subject),
            Err(error) => {
                let list =
                    if matches!(error, SubjectError::NotHere { .. }) { &mut absent } else { &mut failures };
                list.push(ModelFailure { model: model.id.clone(), error: error.to_string() });
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
    let cells = cells(loaded, &subjects, &runtime, &mut failures);
    let weighings = weighings(&subjects);
    let spectra = set_spectra(loaded, &subjects, &cells, &runtime, &mut failures);
    for failure in failures.iter().chain(&absent) {
        progress.note(&format!("{}: {}", failure.model, failure.error));
    }
    let published = loaded.published.as_deref().map(published_digest).transpose()?;
    let recipes = loaded.published.as_deref().map(recipes_digest).transpose()?;
    for note in snapshot.notes().iter().cloned().chain(damage_notes(&damaged)) {
        progress.note(&note);
    }
    let all = Basis::all(&cells, &weighings, &spectra);
    let registrations = registering::compare(loaded, &places.results)?;
    let beside = Beside { published, recipes, registered: registering::digest(&registrations) };
    let conclusions = jobs::conclusions(loaded, &subjects, &all, beside);
    let exports: Vec<Fields> = subjects.iter().map(jobs::export_fields).collect();
    let plan = jobs::graph(loaded, &subjects, &all, &exports, &conclusions)?.plan(&snapshot);
    let planned = Planned {
        runtime,
        store,
        snapshot,
        subjects,
        cells,
        weighings,
        spectra,
        beside,
        conclusions,
        registrations,
        plan,
        failures,
        absent,
    };
    Ok(planned)
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
    missing: Missing,
    progress: &dyn Progress,
) -> Vec<Result<Subject, SubjectError>> {
    let memo = Memo::at(&places.store.join("identities.json"));
    let locate = |model: &&Model| locate(model, &loaded.models, &loaded.models_path, missing, progress);
    let located: Vec<Result<PathBuf, SubjectError>> = models.iter().map(locate).collect();
    let folders: BTreeSet<&PathBuf> = located.iter().flatten().collect();
    let folders: Vec<&PathBuf> = folders.into_iter().collect();
    let tokenizers: BTreeMap<PathBuf, _> =
        folders.iter().copied().cloned().zip(tokenizers(&folders)).collect();
    let open = |(model, at): (&&Model, Result<PathBuf, SubjectError>)| {
        let at = at?;
        Subject::listed_with(model, &at, tokenizers[&at].clone(), &memo)
    };
    models.par_iter().zip(located).map(open).collect()
}

/// Whether a hypothesis is judged on a model of the list.
fn asks(hypothesis: &Hypothesis, model: &Model) -> bool {
    asks_for(hypothesis, &model.id, &lineage(model))
}

/// Key of the imported tables: the names and bytes of the folder's CSV files.
fn published_digest(folder: &Path) -> Result<Key, PipelineError> {
    let fail = |error| PipelineError::Read { path: folder.to_path_buf(), error };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        if path.extension().is_some_and(|extension| extension == "csv") {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            files.push((name, std::fs::read(&path).map_err(fail)?));
        }
    }
    let tables = keys::digest_files(files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())));
    Ok(keys::Import { tables, importer_version: keys::IMPORT_VERSION }.fields().key())
}

/// Digest of the recipes of a folder of published tables.
fn recipes_digest(folder: &Path) -> Result<Key, PipelineError> {
    let path = folder.join(RECIPES);
    let bytes = std::fs::read(&path).map_err(|error| PipelineError::Read { path, error })?;
    Ok(Key::of_bytes(&bytes))
}
