//! Walks of prompts through a model: which prompts walk together, and one walk with its progress. Every command that observes uses
//! these functions.

use super::subject::Subject;
use base::progress::Progress;
use engine::run::{self, Prepared, RunError, Runtime, next_batch};
use engine::weigh::{STEPS, WeighError};
use model::arch::WeightUse;
use number::observation::{Extras, PromptObservation};
use number::weights::Weighed;

/// A prompt to be observed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    /// Its number for whoever asks.
    pub(super) place: usize,
    pub(super) token_ids: &'a [u32],
    /// Extras to observe.
    pub(super) extras: &'a Extras,
}

/// Prompts that walk together: of one model, and asked for the same.
pub(super) struct Batch<'a, 'b, P> {
    pub(super) asked: &'b [Asked<'a>],
    /// Tokens of each.
    pub(super) prompts: Vec<Vec<u32>>,
    /// What `choose` returned with them.
    pub(super) prepared: P,
}

/// The prompts of one model in batches, those that begin alike side by side. A model is read once for each batch, and a batch
/// is what a killed run loses. `choose` says how many walk together, one at least, when a batch is asked for: within the
/// memory that is left then.
pub(super) fn batches<'a, 'b, P>(
    asked: &'b mut [Asked<'a>],
    mut choose: impl FnMut(&Extras, &mut dyn Iterator<Item = &'a [u32]>) -> (Vec<Vec<u32>>, P),
) -> impl Iterator<Item = Batch<'a, 'b, P>> {
    asked.sort_by(|a, b| (a.extras, a.token_ids).cmp(&(b.extras, b.token_ids)));
    let mut left: &'b [Asked<'a>] = asked;
    std::iter::from_fn(move || {
        let extras = left.first()?.extras;
        let mut alike = left.iter().take_while(|one| one.extras == extras).map(|one| one.token_ids);
        let (prompts, prepared) = choose(extras, &mut alike);
        let (asked, others) = left.split_at(prompts.len());
        left = others;
        Some(Batch { asked, prompts, prepared })
    })
}

/// Prompts that walk together, and what the walk needs.
type Chosen = (Vec<Vec<u32>>, Result<Prepared, RunError>);

/// As many of the prompts as the memory of this machine lets walk together, and what the walk needs.
pub(super) fn choose<'a>(
    runtime: &Runtime,
    subject: &Subject,
    weights: &[WeightUse],
) -> impl FnMut(&Extras, &mut dyn Iterator<Item = &'a [u32]>) -> Chosen {
    move |extras, alike| next_batch(runtime, &subject.recipe, &subject.checkpoint, weights, alike, extras)
}

