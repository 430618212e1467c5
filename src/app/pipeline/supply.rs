//! Which profiles of the model list have the units that predictions need, where those of the experiment have too few.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

use base::glob;
use number::evidence::{Evidence, ModelInfo};
use number::facts::ModelFacts;
use study::config::intervention::{Change, Intervention};
use study::config::{Loaded, experiment::Model};
use study::judge::hypothesis::{FactCondition, Hypothesis, Needs, Prediction, Test};

/// A prediction that needs more units than the profiles of the experiment have.
#[derive(Clone, Debug)]
pub struct Supply {
    /// Id of its hypothesis.
    pub hypothesis: String,
    /// Its own id.
    pub prediction: String,
    /// What is lacking, e.g. `needs 20 lineages of models, of which profile tiny lists 10`.
    pub lacks: String,
    /// Profiles that have as many.
    pub profiles: Vec<Profile>,
}

/// A profile of the model list.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// The lineages that count, or those with a pair, or the trainings.
    pub units: Vec<String>,
    /// Models of which only their checkpoints say whether they are meant.
    pub unknown: usize,
}

/// So many units are told by name.
const NAMED: usize = 12;

impl Supply {
    /// The sentence, and how many units each profile has; which, where they are few.
    pub(super) fn in_full(&self) -> String {
        let units = |Profile { name, units, .. }: &Profile| {
            let named = if units.len() <= NAMED { format!(": {}", units.join(", ")) } else { String::new() };
            format!("{name} lists {}{named}", units.len())
        };
        let all: Vec<String> = self.profiles.iter().map(units).collect();
        [vec![self.to_string()], all].concat().join(". ")
    }
}

impl fmt::Display for Supply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Supply { prediction, lacks, profiles, .. } = self;
        let (have, may_have): (Vec<&Profile>, Vec<&Profile>) =
            profiles.iter().partition(|profile| profile.unknown == 0);
        let names: Vec<&str> = have.iter().map(|profile| profile.name.as_str()).collect();
        let have = (!names.is_empty()).then(|| format!("profile {} has", names.join(" or ")));
        let may_have = may_have.iter().map(|Profile { name, unknown, .. }| {
            format!("profile {name} may have (whether {unknown} of its models are meant is known when they are here)")
        });
        let would: Vec<String> = have.into_iter().chain(may_have).collect();
        let would = match &would[..] {
            [] => "no profile of the model list has as many".to_string(),
            some => some.join(", "),
        };
        write!(f, "{prediction} {lacks}: {would}")
    }
}

/// The predictions that need more units than the experiment's profiles list, with the profiles that have them. `here` gives the facts of
/// a model whose config is at hand; of others with a name in the `published` tables the models of these tell.
pub fn supplies(
    loaded: &Loaded,
    published: &[ModelInfo],
    here: impl Fn(&Model) -> Option<ModelFacts>,
) -> Vec<Supply> {
    let listed = facts(loaded, published, here);
    let names: BTreeSet<&str> =
        loaded.models.models.iter().flat_map(|m| &m.profiles).map(String::as_str).collect();
    let own: Vec<&str> = loaded.experiment.profile.names().iter().map(String::as_str).collect();
    let mut all = Vec::new();
    for (_, hypothesis, _) in &loaded.hypotheses {
        let prompts = loaded.prompts_of(hypothesis).len() as u32;
        let measured = |one: &&Prediction| one.evidence.iter().any(|e| *e != Evidence::Published);
        for one in hypothesis.predictions.iter().filter(measured) {
            let asked = Asked { models: &loaded.models.models, facts: &listed, hypothesis, one, prompts };
            let Some(lacks) = asked.has(&own).lacks else { continue };
            let profile = |name: &&str| {
                let Has { lacks, units, unknown } = asked.has(&[name]);
                lacks.is_none().then(|| Profile { name: name.to_string(), units, unknown })
            };
            let profiles = names.iter().filter_map(profile).collect();
            let (hypothesis, prediction) = (hypothesis.id.clone(), one.id.clone());
            all.push(Supply { hypothesis, prediction, lacks, profiles });
        }
    }
    all
}

/// By id, what is known of the models of the list: of those that are here what their config says, of others that have a name in the
/// published tables, or whose base has, what these say.
fn facts<'l>(
    loaded: &'l Loaded,
    published: &[ModelInfo],
    here: impl Fn(&Model) -> Option<ModelFacts>,
) -> BTreeMap<&'l str, serde_json::Map<String, Value>> {
    let printed = |model: &Model| {
        let name = model.published_as.as_deref()?;
        written(&published.iter().find(|known| known.id == name)?.facts)
    };
    let models = &loaded.models.models;
    let root = |model: &Model| models.iter().find(|other| other.id == lineage(models, model));
    let of = |model: &Model| -> Option<serde_json::Map<String, Value>> {
        here(model)
            .and_then(|facts| written(&facts))
            .or_else(|| printed(model))
            .or_else(|| printed(root(model)?))
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

    /// What models of these profiles lack of what the prediction needs, and have.
    fn has(&self, profiles: &[&str]) -> Has {
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
        let paired = match &one.test {
            Test::Pairs(test) => changed(&test.change),
            _ => BTreeSet::new(),
        };
        let is_paired = matches!(&one.test, Test::Pairs(_));
        let long: BTreeSet<&str> =
            series.into_iter().filter(|(_, n)| *n >= revisions.max(1)).map(|(name, _)| name).collect();
        let names = |of: &BTreeSet<&str>| of.iter().map(|name| name.to_string()).collect::<Vec<String>>();
        let asked = [
            (least.max(2 * per_group), names(&lineages), "lineages of models"),
            (if is_paired { pairs } else { 0 }, names(&paired), "lineages with such a pair"),
            (trainings, names(&long), "trainings of as many revisions"),
        ];
        let is_short = |(needed, units, _): &&(u32, Vec<String>, &str)| (units.len() as u32) < *needed;
        let lacks = asked.iter().find(is_short).map(|(needed, units, what)| {
            let most = if unknown > 0 && *what == "lineages of models" { "at most " } else { "" };
            let there = units.len();
            format!("needs {needed} {what}, of which {} {most}{there}", listing(profiles))
        });
        let few_texts = (texts > *prompts)
            .then(|| format!("needs {texts} prompts, of which {} {prompts}", listing(profiles)));
        let [lineages, pairs, trainings] = asked.map(|(needed, units, _)| (needed > 0).then_some(units));
        let units = pairs.or(trainings).or(lineages).unwrap_or_default();
        Has { lacks: lacks.or(few_texts), units, unknown }
    }
}

/// `profile tiny lists`, `profiles tiny and real list`.
fn listing(profiles: &[&str]) -> String {
    match profiles {
        [one] => format!("profile {one} lists"),
        some => format!("profiles {} list", some.join(" and ")),
    }
}

/// What a profile has of what a prediction needs.
struct Has {
    /// What it lacks, in words.
    lacks: Option<String>,
    /// The lineages, pairs or trainings that it has.
    units: Vec<String>,
    /// Models of which it is not known whether they are meant.
    unknown: usize,
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
