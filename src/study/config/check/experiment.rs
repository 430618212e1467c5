//! Checks what an experiment file and a prompt set file say by themselves.

use super::common::{Found, identifier, not_empty, version};
use crate::config::document::{Document, at};
use crate::config::experiment::{Experiment, PromptSet};

/// Every mistake of an experiment file that needs no other file to be seen.
pub(in crate::config) fn check_experiment(document: &Document, experiment: &Experiment) -> Found {
    let mut found = Vec::new();
    version(document, experiment.schema, &mut found);
    identifier(document, at!["id"], &experiment.id, &mut found);
    not_empty(document, at!["prompts"], &experiment.prompts, "prompt set file", &mut found);
    not_empty(document, at!["hypotheses"], &experiment.hypotheses, "hypothesis file", &mut found);
    not_empty(document, at!["bos"], &experiment.bos, "BOS policy", &mut found);
    if let Some(date) = &experiment.date
        && !date.parse::<toml::value::Datetime>().is_ok_and(|d| d.date.is_some() && d.time.is_none())
    {
        let message = format!("`date` is {date:?}, expected a day as YYYY-MM-DD");
        found.push(document.error(at!["date"], message).suggest("write date = \"2026-01-31\""));
    }
    for (i, bos) in experiment.bos.iter().enumerate() {
        if experiment.bos[..i].contains(bos) {
            let message = format!("BOS policy `{bos}` is listed twice");
            found.push(document.error(at!["bos", i], message).suggest("drop one of the two"));
        }
    }
    found
}

/// Every mistake of a prompt set file that needs no other file to be seen.
pub(in crate::config) fn check_prompts(document: &Document, set: &PromptSet) -> Found {
    let mut found = Vec::new();
    version(document, set.schema, &mut found);
    identifier(document, at!["id"], &set.id, &mut found);
    not_empty(document, at!["prompt"], &set.prompts, "prompt", &mut found);
    for (p, prompt) in set.prompts.iter().enumerate() {
        identifier(document, at!["prompt", p, "id"], &prompt.id, &mut found);
    }
    found
}
