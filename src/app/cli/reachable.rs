//! What `check` says of data: which verdicts those at hand allow, and which profile would bring the units that predictions need.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use crate::pipeline::{WhenMissing, locate};
use base::glob;
use base::progress::Silent;
use model::arch::Recipe;
use model::checkpoint::read_config;
use number::evidence::Evidence;
use number::facts::ModelFacts;
use study::config::intervention::{Change, Intervention};
use study::config::{Loaded, experiment::Model};
use study::judge::hypothesis::{FactCondition, Hypothesis, Needs, Prediction, Test};
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
/// have them. Where a filter is by facts that only a checkpoint says which is not here, a profile that is named may still have too few,
/// and the line says so.
pub(super) fn needs(loaded: &Loaded) -> String {
    let listed = facts(loaded);
    let names: BTreeSet<&str> =
        loaded.models.models.iter().flat_map(|m| &m.profiles).map(String::as_str).collect();
    let own: Vec<&str> = loaded.experiment.profile.names().iter().map(String::as_str).collect();
    let mut text = String::new();
    for (_, hypothesis, _) in &loaded.hypotheses {
        let prompts = loaded.prompts_of(hypothesis).len() as u32;
        for one in
            hypothesis.predictions.iter().filter(|one| one.evidence.iter().any(|e| *e != Evidence::Published))
        {
            let units = |profiles: &[&str]| {
                let asked = Asked { models: &loaded.models.models, facts: &listed, hypothesis, one, prompts };
                asked.lacking(profiles)
            };
            let (Some(what), _) = units(&own) else { continue };
            let (mut have, mut may_have) = (Vec::new(), Vec::new());
            for name in &names {
                match units(&[name]) {
                    (Some(_), _) => {}
                    (None, 0) => have.push(*name),
                    (None, unknown) => may_have.push(format!(
                        "profile {name} may have (whether {unknown} of its models are meant is known when they are here)"
                    )),
                }
            }
            let have = (!have.is_empty()).then(|| format!("profile {} has", have.join(" or ")));
            let would: Vec<String> = have.into_iter().chain(may_have).collect();
            let would = match &would[..] {
                [] => "no profile of the model list has as many".to_string(),
                some => some.join(", "),
            };
            text += &format!("{} {what}: {would}\n", one.id);
        }
    }
    text
}

/// By id, what is known of the models of the list: of those that are here what their config says, of others that have a name in the
/// published tables, or whose base has, what these say.
fn facts(loaded: &Loaded) -> BTreeMap<&str, serde_json::Map<String, Value>> {
    let table = loaded.published.as_deref().and_then(|folder| published::import(folder).ok());
    let printed = |model: &Model| {
        let name = model.published_as.as_deref()?;
        let facts = &table.as_ref()?.models.iter().find(|known| known.id == name)?.facts;
        written(facts)
    };
    let models = &loaded.models.models;
    let root = |model: &Model| models.iter().find(|other| other.id == lineage(models, model));
    let of = |model: &Model| -> Option<serde_json::Map<String, Value>> {
        let here = || {
            let folder =
                locate(model, &loaded.models, &loaded.models_path, WhenMissing::Report, &Silent).ok()?;
            written(&Recipe::read(&read_config(&folder).ok()?).ok()?.facts())
        };
        here().or_else(|| printed(model)).or_else(|| printed(root(model)?))
    };
    models.iter().filter_map(|model| Some((model.id.as_str(), of(model)?))).collect()
}

fn written(facts: &ModelFacts) -> Option<serde_json::Map<String, Value>> {
    match serde_json::to_value(facts) {
        Ok(Value::Object(facts)) => Some(facts),
        _ => None,
    }
}

/// What a prediction needs, beside what the model list says.
struct Asked<'a> {
    models: &'a [Model],
    facts: &'a BTreeMap<&'a str, serde_json::Map<String, Value>>,
    hypothesis: &'a Hypothesis,
    one: &'a Prediction,
    prompts: u32,
}

impl Asked<'_> {
    /// Whether the prediction is about a model; `None` where that is not known.
    fn takes(&self, model: &Model) -> Option<bool> {
        let filters = || [Some(&self.hypothesis.models), self.one.models.as_ref()].into_iter().flatten();
        let named = filters().all(|filter| {
            let profile = filter.profile.as_ref();
            (filter.ids.is_empty() || filter.ids.contains(&model.id))
                && profile.is_none_or(|profile| model.profiles.contains(profile))
        });
        if !named {
            return Some(false);
        }
        let holds = |condition: &FactCondition| {
            let listed = match condition.fact.as_str() {
                "base" => model.base.clone().map(Value::from),
                "series" => model.series.clone().map(Value::from),
                "step" => model.step.map(Value::from),
                "change" => changes(model).map(Value::from),
                // What kind of model it is follows from these when it is opened.
                "kind" => return None,
                fact => {
                    let known = self.facts.get(model.id.as_str())?.get(fact).filter(|value| !value.is_null());
                    return Some(condition.holds_of(known?));
                }
            };
            Some(listed.is_some_and(|value| condition.holds_of(&value)))
        };
        let each: Vec<Option<bool>> = filters().flat_map(|filter| &filter.facts).map(holds).collect();
        match () {
            () if each.contains(&Some(false)) => Some(false),
            () if each.contains(&None) => None,
            () => Some(true),
        }
    }

    /// What models of these profiles lack of what the prediction needs, e.g. `needs 20 lineages, of which profile tiny lists 10`; and of
    /// how many it is not known whether they are meant.
    fn lacking(&self, profiles: &[&str]) -> (Option<String>, usize) {
        let Asked { models, one, prompts, .. } = self;
        let listed: Vec<&Model> = models
            .iter()
            .filter(|m| m.profiles.iter().any(|name| profiles.contains(&name.as_str())))
            .collect();
        let taken = listed.iter().filter(|model| self.takes(model) != Some(false));
        let lineages: BTreeSet<&str> = taken.map(|model| lineage(models, model)).collect();
        let unknown = listed.iter().filter(|model| self.takes(model).is_none()).count();
        let changed = |change: &str| -> BTreeSet<&str> {
            let of =
                listed.iter().filter(|model| changes(model).is_some_and(|own| glob::matches(change, &own)));
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
            (texts, *prompts, "prompts"),
        ];
        let short = asked.into_iter().find(|(needed, there, _)| needed > there);
        let short = short.map(|(needed, there, what)| {
            let most = if unknown > 0 && what == "lineages of models" { "at most " } else { "" };
            format!("needs {needed} {what}, of which profile {} lists {most}{there}", profiles.join(" and "))
        });
        (short, unknown)
    }
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
