//! What entered a run: versions in words, contents by hash. It explains a difference between two runs; alone it is none.

use std::collections::BTreeMap;

use super::inputs::Inputs;
use base::hash::Key;
use results::tidy::Entity;

/// Versions and hashes of everything that entered, by name, e.g. `weights of llama3-tiny`.
pub(super) fn made_with(inputs: &Inputs<'_>) -> BTreeMap<String, String> {
    let loaded = inputs.loaded;
    let mut made = BTreeMap::new();
    let mut say = |what: String, value: String| made.insert(what, value);
    say("streamgauge".into(), env!("CARGO_PKG_VERSION").into());
    say("ONNX Runtime".into(), inputs.runtime.version().into());
    say("device".into(), inputs.runtime.place());
    say("experiment".into(), loaded.experiment.id.clone());
    say("seed".into(), loaded.experiment.seed.to_string());
    for subject in &inputs.subjects {
        say(format!("weights of {}", subject.id), subject.weights().to_string());
        if let Some(change) = subject.intervention {
            say(format!("intervention of {}", subject.id), change.to_string());
        }
        say(format!("graphs of {}", subject.id), subject.graphs.identity().to_string());
        if let Ok(tokenizer) = &*subject.tokenizer {
            say(format!("tokenizer of {}", subject.id), tokenizer.identity().to_string());
        }
    }
    for set in &loaded.prompt_sets {
        say(format!("prompts of {}", set.id), digest(&set.prompts));
    }
    for (_, hypothesis, hash) in &loaded.hypotheses {
        say(format!("hypothesis {}", hypothesis.id), hash.to_string());
        say(format!("primary protocol of {}", hypothesis.id), hypothesis.protocol.to_string());
    }
    if let Some(published) = inputs.published {
        say("published tables".into(), published.to_string());
    }
    made
}

/// The same things as entities of a research object.
pub(super) fn entities(inputs: &Inputs<'_>) -> Vec<Entity> {
    let loaded = inputs.loaded;
    let entity = |id: String, name: &str, kind: &'static str, hash: String| Entity {
        id,
        name: name.to_string(),
        kind,
        hash: format!("blake3:{hash}"),
        licence: None,
    };
    let mut found = Vec::new();
    for subject in &inputs.subjects {
        let id = format!("model/{}", subject.id);
        found.push(entity(id, &subject.id, "Dataset", subject.weights().to_string()));
    }
    for set in &loaded.prompt_sets {
        let id = format!("prompts/{}", set.id);
        found.push(entity(id, &set.title, "Dataset", digest(&set.prompts)));
    }
    for (_, hypothesis, hash) in &loaded.hypotheses {
        let name = format!("{}: {}", hypothesis.id, hypothesis.title);
        found.push(entity(format!("hypothesis/{}", hypothesis.id), &name, "CreativeWork", hash.to_string()));
    }
    if let Some(published) = inputs.published {
        found.push(entity("published".into(), "published tables", "Dataset", published.to_string()));
    }
    found
}

fn digest(prompts: &[study::config::experiment::Prompt]) -> String {
    let prompts = serde_json::to_vec(prompts).unwrap_or_default(); // plain structs always serialise
    Key::of_bytes(&prompts).to_string()
}
