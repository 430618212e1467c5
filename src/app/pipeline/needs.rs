//! What observing the missing cells will need of each model: memory, and time by a quick calibration.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::cells::Cell;
use super::planning::Planned;
use super::walks::{Asked, Batch, batches, choose};
use crate::plan::Known;
use base::progress::Work;
use engine::run::{Needs, Rates, RunError};

/// The products of a calibration take this long, or three of each kind.
const CALIBRATION: Duration = Duration::from_millis(200);

/// What observing the missing prompts of one model needs.
#[derive(Clone, Debug, Serialize)]
pub struct ModelNeeds {
    /// Id of the model.
    pub model: String,
    /// Number of prompts to be observed.
    pub prompts: usize,
    /// Tokens of all of them.
    pub tokens: u64,
    /// Peak of anonymous memory, in bytes.
    pub memory: u64,
    /// Seconds of the matrix products alone at the rate they reach on this machine: reading from a disk and everything small
    /// come on top.
    pub seconds: f64,
    /// Why it cannot be observed within the memory there is.
    pub refused: Option<String>,
    #[serde(skip)]
    needs: Needs,
}

/// The needs of every model with something to observe, in the order of the plan.
///
/// # Errors
/// What the runtime refuses in the calibration, a tensor that is missing.
pub fn needs(planned: &Planned<'_>) -> Result<Vec<ModelNeeds>, RunError> {
    let inputs = &planned.inputs;
    let mut seen = BTreeSet::new();
    let missing = inputs.cells.iter().filter(|cell| !inputs.snapshot.has(&cell.key) && seen.insert(cell.key));
    let missing: Vec<&Cell> = missing.collect();
    let mut all = Vec::new();
    let mut works = Vec::new();
    for (index, subject) in inputs.subjects.iter().enumerate() {
        let cells: Vec<&Cell> = missing.iter().copied().filter(|cell| cell.subject == index).collect();
        if cells.is_empty() {
            continue;
        }
        let weights = subject.recipe.checked_weights(&subject.checkpoint)?;
        let mut model = ModelNeeds {
            model: subject.id.clone(),
            prompts: cells.len(),
            tokens: cells.iter().map(|cell| cell.token_ids.len() as u64).sum(),
            memory: 0,
            seconds: 0.0,
            refused: None,
            needs: Needs::default(),
        };
        let asked = cells.iter().enumerate().map(|(place, cell)| Asked {
            place,
            token_ids: &cell.token_ids,
            extras: &cell.extras,
        });
        let mut asked: Vec<Asked<'_>> = asked.collect();
        let mut walks = Vec::new();
        for Batch { prepared, .. } in batches(&mut asked, choose(&inputs.runtime, subject, &weights)) {
            let needs = match prepared {
                Ok(prepared) => {
                    walks.push(prepared.work);
                    prepared.needs
                }
                Err(RunError::Memory { needs, limit, asked }) => {
                    model.refused = Some(RunError::Memory { needs, limit, asked }.to_string());
                    needs
                }
                Err(other) => return Err(other),
            };
            if needs.total() > model.memory {
                (model.memory, model.needs) = (needs.total(), needs);
            }
        }
        works.push(walks.into_iter().sum::<Work>());
        all.push(model);
    }
    let rates = Rates::measure(&inputs.runtime, &works.iter().copied().sum(), CALIBRATION)?;
    for (model, work) in all.iter_mut().zip(&works) {
        model.seconds = rates.seconds(work);
    }
    Ok(all)
}

impl fmt::Display for ModelNeeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ModelNeeds { model, prompts, tokens, seconds, needs, refused, .. } = self;
        match refused {
            Some(why) => write!(f, "{model}: {prompts} prompts cannot be observed: {why}"),
            None => write!(
                f,
                "{model}: {prompts} prompts, {tokens} tokens: about {seconds:.1} s of matrix products; {needs}"
            ),
        }
    }
}
