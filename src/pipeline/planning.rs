//! Planning: which models, which cells (model × prompt × BOS), under which keys; and what of it is stale.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::basis::Basis;
use super::device::runtime;
use super::registering;
use super::spectra::{SetSpectra, set_spectra};
use super::subject::tokenizer;
use super::weighing::{Weighing, weighings};
use super::{Missing, ModelFailure, PipelineError, Places, Subject, SubjectError, lineage, locate};
use crate::checkpoint::{Memo, Tokenizer};
use crate::claims::RECIPES;
use crate::config::Loaded;
use crate::config::experiment::Model;
use crate::config::hypothesis::Hypothesis;
use crate::evidence::PromptInfo;
use crate::hash::{Fields, Key};
use crate::judge::outcome::Registration;
use crate::judge::{asks_for, is_derived};
use crate::observation::Extras;
use crate::plan::{Job, JobGraph, JobKind, Known, Plan, keys};
use crate::progress::Progress;
use crate::protocol::Bos;
use crate::run::{Runtime, longest};
use crate::store::{Snapshot, Store};

/// One observation to be made or found: a prompt of a set, run through a model under a BOS policy.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Index into `Planned::subjects`.
    pub subject: usize,
    /// Prompt sets that contain the prompt.
    pub set: String,
    pub prompt: PromptInfo,
    pub bos: Bos,
    pub token_ids: Vec<u32>,
    /// What any set with this text asks for beside the usual: it is observed once for all of them.
    pub extras: Extras,
    /// Who the cell is for people, e.g. `observe/llama3-tiny/grand25/the-capital…/auto`.
    pub slot: String,
    pub fields: Fields,
    pub key: Key,
    /// What it adds to the digest of a judgement's evidence.
    pub(super) part: Key,
}

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
    /// Content digest of the published tables, if the experiment names any.
    pub published: Option<Key>,
    /// Digest of the recipes beside them, which decide nothing but the table of claims.
    pub recipes: Option<Key>,
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
    let runtime = runtime(places.device, progress)?;
    let store = Store::open(&places.store)?;
    let memo = Memo::at(&places.store.join("identities.json"));
    let mut subjects = Vec::new();
    let (mut failures, mut absent) = (Vec::new(), Vec::new());
    let (asked, unasked): (Vec<&Model>, Vec<&Model>) =
        loaded.selected().partition(|model| loaded.hypotheses.iter().any(|(_, h, _)| asks(h, model)));
    if !unasked.is_empty() {
        let ids: Vec<&str> = unasked.iter().map(|model| model.id.as_str()).collect();
        progress.note(&format!("not measured, since no hypothesis asks for them: {}", ids.join(", ")));
    }
    // Models of one folder share its tokenizer.
    let mut tokenizers = BTreeMap::new();
    for model in asked {
        let at = locate(model, &loaded.models, &loaded.models_path, missing, progress);
        let opened = at.and_then(|at| {
            let tokenizer = tokenizers.entry(at.clone()).or_insert_with(|| tokenizer(&at));
            Subject::listed_with(model, &at, tokenizer.clone(), &memo)
        });
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
            .find(|other| other.weights == subject.weights && other.intervention == subject.intervention)
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
    let (snapshot, damaged) = store.checked_snapshot()?;
    for note in snapshot.notes().iter().cloned().chain(damaged.iter().map(ToString::to_string)) {
        progress.note(&note);
    }
    let all = Basis::all(&cells, &weighings, &spectra);
    let registrations = registering::compare(loaded, &places.results)?;
    let registered = registering::digest(&registrations);
    let plan = jobs(loaded, &subjects, &all, published, recipes, registered)?.plan(&snapshot);
    let planned = Planned {
        runtime,
        store,
        snapshot,
        subjects,
        cells,
        weighings,
        spectra,
        published,
        recipes,
        registrations,
        plan,
        failures,
        absent,
    };
    Ok(planned)
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

fn cells(
    loaded: &Loaded,
    subjects: &[Subject],
    runtime: &Runtime,
    failures: &mut Vec<ModelFailure>,
) -> Vec<Cell> {
    let mut extras: BTreeMap<&str, Extras> = BTreeMap::new();
    for set in &loaded.prompt_sets {
        for prompt in &set.prompts {
            extras.entry(&prompt.text).or_default().extend(&set.extras);
        }
    }
    let mut cells = Vec::new();
    let mut encoded = BTreeMap::<(Key, &str, Bos), Vec<u32>>::new();
    for (index, subject) in subjects.iter().enumerate() {
        let facts = subject.facts();
        let asked: BTreeSet<&String> = loaded
            .hypotheses
            .iter()
            .filter(|(_, hypothesis, _)| asks_for(hypothesis, &subject.id, &facts))
            .flat_map(|(_, hypothesis, _)| &hypothesis.prompts)
            .collect();
        // Sets that no hypothesis names are measured all the same, on what is released.
        let all = !is_derived(&facts);
        let tokenizer = match &subject.tokenizer {
            Ok(tokenizer) => tokenizer,
            Err(error) => {
                failures.push(ModelFailure { model: subject.id.clone(), error: error.clone() });
                continue;
            }
        };
        let mut refused = Refused::default();
        for set in loaded.prompt_sets.iter().filter(|set| all || asked.contains(&set.id)) {
            for prompt in &set.prompts {
                for &bos in &loaded.experiment.bos {
                    let place = (tokenizer.identity(), prompt.text.as_str(), bos);
                    let ids = match encoded.get(&place) {
                        Some(ids) => Ok(ids.clone()),
                        None => tokenizer.encode(&prompt.text, bos).map_err(|error| error.to_string()),
                    };
                    let usable = ids.and_then(|ids| fits(subject, &ids).map(|()| ids));
                    let token_ids = match usable {
                        Ok(ids) => ids,
                        Err(error) => {
                            refused.add(&set.id, &prompt.id, error);
                            continue;
                        }
                    };
                    encoded.entry(place).or_insert_with(|| token_ids.clone());
                    let extras = &extras[prompt.text.as_str()];
                    let fields =
                        observe_fields(subject, tokenizer, &prompt.text, &token_ids, extras, runtime);
                    let key = fields.key();
                    cells.push(Cell {
                        subject: index,
                        set: set.id.clone(),
                        prompt: PromptInfo {
                            id: prompt.id.clone(),
                            category: prompt.category.clone(),
                            text: prompt.text.clone(),
                        },
                        bos,
                        token_ids,
                        extras: extras.clone(),
                        slot: keys::observe_slot(&subject.id, &set.id, &prompt.id, bos),
                        part: keys::evidence_part(&subject.id, &prompt.id, &prompt.category, bos, &key),
                        key,
                        fields,
                    });
                }
            }
        }
        let lines = refused.lines();
        failures.extend(lines.map(|error| ModelFailure { model: subject.id.clone(), error }));
    }
    cells
}

/// Prompts a model cannot run, by reason: a hundred prompts refused for one reason are one failure.
#[derive(Default)]
struct Refused(BTreeMap<String, Vec<String>>);

impl Refused {
    fn add(&mut self, set: &str, prompt: &str, reason: String) {
        self.0.entry(reason).or_default().push(format!("{set}/{prompt}"));
    }

    fn lines(self) -> impl Iterator<Item = String> {
        self.0.into_iter().map(|(reason, prompts)| match &prompts[..] {
            [one] => format!("prompt {one}: {reason}"),
            many => format!("{} prompts ({}, …): {reason}", many.len(), many[0]),
        })
    }
}

/// A prompt the model's context or the machine's memory cannot hold is that prompt's failure, not the model's.
fn fits(subject: &Subject, ids: &[u32]) -> Result<(), String> {
    let most = longest(&subject.recipe);
    if ids.len() > most {
        return Err(format!("longer than the {most} tokens this model can run; shorten it or leave it out"));
    }
    Ok(())
}

/// Key fields of one observation from text, which the tokenizer turned into `ids`.
pub fn observe_fields(
    subject: &Subject,
    tokenizer: &Tokenizer,
    text: &str,
    ids: &[u32],
    extras: &Extras,
    runtime: &Runtime,
) -> Fields {
    let bos = tokenizer.leading_bos(ids);
    fields_of(subject, keys::Input::Text { text, tokenizer: tokenizer.identity(), bos }, extras, runtime)
}

/// Key fields of one observation from token ids: no tokenizer and no BOS policy decides anything.
pub fn observe_fields_of_ids(subject: &Subject, ids: &[u32], extras: &Extras, runtime: &Runtime) -> Fields {
    fields_of(subject, keys::Input::Tokens(ids), extras, runtime)
}

fn fields_of(subject: &Subject, prompt: keys::Input<'_>, extras: &Extras, runtime: &Runtime) -> Fields {
    let graph = subject.graphs.identity();
    let (format, dtype) = (keys::OBSERVATION_FORMAT, "float32");
    let (runtime, provider) = (runtime.version(), runtime.device().provider());
    let (weights, intervention) = (subject.weights, subject.intervention.map(|change| change.to_string()));
    let intervention = intervention.as_deref();
    keys::Observe { weights, intervention, prompt, extras, graph, format, runtime, provider, dtype }.fields()
}

/// Key fields of a model's exported graphs.
pub(super) fn export_fields(subject: &Subject) -> Fields {
    keys::Export { graph: subject.graphs.identity(), builder_version: keys::BUILDER_VERSION }.fields()
}

fn jobs(
    loaded: &Loaded,
    subjects: &[Subject],
    all: &Basis<'_>,
    published: Option<Key>,
    recipes: Option<Key>,
    registered: Option<Key>,
) -> Result<JobGraph, PipelineError> {
    let mut jobs = Vec::new();
    for subject in subjects {
        let slot = format!("export/{}", subject.id);
        jobs.push(Job::new(
            JobKind::Export,
            slot,
            format!("{}: ONNX graphs", subject.id),
            export_fields(subject),
        ));
    }
    let export = |subject: usize| [format!("export/{}", subjects[subject].id)];
    for cell in &all.cells {
        let label = format!("{}: {}", subjects[cell.subject].id, cell.prompt.text);
        let job = Job::new(JobKind::Observe, cell.slot.clone(), label, cell.fields.clone());
        jobs.push(job.needing(export(cell.subject)));
    }
    for weighing in &all.weighings {
        let label = format!("{}: weights", subjects[weighing.subject].id);
        jobs.push(Job::new(JobKind::Weigh, weighing.slot.clone(), label, weighing.fields.clone()));
    }
    for spectra in &all.spectra {
        let label = format!("{}: spectra of {}", subjects[spectra.subject].id, spectra.set);
        let job = Job::new(JobKind::Spectra, spectra.slot.clone(), label, spectra.fields.clone());
        jobs.push(job.needing(export(spectra.subject)));
    }
    let mut outcomes = Vec::new();
    for (_, hypothesis, hash) in &loaded.hypotheses {
        let mine = all.of(hypothesis, subjects);
        let fields = judge_fields(loaded, *hash, subjects, &mine, published);
        let slot = format!("judge/{}", hypothesis.id);
        outcomes.push((slot.clone(), fields.key()));
        let job = Job::new(JobKind::Judge, slot, hypothesis.title.clone(), fields);
        jobs.push(job.needing(mine.slots()));
    }
    let (slots, outcomes): (Vec<String>, Vec<Key>) = outcomes.into_iter().unzip();
    let fields = report_fields(loaded, &outcomes, subjects, all, published, recipes, registered);
    let slot = format!("report/{}", loaded.experiment.id);
    jobs.push(Job::new(JobKind::Report, slot, loaded.experiment.title.clone(), fields).needing(slots));
    Ok(JobGraph::new(jobs)?)
}

/// Key fields of one verdict: the claim, the evidence (with the names it is filed under), the seed.
pub(super) fn judge_fields(
    loaded: &Loaded,
    hypothesis: Key,
    subjects: &[Subject],
    basis: &Basis<'_>,
    published: Option<Key>,
) -> Fields {
    let evidence = basis.digest(subjects, published);
    let (seed, statistics_version) = (loaded.experiment.seed, keys::STATISTICS_VERSION);
    keys::Judge { hypothesis, evidence, seed, statistics_version }.fields()
}

/// Key fields of the report: the verdicts, all evidence, the title of the experiment, recipes of claims, and registrations
/// that are news.
pub(super) fn report_fields(
    loaded: &Loaded,
    outcomes: &[Key],
    subjects: &[Subject],
    basis: &Basis<'_>,
    published: Option<Key>,
    recipes: Option<Key>,
    registered: Option<Key>,
) -> Fields {
    let evidence = basis.digest(subjects, published);
    let (title, report_version) = (loaded.experiment.title.as_str(), keys::REPORT_VERSION);
    let fields =
        keys::Report { outcomes: keys::digest_keys(outcomes), evidence, title, report_version }.fields();
    let more = [("recipes", recipes), ("registrations", registered)];
    more.into_iter().fold(fields, |fields, (name, key)| match key {
        Some(key) => fields.with(name, key),
        None => fields,
    })
}
