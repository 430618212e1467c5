//! Experiments as TOML: what `check` accepts, and that every kind of mistake is reported at its place.

use std::fs;
use std::path::{Path, PathBuf};

use streamgauge::config::{self, Kind, Report, schema, template};

fn experiments() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments")
}

#[test]
fn committed_schemas_are_those_of_the_types() {
    let folder = experiments().join("schemas");
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        fs::create_dir_all(&folder).unwrap();
        for (name, text) in schema::files() {
            fs::write(folder.join(name), text).unwrap();
        }
    }
    for (name, text) in schema::files() {
        let committed = fs::read_to_string(folder.join(&name)).unwrap_or_default();
        assert_eq!(
            committed, text,
            "{name} is stale; run UPDATE_SCHEMAS=1 cargo test --release --test config"
        );
    }
}

#[test]
fn shipped_files_pass_check() {
    let checked = config::check(&[experiments()]).unwrap_or_else(|report| panic!("{report}"));
    let count = |kind| checked.iter().filter(|c| c.kind == kind).count();
    assert_eq!((count(Kind::Experiment), count(Kind::Models)), (1, 1));
    assert!(count(Kind::Hypothesis) >= 5 && count(Kind::Prompts) >= 6);
}
