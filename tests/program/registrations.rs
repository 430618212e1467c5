//! The record of hypotheses as a cheat would try to bend it: every way is refused or said in all forms.

use std::process::Command;

use serde_json::Value;

use crate::sandbox::Sandbox;

const RUN: &[&str] = &["run", "--json", "--quiet"];
const LOG: &str = "results/registered/log.toml";

/// A prospective claim on prompts of its own.
const H19: &str = r#"schema = 1
id = "H19"
title = "Questions"
statement = "The last block expands on questions."
origin = "a test"
published-verdict = "nothing"
status = "prospective"
prompts = ["questions"]
protocol = "last/last-block/auto"
[models]
[[prediction]]
id = "H19a"
claim = "It does."
evidence = ["rehearsal"]
test = { kind = "mean-by-model", of = { metric = "last-gain", scale = "log" }, against = 0.0 }
rule = { supported = [{ statistic = "smallest-low", at-least = 0.02 }], contradicted = [{ statistic = "smallest-high", at-most = -0.02 }] }
"#;

const QUESTIONS: &str = r#"schema = 1
id = "questions"
title = "Questions"
source = "made for the tests"
[[prompt]]
id = "q1"
category = "question"
text = "Who was the first to see it?"
[[prompt]]
id = "q2"
category = "question"
text = "Where does the river end?"
[[prompt]]
id = "q3"
category = "question"
text = "Why is the sky blue?"
"#;

/// An experiment of H9 and H19 alone.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    for file in sandbox.files("experiments/hypotheses").into_keys().filter(|file| file != "H9.toml") {
        std::fs::remove_file(sandbox.path("experiments/hypotheses").join(file)).unwrap();
    }
    sandbox.write("experiments/hypotheses/H19.toml", H19);
    sandbox.write("experiments/prompts/questions.toml", QUESTIONS);
    sandbox.edit("experiments/reproduce.toml", "prompts = [", "prompts = [\"prompts/questions.toml\", ");
    sandbox
}

