//! Spectra: how the token vectors of a prompt set lie in each model, taken while the set's prompts are observed.

use crate::pipeline::error::ModelFailure;
use crate::pipeline::executor::{Due, Failed, Kind, Run};
use crate::pipeline::inputs::Inputs;
use crate::pipeline::ledger::Value;
use crate::pipeline::subject::Subject;
use crate::plan::{Job, keys, places_by_model};
use base::hash::{Fields, Key};
use engine::run::{ObserveOptions, RunError, observe_with};
use engine::spectra::{MOST_TOKENS, add_layer};
use model::checkpoint::Tokenizer;
use number::evidence::Measurement;
use number::metric;
use number::protocol::Bos;
use study::config::experiment::PromptSet;

/// The kind of job that takes spectra: one job for every model, prompt set that asks for spectra, and BOS policy.
#[derive(Default)]
pub(super) struct Spectra {
    sets: Vec<SetSpectra>,
}

/// A prompt set whose spectra in one model are to be made or found.
struct SetSpectra {
    /// Place of the model in `Inputs::subjects`.
    subject: usize,
    /// Place of the set in `Loaded::prompt_sets`.
    set: usize,
    bos: Bos,
    /// The set's prompts: places in `Inputs::cells`, in the order of the set.
    cells: Vec<usize>,
    fields: Fields,
}

impl Kind for Spectra {
    fn name(&self) -> &'static str {
        "spectra"
    }

    fn outputs(&self) -> Option<&'static str> {
        Some("spectra")
    }

    fn jobs(&mut self, inputs: &Inputs<'_>, before: &[Job], refused: &mut Vec<ModelFailure>) -> Vec<Job> {
        let exports = places_by_model(before, "export");
        self.sets = set_spectra(inputs, refused);
        let job = |(index, one): (usize, &SetSpectra)| {
            let (id, set) = (&inputs.subjects[one.subject].id, &inputs.loaded.prompt_sets[one.set].id);
            let (slot, label) = (keys::spectra_slot(id, set, one.bos), format!("{id}: spectra of {set}"));
            let key = one.fields.key();
            Job::new(self.name(), index, slot, label, key)
                .about(one.subject)
                .measuring(Some((one.set, one.bos)), keys::spectra_part(id, set, one.bos, &key))
                .needing(exports.get(&one.subject).copied())
        };
        self.sets.iter().enumerate().map(job).collect()
    }

    fn fields(&self, _: &Inputs<'_>, index: usize) -> Fields {
        self.sets[index].fields.clone()
    }

    fn cost(&self, inputs: &Inputs<'_>, index: usize) -> u64 {
        let SetSpectra { subject, cells, .. } = &self.sets[index];
        let (subject, tokens) =
            (&inputs.subjects[*subject], cells.iter().map(|&c| inputs.cells[c].token_ids.len()));
        let gram = 2 * (tokens.clone().sum::<usize>().pow(2) * subject.recipe.width()) as u64;
        let walk: u64 = tokens.map(|tokens| subject.walk_operations(tokens)).sum();
        walk + gram * (subject.recipe.blocks() as u64 + 1)
    }

    /// A walk for spectra observes the prompts of the set, which then need no second walk.
    fn also_makes(&self) -> Option<&'static str> {
        Some("observe")
    }

    fn also_made(&self, inputs: &Inputs<'_>, index: usize) -> Vec<Key> {
        self.sets[index].cells.iter().map(|&cell| inputs.cells[cell].key).collect()
    }

    fn compute(&self, due: &[Due<'_>], run: &mut Run<'_>) -> Result<(), Failed> {
        due.iter().try_for_each(|due| self.make(due.job, run))
    }

    fn rows(
        &self,
        inputs: &Inputs<'_>,
        job: &Job,
        stored: &[u8],
    ) -> Result<Vec<Measurement>, serde_json::Error> {
        let one = &self.sets[job.index];
        let (id, set) = (&inputs.subjects[one.subject].id, &inputs.loaded.prompt_sets[one.set].id);
        let found: number::spectra::Spectra = serde_json::from_slice(stored)?;
        Ok(metric::spectra(id, set, &found, one.bos))
    }
}

