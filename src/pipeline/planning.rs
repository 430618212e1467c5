//! Planning: which models, which cells (model × prompt × BOS), under which keys; and what of it is stale.

use std::collections::BTreeMap;

use super::{ModelFailure, PipelineError, Places, Subject, locate};
use crate::checkpoint::Memo;
use crate::config::Loaded;
use crate::evidence::PromptInfo;
use crate::hash::{Fields, Key};
use crate::judge;
use crate::plan::{Job, JobGraph, JobKind, State, keys};
use crate::progress::Progress;
use crate::protocol::Bos;
use crate::report;
use crate::run::Runtime;
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
    /// Who the cell is for people, e.g. `observe/llama3-tiny/grand25/the-capital…/auto`.
    pub slot: String,
    pub fields: Fields,
    pub key: Key,
}

/// Everything a run needs to know before it computes.
pub struct Planned {
    pub runtime: Runtime,
    pub store: Store,
    pub snapshot: Snapshot,
    pub subjects: Vec<Subject>,
    pub cells: Vec<Cell>,
    /// Content digest of the published tables, if the experiment names any.
    pub published: Option<Key>,
    pub graph: JobGraph,
    pub states: Vec<State>,
    /// Models and prompts that cannot be run, with the reason.
    pub failures: Vec<ModelFailure>,
}

impl Planned {
    /// Cells whose observation the store does not hold, one per key.
    pub fn missing(&self) -> Vec<&Cell> {
        let mut first = BTreeMap::new();
        for (index, cell) in self.cells.iter().enumerate() {
            if !crate::plan::Known::has(&self.snapshot, &cell.key) {
                first.entry(cell.key).or_insert(index);
            }
        }
        let mut indices: Vec<usize> = first.into_values().collect();
        indices.sort_unstable();
        indices.into_iter().map(|index| &self.cells[index]).collect()
    }
}

/// Opens models and store, tokenises prompts, and compares every key with what the store holds.
pub fn plan(loaded: &Loaded, places: &Places, progress: &dyn Progress) -> Result<Planned, PipelineError> {
    let runtime = Runtime::load(super::subject::runtime_library().as_deref())?;
    let store = Store::open(&places.store)?;
    let memo = Memo::open(&places.store.join("identities.json"));
    let mut subjects = Vec::new();
    let mut failures = Vec::new();
    for model in loaded.models.models.iter().filter(|m| m.profiles.contains(&loaded.experiment.profile)) {
        let opened = locate(model, &loaded.models_path).and_then(|at| Subject::open(&model.id, &at, &memo));
        match opened {
            Ok(subject) => subjects.push(subject),
            Err(error) => failures.push(ModelFailure { model: model.id.clone(), error: error.to_string() }),
        }
    }
    let cells = cells(loaded, &subjects, runtime.version(), &mut failures);
    for failure in &failures {
        progress.note(&format!("{}: {}", failure.model, failure.error));
    }
    let published = match &loaded.published {
        Some(folder) => Some(crate::evidence::published::digest(folder)?),
        None => None,
    };
    let snapshot = store.snapshot()?;
    let graph = jobs(loaded, &subjects, &cells, published)?;
    let states = graph.states(&snapshot);
    Ok(Planned { runtime, store, snapshot, subjects, cells, published, graph, states, failures })
}

fn cells(loaded: &Loaded, subjects: &[Subject], runtime: &str, failures: &mut Vec<ModelFailure>) -> Vec<Cell> {
    let mut cells = Vec::new();
    for (index, subject) in subjects.iter().enumerate() {
        let tokenizer = match &subject.tokenizer {
            Ok(tokenizer) => tokenizer,
            Err(error) => {
                failures.push(ModelFailure { model: subject.id.clone(), error: error.clone() });
                continue;
            }
        };
        for set in &loaded.prompt_sets {
            for prompt in &set.prompts {
                for &bos in &loaded.experiment.bos {
                    let usable = tokenizer
                        .encode(&prompt.text, bos)
                        .map_err(|error| error.to_string())
                        .and_then(|ids| fits(subject, &ids).map(|()| ids));
                    let token_ids = match usable {
                        Ok(ids) => ids,
                        Err(error) => {
                            let error = format!("prompt {}/{}: {error}", set.id, prompt.id);
                            failures.push(ModelFailure { model: subject.id.clone(), error });
                            continue;
                        }
                    };
                    let fields = observe_fields(subject, tokenizer.identity(), &prompt.text, bos, runtime);
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
                        slot: format!("observe/{}/{}/{}/{bos}", subject.id, set.id, prompt.id),
                        key: fields.key(),
                        fields,
                    });
                }
            }
        }
    }
    cells
}

