//! Results for other tools: tables as their manual says, research object, and what changed between two runs.

use std::collections::BTreeSet;

use crate::sandbox::Sandbox;
use results::tidy::{TABLES, Type};
use serde_json::Value;

const RUN: &[&str] = &["run", "--json", "--quiet"];

fn records(csv: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let header = reader.headers().unwrap().iter().map(str::to_string).collect();
    (header, reader.records().map(|r| r.unwrap().iter().map(str::to_string).collect()).collect())
}

#[test]
fn every_table_has_exactly_the_columns_of_its_manual_and_values_of_their_types() {
    let sandbox = Sandbox::new();
    sandbox.expect(0, RUN);
    let manual = sandbox.read("results/tables/README.md");
    let package: Value = serde_json::from_str(&sandbox.read("results/tables/datapackage.json")).unwrap();
    let mut files: BTreeSet<String> = TABLES.iter().map(|table| table.file()).collect();
    files.extend(["README.md".to_string(), "datapackage.json".to_string()]);
    assert_eq!(sandbox.files("results/tables").into_keys().collect::<BTreeSet<_>>(), files);
    for (table, resource) in TABLES.iter().zip(package["resources"].as_array().unwrap()) {
        let (text, _) = sandbox.expect(0, &["tables", table.name]);
        let (header, rows) = records(&text);
        let described: Vec<&str> = table.columns.iter().map(|column| &*column.name).collect();
        assert_eq!(header, described, "{}", table.name);
        let fields: Vec<&str> = resource["schema"]["fields"]
            .as_array()
            .unwrap()
            .iter()
            .map(|f| f["name"].as_str().unwrap())
            .collect();
        assert_eq!(fields, described);
        for (at, column) in table.columns.iter().enumerate() {
            assert!(manual.contains(&format!("| `{}` |", column.name)));
            for value in rows.iter().map(|row| &row[at]).filter(|value| !value.is_empty()) {
                let fits = match column.kind {
                    Type::Text => true,
                    Type::Integer => value.parse::<i64>().is_ok(),
                    Type::Number => value.parse::<f64>().is_ok(),
                    Type::Truth => value.parse::<bool>().is_ok(),
                };
                assert!(fits, "{}.{}: {value:?} is no {:?}", table.name, column.name, column.kind);
            }
        }
    }
}

#[test]
fn tables_are_filtered_and_cut_to_the_columns_asked_for() {
    let sandbox = Sandbox::new();
    sandbox.expect(0, RUN);
    let asked = ["tables", "measurements", "--where", "metric=last-gain", "--where", "model=llama3-tiny"];
    let (text, _) = sandbox.expect(0, &[&asked[..], &["--columns", "prompt,reduction,value"]].concat());
    let (header, rows) = records(&text);
    assert_eq!(header, ["prompt", "reduction", "value"]);
    let (all, _) = sandbox.expect(0, &["tables", "measurements"]);
    let (_, all) = records(&all);
    let expected = all.iter().filter(|row| row[2] == "llama3-tiny" && row[5] == "last-gain").count();
    assert!(expected > 0 && rows.len() == expected);
    let (_, error) = sandbox.expect(2, &["tables", "measurements", "--where", "colour=red"]);
    assert!(error.contains("no column \"colour\"") && error.contains("reduction"), "{error}");
    let (_, error) = sandbox.expect(2, &["tables", "gains"]);
    assert!(error.contains("no table \"gains\"") && error.contains("measurements"), "{error}");
    let (_, error) = sandbox.expect(6, &["tables", "measurements", "--results", "nowhere"]);
    assert!(error.contains("nowhere") && error.contains("streamgauge run"), "{error}");
}

#[test]
fn a_flipped_bit_in_any_file_that_is_read_is_told_by_tables_and_diff_and_mended_by_report() {
    let sandbox = Sandbox::new();
    sandbox.expect(0, RUN);
    crate::sandbox::copy(&sandbox.path("results"), &sandbox.path("sound"));
    for (file, command) in [
        ("tables/measurements.parquet", &["tables", "measurements"][..]),
        ("tables/estimates.csv", &["tables", "estimates"]),
        ("tables/measurements.parquet", &["diff", "sound", "results"]),
        ("verdicts.json", &["diff", "sound", "results"]),
        ("run.json", &["diff", "results", "sound"]),
        ("manifest.json", &["tables", "claims"]),
    ] {
        let path = sandbox.path("results").join(file);
        let mut bytes = std::fs::read(&path).unwrap();
        let digit = bytes.iter().rposition(u8::is_ascii_digit).unwrap();
        bytes[digit] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let (text, error) = sandbox.expect(6, command);
        assert!(text.is_empty() && error.contains(file), "{error}");
        assert!(error.contains("found") && error.contains("Run `streamgauge report`"), "{error}");
        sandbox.expect(0, &["report", "--quiet"]);
        sandbox.expect(0, command);
    }
}