impl Spectra {
    fn make(&self, job: &Job, run: &mut Run<'_>) -> Result<(), Failed> {
        let (one, inputs, progress) = (&self.sets[job.index], run.inputs, run.progress);
        let subject = &inputs.subjects[one.subject];
        let cells = || one.cells.iter().map(|&cell| &inputs.cells[cell]);
        let prompts: Vec<Vec<u32>> = cells().map(|cell| cell.token_ids.to_vec()).collect();
        let mut spectra = number::spectra::Spectra::default();
        let width = subject.recipe.width();
        let set = &inputs.loaded.prompt_sets[one.set].id;
        let stage = format!("spectra {} ({set}, {} prompts)", subject.id, prompts.len());
        progress.start(&stage, subject.recipe.blocks() as u64 + 1);
        // The prompts of one set are asked for the same.
        let extras = &inputs.cells[one.cells[0]].extras;
        let observer = &mut |_: usize, streams: &[&[f32]]| add_layer(&mut spectra, streams, width);
        let found = observe_with(
            &inputs.runtime,
            &subject.recipe,
            &subject.graphs,
            &subject.checkpoint,
            &prompts,
            ObserveOptions { extras, observer: Some(observer) },
            progress,
        );
        progress.finish();
        match &found {
            // Fewer prompts at a time may fit.
            Ok(_) | Err(RunError::Memory { .. }) => {}
            Err(error) if error.is_of_the_model() => {
                let all = inputs.cells.iter().filter(|cell| cell.subject == one.subject);
                run.in_vain.extend(all.map(|cell| cell.key));
            }
            Err(_) => run.in_vain.extend(cells().map(|cell| cell.key)),
        }
        let found = found?.into_iter().map(|one| Value::Observation(Box::new(one)));
        let observations = cells().map(|cell| cell.key).zip(found);
        run.keep(observations.collect())?;
        let bytes = serde_json::to_vec(&spectra).unwrap_or_default(); // plain structs always serialise
        Ok(run.keep(vec![(job.key, Value::Bytes(bytes))])?)
    }
}

/// For every model, set that asks for spectra, and BOS policy. A set of which a model cannot run every prompt has none
/// there: they would be those of another set.
fn set_spectra(inputs: &Inputs<'_>, refused: &mut Vec<ModelFailure>) -> Vec<SetSpectra> {
    let (loaded, cells) = (inputs.loaded, &inputs.cells);
    let mut found = Vec::new();
    for (index, subject) in inputs.subjects.iter().enumerate() {
        let Ok(tokenizer) = &*subject.tokenizer else { continue }; // said where its cells were made
        // Cells are in the order of the models.
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
                if let Some(why) = obstacle(set, mine.len(), tokens) {
                    let error = format!("no spectra of {}: {why}", set.id);
                    refused.push(ModelFailure { model: subject.id.clone(), error });
                    continue;
                }
                let fields = fields(inputs, subject, tokenizer, set, bos);
                found.push(SetSpectra { subject: index, set: number, bos, cells: mine, fields });
            }
        }
    }
    found
}

/// Why a set of which a model runs so many prompts, of so many tokens together, has no spectra there.
fn obstacle(set: &PromptSet, runs: usize, tokens: usize) -> Option<String> {
    let prompts = set.prompts.len();
    if tokens > MOST_TOKENS {
        return Some(format!("{tokens} tokens, at most {MOST_TOKENS} are looked at together"));
    }
    (runs < prompts).then(|| format!("this model runs {runs} of its {prompts} prompts"))
}

fn fields(
    inputs: &Inputs<'_>,
    subject: &Subject,
    tokenizer: &Tokenizer,
    set: &PromptSet,
    bos: Bos,
) -> Fields {
    let change = subject.intervention.map(|change| change.to_string());
    keys::Spectra {
        weights: subject.weights(),
        intervention: change.as_deref(),
        tokenizer: tokenizer.identity(),
        bos,
        prompts: keys::digest_texts(set.prompts.iter().map(|prompt| prompt.text.as_str())),
        graph: subject.graphs.identity(),
        version: keys::SPECTRA_VERSION,
        runtime: inputs.runtime.version(),
        provider: inputs.runtime.device().provider(),
        dtype: "float32",
    }
    .fields()
}
