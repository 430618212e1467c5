//! Commands that could not open some models and did the rest: exit code 1. What they publish must be, byte for byte, what they
//! publish where those models are not there at all.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    sync::Arc,
};

use base::hash::Key;

use crate::{
    attack::{self, Ending},
    commands::Command,
    world::{Files, MODELS, World},
};

/// The models that a command says have failed; an error names what else has.
pub(crate) fn failed(ending: &Ending) -> Result<BTreeSet<&'static str>, String> {
    let lines = ending.out.lines().chain(ending.err.lines());
    let said = lines.filter_map(|line| Some(line.strip_prefix("failed: ")?.split_once(": ")?.0));
    let find = |said: &str| MODELS.into_iter().find(|model| *model == said).ok_or_else(|| said.to_string());
    said.map(find).collect()
}

/// What of a model cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lack {
    /// All of it: nothing is known of the model.
    Everything,
    /// Its matrices can be weighed, and no text becomes ids.
    Tokenizer,
}

/// Models that cannot be read, each with what of it.
pub(crate) type Lacks = BTreeMap<&'static str, Lack>;

/// What is wrong with the published files of a command after which these models failed.
pub(crate) fn difference(
    now: &Files,
    before: &Files,
    world: &World,
    command: &'static Command,
    failed: &BTreeSet<&'static str>,
) -> Option<String> {
    if now == before {
        return None; // of the rest nothing was published
    }
    let mut ways: Vec<Lacks> = vec![Lacks::new()];
    for model in failed {
        let with = |lack| {
            ways.iter().map(move |way| {
                let mut way = way.clone();
                way.insert(model, lack);
                way
            })
        };
        ways = with(Lack::Everything).chain(with(Lack::Tokenizer)).collect();
    }
    let now = comparable(now, failed);
    let mut found = ways.into_iter().map(|lacks| {
        let right = without(world, command, &lacks);
        attack::difference(&now, &comparable(&right, failed))
            .map(|what| format!("of what is published without {lacks:?} {what}"))
    });
    let first = found.next()??;
    found.all(|other| other.is_some()).then_some(first)
}

/// What a command publishes when so much of models is not there.
fn without(world: &World, command: &'static Command, lacks: &Lacks) -> Arc<Files> {
    let key = (command.name, lacks.clone());
    if let Some(known) = world.without.lock().unwrap().get(&key) {
        return Arc::clone(known);
    }
    let folder = world.scene(command.scene);
    let list = folder.join("experiments/models.toml");
    let text = fs::read_to_string(&list).unwrap();
    let other = lacks.iter().fold(text.clone(), |text, (model, lack)| {
        let place = match lack {
            Lack::Everything => "prompts".to_string(), // a folder without a model
            Lack::Tokenizer => format!("../../data/{model}-without-tokenizer"),
        };
        text.replace(&format!("\"../../data/{model}\""), &format!("{place:?}"))
    });
    fs::write(&list, other).unwrap();
    let ending = attack::plain(world, &folder, command);
    let models: BTreeSet<&str> = lacks.keys().copied().collect();
    assert_eq!(
        (ending.code, failed(&ending).as_ref()),
        (Some(1), Ok(&models)),
        "{}: {ending:?}",
        command.name
    );
    fs::write(&list, text).unwrap();
    let found = Arc::new(attack::published(&folder));
    fs::remove_dir_all(folder).unwrap();
    world.without.lock().unwrap().insert(key, Arc::clone(&found));
    found
}

const REPORT: &str = "results/report/report.md";
const PAGE: &str = "results/report/index.html";
/// Holds digests of the two, and the manifest holds its own.
const CRATE: &str = "results/ro-crate-metadata.json";

/// Files without the words with which a model failed: those are the fault's. So the digests of files that hold them are taken out,
/// where they are the right ones.
fn comparable(files: &Files, failed: &BTreeSet<&'static str>) -> Files {
    let hold_words = [REPORT, PAGE, CRATE];
    let digests: Vec<String> =
        hold_words.iter().filter_map(|name| Some(Key::of_bytes(files.get(*name)?).to_string())).collect();
    let mut files = files.clone();
    let change = |files: &mut Files, name: &str, change: &dyn Fn(&str) -> String| {
        if let Some(bytes) = files.get_mut(name) {
            *bytes = change(&String::from_utf8_lossy(bytes)).into_bytes();
        }
    };
    change(&mut files, REPORT, &|text| {
        let lines = text.lines().map(|line| {
            let model = failed.iter().find(|model| line.starts_with(&format!("- {model}: ")));
            model.map_or(line, |model| *model)
        });
        lines.collect::<Vec<_>>().join("\n")
    });
    change(&mut files, PAGE, &|text| {
        let mut items = text.split("<li>").map(|item| {
            let said = failed.iter().find(|model| item.starts_with(&format!("{model}: ")));
            said.map_or(item.to_string(), |model| {
                format!("{model}{}", item.find("</li>").map_or("", |end| &item[end..]))
            })
        });
        let first = items.next().unwrap_or_default();
        items.fold(first, |text, item| text + "<li>" + &item)
    });
    for name in [CRATE, "results/manifest.json"] {
        change(&mut files, name, &|text| {
            let text = digests.iter().fold(text.to_string(), |text, digest| text.replace(digest, ""));
            // The manifest's digest of itself.
            text.lines().filter(|line| !line.contains("\"digest\": ")).collect::<Vec<_>>().join("\n")
        });
    }
    files
}