/// Observes prompts of one model and hands over each batch with its observations as soon as it is through.
pub(super) fn observe_in_batches<'a, E: From<RunError>>(
    runtime: &Runtime,
    subject: &Subject,
    asked: &mut [Asked<'a>],
    progress: &dyn Progress,
    mut keep: impl FnMut(&[Asked<'a>], Vec<PromptObservation>) -> Result<(), E>,
) -> Result<(), E> {
    let weights = subject.recipe.checked_weights(&subject.checkpoint).map_err(RunError::from)?;
    for Batch { asked, prompts, .. } in batches(asked, choose(runtime, subject, &weights)) {
        let found = observe(runtime, subject, &prompts, asked[0].extras, progress);
        keep(asked, found.map_err(|error| renumbered(error, asked))?)?;
    }
    Ok(())
}

/// An error about a prompt, by the number that whoever asks knows.
fn renumbered(error: RunError, asked: &[Asked<'_>]) -> RunError {
    let of = |prompt: usize| asked.get(prompt).map_or(prompt, |one| one.place);
    match error {
        RunError::EmptyPrompt { prompt } => RunError::EmptyPrompt { prompt: of(prompt) },
        RunError::PromptTooLong { prompt, tokens, context } => {
            RunError::PromptTooLong { prompt: of(prompt), tokens, context }
        }
        RunError::PromptBeyond { prompt, tokens, most, key, beyond } => {
            RunError::PromptBeyond { prompt: of(prompt), tokens, most, key, beyond }
        }
        RunError::PromptTooLarge { prompt, tokens, heads, most } => {
            RunError::PromptTooLarge { prompt: of(prompt), tokens, heads, most }
        }
        RunError::TokenBeyondVocabulary { prompt, position, id, vocabulary } => {
            RunError::TokenBeyondVocabulary { prompt: of(prompt), position, id, vocabulary }
        }
        other => other,
    }
}

/// Runs prompts (token ids) through a model in one walk, with a stage in `progress`.
///
/// # Errors
/// As [`run::observe`].
pub fn observe(
    runtime: &Runtime,
    subject: &Subject,
    prompts: &[Vec<u32>],
    extras: &Extras,
    progress: &dyn Progress,
) -> Result<Vec<PromptObservation>, RunError> {
    let (id, count) = (&subject.id, prompts.len());
    let plural = if count == 1 { "" } else { "s" };
    progress.start(&format!("observe {id} ({count} prompt{plural})"), subject.recipe.blocks() as u64);
    let Subject { recipe, graphs, checkpoint, .. } = subject;
    let found = run::observe(runtime, recipe, graphs, checkpoint, prompts, extras, progress);
    progress.finish();
    found
}

/// Weighs one model, with a stage in `progress`.
///
/// # Errors
/// As [`engine::weigh::weigh`].
pub fn weigh(subject: &Subject, progress: &dyn Progress) -> Result<Weighed, WeighError> {
    progress.start(&format!("weigh {}", subject.id), STEPS);
    let weighed = engine::weigh::weigh(&subject.recipe, &subject.checkpoint, progress);
    progress.finish();
    weighed
}

#[cfg(test)]
mod tests {
    use super::*;
    use number::observation::Extra;

    #[test]
    fn every_prompt_is_in_one_batch_with_those_that_begin_alike_and_are_asked_for_the_same() {
        let (none, loss) = (Extras::new(), Extras::from([Extra::Loss]));
        let ids: Vec<Vec<u32>> = (0..100u32).map(|i| vec![i * 37 % 10, i * 53 % 7, i]).collect();
        let asked = ids.iter().enumerate().map(|(place, token_ids)| Asked {
            place,
            token_ids,
            extras: if place % 3 == 0 { &loss } else { &none },
        });
        let mut asked: Vec<Asked<'_>> = asked.collect();
        let mut seen = Vec::new();
        let at_most_seven = |_: &Extras, alike: &mut dyn Iterator<Item = &'_ [u32]>| {
            (alike.take(7).map(<[u32]>::to_vec).collect(), ())
        };
        for Batch { asked, prompts, .. } in batches(&mut asked, at_most_seven) {
            assert!(!asked.is_empty() && asked.iter().all(|one| one.extras == asked[0].extras));
            assert!(asked.iter().map(|one| one.token_ids).eq(prompts.iter().map(Vec::as_slice)));
            assert!(prompts.is_sorted());
            seen.extend(asked.iter().map(|one| one.place));
        }
        seen.sort_unstable();
        assert!(seen.into_iter().eq(0..100));
    }

    #[test]
    fn an_error_names_the_prompt_as_it_was_numbered_by_whoever_asked() {
        let extras = Extras::new();
        let asked = [4, 2].map(|place| Asked { place, token_ids: &[], extras: &extras });
        let error = renumbered(RunError::EmptyPrompt { prompt: 1 }, &asked);
        assert!(error.to_string().starts_with("prompt 2 "), "{error}");
        let error = renumbered(
            RunError::TokenBeyondVocabulary { prompt: 0, position: 3, id: 9, vocabulary: 5 },
            &asked,
        );
        assert!(error.to_string().starts_with("prompt 4, position 3"), "{error}");
    }
}
