//! `regress` from the outside: what it says and how it leaves when nothing, a number, a verdict or the baseline moved.

use std::fs;

use crate::sandbox::Sandbox;
use results::regress::{Kind, RunNumbers, baseline};
use serde_json::Value;

const REGRESS: &[&str] = &["regress", "--quiet"];
const BASELINE: &str = "results/baseline";

/// A sandbox whose baseline is what the program shows.
fn accepted() -> Sandbox {
    let sandbox = Sandbox::new();
    let (text, _) = accept(&sandbox, "first baseline");
    assert!(text.contains("the baseline now"), "{text}");
    sandbox
}

fn accept(sandbox: &Sandbox, note: &str) -> (String, String) {
    sandbox.expect(0, &["regress", "--quiet", "--accept", "--note", note])
}

/// Edits the baseline as a program of another day would have written it.
fn edit(sandbox: &Sandbox, change: impl FnOnce(&mut RunNumbers)) {
    let folder = sandbox.path(BASELINE);
    let mut picture = baseline::read(&folder).unwrap();
    change(&mut picture);
    baseline::write(&folder, &picture).unwrap();
}

#[test]
fn what_has_not_changed_moves_nothing_and_leaves_nothing_behind() {
    let sandbox = accepted();
    let before = sandbox.files("results");
    assert_eq!(before.len(), 3, "baseline.json, numbers.parquet, CHANGES.md: {:?}", before.keys());
    let (text, _) = sandbox.expect(0, REGRESS);
    assert!(text.contains("nothing moved (tolerance 1e-5"), "{text}");
    assert!(!text.contains("made otherwise"), "{text}");
    // Nothing to accept: the same bytes, no entry.
    let (text, _) = accept(&sandbox, "again");
    assert!(text.contains("nothing moved") && !text.contains("baseline now"), "{text}");
    assert!(sandbox.files("results") == before);
    // Elsewhere the same run gives the same bytes.
    assert!(accepted().files("results") == before);
}

#[test]
fn every_model_and_every_hypothesis_is_in_the_baseline() {
    let sandbox = accepted();
    let picture = baseline::read(&sandbox.path(BASELINE)).unwrap();
    for model in ["llama3-tiny", "pythia-tiny"] {
        for kind in [Kind::Observation, Kind::Measurement] {
            let count = picture.numbers.keys().filter(|p| p.of == model && p.kind == kind).count();
            assert!(count > 5000, "{model} has {count} {kind}s");
        }
        assert!(picture.made_with.contains_key(&format!("weights of {model}")));
    }
    let summary = sandbox.json(&["run", "--json", "--quiet"]);
    let mut judgements = 0;
    for hypothesis in summary["verdicts"].as_array().unwrap() {
        judgements += hypothesis["verdicts"].as_array().unwrap().len();
        for prediction in hypothesis["predictions"].as_array().unwrap() {
            judgements += 2 + prediction["others"].as_array().unwrap().len();
        }
    }
    assert_eq!(picture.verdicts.len(), judgements, "each verdict has a name of its own");
}

#[test]
fn a_moved_number_is_named_with_model_prompt_layer_protocol_and_size() {
    let sandbox = accepted();
    let prompt = "the-capital-city-of-france-is-8f82";
    let mut first = 0.0;
    edit(&sandbox, |picture| {
        let (_, value) = picture
            .numbers
            .iter_mut()
            .find(|(place, _)| {
                place.of == "llama3-tiny"
                    && place.item == prompt
                    && place.name == "residual-norm"
                    && place.protocol == "mean/last-block/auto"
                    && place.layer == Some(3)
            })
            .unwrap();
        first = *value;
        *value *= 1.01;
    });
    let (text, _) = sandbox.expect(8, REGRESS);
    let line = text.lines().find(|line| line.contains("residual-norm")).unwrap_or_default();
    for word in ["under mean/last-block/auto", "llama3-tiny", prompt, "layer 3", "by 9.9e-3 of its size"] {
        assert!(line.contains(word), "{word:?} is not in\n{text}");
    }
    assert!(line.contains(&format!("-> {first:?},")), "{text}");
    assert!(text.contains("\n1 of ") || text.starts_with("1 of "), "{text}");
    assert!(text.contains("--accept"), "{text}");
    let (json, _) = sandbox.expect(8, &["regress", "--quiet", "--json"]);
    let found: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&found["schema"], &found["moved"]), (&1.into(), &true.into()));
    assert_eq!(found["numbers"].as_array().unwrap().len(), 1);
    assert_eq!(found["numbers"][0]["name"], "residual-norm");
    assert_eq!(found["numbers"][0]["now"].to_string(), format!("{first:?}"));
}

