//! Explaining: one hypothesis judged from what the store holds, with the rows behind each prediction.

use super::error::{ModelFailure, PipelineError};
use super::executor::Stage;
use super::measured_jobs::Scope;
use super::places::Places;
use super::planning::plan;
use super::registering;
use super::subject::WhenMissing;
use base::progress::Progress;
use study::config::Loaded;
use study::judge::hypothesis::Hypothesis;
use study::judge::outcome::{HypothesisOutcome, Registration};
use study::judge::{Behind, behind};

/// The story of one verdict.
pub struct Explained {
    /// What is claimed.
    pub hypothesis: Hypothesis,
    /// What its tests found and concluded.
    pub outcome: HypothesisOutcome,
    /// What it means against what it was registered as.
    pub registration: Registration,
    /// Rows by prediction and evidence, in the order of the outcome's predictions.
    pub rows: Vec<Vec<Behind>>,
    /// Models that are left out, with the reason.
    pub failures: Vec<ModelFailure>,
}

/// Judges hypothesis `id` (or takes its verdict from the store) and looks up what is behind it; observes nothing. `None`: the
/// experiment has no such hypothesis.
pub fn explain(
    loaded: &Loaded,
    places: &Places,
    id: &str,
    progress: &dyn Progress,
) -> Result<Option<Explained>, PipelineError> {
    let mut one = loaded.clone();
    one.hypotheses.retain(|(_, hypothesis, _)| hypothesis.id == id);
    let Some((_, hypothesis, _)) = one.hypotheses.first().cloned() else { return Ok(None) };
    let planned = plan(&one, places, WhenMissing::Report, progress)?;
    let mut run = planned.start(places, progress);
    let (outcome, observed) = run.repairing(false, |run| {
        run.execute(&[Stage::Judge])?;
        let outcome = run.done.outcomes.values().next().cloned();
        let jobs = run.measured_jobs().read_by(&Scope::of(run.inputs, &hypothesis));
        Ok((outcome, run.apart(&jobs)?))
    })?;
    let Some(outcome) = outcome else { return Ok(None) };
    let tables = observed.beside(run.published()?);
    let rows = outcome.predictions.iter().map(|prediction| {
        let table = tables.of(prediction.evidence);
        let asked = hypothesis.predictions.iter().find(|p| p.id == prediction.id);
        asked.map(|asked| behind(&hypothesis, asked, prediction.evidence, table)).unwrap_or_default()
    });
    let rows = rows.collect();
    let registrations = registering::with_effects(run.inputs, &run.done);
    let registration = registrations.into_iter().next().map(|(_, one)| one).unwrap_or_default();
    let failures = planned.inputs.unusable().cloned().collect();
    Ok(Some(Explained { hypothesis, outcome, registration, rows, failures }))
}
