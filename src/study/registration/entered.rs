//! What enters a verdict beside the meaning of the hypothesis: prompts, models, published tables, seed, version of the judge.
//! Registered with the meaning, so that a model that is dropped or a prompt that is cut later is said.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::config::Loaded;
use crate::config::experiment::Model;
use crate::judge::hypothesis::Hypothesis;
use base::hash::{Fields, Key};

/// Ids that a sentence names; of more it gives the number.
const MOST_NAMED: usize = 5;

/// What enters a verdict beside the meaning of the hypothesis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Entered {
    /// Seed of every resampling.
    pub seed: u64,
    /// Version of the judge: statistics and rules.
    pub judge: u32,
    /// Ids of the models, in the order of the list.
    pub models: Vec<String>,
    /// Hash of what the model list says of them, with where they lie: in the entries of one version, and compared with nothing,
    /// since a checkpoint that is moved is the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_list: Option<Key>,
    /// Hash of what the model list says of them, but for where they lie.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub models_as_listed: Option<Key>,
    /// Hash of the published tables; none where the experiment has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Key>,
    /// By id of the prompt set.
    pub prompts: BTreeMap<String, Texts>,
}

/// The prompts of a set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Texts {
    /// How many there are.
    pub prompts: usize,
    /// Hash of their ids, categories and texts, in order.
    pub texts: Key,
}

/// How the sentence begins that says of which version the judge is now.
pub const OTHER_JUDGE: &str = "the judge is version";

impl Entered {
    /// What enters the verdict of a hypothesis of an experiment that is judged on these models.
    pub fn of<'a>(
        loaded: &Loaded,
        hypothesis: &Hypothesis,
        models: impl Iterator<Item = &'a Model>,
        published: Option<Key>,
        judge: u32,
    ) -> Entered {
        let (mut ids, mut list) = (Vec::new(), Fields::new("model list"));
        for model in models {
            // Profiles decide which models are taken; which those are, stands here.
            let said = Model {
                profiles: Vec::new(),
                folder: None,
                fetch: None,
                published_as: None,
                ..model.clone()
            };
            let said = serde_json::to_string(&said);
            list = list.with(&model.id, said.unwrap_or_default()); // text keys only: always serialises
            ids.push(model.id.clone());
        }
        let sets = loaded.prompt_sets.iter().filter(|set| hypothesis.prompts.contains(&set.id));
        let prompts = sets.map(|set| {
            let texts = set.prompts.iter().fold(Fields::new("prompts"), |fields, prompt| {
                fields.with(&prompt.id, format!("{}\n{}", prompt.category, prompt.text))
            });
            (set.id.clone(), Texts { prompts: set.prompts.len(), texts: texts.key() })
        });
        Entered {
            seed: loaded.experiment.seed,
            judge,
            models: ids,
            model_list: None,
            models_as_listed: Some(list.key()),
            published,
            prompts: prompts.collect(),
        }
    }

    /// What enters otherwise now, a sentence each.
    pub fn changes(&self, now: &Entered) -> Vec<String> {
        let mut found = Vec::new();
        let without = |those: &[String], these: &[String]| -> Vec<String> {
            those.iter().filter(|id| !these.contains(id)).cloned().collect()
        };
        let (gone, new) = (without(&self.models, &now.models), without(&now.models, &self.models));
        if !gone.is_empty() {
            found.push(format!("models were left out: {}", named(&gone)));
        }
        if !new.is_empty() {
            found.push(format!("models were added: {}", named(&new)));
        }
        let differs = self.models_as_listed.is_some() && self.models_as_listed != now.models_as_listed;
        if gone.is_empty() && new.is_empty() && differs {
            found.push("the model list says something else of the same models".to_string());
        }
        for (id, then) in &self.prompts {
            match now.prompts.get(id) {
                None => found.push(format!("prompt set {id} was left out")),
                Some(these) if these.prompts != then.prompts => found.push(format!(
                    "prompt set {id} has {} prompts, {} when registered",
                    these.prompts, then.prompts
                )),
                Some(these) if these.texts != then.texts => {
                    found.push(format!("prompt set {id} has other texts"));
                }
                Some(_) => {}
            }
        }
        let added = now.prompts.keys().filter(|id| !self.prompts.contains_key(*id));
        found.extend(added.map(|id| format!("prompt set {id} was added")));
        match (self.published, now.published) {
            (Some(_), None) => found.push("the published tables were left out".to_string()),
            (then, now) if then != now => found.push("the published tables are others".to_string()),
            _ => {}
        }
        if self.seed != now.seed {
            found.push(format!("the seed is {}, {} when registered", now.seed, self.seed));
        }
        if self.judge != now.judge {
            found.push(format!("{OTHER_JUDGE} {}, {} when registered", now.judge, self.judge));
        }
        found
    }
}

fn named(ids: &[String]) -> String {
    let mut shown: Vec<String> = ids.iter().take(MOST_NAMED).cloned().collect();
    if ids.len() > MOST_NAMED {
        shown.push(format!("{} others", ids.len() - MOST_NAMED));
    }
    shown.join(", ")
}