/// A prompt the model's context cannot hold is that prompt's failure, not the model's.
fn fits(subject: &Subject, ids: &[u32]) -> Result<(), String> {
    match subject.recipe.context() {
        Some(context) if ids.len() > context => {
            Err(format!("{} tokens, the model's context holds {context}; shorten the prompt", ids.len()))
        }
        _ => Ok(()),
    }
}

/// Key fields of one observation from text.
pub fn observe_fields(subject: &Subject, tokenizer: Key, text: &str, bos: Bos, runtime: &str) -> Fields {
    fields_of(subject, Some(tokenizer), keys::Input::Text(text), bos, runtime)
}

/// Key fields of one observation from token ids: no tokenizer and no BOS policy decides anything.
pub fn observe_fields_of_ids(subject: &Subject, ids: &[u32], runtime: &str) -> Fields {
    fields_of(subject, None, keys::Input::Tokens(ids), Bos::Never, runtime)
}

fn fields_of(
    subject: &Subject,
    tokenizer: Option<Key>,
    input: keys::Input<'_>,
    bos: Bos,
    runtime: &str,
) -> Fields {
    keys::observe(&keys::Observe {
        weights: subject.weights,
        tokenizer,
        graph: subject.graphs.identity(),
        input,
        bos,
        runtime,
        provider: "cpu",
        dtype: "float32",
    })
}

fn jobs(
    loaded: &Loaded,
    subjects: &[Subject],
    cells: &[Cell],
    published: Option<Key>,
) -> Result<JobGraph, PipelineError> {
    let mut jobs = Vec::new();
    if let Some(digest) = published {
        jobs.push(Job::new(JobKind::Import, "import/published", keys::import(digest), Vec::new()));
    }
    for subject in subjects {
        let fields = keys::export(subject.graphs.identity());
        jobs.push(Job::new(JobKind::Export, &format!("export/{}", subject.id), fields, Vec::new()));
    }
    for cell in cells {
        let needs = vec![format!("export/{}", subjects[cell.subject].id)];
        jobs.push(Job::new(JobKind::Observe, &cell.slot, cell.fields.clone(), needs));
    }
    let mut outcomes = Vec::new();
    for hypothesis in &loaded.hypotheses {
        let mine: Vec<&Cell> =
            cells.iter().filter(|c| hypothesis.value.prompts.contains(&c.set)).collect();
        let fields = judge_fields(loaded, hypothesis.hash, &mine, published);
        let slot = format!("judge/{}", hypothesis.value.id);
        let mut needs: Vec<String> = mine.iter().map(|cell| cell.slot.clone()).collect();
        needs.extend(published.map(|_| "import/published".to_string()));
        outcomes.push((slot.clone(), fields.key()));
        jobs.push(Job::new(JobKind::Judge, &slot, fields, needs));
    }
    let fields = report_fields(loaded, outcomes.iter().map(|(_, key)| *key), cells, published);
    let needs = outcomes.into_iter().map(|(slot, _)| slot).collect();
    jobs.push(Job::new(JobKind::Report, &format!("report/{}", loaded.experiment.id), fields, needs));
    Ok(JobGraph::new(jobs)?)
}

/// Key fields of one verdict: the claim, the evidence (by key, with the ids it is filed under), the seed.
pub(super) fn judge_fields(loaded: &Loaded, hash: Key, cells: &[&Cell], published: Option<Key>) -> Fields {
    keys::judge(hash, evidence_digest(cells.iter().copied()), published, loaded.experiment.seed, judge::VERSION)
}

/// Key fields of the report: the verdicts, all evidence, and the wording of the experiment.
pub(super) fn report_fields<'a>(
    loaded: &Loaded,
    outcomes: impl Iterator<Item = Key>,
    cells: impl IntoIterator<Item = &'a Cell>,
    published: Option<Key>,
) -> Fields {
    let outcomes = digest(outcomes.map(|key| key.to_string()));
    keys::report(outcomes, evidence_digest(cells), published, &loaded.experiment.title, report::VERSION)
}

fn evidence_digest<'a>(cells: impl IntoIterator<Item = &'a Cell>) -> Key {
    let mut lines: Vec<String> = cells
        .into_iter()
        .map(|c| format!("{}\u{0}{}\u{0}{}\u{0}{}", c.slot, c.key, c.prompt.category, c.prompt.id))
        .collect();
    lines.sort();
    digest(lines.into_iter())
}

fn digest(lines: impl Iterator<Item = String>) -> Key {
    Key::of_bytes(lines.collect::<Vec<_>>().join("\n").as_bytes())
}
