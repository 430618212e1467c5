//! The main job from the outside: plan, run, resume, damage, strangers' files. Every test runs the real program.

use std::{fs, thread, time::Duration};

use crate::sandbox::Sandbox;
use serde_json::Value;

const RUN: &[&str] = &["run", "--json", "--quiet"];

fn computed(summary: &Value) -> (u64, u64, bool) {
    let c = &summary["computed"];
    (c["observations"].as_u64().unwrap(), c["verdicts"].as_u64().unwrap(), c["report"].as_bool().unwrap())
}

/// Report, pictures, tables and verdicts, byte for byte.
fn same_results(one: &Sandbox, two: &Sandbox) {
    assert!(one.read("results/verdicts.json") == two.read("results/verdicts.json"), "verdicts differ");
    for folder in ["results/report", "results/tables"] {
        let (a, b) = (one.files(folder), two.files(folder));
        assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>());
        for (name, bytes) in &a {
            assert!(bytes == &b[name], "{folder}/{name} differs");
        }
    }
}

#[test]
fn a_second_run_finds_nothing_to_do_and_a_changed_file_is_written_again() {
    let sandbox = Sandbox::new();
    let first = sandbox.json(RUN);
    let (observations, verdicts, report) = computed(&first);
    assert!(observations > 50 && verdicts == 5 && report, "{first}");
    // Two models; one set asks for spectra.
    assert_eq!((&first["computed"]["weighings"], &first["computed"]["spectra"]), (&2.into(), &2.into()));
    let (text, _) = sandbox.expect(0, &["run", "--quiet"]);
    assert!(text.contains("nothing to do"), "{text}");
    let (plan, _) = sandbox.expect(0, &["plan", "--why"]);
    assert!(plan.contains("Nothing to do"), "{plan}");
    // A report that somebody edited is not the report of this store.
    let before = sandbox.files("results/report");
    sandbox.write("results/report/report.md", "edited");
    assert_eq!(computed(&sandbox.json(RUN)), (0, 0, true));
    assert!(sandbox.files("results/report") == before);
}

#[test]
fn two_runs_in_two_places_with_other_thread_counts_write_the_same_bytes() {
    let (one, two) = (Sandbox::new(), Sandbox::new());
    one.expect(0, RUN);
    let done =
        two.command(RUN).env("RAYON_NUM_THREADS", "1").env("POLARS_MAX_THREADS", "1").output().unwrap();
    assert!(done.status.success());
    same_results(&one, &two);
}

#[test]
fn adding_one_prompt_computes_that_prompt_only_and_the_plan_says_why() {
    let sandbox = Sandbox::new();
    sandbox.expect(0, RUN);
    let set = sandbox.read("experiments/prompts/capital1.toml");
    let prompt = "\n[[prompt]]\nid = \"ghana\"\ncategory = \"Factual\"\ntext = \"The capital of Ghana is\"\n";
    sandbox.write("experiments/prompts/capital1.toml", &(set + prompt));
    let (plan, _) = sandbox.expect(0, &["plan", "--why", "--quiet"]);
    assert!(plan.contains("observe/llama3-tiny/capital1/ghana/auto: "), "{plan}");
    // One prompt on each of the two models.
    assert_eq!(computed(&sandbox.json(RUN)).0, 2);
}

#[test]
fn what_does_not_decide_an_output_changes_no_key() {
    let sandbox = Sandbox::new();
    sandbox.expect(0, RUN);
    // A comment and another layout in every TOML, other file times, another place for everything.
    for name in ["reproduce", "models", "hypotheses/H13", "prompts/grand25"] {
        let name = format!("experiments/{name}.toml");
        let text = sandbox.read(&name);
        sandbox.write(&name, &format!("{text}\n# a comment\n"));
    }
    fs::rename(sandbox.path("data/zoo/llama3-tiny"), sandbox.path("data/zoo/moved")).unwrap();
    sandbox.edit("experiments/models.toml", "data/zoo/llama3-tiny", "data/zoo/moved");
    let weights = sandbox.path("data/zoo/pythia-tiny/model.safetensors");
    let bytes = fs::read(&weights).unwrap();
    fs::write(&weights, bytes).unwrap();
    // Another number of threads.
    let output = sandbox.command(&["run", "--quiet"]).env("RAYON_NUM_THREADS", "1").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && text.contains("nothing to do"), "{text}");
}

