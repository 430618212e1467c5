//! The index: which cells exist, in which object, in which rows.
//!
//! One immutable file per put, `index/<number>-<blake3 of the file>.jsonl`. The first line names the object and
//! the fields of its first cell; every further line is one cell, with the fields that differ from the first's.
//! A file whose bytes do not match its name is ignored with a note. Sorted by name, files are in the order
//! of writing; where two name the same key, the first whose object exists wins.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use base::hash::{Fields, Key};

/// One cell as the index knows it.
#[derive(Clone, Debug)]
pub(super) struct CellRecord {
    pub key: Key,
    pub slot: String,
    /// Rows within the object; `0..0` for a blob.
    pub rows: Range<u64>,
    changes: Changes,
}

/// The content of one index file.
#[derive(Debug)]
pub(super) struct Record {
    /// File name of the object below `objects/`.
    pub object: ObjectName,
    template: Fields,
    pub cells: Vec<CellRecord>,
}

/// The parts of an object's file name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ObjectName {
    pub digest: Key,
    pub kind: ObjectKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ObjectKind {
    Parquet,
    Blob,
}

impl ObjectName {
    /// `<digest>.parquet` or `<digest>.blob`.
    pub(super) fn file(&self) -> String {
        let ending = match self.kind {
            ObjectKind::Parquet => "parquet",
            ObjectKind::Blob => "blob",
        };
        format!("{}.{ending}", self.digest)
    }
}

impl Record {
    pub(super) fn new(object: ObjectName, cells: &[(&str, &Fields, Range<u64>)]) -> Record {
        let template = cells.first().map_or_else(|| Fields::new(""), |c| c.1.clone());
        let cells = cells.iter().map(|(slot, fields, rows)| CellRecord {
            key: fields.key(),
            slot: slot.to_string(),
            rows: rows.clone(),
            changes: Changes::between(&template, fields),
        });
        Record { object, cells: cells.collect(), template }
    }

    pub(super) fn fields(&self, cell: &CellRecord) -> Fields {
        cell.changes.apply(&self.template)
    }

    /// Whether a cell of this job has this value in a field.
    pub(super) fn mentions(&self, job: &str, field: &str, value: &str) -> bool {
        let has = |fields: &Fields| fields.job == job && fields.get(field) == Some(value);
        let position = self.template.fields.iter().position(|(name, _)| name == field);
        let (of_job, template_has) = (self.template.job == job, has(&self.template));
        self.cells.iter().any(|cell| match &cell.changes {
            Changes::Fields(fields) => has(fields),
            Changes::Values(values) => match values.iter().find(|(at, _)| Some(*at) == position) {
                Some((_, changed)) => of_job && changed == value,
                None => template_has,
            },
        })
    }

    /// The bytes of the index file.
    pub(super) fn to_jsonl(&self) -> Vec<u8> {
        let head = Head {
            record: 1,
            object: self.object.digest,
            kind: self.object.kind,
            cells: self.cells.len(),
            template: self.template.clone(),
        };
        let mut bytes = json(&head);
        for cell in &self.cells {
            bytes.push(b'\n');
            bytes.extend(json(&Line {
                key: cell.key,
                slot: cell.slot.clone(),
                rows: [cell.rows.start, cell.rows.end],
                changes: cell.changes.clone(),
            }));
        }
        bytes.push(b'\n');
        bytes
    }

    /// The content of an index file; the error says what is wrong with it.
    pub(super) fn from_jsonl(bytes: Vec<u8>) -> Result<Record, String> {
        let text = String::from_utf8(bytes).map_err(|e| e.to_string())?;
        let mut lines = text.lines();
        let head: Head = serde_json::from_str(lines.next().unwrap_or("")).map_err(|e| e.to_string())?;
        let cells = lines.map(|line| serde_json::from_str::<Line>(line).map_err(|e| e.to_string()));
        let cells: Vec<Line> = cells.collect::<Result<_, _>>()?;
        if cells.len() != head.cells {
            return Err(format!("expected {} cells, found {}", head.cells, cells.len()));
        }
        let object = ObjectName { digest: head.object, kind: head.kind };
        let cells = cells.into_iter().map(|line| {
            let rows = line.rows[0]..line.rows[1];
            CellRecord { key: line.key, slot: line.slot, rows, changes: line.changes }
        });
        Ok(Record { object, template: head.template, cells: cells.collect() })
    }
}

