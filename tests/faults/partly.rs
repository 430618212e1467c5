//! Commands that could not open some models and did the rest: exit code 1. What they publish must be, byte for byte, what they
//! publish where those models are not there at all. Of a model whose matrices alone could not be weighed everything else is
//! published: then it is what is published undisturbed, without the rows that need a weighing.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    sync::Arc,
};

use base::hash::Key;
use polars::prelude::{Column, DataType};
use results::parquet::parquet_frame;

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
    /// Its prompts were observed, and its matrices cannot be weighed.
    Weights,
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
        ways = with(Lack::Everything).chain(with(Lack::Tokenizer)).chain(with(Lack::Weights)).collect();
    }
    let mut found = ways.into_iter().map(|mut lacks| {
        let unweighed: Vec<&str> =
            lacks.extract_if(.., |_, lack| *lack == Lack::Weights).map(|(model, _)| model).collect();
        let right = without(world, command, &lacks);
        let alike = |files| comparable(&unweighed_alike(files, &unweighed), failed);
        attack::difference(&alike(now), &alike(&right))
            .map(|what| format!("of what is published without {lacks:?} and weights of {unweighed:?} {what}"))
    });
    let first = found.next()??;
    found.all(|other| other.is_some()).then_some(first)
}

/// What a command publishes when so much of models is not there.
fn without(world: &World, command: &'static Command, lacks: &Lacks) -> Arc<Files> {
    if lacks.is_empty() {
        return Arc::new(attack::undisturbed(world, command).files.clone());
    }
    let key = (command.name, lacks.clone());
    if let Some(known) = world.without.lock().unwrap().get(&key) {
        return Arc::clone(known);
    }
    // The model list stays as it is: it is on record.
    let folder = world.scene_with(command.scene, |model, scene| match lacks.get(model) {
        Some(Lack::Everything) => scene.join("experiments/prompts"), // a folder without a model
        Some(Lack::Tokenizer) => world.data().join(format!("{model}-without-tokenizer")),
        Some(Lack::Weights) | None => world.data().join(model), // all of it is there
    });
    let ending = attack::plain(world, &folder, command);
    let models: BTreeSet<&str> = lacks.keys().copied().collect();
    assert_eq!(
        (ending.code, failed(&ending).as_ref()),
        (Some(1), Ok(&models)),
        "{}: {ending:?}",
        command.name
    );
    let found = Arc::new(attack::published(&folder));
    fs::remove_dir_all(folder).unwrap();
    world.without.lock().unwrap().insert(key, Arc::clone(&found));
    found
}

/// What is measured of weights alone, or of them and a stream.
const OF_WEIGHTS: [&str; 13] = [
    "attention-trace",
    "embedding-frobenius-norm",
    "embedding-row-norm",
    "embedding-spectral-norm",
    "mean-attention-trace",
    "mean-value-weight-square",
    "unembedding-centred-spectral-norm",
    "unembedding-folded-spectral-norm",
    "unembedding-frobenius-norm",
    "unembedding-row-norm",
    "unembedding-row-norm-spread",
    "unembedding-spectral-norm",
    "value-weight-square",
];
const MEASUREMENTS: &str = "results/tables/measurements.parquet";

/// Files that are alike whether or not these models were weighed: without their rows of weights, and without the words that say
/// that something is lacking. The files themselves where all were weighed.
fn unweighed_alike(files: &Files, models: &[&str]) -> Files {
    let mut files = files.clone();
    if models.is_empty() {
        return files;
    }
    let words = |files: &mut Files, name: &str, passages: &[(&str, &str)]| {
        if let Some(bytes) = files.get_mut(name) {
            let text = String::from_utf8_lossy(bytes).into_owned();
            *bytes = passages.iter().fold(text, |text, passage| left_out(&text, passage)).into_bytes();
        }
    };
    words(
        &mut files,
        REPORT,
        &[("**These results lack something:**", "\n\n"), ("\n\n### What could not be done", "\n\n#")],
    );
    words(
        &mut files,
        PAGE,
        &[("<p><strong>These results lack something:", "</p>"), ("<h2>What could not be done</h2>", "</ul>")],
    );
    if let Some(bytes) = files.get_mut(MEASUREMENTS) {
        *bytes = rows(bytes, &|model, metric| models.contains(&model) && OF_WEIGHTS.contains(&metric));
    }
    // These hold digests of the others.
    for name in [CRATE, MANIFEST] {
        files.remove(name);
    }
    files
}

/// A text without the passage that begins so, up to where this follows (which goes too, but for a heading) or the text ends.
fn left_out(text: &str, (begin, end): &(&str, &str)) -> String {
    let Some((before, passage)) = text.split_once(begin) else { return text.to_string() };
    match passage.split_once(end) {
        Some((_, after)) => format!("{before}{}{after}", if end.ends_with('#') { *end } else { "" }),
        None => before.to_string(),
    }
}

/// The rows of a table of measurements, without those of some models and metrics.
fn rows(parquet: &[u8], without: &dyn Fn(&str, &str) -> bool) -> Vec<u8> {
    let frame = parquet_frame(parquet.to_vec()).unwrap();
    let column = |name: &str| frame.column(name).unwrap().cast(&DataType::String).unwrap();
    let (models, metrics) = (column("model"), column("metric"));
    let mut text = format!("{:?}\n", frame.get_column_names());
    for at in 0..frame.height() {
        let of = |column: &Column| column.str().unwrap().get(at).unwrap_or_default().to_string();
        if !without(&of(&models), &of(&metrics)) {
            let values: Vec<String> =
                frame.columns().iter().map(|column| format!("{:?}", column.get(at).unwrap())).collect();
            text += &(values.join(" ") + "\n");
        }
    }
    text.into_bytes()
}

const REPORT: &str = "results/report/report.md";
const PAGE: &str = "results/report/index.html";
/// Holds digests of the two, and the manifest holds its own.
const CRATE: &str = "results/ro-crate-metadata.json";
const MANIFEST: &str = "results/manifest.json";

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
    for name in [CRATE, MANIFEST] {
        change(&mut files, name, &|text| {
            let text = digests.iter().fold(text.to_string(), |text, digest| text.replace(digest, ""));
            // The manifest's digest of itself.
            text.lines().filter(|line| !line.contains("\"digest\": ")).collect::<Vec<_>>().join("\n")
        });
    }
    files
}

#[test]
fn a_passage_is_left_out_and_nothing_else() {
    let report = "# A\n\n**These results lack something:** 1 thing.\n\n## B\n\nc\n\n### What could not be done\n\n- d\n";
    let files = |report: &str| Files::from([(REPORT.to_string(), report.as_bytes().to_vec())]);
    let alike = |report: &str| unweighed_alike(&files(report), &["m"])[REPORT].clone();
    assert_eq!(alike(report), b"# A\n\n## B\n\nc");
    assert_eq!(alike(&(report.to_string() + "\n## E\n")), b"# A\n\n## B\n\nc\n\n## E\n");
    assert_eq!(unweighed_alike(&files(report), &[]), files(report));
}