#[test]
fn what_decides_an_output_is_named_when_it_changes() {
    let sandbox = Sandbox::new();
    sandbox.expect(0, RUN);
    sandbox.edit("experiments/reproduce.toml", "bos = [\"auto\"]", "bos = [\"auto\", \"never\"]");
    sandbox.edit("experiments/reproduce.toml", "seed = ", "seed = 1");
    // One bit of one weight.
    let weights = sandbox.path("data/zoo/pythia-tiny/model.safetensors");
    let mut bytes = fs::read(&weights).unwrap();
    let last = bytes.len() - 2;
    bytes[last] ^= 1;
    fs::write(&weights, bytes).unwrap();
    let (plan, _) = sandbox.expect(0, &["plan", "--why", "--quiet"]);
    assert!(plan.contains("weights changed"), "{plan}");
    assert!(plan.contains("/never: "), "{plan}");
    assert!(plan.contains("judge/H13: "), "{plan}");
    assert!(!plan.contains("observe/llama3-tiny/grand25/the-capital-city-of-france-is-8f82/auto"), "{plan}");
}

#[test]
fn policies_that_run_the_same_tokens_share_an_observation() {
    let sandbox = Sandbox::new();
    let once = computed(&sandbox.json(RUN)).0;
    sandbox.edit("experiments/reproduce.toml", r#"bos = ["auto"]"#, r#"bos = ["auto", "always", "never"]"#);
    let (plan, _) = sandbox.expect(0, &["plan", "--why", "--quiet"]);
    // pythia-tiny's tokenizer adds no BOS and llama3-tiny's adds one: each lacks one of the two other policies.
    for (model, same, other) in [("pythia-tiny", "never", "always"), ("llama3-tiny", "always", "never")] {
        let line = |bos| format!("observe/{model}/capital1/the-capital-of-france-is-2f0e/{bos}: ");
        assert!(plan.contains(&line(other)) && !plan.contains(&line(same)), "{model}: {plan}");
    }
    let summary = sandbox.json(RUN);
    assert_eq!(computed(&summary).0, once, "as many again as under one policy");
    assert!(summary["cells"].as_u64().unwrap() >= 3 * once, "yet every policy has its rows: {summary}");
}

#[test]
fn a_variant_is_measured_when_a_hypothesis_asks_and_its_intervention_is_named_when_it_changes() {
    let sandbox = Sandbox::new();
    let list = sandbox.read("experiments/models.toml");
    let made = "\n[[model]]\nid = \"turned\"\nevidence = \"rehearsal\"\nbase = \"llama3-tiny\"\nintervention = { final-norm-weight = \"ones\" }\n\
                profiles = [\"tiny\"]\n";
    sandbox.write("experiments/models.toml", &(list + made));
    let (plan, notes) = sandbox.expect(0, &["plan", "--why"]);
    assert!(
        !plan.contains("turned") && notes.contains("no hypothesis asks for them: turned"),
        "{plan}{notes}"
    );
    let asks = "[models]\nids = [\"turned\", \"llama3-tiny\"]";
    sandbox.edit("experiments/hypotheses/H9.toml", "[models]", asks);
    sandbox.edit("experiments/models.toml", "final-norm-weight = \"ones\"", "rope-theta-times = 10");
    sandbox.expect(0, RUN);
    let report = sandbox.read("results/verdicts.json");
    assert!(report.contains("\"turned\""), "{report}");
    sandbox.edit("experiments/models.toml", "rope-theta-times = 10", "rope-theta-times = 50");
    let (plan, _) = sandbox.expect(0, &["plan", "--why", "--quiet"]);
    assert!(plan.contains("intervention changed: rope-theta x10 -> rope-theta x50 (also graph)"), "{plan}");
    // Only on the sets of the hypothesis that asks.
    assert!(plan.contains("observe/turned/grand25/") && !plan.contains("observe/turned/ladder/"), "{plan}");
    assert!(plan.contains("judge/H9: ") && !plan.contains("judge/H17: "), "{plan}");
}

#[test]
fn a_killed_run_resumes_and_ends_with_the_same_verdicts() {
    let undisturbed = Sandbox::new();
    undisturbed.expect(0, RUN);
    let sandbox = Sandbox::new();
    for milliseconds in [20, 60, 100, 140, 180, 220, 300, 400] {
        let mut child = sandbox.start(RUN);
        thread::sleep(Duration::from_millis(milliseconds));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    sandbox.expect(0, RUN);
    same_results(&sandbox, &undisturbed);
}

#[test]
fn two_processes_on_one_store_both_finish_with_one_set_of_rows() {
    let sandbox = Sandbox::new();
    let mut both = [sandbox.start(RUN), sandbox.start(RUN)];
    for child in &mut both {
        assert!(child.wait().unwrap().success());
    }
    let (text, _) = sandbox.expect(0, &["run", "--quiet"]);
    assert!(text.contains("nothing to do"), "{text}");
    let alone = Sandbox::new();
    alone.expect(0, RUN);
    same_results(&sandbox, &alone);
}

#[test]
fn a_damaged_object_is_quarantined_said_and_computed_again() {
    let sandbox = Sandbox::new();
    sandbox.expect(0, RUN);
    let verdicts = sandbox.read("results/verdicts.json");
    let name = sandbox.files("results/store/objects").into_keys().find(|n| n.ends_with(".parquet")).unwrap();
    let path = sandbox.path("results/store/objects").join(name);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    // Objects are read-only; a stranger with a hex editor is not stopped by that.
    fs::remove_file(&path).unwrap();
    fs::write(&path, bytes).unwrap();
    let output = sandbox.run(&["run", "--json"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && said.contains("quarantine"), "{said}");
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(computed(&summary).0 > 0, "{summary}");
    assert!(sandbox.read("results/verdicts.json") == verdicts, "verdicts differ");
}

#[test]
fn lost_graphs_and_verdicts_are_made_again_from_the_observations_that_stayed() {
    let sandbox = Sandbox::new();
    sandbox.expect(0, RUN);
    let verdicts = sandbox.read("results/verdicts.json");
    for name in sandbox.files("results/store/objects").into_keys().filter(|name| name.ends_with(".blob")) {
        fs::remove_file(sandbox.path("results/store/objects").join(name)).unwrap();
    }
    let (observations, judged, _) = computed(&sandbox.json(RUN));
    assert_eq!((observations, judged), (0, 5));
    assert!(sandbox.read("results/verdicts.json") == verdicts, "verdicts differ");
    let (plan, _) = sandbox.expect(0, &["plan", "--why"]);
    assert!(plan.contains("Nothing to do"), "{plan}");
}

#[test]
fn one_broken_model_does_not_stop_the_others() {
    let sandbox = Sandbox::new();
    let list = sandbox.read("experiments/models.toml");
    let broken = "\n[[model]]\nid = \"broken\"\nevidence = \"rehearsal\"\nfolder = \"../data/zoo/broken\"\nprofiles = [\"tiny\"]\n";
    sandbox.write("experiments/models.toml", &(list + broken));
    crate::sandbox::copy(&sandbox.path("data/zoo/llama3-tiny"), &sandbox.path("data/zoo/broken"));
    let weights = sandbox.path("data/zoo/broken/model.safetensors");
    let bytes = fs::read(&weights).unwrap();
    fs::write(&weights, &bytes[..bytes.len() - 100]).unwrap();
    let (text, notes) = sandbox.expect(1, &["run"]);
    assert!(text.contains("failed: broken: ") && text.contains("model.safetensors"), "{text}");
    assert!(notes.contains("broken: "), "{notes}");
    assert!(sandbox.read("results/report/report.md").contains("pythia-tiny"));
    // A NaN is found only when the block runs; what other models gave stays.
    let mut bad = bytes.clone();
    let end = bad.len();
    bad[end - 2..].copy_from_slice(&0x7fc0u16.to_le_bytes());
    fs::write(&weights, &bad).unwrap();
    let (text, _) = sandbox.expect(1, &["run", "--quiet"]);
    assert!(text.contains("failed: broken: ") && text.contains("NaN"), "{text}");
    assert!(text.contains("computed 0 of "), "{text}");
    // Mended, it joins; the others are not computed again.
    fs::write(&weights, &bytes).unwrap();
    sandbox.expect(0, RUN);
}

#[test]
fn the_experiment_goes_on_without_a_model_that_a_command_has_not_brought() {
    let sandbox = Sandbox::new();
    let list = sandbox.read("experiments/models.toml");
    let far = "\n[[model]]\nid = \"far\"\nevidence = \"measured\"\nfolder = \"../data/models/far\"\nfetch = \"make far\"\nprofiles = [\"far\"]\n";
    sandbox.write("experiments/models.toml", &(list + far));
    sandbox.edit("experiments/reproduce.toml", r#"profile = "tiny""#, r#"profile = ["tiny", "far"]"#);
    let (text, notes) = sandbox.expect(0, &["run"]);
    for said in [&text, &notes] {
        assert!(said.contains("without far: ") && said.contains("data/models/far is not here"), "{said}");
        assert!(said.contains("`make far` brings it"), "{said}");
    }
    assert!(sandbox.read("results/report/report.md").contains("make far"));
    assert_eq!(sandbox.json(&["report", "--json"])["unfetched"][0]["model"], "far");
    let (_, refused) = sandbox.expect(4, &["measure", "far", "--prompt", "A river"]);
    assert!(refused.contains("`make far` brings it"), "{refused}");
    // Brought, it joins.
    crate::sandbox::copy(&sandbox.path("data/zoo/llama3-tiny"), &sandbox.path("data/models/far"));
    let (text, _) = sandbox.expect(0, &["run", "--quiet"]);
    assert!(
        !text.contains("without far") && sandbox.read("results/report/report.md").contains("far"),
        "{text}"
    );
}

#[test]
fn prompts_refused_for_one_reason_are_one_failure_and_the_other_policies_go_on() {
    let sandbox = Sandbox::new();
    sandbox.edit("experiments/reproduce.toml", "bos = [\"auto\"]", "bos = [\"auto\", \"always\"]");
    for file in ["config.json", "tokenizer_config.json"] {
        let name = format!("data/zoo/pythia-tiny/{file}");
        let mut json: Value = serde_json::from_str(&sandbox.read(&name)).unwrap();
        let object = json.as_object_mut().unwrap();
        object.retain(|key, _| !key.starts_with("bos_token"));
        sandbox.write(&name, &json.to_string());
    }
    let (json, notes) = sandbox.expect(1, &["run", "--json"]);
    let summary: Value = serde_json::from_str(&json).unwrap();
    let failures = summary["failures"].as_array().unwrap();
    assert_eq!(failures.len(), 1, "{failures:?}");
    let error = failures[0]["error"].as_str().unwrap();
    assert!(error.contains(" prompts (grand25/") && error.contains("bos_token"), "{error}");
    assert_eq!(
        notes.matches("bos_token in tokenizer_config.json").count(),
        error.matches("bos_token in tokenizer_config.json").count()
    );
    assert!(
        summary["cells"].as_u64().unwrap() > 0
            && sandbox.read("results/report/report.md").contains("pythia-tiny")
    );
}

#[test]
fn a_strangers_hypothesis_gets_a_verdict_without_rust() {
    let sandbox = Sandbox::new();
    sandbox.expect(0, &["new", "hypothesis", "H19"]);
    sandbox.expect(0, &["check"]);
    let summary = sandbox.json(RUN);
    let ids: Vec<&str> =
        summary["verdicts"].as_array().unwrap().iter().map(|v| v["id"].as_str().unwrap()).collect();
    assert!(ids.contains(&"H19"), "{ids:?}");
    assert!(sandbox.read("results/report/report.md").contains("H19"));
    // It is never replaced.
    let (_, error) = sandbox.expect(3, &["new", "hypothesis", "H19"]);
    assert!(error.contains("H19.toml"), "{error}");
}

#[test]
fn an_experiment_without_published_tables_carries_nothing_of_that_research() {
    let sandbox = Sandbox::new();
    sandbox.edit("experiments/reproduce.toml", "published = \"../data/published\"\n", "");
    sandbox.edit("experiments/reproduce.toml", "family = 18\n", "");
    sandbox.edit("experiments/reproduce.toml", "hypotheses/*.toml", "hypotheses/H13.toml");
    sandbox.expect(0, &["run"]);
    let report = sandbox.read("results/report/report.md");
    assert!(!report.contains("LLaMA-3.1"), "{report}");
    assert!(report.contains("over the family of 1 hypotheses on each"), "{report}");
    let page = sandbox.read("results/report/index.html");
    assert!(!page.contains("Gain of every layer on one prompt") && !page.contains("LLaMA-3.1"));
    let files = sandbox.files("results/report");
    for name in ["layer-gains", "cumulative-energy", "base-and-instruct", "llama-case"] {
        let found: Vec<&String> = files.keys().filter(|file| file.contains(name)).collect();
        assert!(found.is_empty(), "{found:?}");
    }
}

#[test]
fn mistakes_in_files_are_reported_together_with_places() {
    let sandbox = Sandbox::new();
    sandbox.edit(
        "experiments/hypotheses/H13.toml",
        "protocol = \"last/last-block/auto\"",
        "protocol = \"last/last-blok/auto\"",
    );
    sandbox.edit("experiments/prompts/fox1.toml", "text = ", "txet = ");
    let (_, error) = sandbox.expect(3, &["run"]);
    assert!(error.contains("H13.toml:") && error.contains("fox1.toml:"), "{error}");
    let (json, _) = sandbox.expect(3, &["check", "--json"]);
    let found: Value = serde_json::from_str(&json).unwrap();
    assert!(found.as_array().unwrap().len() >= 2, "{json}");
    assert!(found.as_array().unwrap().iter().all(|d| d["line"].as_u64().unwrap() > 0), "{json}");
}

#[test]
fn without_the_runtime_the_remedy_is_named() {
    let sandbox = Sandbox::new();
    let output =
        sandbox.command(RUN).env("ORT_DYLIB_PATH", "/nonexistent/libonnxruntime.so").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(5), "{said}");
    assert!(said.contains("/nonexistent/libonnxruntime.so") && said.contains("make runtime"), "{said}");
}

#[test]
fn what_one_set_asks_for_beside_the_usual_is_observed_once_of_every_prompt_it_shares() {
    let sandbox = Sandbox::new();
    sandbox.edit("experiments/prompts/heldout120.toml", "extras = [\"loss\"]\n", "");
    sandbox.expect(0, RUN);
    let rows = |metric: &str| {
        let metric = format!("metric={metric}");
        let (csv, _) =
            sandbox.expect(0, &["tables", "measurements", "--where", &metric, "--columns", "prompt"]);
        csv.lines().skip(1).map(str::to_string).collect::<Vec<_>>()
    };
    assert_eq!((rows("loss").len(), rows("lens-entropy").len()), (0, 0));
    let set = sandbox.read("experiments/prompts/zoo.toml");
    let extras = "extras = [\"loss\", \"lens\"]\n\n[[prompt]]";
    sandbox.write("experiments/prompts/zoo.toml", &set.replacen("[[prompt]]", extras, 1));
    let (plan, _) = sandbox.expect(0, &["plan", "--why", "--quiet"]);
    assert!(plan.contains("extras changed"), "{plan}");
    let (observations, ..) = computed(&sandbox.json(RUN));
    let asked: Vec<String> = rows("loss");
    assert!(observations > 0 && observations as usize <= asked.len(), "{observations} for {asked:?}");
    // The set capital1, which asks for nothing, has a prompt of that text.
    assert!(asked.iter().any(|prompt| prompt.contains("the-capital-of-france-is-2f0e")), "{asked:?}");
    assert!(rows("lens-entropy").len() > 2 * asked.len(), "a number for every layer");
    assert_eq!(computed(&sandbox.json(RUN)), (0, 0, false));
}

#[test]
fn a_prompt_of_several_sets_is_computed_once_and_two_names_of_one_model_are_said() {
    let sandbox = Sandbox::new();
    let twin = "\n[[model]]\nid = \"twin\"\nevidence = \"rehearsal\"\nfolder = \"../data/zoo/llama3-tiny\"\nprofiles = [\"tiny\"]\n";
    let list = sandbox.read("experiments/models.toml");
    sandbox.write("experiments/models.toml", &(list + twin));
    let again = "\n[[prompt]]\nid = \"again\"\ncategory = \"Factual\"\ntext = \"The capital of France is\"\n";
    let set = sandbox.read("experiments/prompts/zoo.toml");
    sandbox.write("experiments/prompts/zoo.toml", &(set + again));
    let (json, notes) = sandbox.expect(0, &["run", "--json"]);
    let summary: Value = serde_json::from_str(&json).unwrap();
    let cells = summary["cells"].as_u64().unwrap();
    let (observations, ..) = computed(&summary);
    assert_eq!(cells % 3, 0, "each model has every prompt under every name");
    assert!(
        observations < cells / 3 * 2,
        "{observations} of {cells}: the twin and repeats are not run again"
    );
    assert!(notes.contains("twin has the weights of llama3-tiny"), "{notes}");
    let (text, _) = sandbox.expect(0, &["run"]);
    assert!(text.contains("counting what sets or models share"), "{text}");
}

#[test]
fn weights_and_spectra_are_planned_kept_explained_and_judged_like_observations() {
    let sandbox = Sandbox::new();
    let hypothesis = r#"
schema = 1
id = "H19"
title = "Anisotropy and values"
statement = "They are what they are."
origin = "a test"
published-verdict = "nothing"
status = "prospective"
prompts = ["anisotropy16"]
protocol = "frobenius-without-first/last-block/auto"
[models]
[[prediction]]
id = "H19a"
claim = "The range is positive."
evidence = ["rehearsal"]
test = { kind = "mean-by-model", of = { metric = "anisotropy-range" }, against = 0.0 }
rule = { supported = [{ statistic = "share-above", at-least = 1.0 }], contradicted = [{ statistic = "models-below", at-least = 1 }] }
[[prediction]]
id = "H19b"
claim = "Values have a norm."
evidence = ["rehearsal"]
test = { kind = "mean-by-model", of = { metric = "value-weight-square", select = { layer = 0 } }, against = 0.0 }
rule = { supported = [{ statistic = "share-above", at-least = 1.0 }], contradicted = [{ statistic = "models-below", at-least = 1 }] }
[[prediction]]
id = "H19c"
claim = "Attention off the diagonal has a trace."
evidence = ["rehearsal"]
test = { kind = "mean-by-model", of = { metric = "mean-attention-trace" }, against = 0.0 }
rule = { supported = [{ statistic = "share-above", at-least = 1.0 }], contradicted = [{ statistic = "models-below", at-least = 1 }] }
"#;
    sandbox.write("experiments/hypotheses/H19.toml", hypothesis);
    let summary = sandbox.json(RUN);
    let verdicts = summary["verdicts"].as_array().unwrap();
    let mine = verdicts.iter().find(|v| v["id"] == "H19").unwrap();
    for prediction in mine["predictions"].as_array().unwrap() {
        let estimates = prediction["primary"]["estimates"].as_array().unwrap();
        let of = |model: &str| {
            let mut found = estimates.iter().filter(|e| e["label"].as_str().unwrap().contains(model));
            found.next().unwrap_or_else(|| panic!("no {model} in {prediction}"))["value"].as_f64().unwrap()
        };
        assert!(of("pythia-tiny") > 0.0 && of("llama3-tiny") > 0.0, "{prediction}");
    }
    let verdict = |summary: &Value| {
        let verdicts = summary["verdicts"].as_array().unwrap();
        verdicts.iter().find(|v| v["id"] == "H19").unwrap().clone()
    };
    let before = verdict(&summary);
    // Another prompt: the spectra are others, the weights are not.
    sandbox.edit(
        "experiments/prompts/anisotropy16.toml",
        "The speed of light in a vacuum",
        "The speed of sound in air",
    );
    let (plan, _) = sandbox.expect(0, &["plan", "--why", "--quiet"]);
    assert!(plan.contains("spectra/llama3-tiny/anisotropy16/auto: prompts changed"), "{plan}");
    assert!(plan.contains("judge/H19: needs") && !plan.contains("weigh/"), "{plan}");
    let summary = sandbox.json(RUN);
    let done = &summary["computed"];
    assert_eq!(
        (&done["weighings"], &done["spectra"], &done["observations"]),
        (&0.into(), &2.into(), &2.into())
    );
    assert_ne!(verdict(&summary), before);
    sandbox.edit(
        "experiments/prompts/anisotropy16.toml",
        "The speed of sound in air",
        "The speed of light in a vacuum",
    );
    let summary = sandbox.json(RUN);
    assert_eq!(computed(&summary).0, 0, "{summary}");
    assert_eq!((&summary["computed"]["spectra"], verdict(&summary)), (&0.into(), before));
}

#[test]
fn a_claim_that_changed_after_its_first_verdict_is_exploratory_and_shows_what_changed() {
    let sandbox = Sandbox::new();
    sandbox.json(RUN);
    let first = sandbox.read("results/registered/log.toml");
    assert!(first.contains("why = \"first verdict\""), "{first}");
    assert!(!sandbox.read("results/report/report.md").contains("**Exploratory**"));

    sandbox.edit("experiments/hypotheses/H13.toml", "share = 0.5", "share = 0.25");
    sandbox.json(RUN);
    assert_eq!(sandbox.read("results/registered/log.toml"), first, "a run never registers a change");
    let verdicts: Value = serde_json::from_str(&sandbox.read("results/verdicts.json")).unwrap();
    let of = |id: &str| verdicts.as_array().unwrap().iter().find(|v| v["id"] == id).unwrap().clone();
    assert_eq!(of("H13")["registration"]["exploratory"], true);
    assert_eq!(of("H9")["registration"]["exploratory"], false);
    assert_eq!(of("H9")["family"].as_array().unwrap().len(), 3, "one per kind of evidence");
    let report = sandbox.read("results/report/report.md");
    assert!(
        report.contains("**Exploratory**") && report.contains("\n+") && report.contains("0.25"),
        "{report}"
    );

    // Registering again needs a reason, which is shown; it launders nothing.
    let (_, error) = sandbox.expect(2, &["register", "H13"]);
    assert!(error.contains("--note"), "{error}");
    let (_, error) = sandbox.expect(2, &["register", "H31"]);
    assert!(error.contains("H13"), "the known ones are named: {error}");
    sandbox.expect(0, &["register", "H13", "--note", "a quarter is enough"]);
    assert!(sandbox.read("results/registered/log.toml").contains("a quarter is enough"));
    sandbox.json(RUN);
    let report = sandbox.read("results/report/report.md");
    assert!(report.contains("**Exploratory**") && report.contains("2: a quarter is enough"));
    let (_, computed, changed) = computed(&sandbox.json(RUN));
    assert_eq!((computed, changed), (0, false), "a report with news is written once");
}

#[test]
fn shards_hold_everything_that_is_measured_once_and_stay_the_same_when_it_is_stored() {
    let sandbox = Sandbox::new();
    let slots = |plan: &Value| {
        let jobs = plan["jobs"].as_array().unwrap();
        jobs.iter().map(|job| job["slot"].as_str().unwrap().to_string()).collect::<Vec<_>>()
    };
    let shard = |name: &str| slots(&sandbox.json(&["plan", "--shard", name, "--json", "--quiet"]));
    let shards = || ["1/3", "2/3", "3/3"].map(shard);
    let before = shards();
    let mut all: Vec<String> = before.concat();
    all.sort();
    let mut measured = slots(&sandbox.json(&["plan", "--json", "--quiet"]));
    measured.retain(|slot| !slot.starts_with("judge/") && !slot.starts_with("report/"));
    measured.sort();
    assert_eq!(all, measured);
    // A walk for spectra observes its prompts.
    let with = |slot: &str| before.iter().position(|shard| shard.iter().any(|one| one == slot)).unwrap();
    for model in ["llama3-tiny", "pythia-tiny"] {
        let prompts = all.iter().filter(|slot| slot.starts_with(&format!("observe/{model}/anisotropy16/")));
        let spectra = with(&format!("spectra/{model}/anisotropy16/auto"));
        assert!(prompts.map(|slot| with(slot)).all(|shard| shard == spectra), "{model}");
    }
    sandbox.expect(0, RUN);
    assert_eq!(shards(), before);
    let (_, error) = sandbox.expect(2, &["plan", "--shard", "4/3"]);
    assert!(error.contains("1 <= I <= N"), "{error}");
}
