//! Cells: which prompt runs through which model under which BOS policy, with its tokens and its key.
//!
//! There may be 100,000: what cells have in common they share, and the fields of a key are put together when asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;

use super::error::ModelFailure;
use super::subject::Subject;
use crate::plan::keys;
use base::hash::{Fields, Key};
use engine::run::{Runtime, longest};
use model::checkpoint::{Tokenizer, TokenizerError};
use number::evidence::PromptInfo;
use number::observation::Extras;
use number::protocol::Bos;
use study::config::{Loaded, experiment::PromptSet};
use study::judge::{asks_for, is_derived};

/// One observation to be made or found: a prompt of a set, run through a model under a BOS policy.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Place of the model in `Inputs::subjects`.
    pub subject: usize,
    /// Place of the set in `Loaded::prompt_sets`.
    pub set: usize,
    /// Id, category and text.
    pub prompt: Arc<PromptInfo>,
    /// Whether a BOS token is put in front.
    pub bos: Bos,
    /// What is run, any BOS included.
    pub token_ids: Arc<[u32]>,
    /// The extras that any set with this text asks for: it is observed once for all of them.
    pub extras: Arc<Extras>,
    /// Hash of everything that decides the observation.
    pub key: Key,
    model: Arc<Model>,
    tokenizer: Key,
    leading_bos: usize,
}

impl Cell {
    /// The fields of the key.
    pub fn fields(&self) -> Fields {
        let input = text_input(&self.prompt.text, self.tokenizer, self.leading_bos);
        self.model.observe(input, &self.extras).fields()
    }
}

/// The fields that a model and the runtime give to the keys of its observations.
#[derive(Debug)]
struct Model {
    weights: Key,
    intervention: Option<String>,
    graph: Key,
    runtime: String,
    provider: &'static str,
}

impl Model {
    fn of(subject: &Subject, runtime: &Runtime) -> Model {
        let intervention = subject.intervention.map(|change| change.to_string());
        let (weights, graph) = (subject.weights(), subject.graphs.identity());
        let (runtime, provider) = (runtime.version().to_string(), runtime.device().provider());
        Model { weights, intervention, graph, runtime, provider }
    }

    fn observe<'a>(&'a self, prompt: keys::Input<'a>, extras: &'a Extras) -> keys::Observe<'a> {
        let Model { weights, graph, .. } = *self;
        let (format, provider, dtype) = (keys::OBSERVATION_FORMAT, self.provider, "float32");
        let (intervention, runtime) = (self.intervention.as_deref(), self.runtime.as_str());
        keys::Observe { weights, intervention, prompt, extras, graph, format, runtime, provider, dtype }
    }
}

/// Key fields of one observation from text, which the tokenizer turned into `ids`.
pub(super) fn observe_fields(
    subject: &Subject,
    tokenizer: &Tokenizer,
    text: &str,
    ids: &[u32],
    extras: &Extras,
    runtime: &Runtime,
) -> Fields {
    let input = text_input(text, tokenizer.identity(), tokenizer.leading_bos(ids));
    Model::of(subject, runtime).observe(input, extras).fields()
}

/// Key fields of one observation from token ids: no tokenizer and no BOS policy decides anything.
pub fn observe_fields_of_ids(subject: &Subject, ids: &[u32], extras: &Extras, runtime: &Runtime) -> Fields {
    Model::of(subject, runtime).observe(keys::Input::Tokens(ids), extras).fields()
}

fn text_input(text: &str, tokenizer: Key, bos: usize) -> keys::Input<'_> {
    keys::Input::Text { text, tokenizer, bos }
}