/// Every readable index file, cumulated.
#[derive(Clone, Debug, Default)]
pub(super) struct Catalog {
    names: BTreeSet<String>,
    records: Vec<Arc<Record>>,
    /// Where each key is recorded, in order of writing.
    keys: BTreeMap<Key, Vec<Place>>,
    /// The latest record of each slot.
    slots: BTreeMap<String, Place>,
    pub notes: Vec<String>,
}

/// A cell: record and line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub record: usize,
    pub cell: usize,
}

impl Catalog {
    pub(super) fn knows(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// Adds one index file; a damaged one becomes a note. Files come in the order of writing: the writers' lock numbers them.
    pub(super) fn add(&mut self, name: &str, record: Result<Record, String>) {
        match record {
            Ok(record) => {
                let index = self.records.len();
                for (cell, c) in record.cells.iter().enumerate() {
                    let place = Place { record: index, cell };
                    self.keys.entry(c.key).or_default().push(place);
                    self.slots.insert(c.slot.clone(), place);
                }
                self.records.push(Arc::new(record));
            }
            Err(reason) => self.notes.push(format!(
                "index/{name} is damaged and ignored ({reason}); its cells are computed again"
            )),
        }
        self.names.insert(name.to_string());
    }

    /// Number of the next file: past every name seen, readable or not.
    pub(super) fn next_number(&self) -> u64 {
        let numbers = self.names.iter().filter_map(|n| n.split('-').next()?.parse::<u64>().ok());
        numbers.max().map_or(1, |n| n + 1)
    }

    pub(super) fn records(&self) -> &[Arc<Record>] {
        &self.records
    }

    pub(super) fn places(&self, key: &Key) -> &[Place] {
        self.keys.get(key).map_or(&[], Vec::as_slice)
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = (&Key, &[Place])> {
        self.keys.iter().map(|(key, places)| (key, places.as_slice()))
    }

    pub(super) fn last_key(&self, slot: &str) -> Option<Key> {
        self.slots.get(slot).map(|place| self.cell(*place).1.key)
    }

    pub(super) fn last_fields(&self, slot: &str) -> Option<Fields> {
        let place = self.slots.get(slot)?;
        let record = &self.records[place.record];
        Some(record.fields(&record.cells[place.cell]))
    }

    pub(super) fn cell(&self, place: Place) -> (&Record, &CellRecord) {
        let record = &self.records[place.record];
        (record, &record.cells[place.cell])
    }
}

/// `<number>-<digest>.jsonl`.
pub(super) fn file_name(number: u64, bytes: &[u8]) -> String {
    format!("{number:010}-{}.jsonl", Key::of_bytes(bytes))
}

/// The digest that an index file's name gives its bytes.
pub(super) fn digest_of(name: &str) -> Option<Key> {
    name.strip_suffix(".jsonl")?.split_once('-')?.1.parse().ok()
}

fn json<T: Serialize>(value: &T) -> Vec<u8> {
    // Strings, numbers and lists only: serialising them to memory cannot fail.
    serde_json::to_vec(value).expect("plain data serialises")
}

#[derive(Serialize, Deserialize)]
struct Head {
    record: u32,
    object: Key,
    kind: ObjectKind,
    cells: usize,
    template: Fields,
}

#[derive(Serialize, Deserialize)]
struct Line {
    key: Key,
    slot: String,
    rows: [u64; 2],
    changes: Changes,
}

/// A cell's fields relative to the template: 100,000 cells of one model repeat all but the prompt.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Changes {
    /// Same names in the same order; these values, by position, differ.
    Values(Vec<(usize, String)>),
    Fields(Fields),
}

impl Changes {
    fn between(template: &Fields, fields: &Fields) -> Changes {
        let names = |f: &Fields| f.fields.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        if template.job != fields.job || names(template) != names(fields) {
            return Changes::Fields(fields.clone());
        }
        let pairs = template.fields.iter().zip(&fields.fields).enumerate();
        Changes::Values(pairs.filter(|(_, (a, b))| a.1 != b.1).map(|(i, (_, b))| (i, b.1.clone())).collect())
    }

