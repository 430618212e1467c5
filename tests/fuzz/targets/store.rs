//! The store: tables in Parquet, observations in objects whose names fit, the records of the index.

use std::{fs, io::Cursor, path::Path};

use app::store::{Cell, Store};
use base::hash::{Fields, Key};
use number::observation::{PromptObservation, TopToken};
use polars::prelude::{Column, DataFrame, ParquetCompression, ParquetReader, ParquetWriter, SerReader};
use results::parquet::{parquet_bytes, parquet_frame};

use super::{Target, assert_names};
use crate::mutate::Format;

pub(super) const PARQUET: Target = Target {
    name: "parquet",
    reads: "tables in Parquet: every value of every column",
    format: Format::Bytes,
    executions: 15_000,
    seeds: || {
        let numbers: Vec<Option<f32>> = (0..20).map(|n| (n % 3 > 0).then_some(n as f32 / 7.0)).collect();
        let columns = vec![
            Column::new("word".into(), (0..20).map(|n| format!("word {}", n % 4)).collect::<Vec<_>>()),
            Column::new("count".into(), (0..20u32).collect::<Vec<_>>()),
            Column::new("number".into(), numbers),
            Column::new("truth".into(), (0..20).map(|n| n % 2 == 0).collect::<Vec<_>>()),
        ];
        let mut frame = DataFrame::new(20, columns).unwrap();
        vec![parquet_bytes(&mut frame).unwrap(), plain(&mut frame)]
    },
    prepare: |_| {
        Box::new(|bytes| {
            let Ok(frame) = parquet_frame(bytes.to_vec()) else { return };
            for column in frame.columns() {
                (0..frame.height().min(100)).for_each(|row| drop(column.get(row)));
            }
        })
    },
};

/// A table without compression, so that changes reach what it holds.
fn plain(frame: &mut DataFrame) -> Vec<u8> {
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes).with_compression(ParquetCompression::Uncompressed).finish(frame).unwrap();
    bytes
}

fn cells() -> Vec<Cell> {
    let cell = |n: u32| {
        let mut observation =
            PromptObservation::made([2, 1 + n as usize, 2], |_, [l, t]| n as f32 + (l + t) as f32);
        observation.token_ids = (0..=n).collect();
        observation.top = (0..5).map(|k| TopToken { id: k + n, prob: 0.5 / (k + 1) as f32 }).collect();
        let fields = Fields::new("observe").with("weights", "w").with("prompt", n);
        Cell { slot: format!("observe/model/prompt-{n}/auto"), fields, observation }
    };
    (0..3).map(cell).collect()
}

/// The only file of a folder, below it.
fn only(folder: &Path) -> std::path::PathBuf {
    let found = fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    if found.is_dir() { only(&found) } else { found }
}

/// Object and record of a store of some cells.
fn stored() -> (Vec<u8>, String) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    store.put_observations(&cells()).unwrap();
    let record = fs::read_to_string(only(&folder.path().join("index"))).unwrap();
    (fs::read(only(&folder.path().join("objects"))).unwrap(), record)
}

/// Reads all cells of a store.
fn read(folder: &Path) {
    let store = Store::open(folder).unwrap();
    let keys: Vec<Key> = cells().iter().map(|cell| cell.fields.key()).collect();
    let (snapshot, _) = store.checked_snapshot().unwrap();
    let found = match store.observations(&snapshot, &keys) {
        Ok(found) => found,
        // Its bytes are as they were written, so nobody can mend it.
        Err(error) => return assert_names(&error, ".parquet"),
    };
    for observation in found.found.values() {
        assert!(observation.tokens() > 0 && observation.has("resid"));
    }
    let _ = (snapshot.cells(), snapshot.notes().len());
}

/// Makes a store of one object and one record, each under the name of what it holds.
fn lay(folder: &Path, object: &[u8], record: &str) {
    for part in ["index", "objects", "quarantine"] {
        let _ = fs::remove_dir_all(folder.join(part));
    }
    let digest = Key::of_bytes(object).to_string();
    let place = folder.join("objects").join(&digest[..2]);
    fs::create_dir_all(&place).unwrap();
    fs::write(place.join(format!("{digest}.parquet")), object).unwrap();
    fs::create_dir_all(folder.join("index")).unwrap();
    let name = format!("{:010}-{}.jsonl", 1, Key::of_bytes(record.as_bytes()));
    fs::write(folder.join("index").join(name), record).unwrap();
}

pub(super) const OBJECTS: Target = Target {
    name: "objects",
    reads: "observations in Parquet, in a store that vouches for their bytes",
    format: Format::Bytes,
    executions: 4_000,
    seeds: || {
        let (object, _) = stored();
        let mut frame = ParquetReader::new(Cursor::new(object.clone())).finish().unwrap();
        vec![plain(&mut frame), object]
    },
    prepare: |folder| {
        let (object, record) = stored();
        let digest = Key::of_bytes(&object).to_string();
        Store::open(folder).unwrap();
        let folder = folder.to_path_buf();
        Box::new(move |bytes| {
            lay(&folder, bytes, &record.replace(&digest, &Key::of_bytes(bytes).to_string()));
            read(&folder);
        })
    },
};

pub(super) const RECORDS: Target = Target {
    name: "records",
    reads: "records of the store's index, under names that fit",
    format: Format::Text,
    executions: 4_000,
    seeds: || vec![stored().1.into_bytes()],
    prepare: |folder| {
        let (object, _) = stored();
        Store::open(folder).unwrap();
        let folder = folder.to_path_buf();
        Box::new(move |bytes| {
            lay(&folder, &object, &String::from_utf8_lossy(bytes));
            read(&folder);
        })
    },
};