fn git(sandbox: &Sandbox, arguments: &[&str]) {
    let mut git = Command::new("git");
    git.args(["-c", "user.name=t", "-c", "user.email=t@example.org"]).args(arguments);
    let output = git.current_dir(sandbox.path("")).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

fn registration(sandbox: &Sandbox, id: &str) -> Value {
    let verdicts: Value = serde_json::from_str(&sandbox.read("results/verdicts.json")).unwrap();
    verdicts.as_array().unwrap().iter().find(|one| one["id"] == id).unwrap()["registration"].clone()
}

#[test]
fn a_prospective_claim_is_registered_before_its_data_and_refused_after_them() {
    let sandbox = sandbox();
    // Somebody looks first, under another status, and then says that nobody had.
    sandbox.edit("experiments/hypotheses/H19.toml", "\"prospective\"", "\"draft\"");
    let summary = sandbox.json(RUN);
    assert_eq!(summary["registered"], serde_json::json!(["H9"]), "a draft is not registered");
    let (_, error) = sandbox.expect(3, &["register", "H19"]);
    assert!(error.contains("draft"), "{error}");
    sandbox.edit("experiments/hypotheses/H19.toml", "\"draft\"", "\"prospective\"");
    for command in [&["run", "--quiet"][..], &["report", "--quiet"], &["register", "H19"]] {
        let (_, error) = sandbox.expect(3, command);
        assert!(
            error.contains("already holds 6 of the 6 outputs") && error.contains("re-analysis"),
            "{error}"
        );
    }
    // With a store that has nothing of it, it is put on record first, and only then computed.
    std::fs::remove_dir_all(sandbox.path("results/store")).unwrap();
    let (text, _) = sandbox.expect(0, &["run", "--quiet"]);
    assert!(text.contains("registered H19: results/registered/log.toml"), "{text}");
    let log = sandbox.read(LOG);
    assert!(log.contains("why = \"before its data\"") && log.contains("status = \"prospective\""), "{log}");
    let (text, _) = sandbox.expect(0, &["run", "--quiet"]);
    assert!(text.contains("nothing to do") && sandbox.read(LOG) == log, "{text}");
    // Rows that were published before it cannot be what it predicts.
    sandbox.edit("experiments/hypotheses/H19.toml", "evidence = [\"rehearsal\"]\n", "");
    let (_, error) = sandbox.expect(3, &["check"]);
    assert!(error.contains("asks for published rows") && error.contains("H19.toml:11"), "{error}");
}

#[test]
fn models_and_prompts_that_are_dropped_are_said_in_every_form_and_a_copy_too() {
    let sandbox = sandbox();
    sandbox.json(RUN);
    let whole = sandbox.read("experiments/prompts/questions.toml");
    let cut = whole.split("[[prompt]]").take(3).collect::<Vec<_>>().join("[[prompt]]");
    sandbox.write("experiments/prompts/questions.toml", &cut);
    let list = sandbox.read("experiments/models.toml");
    let kept: Vec<&str> = list.split("[[model]]").filter(|one| !one.contains("\"pythia-tiny\"")).collect();
    sandbox.write("experiments/models.toml", &kept.join("[[model]]"));
    sandbox.edit("experiments/reproduce.toml", "seed = ", "seed = 1");
    sandbox.write("experiments/hypotheses/H113.toml", &H19.replace("H19", "H113").replace("0.02", "0.01"));
    sandbox.edit("experiments/hypotheses/H113.toml", "\"prospective\"", "\"re-analysis\"");
    let (checked, _) = sandbox.expect(0, &["check"]);
    sandbox.json(RUN);
    let (explained, _) = sandbox.expect(0, &["explain", "H19"]);
    let report = sandbox.read("results/report/report.md");
    let page = sandbox.read("results/report/index.html");
    let entered = registration(&sandbox, "H19")["entered"].to_string();
    for text in [&checked, &explained, &report, &page, &entered] {
        for what in
            ["models were left out: pythia-tiny", "questions has 2 prompts, 3 when registered", "the seed is"]
        {
            assert!(text.contains(what), "{what}: {text}");
        }
    }
    assert_eq!(registration(&sandbox, "H113")["derived"]["from"], "H19");
    assert!(
        checked.contains("H113 is derived from H19") && report.contains("from H19, registered before it")
    );
    // A change that is registered with its reason is still compared with the first entry.
    let (_, error) = sandbox.expect(2, &["register", "H19"]);
    assert!(error.contains("pythia-tiny") && error.contains("--note"), "{error}");
    sandbox.expect(0, &["register", "H19", "--note", "one model is enough"]);
    let (checked, _) = sandbox.expect(0, &["check"]);
    assert!(checked.contains("H19, otherwise than when registered: models were left out"), "{checked}");
}

#[test]
fn what_a_commit_holds_cannot_be_taken_from_the_log() {
    let sandbox = sandbox();
    sandbox.json(RUN);
    git(&sandbox, &["init", "-q"]);
    git(&sandbox, &["add", "-f", LOG]);
    git(&sandbox, &["commit", "-q", "-m", "registered"]);
    sandbox.expect(0, &["check"]);
    let log = sandbox.read(LOG);
    let last = log.rfind("\n[[registration]]").unwrap();
    let shorter = &log[..last];
    // The prospective one was registered first.
    for (text, id) in [(shorter, "2 (H9)"), ("", "1 (H19)")] {
        sandbox.write(LOG, text);
        for command in [&["check"][..], &["run", "--quiet"], &["report", "--quiet"], &["register", "H9"]] {
            let (_, error) = sandbox.expect(6, command);
            assert!(error.contains("was removed or exchanged") && error.contains(id), "{error}");
        }
    }
    sandbox.write(LOG, &log);
    sandbox.expect(0, &["run", "--quiet"]);
}

#[test]
fn a_claim_is_judged_as_first_registered_too_and_what_its_change_does_is_said() {
    let sandbox = sandbox();
    sandbox.json(RUN);
    assert_eq!(registration(&sandbox, "H19")["effects"], serde_json::json!([]));
    // The rule is turned round.
    let (was, is) = ("at-least = 0.02", "at-least = 9.0");
    sandbox.edit("experiments/hypotheses/H19.toml", was, is);
    sandbox.edit("experiments/hypotheses/H19.toml", "at-most = -0.02", "at-most = 9.0");
    sandbox.json(RUN);
    let effects = registration(&sandbox, "H19")["effects"].to_string();
    assert!(effects.contains("as first registered, contradicted now"), "{effects}");
    let (explained, _) = sandbox.expect(0, &["explain", "H19"]);
    assert!(explained.contains("the change moves the claim, rehearsal"), "{explained}");
    assert!(sandbox.read("results/report/report.md").contains("other verdict as registered"));
}

#[test]
fn what_is_untestable_is_not_registered_by_its_verdict() {
    let sandbox = sandbox();
    sandbox.edit("experiments/hypotheses/H19.toml", "\"prospective\"", "\"re-analysis\"");
    sandbox.edit("experiments/hypotheses/H19.toml", "evidence = [", "needs = { models = 99 }\nevidence = [");
    let summary = sandbox.json(RUN);
    assert_eq!(summary["registered"], serde_json::json!(["H9"]));
    sandbox.edit("experiments/hypotheses/H19.toml", "needs = { models = 99 }\n", "");
    let (text, _) = sandbox.expect(0, &["run", "--quiet"]);
    assert!(text.contains("registered H19"), "{text}");
}
