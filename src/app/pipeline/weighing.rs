//! Weighing: every model's weights once, kept in the store under the weights and how they are read.

use std::collections::BTreeMap;

use super::observing::Observed;
use super::planning::Planned;
use super::{ModelFailure, PipelineError, Subject};
use crate::plan::{Known, keys};
use base::hash::{Fields, Key};
use base::progress::Progress;
use engine::weigh::{Parts, STEPS, WeighError, weigh};
use number::weights::Weighed;
use study::config::intervention::Change;

/// One model to be weighed, or found weighed.
#[derive(Clone, Debug)]
pub struct Weighing {
    /// Index into `Planned::subjects`.
    pub subject: usize,
    pub slot: String,
    pub fields: Fields,
    pub key: Key,
}

/// One per model.
pub(super) fn weighings(subjects: &[Subject]) -> Vec<Weighing> {
    let of = |(index, subject): (usize, &Subject)| {
        let fields = fields(subject);
        Weighing { subject: index, slot: keys::weigh_slot(&subject.id), key: fields.key(), fields }
    };
    subjects.iter().enumerate().map(of).collect()
}

fn fields(subject: &Subject) -> Fields {
    let parts = Parts::of(&subject.recipe, &subject.checkpoint);
    let parts = serde_json::to_vec(&parts).unwrap_or_default(); // plain structs always serialise
    // Another theta leaves the weights as they are: they need not be weighed again.
    let changed = subject.intervention.filter(Change::touches_weights).map(|change| change.to_string());
    let (weights, parts, version) = (subject.weights(), Key::of_bytes(&parts), keys::WEIGH_VERSION);
    keys::Weigh { weights, intervention: changed.as_deref(), parts, version }.fields()
}

/// Weighs the models the store has no weighing of. A model that fails is listed; the others go on.
pub(super) fn weigh_missing(
    planned: &Planned,
    observed: &mut Observed,
    progress: &dyn Progress,
) -> Result<(), PipelineError> {
    // Two models of one checkpoint are weighed once and named twice.
    let mut done: BTreeMap<Key, Vec<u8>> = BTreeMap::new();
    for weighing in planned.weighings.iter().filter(|weighing| !planned.snapshot.has(&weighing.key)) {
        let subject = &planned.subjects[weighing.subject];
        let bytes = match done.get(&weighing.key) {
            Some(bytes) => bytes.clone(),
            None => match weigh_subject(subject, progress) {
                Ok(weighed) => {
                    observed.weighed += 1;
                    serde_json::to_vec(&weighed).unwrap_or_default() // plain structs always serialise
                }
                Err(error) => {
                    let error = format!("cannot be weighed: {error}");
                    progress.note(&format!("{}: {error}", subject.id));
                    observed.failures.push(ModelFailure { model: subject.id.clone(), error });
                    continue;
                }
            },
        };
        planned.store.put_blob(&weighing.slot, &weighing.fields, &bytes)?;
        done.insert(weighing.key, bytes);
        observed.present.insert(weighing.key);
    }
    Ok(())
}

/// Weighs one model, with a stage in `progress`.
pub fn weigh_subject(subject: &Subject, progress: &dyn Progress) -> Result<Weighed, WeighError> {
    progress.start(&format!("weigh {}", subject.id), STEPS);
    let weighed = weigh(&subject.recipe, &subject.checkpoint, progress);
    progress.finish();
    weighed
}
