//! Files of an experiment: TOML of every kind, tables in CSV.

use std::{
    fs,
    path::{Path, PathBuf},
};

use number::index::EvidenceIndex;
use study::config;
use study::published::{claims, import, retest};

use super::{Target, project};
use crate::mutate::Format;

pub(super) const TOML: Target = Target {
    name: "toml",
    reads: "TOML of an experiment: hypotheses, prompt sets, model lists, experiments, each with its report of mistakes",
    format: Format::Text,
    executions: 5_000,
    seeds: || {
        let hypotheses = ["H6", "H9", "H12"].map(|id| format!("experiments/hypotheses/{id}.toml"));
        let prompts = ["capital1", "sheaf4"].map(|id| format!("experiments/prompts/{id}.toml"));
        let mut seeds: Vec<Vec<u8>> = hypotheses.iter().chain(&prompts).map(|file| project(file)).collect();
        let models = String::from_utf8(project("experiments/models.toml")).unwrap();
        seeds.push(models.split_inclusive("\n\n").take(12).collect::<String>().into_bytes());
        seeds.push(EXPERIMENT.as_bytes().to_vec());
        seeds
    },
    prepare: |folder| {
        for (from, to) in
            [("hypotheses/H9.toml", "hypotheses/H9.toml"), ("prompts/capital1.toml", "prompts/capital1.toml")]
        {
            let to = folder.join(to);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::write(to, project(&format!("experiments/{from}"))).unwrap();
        }
        fs::write(folder.join("models.toml"), project("experiments/models.toml")).unwrap();
        let file = folder.join("input.toml");
        Box::new(move |bytes| {
            fs::write(&file, bytes).unwrap();
            if let Err(report) = config::check(std::slice::from_ref(&file)) {
                assert!(
                    report.render(false).contains("input.toml") || report.to_json().to_string().len() > 2
                );
            }
        })
    },
};

const EXPERIMENT: &str = r#"schema = 1
id = "small"
title = "A small experiment"
profile = "tiny"
models = "models.toml"
prompts = ["prompts/capital1.toml"]
hypotheses = ["hypotheses/*.toml"]
bos = ["auto"]
"#;

/// Rows of each table: enough for every kind of row, few enough for a thousand executions a second.
const ROWS: usize = 30;
const TABLES: [&str; 10] = [
    "claims.csv",
    "components.csv",
    "layer_profile.csv",
    "measurements.csv",
    "models.csv",
    "paper2_correlation.csv",
    "positions.csv",
    "prompts.csv",
    "relations.csv",
    "unembedding.csv",
];

pub(super) const CSV: Target = Target {
    name: "csv",
    reads: "published tables in CSV (the first line of an input names the table) and the claims remade from them",
    format: Format::Text,
    executions: 4_000,
    seeds: || TABLES.map(|name| [name.as_bytes(), b"\n", &beginning(name)].concat()).to_vec(),
    prepare: |folder| {
        for name in TABLES {
            fs::write(folder.join(name), beginning(name)).unwrap();
        }
        let recipes = String::from_utf8(project("data/published/recipes.toml")).unwrap();
        let few: String = recipes.split_inclusive("\n\n").take(12).collect();
        fs::write(folder.join("recipes.toml"), few).unwrap();
        let folder: PathBuf = folder.to_path_buf();
        Box::new(move |bytes| {
            let end = bytes.iter().position(|&byte| byte == b'\n').unwrap_or(bytes.len());
            let name = TABLES.iter().find(|name| name.as_bytes() == &bytes[..end]).unwrap_or(&TABLES[3]);
            fs::write(folder.join(name), bytes.get(end + 1..).unwrap_or_default()).unwrap();
            read(&folder);
            fs::write(folder.join(name), beginning(name)).unwrap();
        })
    },
};

fn beginning(table: &str) -> Vec<u8> {
    let text = String::from_utf8(project(&format!("data/published/{table}"))).unwrap();
    text.split_inclusive('\n').take(ROWS).collect::<String>().into_bytes()
}

fn read(folder: &Path) {
    match import(folder) {
        Ok(table) => {
            let index = EvidenceIndex::new(&table);
            let _ = (claims::reproduce(folder, &index), retest(folder, &index));
        }
        Err(error) => assert!(error.to_string().contains(".csv"), "no file is named: {error}"),
    }
}
