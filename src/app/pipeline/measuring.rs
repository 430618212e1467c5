//! Measuring: prompts given on the command line, on one model or on a decoder of another tool. Walks and storing are those of a
//! run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::cells::{observe_fields, observe_fields_of_ids};
use super::error::PipelineError;
use super::ledger::{Ledger, Output, Value};
use super::subject::Subject;
use super::walks::{Asked, observe_in_batches};
use crate::plan::Known;
use crate::store::{Snapshot, Store, StoreError};
use base::hash::{Fields, Key};
use base::progress::Progress;
use engine::run::{Decoder, RunError, Runtime, observation};
use number::observation::{Extras, PromptObservation};

/// One thing to run: its text, if it came as text, and its token ids.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Request {
    /// What the token ids were made of; `None`: they were given as they are.
    pub text: Option<String>,
    /// What is run, any BOS included.
    pub ids: Vec<u32>,
}

/// The model that requests are run on.
#[derive(Clone, Copy)]
pub enum Source<'a> {
    /// A checkpoint.
    Model {
        /// The model.
        subject: &'a Subject,
        /// Extras to observe.
        extras: &'a Extras,
        /// Where observations are looked up and kept.
        store: Option<&'a Store>,
    },
    /// An ONNX decoder that another tool exported, with the outputs that `tap` gave it. Nothing is stored.
    Decoder {
        /// The ONNX file.
        file: &'a Path,
        /// Sizes of axes that the file names but does not fix.
        sizes: &'a BTreeMap<String, usize>,
    },
}

/// The result of measuring.
#[derive(Debug)]
pub struct Measured {
    /// In the order of the requests.
    pub observations: Vec<PromptObservation>,
    /// Whether the new ones could be stored.
    pub kept: Result<(), StoreError>,
}

/// Observations by what was asked, and whether the new ones could be stored.
type Found<'r> = (BTreeMap<&'r Request, PromptObservation>, Result<(), StoreError>);

/// Measures requests: takes what the store has, runs the rest, stores it.
///
/// # Errors
/// A prompt that the model cannot run, a model that cannot be run, a store that cannot be read.
pub fn measure_requests(
    source: Source<'_>,
    requests: &[Request],
    runtime: &Runtime,
    progress: &dyn Progress,
) -> Result<Measured, PipelineError> {
    let mut seen = BTreeSet::new();
    let asked: Vec<&Request> = requests.iter().filter(|request| seen.insert(*request)).collect();
    let (found, kept) = match source {
        Source::Model { subject, extras, store } => {
            on_model((subject, extras, store), &asked, runtime, progress)?
        }
        Source::Decoder { file, sizes } => (on_decoder((file, sizes), &asked, runtime, progress)?, Ok(())),
    };
    let observations = requests.iter().filter_map(|request| found.get(request).cloned()).collect();
    Ok(Measured { observations, kept })
}

fn on_model<'r>(
    (subject, extras, store): (&Subject, &Extras, Option<&Store>),
    requests: &[&'r Request],
    runtime: &Runtime,
    progress: &dyn Progress,
) -> Result<Found<'r>, PipelineError> {
    let fields = |request: &Request| fields(request, subject, extras, runtime);
    let snapshot = store.map(Store::snapshot).transpose()?;
    let (mut ledger, mut found) = (Ledger::nowhere(), BTreeMap::new());
    if let (Some(store), Some(snapshot)) = (store, &snapshot) {
        ledger = Ledger::of(store, snapshot);
        if may_hold(snapshot, subject) {
            found = stored((store, snapshot), requests, &fields, progress)?;
        }
    }
    let missing: Vec<&'r Request> =
        requests.iter().copied().filter(|request| !found.contains_key(request)).collect();
    let asked =
        missing.iter().enumerate().map(|(place, request)| Asked { place, token_ids: &request.ids, extras });
    let mut asked: Vec<Asked<'_>> = asked.collect();
    let mut kept = Ok(());
    observe_in_batches::<RunError>(runtime, subject, &mut asked, progress, |batch, observations| {
        let requests = batch.iter().map(|one| missing[one.place]);
        let new: Vec<(&Request, PromptObservation)> = requests.zip(observations).collect();
        if store.is_some() && kept.is_ok() {
            let outputs = new.iter().map(|(request, observation)| {
                let fields = fields(request);
                let slot = format!("measure/{}/{}", subject.id, fields.key().short());
                Output { slot, fields, value: Value::Observation(Box::new(observation.clone())) }
            });
            let outputs = outputs.collect();
            // To name the outputs, weights were read that the walk had no need of.
            subject.checkpoint.unchanged().map_err(RunError::from)?;
            kept = ledger.put(outputs).map(drop);
        }
        found.extend(new);
        Ok(())
    })?;
    Ok((found, kept))
}

/// Fields of the key of an observation.
fn fields(request: &Request, subject: &Subject, extras: &Extras, runtime: &Runtime) -> Fields {
    // Token ids wait for no tokenizer.
    if let Some(text) = &request.text
        && let Ok(tokenizer) = &*subject.tokenizer
    {
        return observe_fields(subject, tokenizer, text, &request.ids, extras, runtime);
    }
    observe_fields_of_ids(subject, &request.ids, extras, runtime)
}

/// Whether it is worth making keys to look up. Weights that nobody has hashed yet are not read for that where none of their
/// architecture was observed before: they are hashed as they are read to be multiplied with.
fn may_hold(snapshot: &Snapshot, subject: &Subject) -> bool {
    subject.is_hashed() || snapshot.mentions("observe", "graph", &subject.graphs.identity().to_string())
}

/// What the store has of the requests.
fn stored<'r>(
    (store, snapshot): (&Store, &Snapshot),
    requests: &[&'r Request],
    fields: &dyn Fn(&Request) -> Fields,
    progress: &dyn Progress,
) -> Result<BTreeMap<&'r Request, PromptObservation>, StoreError> {
    let keys = requests.iter().map(|&request| (request, fields(request).key()));
    let keys: Vec<(&Request, Key)> = keys.filter(|(_, key)| snapshot.has(key)).collect();
    let wanted: BTreeSet<Key> = keys.iter().map(|(_, key)| *key).collect();
    let read = store.observations(snapshot, &wanted.into_iter().collect::<Vec<_>>())?;
    read.damaged.iter().for_each(|damaged| progress.note(&damaged.to_string()));
    Ok(keys.into_iter().filter_map(|(request, key)| Some((request, read.found.get(&key)?.clone()))).collect())
}

fn on_decoder<'r>(
    (file, sizes): (&Path, &BTreeMap<String, usize>),
    requests: &[&'r Request],
    runtime: &Runtime,
    progress: &dyn Progress,
) -> Result<BTreeMap<&'r Request, PromptObservation>, RunError> {
    let name = file.display().to_string();
    let mut decoder = Decoder::open(runtime, file)?;
    let mut found = BTreeMap::new();
    progress.start(&format!("measure {name} ({} prompts)", requests.len()), requests.len() as u64);
    for request in requests {
        let outputs = decoder.run(&request.ids, sizes)?;
        found.insert(*request, observation(&name, &outputs, &request.ids)?);
        progress.advance(1);
    }
    progress.finish();
    Ok(found)
}