#[test]
fn the_research_object_lists_every_file_with_its_hash() {
    let sandbox = Sandbox::new();
    sandbox.expect(0, RUN);
    let object: Value = serde_json::from_str(&sandbox.read("results/ro-crate-metadata.json")).unwrap();
    let graph = object["@graph"].as_array().unwrap();
    let of = |id: &str| graph.iter().find(|e| e["@id"] == id).unwrap_or_else(|| panic!("no {id}"));
    let parts = of("./")["hasPart"].as_array().unwrap();
    assert!(parts.iter().any(|part| part["@id"] == "tables/measurements.parquet"));
    for part in parts {
        let name = part["@id"].as_str().unwrap();
        let bytes = std::fs::read(sandbox.path(&format!("results/{name}"))).unwrap();
        assert_eq!(of(name)["identifier"], format!("blake3:{}", blake3::hash(&bytes).to_hex()));
    }
    let run = of("#run");
    for input in run["object"].as_array().unwrap().iter().chain(run["instrument"].as_array().unwrap()) {
        of(input["@id"].as_str().unwrap());
    }
    assert!(of("#model/llama3-tiny")["identifier"].as_str().unwrap().starts_with("blake3:"));
    assert_eq!(of("./")["datePublished"], "2026-11-24");
}

#[test]
fn diff_says_nothing_of_two_equal_runs_and_names_the_protocol_that_changed() {
    let sandbox = Sandbox::new();
    sandbox.expect(0, &["run", "--quiet", "--results", "one"]);
    sandbox.expect(0, &["run", "--quiet", "--results", "two"]);
    let (same, _) = sandbox.expect(0, &["diff", "one", "two"]);
    assert!(same.contains("nothing moved"), "{same}");
    let file = "experiments/hypotheses/H13.toml";
    sandbox.edit(
        file,
        "protocol = \"last/last-block/auto\"\n\n# No filter",
        "protocol = \"last/hf-last/auto\"\n\n# No filter",
    );
    sandbox.edit(
        file,
        "[[also]]\nprotocol = \"last/hf-last/auto\"",
        "[[also]]\nprotocol = \"last/last-block/auto\"",
    );
    sandbox.expect(0, &["run", "--quiet", "--results", "two"]);
    let (text, _) = sandbox.expect(8, &["diff", "one", "two"]);
    assert!(text.contains("primary protocol of H13: last/last-block/auto -> last/hf-last/auto"), "{text}");
    assert!(text.contains("hypothesis H13: "), "{text}");
    let json = sandbox.command(&["diff", "one", "two", "--json"]).output().unwrap();
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["moved"], true);
    // No measured number changed with the question.
    assert!(json["numbers"].as_array().unwrap().iter().all(|number| number["kind"] == "estimate"));
    let (_, error) = sandbox.expect(6, &["diff", "one", "nowhere"]);
    assert!(error.contains("nowhere/run.json") && error.contains("results folder of a run"), "{error}");
}

#[test]
fn explain_tells_the_story_of_a_verdict_down_to_its_rows() {
    let sandbox = Sandbox::new();
    sandbox.expect(0, RUN);
    let (text, _) = sandbox.expect(0, &["explain", "H13", "--prediction", "H13a", "--rows", "2", "--quiet"]);
    for said in [
        "Claim: ",
        "H13a, rehearsal (says nothing about language models): ",
        "because ",
        "ways of measuring",
        "under last/last-block/auto (streamgauge",
    ] {
        assert!(text.contains(said), "{said:?} is not in {text}");
    }
    assert!(!text.contains("H13b"), "{text}");
    let (_, error) = sandbox.expect(2, &["explain", "H31"]);
    assert!(error.contains("no hypothesis H31") && error.contains("H13"), "{error}");
    let (_, error) = sandbox.expect(2, &["explain", "H13", "--prediction", "H13z"]);
    assert!(error.contains("no prediction H13z") && error.contains("H13a"), "{error}");
}
