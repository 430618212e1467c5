//! Regressing: an experiment run anew, beside every store, and everything it shows put into one picture.

use std::path::PathBuf;

use super::judging::{Sources, judge_all};
use super::observing::observe_missing;
use super::planning::{Cell, Planned, plan};
use super::{Missing, ModelFailure, PipelineError, Places};
use crate::config::Loaded;
use crate::hash::Key;
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
    made_with(&mut picture, loaded, &planned);
    let failures = planned.failures.iter().chain(&observed.failures).cloned().collect();
    Ok(Pictured { picture, failures })
}

/// What entered: versions in words, contents by hash.
fn made_with(picture: &mut Picture, loaded: &Loaded, planned: &Planned) {
    let mut say = |what: String, value: String| picture.made_with.insert(what, value);
    say("streamgauge".into(), env!("CARGO_PKG_VERSION").into());
    say("ONNX Runtime".into(), planned.runtime.version().into());
    say("tolerance".into(), format!("{TOLERANCE:e}"));
    say("experiment".into(), loaded.experiment.id.clone());
    say("seed".into(), loaded.experiment.seed.to_string());
    for subject in &planned.subjects {
        say(format!("weights of {}", subject.id), subject.weights.to_string());
        if let Some(change) = subject.intervention {
            say(format!("intervention of {}", subject.id), change.to_string());
        }
        say(format!("graphs of {}", subject.id), subject.graphs.identity().to_string());
        if let Ok(tokenizer) = &subject.tokenizer {
            say(format!("tokenizer of {}", subject.id), tokenizer.identity().to_string());
        }
    }
    for set in &loaded.prompt_sets {
        let prompts = serde_json::to_vec(&set.prompts).unwrap_or_default(); // plain structs always serialise
        say(format!("prompts of {}", set.id), Key::of_bytes(&prompts).to_string());
    }
    for (_, hypothesis, hash) in &loaded.hypotheses {
        say(format!("hypothesis {}", hypothesis.id), hash.to_string());
    }
    if let Some(published) = planned.published {
        say("published tables".into(), published.to_string());
    }
}
