//! The targets: each a plain function on bytes, its seeds, and how its inputs are spelt.

mod checkpoints;
mod hub;
mod onnx;
mod store;
mod study;
mod tokenizer;
mod weights;

use std::{fs, path::Path};

use crate::mutate::Format;

/// A parser of foreign bytes.
pub(crate) struct Target {
    pub name: &'static str,
    /// What it reads, for the table.
    pub reads: &'static str,
    pub format: Format,
    /// Executions that take some five seconds.
    pub executions: u64,
    /// Inputs that it understands, besides those of the corpus.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Makes a folder ready, and gives the function on bytes that uses it.
    pub prepare: fn(&Path) -> Execute,
}

pub(crate) type Execute = Box<dyn FnMut(&[u8])>;

pub(crate) fn all() -> Vec<Target> {
    vec![
        checkpoints::SAFETENSORS,
        checkpoints::INDEX,
        checkpoints::CONFIG,
        checkpoints::GGUF,
        weights::QUANTISED,
        weights::PICKLED,
        tokenizer::TOKENIZER,
        tokenizer::SENTENCEPIECE,
        onnx::ONNX,
        study::TOML,
        study::CSV,
        store::PARQUET,
        store::OBJECTS,
        store::RECORDS,
        hub::HUB,
    ]
}

/// The target of a name.
pub(crate) fn of(name: &str) -> Target {
    all().into_iter().chain([BAD]).find(|target| target.name == name).unwrap()
}

/// One that does not survive some of its seeds, to see that this is found.
pub(crate) const BAD: Target = Target {
    name: "bad",
    reads: "",
    format: Format::Bytes,
    executions: 5,
    seeds: || [b"sound", b"panic", b"large", b"abort", b"loops"].map(|seed| seed.to_vec()).to_vec(),
    prepare: |_| {
        Box::new(|bytes| match bytes {
            b"panic" => panic!("as it should"),
            b"large" => drop(std::hint::black_box(vec![1u8; 2 << 30])),
            b"abort" => std::process::abort(),
            b"loops" => {
                let mut turns = 0u64;
                while std::hint::black_box(turns) < u64::MAX {
                    turns += 1;
                }
            }
            _ => {}
        })
    },
};

/// A file of the project.
fn project(file: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The files of this name in the folders of a folder of the project, sorted by folder.
fn in_folders(folder: &str, name: &str) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path().join(name)).collect();
    files.retain(|file| file.is_file());
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

/// An error says something, and names the file that it is about.
fn assert_names(error: &impl std::fmt::Display, file: &str) {
    let said = error.to_string();
    assert!(said.contains(file), "the error does not name {file}: {said}");
}