/// The cells of all subjects, in their order, and within one in that of the sets. A prompt that a model cannot run is among
/// `failures`.
pub(super) fn cells(
    loaded: &Loaded,
    subjects: &[Subject],
    runtime: &Runtime,
    failures: &mut Vec<ModelFailure>,
) -> Vec<Cell> {
    let texts = Texts::of(loaded);
    let sets: Vec<Vec<usize>> = subjects.iter().map(|subject| sets_of(loaded, subject)).collect();
    let encoded = encode(loaded, subjects, &texts, &sets);
    let planned = subjects.par_iter().zip(&sets).enumerate().map(|(index, (subject, sets))| {
        match subject.tokenizer.as_ref() {
            Ok(tokenizer) => {
                let encoded = &encoded[&tokenizer.identity()];
                cells_of(loaded, (index, subject, tokenizer), sets, &texts, encoded, runtime)
            }
            Err(error) => (Vec::new(), vec![error.clone()]),
        }
    });
    let planned: Vec<(Vec<Cell>, Vec<String>)> = planned.collect();
    let mut cells = Vec::with_capacity(planned.iter().map(|(cells, _)| cells.len()).sum());
    for (subject, (mine, errors)) in subjects.iter().zip(planned) {
        cells.extend(mine);
        let failed = errors.into_iter().map(|error| ModelFailure { model: subject.id.clone(), error });
        failures.extend(failed);
    }
    cells
}

/// The sets a model is measured on: those that no hypothesis names too, if it is neither a stage nor a variant, and none whose
/// texts are made for a longer context.
fn sets_of(loaded: &Loaded, subject: &Subject) -> Vec<usize> {
    let facts = subject.facts();
    let asking = loaded
        .hypotheses
        .iter()
        .filter(|(_, hypothesis, _)| asks_for(hypothesis, &subject.id, subject.evidence, &facts));
    let asked: BTreeSet<&String> = asking.flat_map(|(_, hypothesis, _)| &hypothesis.prompts).collect();
    let all = !is_derived(&facts);
    let most = longest(&subject.recipe);
    let fits = |set: &PromptSet| set.context.is_none_or(|least| most >= least as usize);
    let asks = |set: &PromptSet| all || asked.contains(&set.id);
    let sets = loaded.prompt_sets.iter().enumerate();
    sets.filter(|(_, set)| asks(set) && fits(set)).map(|(set, _)| set).collect()
}

/// The texts of an experiment, each once, and where the prompt sets use them.
struct Texts<'a> {
    texts: Vec<&'a str>,
    /// By text: the extras that any set with it asks for.
    extras: Vec<Arc<Extras>>,
    /// By set: its prompts, each with the place of its text.
    sets: Vec<Vec<(usize, Arc<PromptInfo>)>>,
}

