//! Regressing: an experiment run anew, beside every store, and everything it shows put into one picture.

use std::path::PathBuf;

use super::basis::Basis;
use super::judging::{Sources, judge_all};
use super::observing::observe_missing;
use super::planning::{Planned, plan};
use super::provenance::made_with;
use super::{Missing, ModelFailure, PipelineError, Places};
use base::device::Wanted;
use base::progress::Progress;
use engine::run::Multiplier;
use results::regress::{Picture, TOLERANCE};
use study::config::Loaded;
use study::judge::is_derived;

/// What a fresh run showed.
pub struct Pictured {
    pub picture: Picture,
    /// Models and prompts that could not be run: the picture lacks them.
    pub failures: Vec<ModelFailure>,
}

/// Of what was measured, the part that is compared number by number: released models, the first BOS policy, and the first
/// prompt set (spectra of every set). All the rest is compared through the estimates and verdicts that are made of it: a
/// baseline of everything would be ten times as large and say the same.
fn shown(loaded: &Loaded, planned: &Planned, basis: &mut Basis<'_>) {
    let bos = loaded.experiment.bos.first().copied();
    let released: Vec<bool> = planned.subjects.iter().map(|s| !is_derived(&s.facts())).collect();
    basis.cells.retain(|c| released[c.subject] && c.set == 0 && Some(c.bos) == bos);
    basis.weighings.retain(|weighing| released[weighing.subject]);
    basis.spectra.retain(|spectra| released[spectra.subject] && Some(spectra.bos) == bos);
}

/// Runs an experiment in a store of its own that is removed afterwards. A store in use would hide a regression: keys
/// hold what decides an output by design, not the program's code, so a wrong engine would be answered from the store.
///
/// All products are the runtime's, which every machine has. Products on tile registers are held to the same 1e-5 of the
/// reference (`make parity`), and their norms to those of the runtime's (`run::as_stored`); but a rank that two nearly equal
/// numbers swap, or a p-value of a difference near zero, can move further than the numbers it is of.
pub fn picture(
    loaded: &Loaded,
    (device, memory): (Wanted, Option<u64>),
    progress: &dyn Progress,
) -> Result<Pictured, PipelineError> {
    let scratch = tempfile::Builder::new()
        .prefix("streamgauge-regress-") // a killed run leaves it behind: it should say whose it is
        .tempdir()
        .map_err(|error| PipelineError::Write { path: PathBuf::from("the temporary folder"), error })?;
    let (store, results) = (scratch.path().join("store"), scratch.path().join("results"));
    let places = Places { store, results, device, memory };
    let mut planned = plan(loaded, &places, Missing::Download, progress)?;
    planned.runtime = planned.runtime.clone().with_multiplier(Multiplier::Runtime);
    let observed = observe_missing(&planned, true, progress)?;
    let mut sources = Sources::new(loaded, &planned, &observed);
    let judged = judge_all(&mut sources, progress)?;
    let mut picture = Picture::default();
    let observations = sources.observations(progress)?;
    let mut basis = sources.basis.clone();
    shown(loaded, &planned, &mut basis);
    for cell in &basis.cells {
        let Some(observation) = observations.get(&cell.key) else { continue };
        let model = &planned.subjects[cell.subject].id;
        picture.observation(model, &cell.prompt.id, cell.bos, observation);
    }
    for row in &sources.measured(&basis, progress)?.rows {
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
