//! Trainings: the revisions of one series of checkpoints in the order of their steps.

use std::collections::BTreeMap;

use crate::{
    judge::{cells::Cells, context::TestContext, findings::Findings, inputs::enough_of},
    stats::{Seed, change_point},
};

/// A training: (step, model), by step.
pub(crate) type Training<'a> = Vec<(f64, &'a str)>;

/// The trainings among `models` with as many revisions as the prediction needs (at least `fewest`); too few of them is
/// missing.
pub(crate) fn trainings<'a>(
    context: &TestContext<'_>,
    models: impl IntoIterator<Item = &'a str>,
    fewest: usize,
    findings: &mut Findings,
) -> BTreeMap<String, Training<'a>> {
    let mut all = BTreeMap::<String, Training<'a>>::new();
    for model in models {
        let facts = context.model(model);
        let series = facts.and_then(|m| m.word("series"));
        let step = facts.and_then(|m| m.fact("step")?.as_f64());
        if let (Some(series), Some(step)) = (series, step) {
            all.entry(series).or_default().push((step, model));
        }
    }
    let needed = fewest.max(context.needs.revisions as usize);
    let short = |(series, steps): (&String, &Training<'_>)| {
        (steps.len() < needed).then(|| format!("{series} ({})", steps.len()))
    };
    let left: Vec<String> = all.iter().filter_map(short).collect();
    if !left.is_empty() {
        findings.notes.push(format!("fewer than {needed} revisions, left out: {}", left.join(", ")));
    }
    all.retain(|_, steps| steps.len() >= needed);
    for steps in all.values_mut() {
        steps.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    let what = format!("trainings of at least {needed} revisions");
    enough_of(context.needs.series.max(1), &what, all.keys().map(String::as_str), findings);
    all
}

/// A change along a training.
pub(crate) struct Change {
    /// The first revision after it.
    pub index: usize,
    /// Between the last step before it and the first after it, geometrically.
    pub step: f64,
    pub p: f64,
}

/// The change of level along a training: the step where two constants fit the means of revisions best. Every model of
/// the training must have cells.
pub(crate) fn changes(training: &Training<'_>, cells: &Cells<'_>, seed: Seed) -> Option<Change> {
    let means: Option<Vec<f64>> = training.iter().map(|(_, model)| cells.models.get(model)?.mean()).collect();
    let found = change_point(&means?, seed)?;
    let (before, after) = (training[found.index - 1].0, training[found.index].0);
    // Step 0 has no place on a scale of factors: half of the first step stands for what lies before it.
    let before = if before > 0.0 { before } else { after / 4.0 };
    Some(Change { index: found.index, step: (before * after).sqrt(), p: found.p })
}