impl<'a> Texts<'a> {
    fn of(loaded: &'a Loaded) -> Texts<'a> {
        let mut extras: BTreeMap<&str, Extras> = BTreeMap::new();
        for set in &loaded.prompt_sets {
            for prompt in &set.prompts {
                extras.entry(&prompt.text).or_default().extend(&set.extras);
            }
        }
        let places: BTreeMap<&str, usize> = extras.keys().copied().zip(0..).collect();
        let sets = loaded.prompt_sets.iter().map(|set| {
            let prompts = set.prompts.iter().map(|prompt| {
                let (id, category, text) = (prompt.id.clone(), prompt.category.clone(), prompt.text.clone());
                (
                    places[prompt.text.as_str()],
                    Arc::new(PromptInfo { id, category, text, sets: vec![set.id.clone()] }),
                )
            });
            prompts.collect()
        });
        let sets = sets.collect();
        Texts {
            texts: extras.keys().copied().collect(),
            extras: extras.into_values().map(Arc::new).collect(),
            sets,
        }
    }
}

/// A text as token ids of one tokenizer.
struct Encoded {
    plain: Vec<u32>,
    /// Token ids with the BOS that each policy of the experiment asks for; `None` where the tokenizer has no BOS.
    under: Vec<Option<Arc<[u32]>>>,
}

/// By text; `None` where no model of the tokenizer runs it.
type ByText = Vec<Option<Result<Encoded, TokenizerError>>>;

/// Each text once for every tokenizer, whatever the number of models, sets and policies.
fn encode(
    loaded: &Loaded,
    subjects: &[Subject],
    texts: &Texts<'_>,
    sets: &[Vec<usize>],
) -> BTreeMap<Key, ByText> {
    let mut wanted: BTreeMap<Key, (&Tokenizer, BTreeSet<usize>)> = BTreeMap::new();
    for (subject, sets) in subjects.iter().zip(sets) {
        let Ok(tokenizer) = &*subject.tokenizer else { continue };
        let (_, sets_wanted) = wanted.entry(tokenizer.identity()).or_insert((tokenizer, BTreeSet::new()));
        sets_wanted.extend(sets);
    }
    let one = |tokenizer: &Tokenizer, text: &str| {
        let plain = tokenizer.plain(text)?;
        let under = |&bos: &Bos| tokenizer.under(&plain, text, bos).ok().map(Arc::from);
        Ok(Encoded { under: loaded.experiment.bos.iter().map(under).collect(), plain })
    };
    let of = |(identity, (tokenizer, sets)): (Key, (&Tokenizer, BTreeSet<usize>))| {
        let mut asked = vec![false; texts.texts.len()];
        sets.into_iter().flat_map(|set| &texts.sets[set]).for_each(|&(text, _)| asked[text] = true);
        let all = texts.texts.par_iter().zip(asked).map(|(text, asked)| asked.then(|| one(tokenizer, text)));
        (identity, all.collect())
    };
    wanted.into_iter().map(of).collect()
}

/// The cells of one model, and what it cannot run.
fn cells_of(
    loaded: &Loaded,
    (index, subject, tokenizer): (usize, &Subject, &Tokenizer),
    sets: &[usize],
    texts: &Texts<'_>,
    encoded: &ByText,
    runtime: &Runtime,
) -> (Vec<Cell>, Vec<String>) {
    let model = Arc::new(Model::of(subject, runtime));
    let most = longest(&subject.recipe);
    let (mut cells, mut refused) = (Vec::new(), Refused::default());
    for &set in sets {
        let set_id = &loaded.prompt_sets[set].id;
        for (text, prompt) in &texts.sets[set] {
            for (policy, &bos) in loaded.experiment.bos.iter().enumerate() {
                let ids = match &encoded[*text] {
                    Some(Ok(Encoded { plain, under })) => match &under[policy] {
                        Some(ids) => Ok(Arc::clone(ids)),
                        // Asked once more, so that the error names this model's own file.
                        None => tokenizer.under(plain, &prompt.text, bos).map(Arc::from),
                    },
                    _ => tokenizer.encode(&prompt.text, bos).map(Arc::from),
                };
                let usable = ids.map_err(|error| error.to_string()).and_then(|ids: Arc<[u32]>| {
                    fits(most, &ids)?;
                    Ok(ids)
                });
                let token_ids = match usable {
                    Ok(ids) => ids,
                    Err(error) => {
                        refused.add(set_id, &prompt.id, error);
                        continue;
                    }
                };
                let extras = Arc::clone(&texts.extras[*text]);
                let (tokenizer, leading_bos) = (tokenizer.identity(), tokenizer.leading_bos(&token_ids));
                let key = model.observe(text_input(&prompt.text, tokenizer, leading_bos), &extras).key();
                cells.push(Cell {
                    subject: index,
                    set,
                    bos,
                    token_ids,
                    extras,
                    key,
                    prompt: Arc::clone(prompt),
                    model: Arc::clone(&model),
                    tokenizer,
                    leading_bos,
                });
            }
        }
    }
    (cells, refused.lines().collect())
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
fn fits(most: usize, ids: &[u32]) -> Result<(), String> {
    if ids.len() > most {
        return Err(format!("longer than the {most} tokens this model can run; shorten it or leave it out"));
    }
    Ok(())
}