    fn apply(&self, template: &Fields) -> Fields {
        match self {
            Changes::Fields(fields) => fields.clone(),
            Changes::Values(values) => {
                let mut fields = template.clone();
                for (i, value) in values {
                    if let Some(field) = fields.fields.get_mut(*i) {
                        field.1.clone_from(value);
                    }
                }
                fields
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(prompt: &str) -> Fields {
        Fields::new("observe").with("weights", "w").with("prompt", prompt).with("bos", "auto")
    }

    fn record(prompts: &[&str]) -> Record {
        let all: Vec<Fields> = prompts.iter().map(|p| fields(p)).collect();
        let cells: Vec<_> = prompts.iter().zip(&all).map(|(p, f)| (*p, f, 0..1)).collect();
        Record::new(ObjectName { digest: Key::of_bytes(b"x"), kind: ObjectKind::Parquet }, &cells)
    }

    #[test]
    fn a_value_is_found_in_the_template_and_in_what_a_cell_changes() {
        let record = record(&["a", "b"]);
        for (job, field, value, found) in [
            ("observe", "weights", "w", true),
            ("observe", "prompt", "a", true),
            ("observe", "prompt", "b", true),
            ("observe", "prompt", "c", false),
            ("export", "weights", "w", false),
            ("export", "prompt", "b", false),
            ("observe", "nosuch", "w", false),
        ] {
            assert_eq!(record.mentions(job, field, value), found, "{job} {field} {value}");
        }
    }

    #[test]
    fn fields_of_every_cell_read_back_although_shared_values_are_stored_once() {
        let other = Fields::new("observe").with("tokens", "1,2");
        let mixed = fields("line\nbreak \"quoted\"");
        let object = ObjectName { digest: Key::of_bytes(b"x"), kind: ObjectKind::Blob };
        let written =
            Record::new(object, &[("a", &fields("a"), 0..3), ("b", &mixed, 3..5), ("c", &other, 5..6)]);
        let bytes = written.to_jsonl();
        let read = Record::from_jsonl(bytes).unwrap();
        assert_eq!(read.object, object);
        for (cell, expected) in read.cells.iter().zip([fields("a"), mixed, other]) {
            assert_eq!(read.fields(cell), expected);
            assert_eq!(read.fields(cell).key(), cell.key);
        }
        assert_eq!(read.cells[1].rows, 3..5);
    }

    #[test]
    fn a_file_that_is_damaged_is_ignored_with_a_note_and_keeps_its_number() {
        let bytes = record(&["a", "b"]).to_jsonl();
        let name = file_name(7, &bytes);
        let mut catalog = Catalog::default();
        catalog.add(&name, Err("its bytes do not match the digest in its name".into()));
        assert!(catalog.notes[0].contains(&name), "{:?}", catalog.notes);
        assert_eq!(catalog.records().len(), 0);
        assert_eq!(catalog.next_number(), 8);
        let mut catalog = Catalog::default();
        catalog.add(&name, Record::from_jsonl(bytes));
        assert_eq!(catalog.places(&fields("b").key()), [Place { record: 0, cell: 1 }]);
    }

    #[test]
    fn a_slot_answers_with_its_latest_fields() {
        let mut catalog = Catalog::default();
        for (number, weights) in [(1, "old"), (2, "new")] {
            let fields = Fields::new("observe").with("weights", weights);
            let object = ObjectName { digest: Key::of_bytes(b"x"), kind: ObjectKind::Parquet };
            let bytes = Record::new(object, &[("slot", &fields, 0..1)]).to_jsonl();
            let name = file_name(number, &bytes);
            catalog.add(&name, Record::from_jsonl(bytes));
        }
        assert_eq!(catalog.last_fields("slot").unwrap().get("weights"), Some("new"));
        assert_eq!(catalog.last_fields("other"), None);
    }
}
