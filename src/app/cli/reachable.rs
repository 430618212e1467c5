//! What `check` says of data: which verdicts those at hand allow, and which profile would bring the units that predictions need.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use base::glob;
use number::evidence::Evidence;
use study::config::intervention::{Change, Intervention};
use study::config::{Loaded, experiment::Model};
use study::judge::hypothesis::{Hypothesis, Needs, Prediction, Test};
use study::judge::outcome::{HypothesisOutcome, Judgement, Verdict};
use study::judge::{StatisticsCache, primary};
use study::published;

/// A core prediction on one kind of evidence, with what the numbers allow.
pub(super) struct AtHand {
    prediction: String,
    evidence: Evidence,
    judgement: Judgement,
}

/// The core predictions on published rows, and on what the last run in `results` measured, where it judged the file as it is.
///
/// # Errors
/// The published tables cannot be read.
pub(super) fn at_hand(loaded: &Loaded, results: &Path) -> Result<Vec<AtHand>, String> {
    let cache = StatisticsCache::new(loaded.experiment.seed);
    let table =
        loaded.published.as_deref().map(published::import).transpose().map_err(|error| error.to_string())?;
    let last = last_run(results);
    let mut found = Vec::new();
    for (_, hypothesis, hash) in &loaded.hypotheses {
        let core = |id: &str| hypothesis.predictions.iter().any(|one| one.core && one.id == id);
        let published =
            table.iter().flat_map(|table| primary(hypothesis, Evidence::Published, table, &cache));
        let published = published.map(|(prediction, judgement)| (prediction, Evidence::Published, judgement));
        let measured = last.iter().filter(|one| one.id == hypothesis.id && one.hash == *hash);
        let measured =
            measured.flat_map(|one| &one.predictions).filter(|one| one.evidence != Evidence::Published);
        let measured = measured.map(|one| (one.id.clone(), one.evidence, one.primary.clone()));
        let both = published.chain(measured).filter(|(id, ..)| core(id));
        found.extend(both.map(|(prediction, evidence, judgement)| AtHand {
            prediction,
            evidence,
            judgement,
        }));
    }
    Ok(found)
}

/// The verdicts of the last run, if there is one that this version can read.
fn last_run(results: &Path) -> Vec<HypothesisOutcome> {
    let text = std::fs::read(results.join("verdicts.json")).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

/// A line for every prediction that cannot be both supported and contradicted, and how many can.
pub(super) fn in_words(found: &[AtHand]) -> String {
    let both = |one: &&AtHand| {
        [Verdict::Supported, Verdict::Contradicted]
            .iter()
            .all(|verdict| one.judgement.allows.contains(verdict))
    };
    let mut text = String::new();
    for one in found.iter().filter(|one| !both(one)) {
        let allows: Vec<&str> = one.judgement.allows.iter().map(|verdict| verdict.as_str()).collect();
        let allows = if allows.is_empty() {
            "no verdict".to_string()
        } else {
            format!("only {}", allows.join(" or "))
        };
        let why = match one.judgement.would_decide.as_str() {
            "" => String::new(),
            why => format!(" ({why})"),
        };
        text +=
            &format!("{} on {} data: the data at hand allow {allows}{why}\n", one.prediction, one.evidence);
    }
    if !found.is_empty() {
        let n = found.iter().filter(both).count();
        text += &format!(
            "the data at hand allow {n} of {} core predictions to come out either way\n",
            found.len()
        );
    }
    text
}

/// A line for every prediction that needs more units than the experiment's profiles have in their model list, with the profiles that
/// have them. Filters by facts are not looked at, which are read from checkpoints: a profile that is named may still have too few.
pub(super) fn needs(loaded: &Loaded) -> String {
    let names: BTreeSet<&str> =
        loaded.models.models.iter().flat_map(|m| &m.profiles).map(String::as_str).collect();
    let own: Vec<&str> = loaded.experiment.profile.names().iter().map(String::as_str).collect();
    let mut text = String::new();
    for (_, hypothesis, _) in &loaded.hypotheses {
        let prompts = loaded.prompts_of(hypothesis).len() as u32;
        for one in
            hypothesis.predictions.iter().filter(|one| one.evidence.iter().any(|e| *e != Evidence::Published))
        {
            let lacks =
                |profiles: &[&str]| lacking(&loaded.models.models, profiles, hypothesis, one, prompts);
            let Some(what) = lacks(&own) else { continue };
            let would: Vec<&str> = names.iter().copied().filter(|name| lacks(&[name]).is_none()).collect();
            let would = match &would[..] {
                [] => "no profile of the model list has as many".to_string(),
                some => format!("profile {} has", some.join(" or ")),
            };
            text += &format!("{} {what}: {would}\n", one.id);
        }
    }
    text
}

/// What models of these profiles lack of what a prediction needs, e.g. `needs 20 lineages, of which profile tiny lists 10`.
fn lacking(
    models: &[Model],
    profiles: &[&str],
    hypothesis: &Hypothesis,
    one: &Prediction,
    prompts: u32,
) -> Option<String> {
    let listed: Vec<&Model> =
        models.iter().filter(|m| m.profiles.iter().any(|name| profiles.contains(&name.as_str()))).collect();
    let taken = |model: &&&Model| {
        let filters = [Some(&hypothesis.models), one.models.as_ref()];
        filters.into_iter().flatten().all(|filter| filter.ids.is_empty() || filter.ids.contains(&model.id))
    };
    let lineages: BTreeSet<&str> = listed.iter().filter(taken).map(|model| lineage(models, model)).collect();
    let changed = |change: &str| -> BTreeSet<&str> {
        let of = listed.iter().filter(|model| changes(model).is_some_and(|own| glob::matches(change, &own)));
        of.map(|model| lineage(models, model)).collect()
    };
    let mut series = BTreeMap::<&str, u32>::new();
    for model in &listed {
        *series.entry(model.series.as_deref().unwrap_or_default()).or_default() +=
            u32::from(model.series.is_some());
    }
    let Needs { models: least, per_group, pairs, revisions, series: trainings, prompts: texts, .. } =
        one.needs;
    let pairs_listed = match &one.test {
        Test::Pairs(test) => changed(&test.change).len() as u32,
        _ => u32::MAX,
    };
    let long = series.values().filter(|n| **n >= revisions.max(1)).count() as u32;
    let asked = [
        (least.max(2 * per_group), lineages.len() as u32, "lineages of models"),
        (pairs, pairs_listed, "lineages with such a pair"),
        (trainings, long, "trainings of as many revisions"),
        (texts, prompts, "prompts"),
    ];
    let short = asked.into_iter().find(|(needed, there, _)| needed > there);
    short.map(|(needed, there, what)| {
        format!("needs {needed} {what}, of which profile {} lists {there}", profiles.join(" and "))
    })
}

/// What was done to a model, in the word of the fact `change`.
fn changes(model: &Model) -> Option<String> {
    model.change.clone().or_else(|| model.intervention.as_ref().map(made))
}

/// The last base of a model, or the last stage of its training.
fn lineage<'m>(models: &'m [Model], model: &'m Model) -> &'m str {
    let mut at = model;
    // A chain longer than the list would turn in a circle, which `check` refuses.
    for _ in 0..models.len() {
        let origin = at.base.as_ref().or(at.series.as_ref()).filter(|origin| **origin != at.id);
        match origin.and_then(|origin| models.iter().find(|other| other.id == *origin)) {
            Some(next) => at = next,
            None => break,
        }
    }
    &at.id
}

fn made(intervention: &Intervention) -> String {
    intervention.changes().iter().map(Change::fact).collect::<Vec<_>>().join(", ")
}
