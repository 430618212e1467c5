//! Spectra: how the token vectors of a prompt set lie in each model, taken while the set's prompts are observed.

use std::collections::BTreeMap;

use super::cells::Cell;
use super::observing::{Names, Observed, keep};
use super::planning::Planned;
use super::{ModelFailure, PipelineError, Subject};
use crate::plan::{Known, keys};
use base::hash::{Fields, Key};
use base::progress::Progress;
use engine::run::{Asked, Runtime, observe_with};
use engine::spectra::{MOST_TOKENS, add_layer};
use number::protocol::Bos;
use number::spectra::Spectra;
use study::config::Loaded;

/// A prompt set whose spectra in one model are to be made or found.
#[derive(Clone, Debug)]
pub struct SetSpectra {
    /// Index into `Planned::subjects`.
    pub subject: usize,
    /// Id of the prompt set.
    pub set: String,
    pub bos: Bos,
    /// The set's prompts: indices into `Planned::cells`, in the order of the set.
    pub cells: Vec<usize>,
    pub slot: String,
    pub fields: Fields,
    pub key: Key,
}

/// For every model, set that asks for spectra, and BOS policy. A set of which a model cannot run every prompt has none
/// there: they would be those of another set.
pub(super) fn set_spectra(
    loaded: &Loaded,
    subjects: &[Subject],
    cells: &[Cell],
    runtime: &Runtime,
    failures: &mut Vec<ModelFailure>,
) -> Vec<SetSpectra> {
    let mut found = Vec::new();
    for (index, subject) in subjects.iter().enumerate() {
        let Ok(tokenizer) = &*subject.tokenizer else { continue }; // said where its cells were made
        // Cells are in the order of the subjects.
        let up_to = |end: usize| cells.partition_point(|cell| cell.subject < end);
        let its_cells = up_to(index)..up_to(index + 1);
        for (number, set) in loaded.prompt_sets.iter().enumerate().filter(|(_, set)| set.spectra) {
            for &bos in &loaded.experiment.bos {
                let mine = |&c: &usize| cells[c].set == number && cells[c].bos == bos;
                let mine: Vec<usize> = its_cells.clone().filter(mine).collect();
                let tokens: usize = mine.iter().map(|&c| cells[c].token_ids.len()).sum();
                if mine.is_empty() {
                    continue; // why it runs none was said where they were refused
                }
                if mine.len() < set.prompts.len() || tokens > MOST_TOKENS {
                    let error = if tokens > MOST_TOKENS {
                        format!(
                            "no spectra of {}: {tokens} tokens, at most {MOST_TOKENS} are looked at together",
                            set.id
                        )
                    } else {
                        format!(
                            "no spectra of {}: this model runs {} of its {} prompts",
                            set.id,
                            mine.len(),
                            set.prompts.len()
                        )
                    };
                    failures.push(ModelFailure { model: subject.id.clone(), error });
                    continue;
                }
                let change = subject.intervention.map(|change| change.to_string());
                let fields = keys::Spectra {
                    weights: subject.weights(),
                    intervention: change.as_deref(),
                    tokenizer: tokenizer.identity(),
                    bos,
                    prompts: keys::digest_texts(set.prompts.iter().map(|prompt| prompt.text.as_str())),
                    graph: subject.graphs.identity(),
                    version: keys::SPECTRA_VERSION,
                    runtime: runtime.version(),
                    provider: runtime.device().provider(),
                    dtype: "float32",
                }
                .fields();
                let slot = keys::spectra_slot(&subject.id, &set.id, bos);
                let (set, key) = (set.id.clone(), fields.key());
                found.push(SetSpectra { subject: index, set, bos, cells: mine, slot, fields, key });
            }
        }
    }
    found
}

/// Makes the spectra of one model that the store lacks. The prompts are observed on the way, so those need no second walk.
/// `done` holds what this run has made: two models of one checkpoint are walked through once.
pub(super) fn make_missing(
    planned: &Planned,
    index: usize,
    names: &Names<'_>,
    done: &mut BTreeMap<Key, Vec<u8>>,
    observed: &mut Observed,
    progress: &dyn Progress,
) -> Result<(), PipelineError> {
    let subject = &planned.subjects[index];
    let mine = planned.spectra.iter().filter(|spectra| spectra.subject == index);
    for job in mine.filter(|spectra| !planned.snapshot.has(&spectra.key)) {
        let bytes = match done.get(&job.key) {
            Some(bytes) => bytes.clone(),
            None => {
                let spectra = make(planned, subject, job, names, observed, progress)?;
                serde_json::to_vec(&spectra).unwrap_or_default() // plain structs always serialise
            }
        };
        planned.store.put_blob(&job.slot, &job.fields, &bytes)?;
        observed.present.insert(job.key);
        done.insert(job.key, bytes);
    }
    Ok(())
}

fn make(
    planned: &Planned,
    subject: &Subject,
    job: &SetSpectra,
    names: &Names<'_>,
    observed: &mut Observed,
    progress: &dyn Progress,
) -> Result<Spectra, PipelineError> {
    let cells: Vec<&Cell> = job.cells.iter().map(|&c| &planned.cells[c]).collect();
    let prompts: Vec<Vec<u32>> = cells.iter().map(|cell| cell.token_ids.to_vec()).collect();
    let mut spectra = Spectra::default();
    let width = subject.recipe.width();
    let stage = format!("spectra {} ({}, {} prompts)", subject.id, job.set, prompts.len());
    progress.start(&stage, subject.recipe.blocks() as u64 + 1);
    let found = observe_with(
        &planned.runtime,
        &subject.recipe,
        &subject.graphs,
        &subject.checkpoint,
        &prompts,
        // The prompts of one set are asked for the same.
        Asked {
            extras: &cells[0].extras,
            witness: Some(&mut |_, streams| add_layer(&mut spectra, streams, width)),
        },
        progress,
    );
    progress.finish();
    keep(planned, names, &cells, found?, observed)?;
    observed.spectra += 1;
    Ok(spectra)
}