#[test]
fn a_moved_verdict_is_named_and_renewing_the_baseline_notes_it() {
    let sandbox = accepted();
    edit(&sandbox, |picture| {
        let verdict = picture.verdicts.get_mut("H13/H13a (rehearsal) under last/last-block/auto").unwrap();
        assert_eq!(verdict, "inconclusive");
        *verdict = "supported".into();
        picture.made_with.insert("ONNX Runtime".into(), "0.9".into());
    });
    let line = "H13/H13a (rehearsal) under last/last-block/auto: supported -> inconclusive";
    let (text, _) = sandbox.expect(8, REGRESS);
    assert!(text.contains(line) && text.contains("ONNX Runtime: 0.9 -> 1."), "{text}");
    accept(&sandbox, "a better interval");
    let changes = sandbox.read("results/baseline/CHANGES.md");
    assert!(changes.contains(line), "{changes}");
    let place =
        |heading: &str| changes.find(heading).unwrap_or_else(|| panic!("no {heading:?} in {changes}"));
    assert!(place("## 2: a better interval") < place("## 1: first baseline"), "newest first");
    let (text, _) = sandbox.expect(0, REGRESS);
    assert!(text.contains("nothing moved"), "{text}");
}

#[test]
fn another_runtime_alone_is_said_and_moves_nothing() {
    let sandbox = accepted();
    edit(&sandbox, |picture| drop(picture.made_with.insert("ONNX Runtime".into(), "0.9".into())));
    let (text, _) = sandbox.expect(0, REGRESS);
    assert!(text.contains("ONNX Runtime: 0.9 -> 1.") && text.contains("nothing moved"), "{text}");
}

/// An epsilon of the norm stands for an engine that computes something else.
#[test]
fn a_changed_model_moves_its_own_numbers_and_no_other_models() {
    let sandbox = accepted();
    let config = "data/zoo/llama3-tiny/config.json";
    sandbox.edit(config, "\"rms_norm_eps\": 1e-05", "\"rms_norm_eps\": 1e-03");
    let (json, _) = sandbox.expect(8, &["regress", "--quiet", "--json"]);
    let found: Value = serde_json::from_str(&json).unwrap();
    let numbers = found["numbers"].as_array().unwrap();
    let of = |model: &str| numbers.iter().filter(|change| change["of"] == model).count();
    assert!(
        of("llama3-tiny") > 1000 && of("pythia-tiny") == 0,
        "{}, {}",
        of("llama3-tiny"),
        of("pythia-tiny")
    );
    assert!(found["made_with"].to_string().contains("graphs of llama3-tiny"), "{}", found["made_with"]);
    let (text, _) = sandbox.expect(8, REGRESS);
    assert!(text.contains("measurements moved in llama3-tiny") && text.contains("more of it"), "{text}");
    assert!(text.lines().count() < 80, "{text}");
}

#[test]
fn a_model_that_fails_is_missing_and_no_baseline_is_made_of_the_rest() {
    let sandbox = accepted();
    let before = sandbox.files(BASELINE);
    fs::remove_file(sandbox.path("data/zoo/pythia-tiny/model.safetensors")).unwrap();
    let (text, _) = sandbox.expect(8, REGRESS);
    assert!(text.contains("failed: pythia-tiny") && text.contains("numbers are gone"), "{text}");
    sandbox.expect(8, &["regress", "--quiet", "--accept", "--note", "without pythia"]);
    assert!(sandbox.files(BASELINE) == before);
    fs::remove_dir_all(sandbox.path(BASELINE)).unwrap();
    let (text, _) = sandbox.expect(1, &["regress", "--quiet", "--accept", "--note", "without pythia"]);
    assert!(text.contains("can be no baseline") && !sandbox.path(BASELINE).exists(), "{text}");
}

#[test]
fn without_a_baseline_it_says_how_to_make_one() {
    let sandbox = Sandbox::new();
    let (_, error) = sandbox.expect(6, REGRESS);
    assert!(error.contains(BASELINE) && error.contains("--accept --note"), "{error}");
    let (_, error) = sandbox.expect(2, &["regress", "--accept"]);
    assert!(error.contains("--note"), "{error}");
    assert!(!sandbox.path(BASELINE).exists());
}
