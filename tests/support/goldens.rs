//! Where the goldens lie, and which there are.

use std::{
    fs,
    path::{Path, PathBuf},
};

pub fn golden(case: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens").join(case)
}

/// Every golden with reference observations, sorted.
pub fn cases() -> Vec<String> {
    let mut cases: Vec<String> = fs::read_dir(golden(""))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().join("reference.json").is_file())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    cases.sort();
    cases
}
