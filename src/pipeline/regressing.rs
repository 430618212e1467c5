//! Regressing: an experiment run anew, beside every store, and everything it shows put into one picture.

use std::path::PathBuf;

use super::judging::{Sources, judge_all};
use super::observing::observe_missing;
use super::planning::{Cell, plan};
use super::provenance::made_with;
use super::{Missing, ModelFailure, PipelineError, Places};
use crate::config::Loaded;
use crate::progress::Progress;
use crate::regress::{Picture, TOLERANCE};

/// What a fresh run showed.
pub struct Pictured {
    pub picture: Picture,
    /// Models and prompts that could not be run: the picture lacks them.
    pub failures: Vec<ModelFailure>,
}

/// Runs an experiment in a store of its own that is removed afterwards. A store in use would hide a regression: keys
/// hold what decides an output by design, not the program's code, so a wrong engine would be answered from the store.
pub fn picture(loaded: &Loaded, progress: &dyn Progress) -> Result<Pictured, PipelineError> {
    let scratch = tempfile::Builder::new()
        .prefix("streamgauge-regress-") // a killed run leaves it behind: it should say whose it is
        .tempdir()
        .map_err(|error| PipelineError::Write { path: PathBuf::from("the temporary folder"), error })?;
    let places = Places { store: scratch.path().join("store"), results: scratch.path().join("results") };
    let planned = plan(loaded, &places, Missing::Download, progress)?;
    let observed = observe_missing(&planned, true, progress)?;
    let mut sources = Sources::new(loaded, &planned, &observed);
    let judged = judge_all(&mut sources, progress)?;
    let mut picture = Picture::default();
    let observations = sources.observations(progress)?;
    let cells: Vec<&Cell> =
        planned.cells.iter().filter(|cell| observations.contains_key(&cell.key)).collect();
    for cell in &cells {
        let model = &planned.subjects[cell.subject].id;
        picture.observation(model, &cell.prompt.id, cell.bos, &observations[&cell.key]);
    }
    for row in &sources.measured(&cells, progress)?.rows {
        picture.measurement(row);
    }
    for outcome in &judged.outcomes {
        picture.outcome(outcome);
    }
    picture.made_with = made_with(loaded, &planned);
    picture.made_with.insert("tolerance".into(), format!("{TOLERANCE:e}"));
    let failures = planned.failures.iter().chain(&observed.failures).cloned().collect();
    Ok(Pictured { picture, failures })
}
