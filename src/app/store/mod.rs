//! The store: immutable Parquet objects named by content, and the index of what exists.
//!
//! A cell is one output under its key, e.g. one prompt observed on one model. Cells are written in segments:
//! one object and one index file per put. Readers take no lock; writers take one, drop what another process
//! recorded meanwhile, and record last. A process killed at any moment loses at most the put under way.
//! Layout of the folder: `files.rs`; of an index file: `index.rs`; of an observation segment: `segment.rs`.

mod error;
mod files;
mod index;
mod segment;
mod snapshot;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    ops::Range,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

pub use error::StoreError;
use files::{Files, Lock};
use index::{Catalog, ObjectKind, ObjectName, Place, Record};
use segment::Segment;
pub use snapshot::Snapshot;

use rayon::prelude::*;

use base::hash::{Fields, Key};
use number::observation::PromptObservation;

/// A folder of outputs. Cheap to open; shared freely between threads.
#[derive(Debug)]
pub struct Store {
    files: Files,
    /// The index as last read. Index files are immutable, so only new names are read again.
    catalog: Mutex<Arc<Catalog>>,
}

/// One observed prompt under its key.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Human identity, e.g. `observe/zoo-llama/grand25/france/auto`: finds the previous key of the same thing.
    pub slot: String,
    /// What decides the output; its key names the cell.
    pub fields: Fields,
    /// What is stored.
    pub observation: PromptObservation,
}

/// A recorded cell that could not be read: its object is quarantined and the cell is to be computed again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damaged {
    /// Key of the cell.
    pub key: Key,
    /// Slot under which it was recorded first.
    pub slot: String,
    /// Where the object lay.
    pub object: PathBuf,
    /// What was found instead of the object's bytes.
    pub reason: String,
    /// Whether the object was moved aside; not so in a store that this user cannot write.
    pub quarantined: bool,
}

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Damaged { slot, object, reason, quarantined, .. } = self;
        let fate = if *quarantined { "moved to quarantine, " } else { "" };
        write!(f, "{slot}: {} is damaged ({reason}); {fate}to be computed again", object.display())
    }
}

/// One line for each damaged object, however many cells it held.
pub fn damage_notes(damaged: &[Damaged]) -> Vec<String> {
    let mut by_object: Vec<(&Damaged, usize)> = Vec::new();
    for one in damaged {
        match by_object.iter_mut().find(|(first, _)| first.object == one.object) {
            Some((_, others)) => *others += 1,
            None => by_object.push((one, 0)),
        }
    }
    let note = |(first, others): (&Damaged, usize)| match others {
        0 => first.to_string(),
        more => format!("{first}, and {more} more of the same object"),
    };
    by_object.into_iter().map(note).collect()
}

/// What [`Store::observations`] found. Keys that were never recorded are in neither part.
#[derive(Clone, Debug, Default)]
pub struct Observations {
    /// What was read.
    pub found: BTreeMap<Key, PromptObservation>,
    /// What was recorded and cannot be read.
    pub damaged: Vec<Damaged>,
}

impl Store {
    /// Opens a store, or makes one in a new or empty folder.
    pub fn open(root: impl AsRef<Path>) -> Result<Store, StoreError> {
        let store = Store { files: Files::open(root.as_ref())?, catalog: Mutex::default() };
        if !store.files.leftovers()?.is_empty()
            && let Some(lock) = store.files.try_lock()
        {
            let catalog = store.refresh()?;
            let named: BTreeSet<String> = catalog.records().iter().map(|r| r.object.file()).collect();
            // With an unreadable index file nobody knows which objects are garbage.
            store.files.sweep(&lock, catalog.notes.is_empty().then_some(&named))?;
        }
        Ok(store)
    }

    /// Folder of the store.
    pub fn root(&self) -> &Path {
        self.files.root()
    }

    /// What the store holds now. Objects are only checked for existence: see [`Store::checked_snapshot`].
    pub fn snapshot(&self) -> Result<Snapshot, StoreError> {
        Ok(Snapshot::take(&self.files, self.refresh()?))
    }

    /// Like [`Store::snapshot`], after reading every object once: a plan made from it knows of all damage.
    pub fn checked_snapshot(&self) -> Result<(Snapshot, Vec<Damaged>), StoreError> {
        let mut snapshot = self.snapshot()?;
        let mut damaged = Vec::new();
        let catalog = Arc::clone(&snapshot.catalog);
        let records = catalog.records();
        let verify = |record: usize| Some((record, self.files.verify_object(&records[record].object).err()?));
        let present = (0..records.len()).into_par_iter().filter(|&record| snapshot.present(record));
        let wrong: Vec<(usize, String)> = present.filter_map(verify).collect();
        for (record, reason) in wrong {
            let r = &records[record];
            let quarantined = self.set_aside(&r.object);
            snapshot.lose(record);
            damaged.extend(
                r.cells.iter().map(|c| self.damaged(&r.object, c.key, &c.slot, &reason, quarantined)),
            );
        }
        // Cells that another object holds too are not lost.
        damaged.retain(|d: &Damaged| snapshot.usable(catalog.places(&d.key)).is_none());
        Ok((snapshot, damaged))
    }

    /// Stores observations as one segment. Cells already recorded are dropped. Returns how many were written.
    pub fn put_observations(&self, cells: &[Cell]) -> Result<usize, StoreError> {
        let identities: Vec<_> = cells.iter().map(|c| (c.slot.as_str(), &c.fields)).collect();
        self.put(ObjectKind::Parquet, &identities, &|which| {
            let chosen: Vec<_> =
                which.iter().map(|&i| (cells[i].slot.as_str(), &cells[i].observation)).collect();
            segment::encode(&chosen)
        })
    }

    /// The observations under these keys, each object read once and verified.
    pub fn observations(&self, snapshot: &Snapshot, keys: &[Key]) -> Result<Observations, StoreError> {
        let mut result = Observations::default();
        self.read(snapshot, keys, &mut result.damaged, &mut |object, bytes, cells| {
            let segment = Segment::decode(&object.file(), bytes).map_err(|e| e.to_string())?;
            for (key, rows) in cells {
                let observation = segment.observation(rows);
                let observation =
                    observation.ok_or_else(|| format!("rows {rows:?} do not hold one observation"))?;
                result.found.insert(*key, observation);
            }
            Ok(())
        })?;
        Ok(result)
    }

    /// Stores a small output, e.g. an outcome as JSON. An output already recorded under this key stays.
    pub fn put_blob(&self, slot: &str, fields: &Fields, bytes: &[u8]) -> Result<(), StoreError> {
        self.put(ObjectKind::Blob, &[(slot, fields)], &|_| Ok((bytes.to_vec(), vec![NO_ROWS]))).map(drop)
    }

    /// The bytes stored under the key, verified; `None` if never recorded or damaged (then quarantined).
    pub fn blob(&self, snapshot: &Snapshot, key: &Key) -> Result<Option<Vec<u8>>, StoreError> {
        let mut found = None;
        self.read(snapshot, &[*key], &mut Vec::new(), &mut |_, bytes, _| {
            found = Some(bytes);
            Ok(())
        })?;
        Ok(found)
    }

    fn put(
        &self,
        kind: ObjectKind,
        cells: &[(&str, &Fields)],
        encode: Encode<'_>,
    ) -> Result<usize, StoreError> {
        let keys: Vec<Key> = cells.iter().map(|(_, fields)| fields.key()).collect();
        let before = self.new_cells(&keys)?;
        if before.is_empty() && self.unnamed(cells, &keys)?.is_empty() {
            return Ok(0);
        }
        // Outside the lock, so that others wait for no more than writing.
        let mut encoded = encode(&before)?;
        let lock = self.files.lock()?;
        // Another process may have recorded some of them since: one set of rows, the first.
        let which = self.new_cells(&keys)?;
        if which != before {
            encoded = encode(&which)?;
        }
        if !which.is_empty() {
            let (bytes, rows) = encoded;
            let object = ObjectName { digest: Key::of_bytes(&bytes), kind };
            let cells: Vec<_> =
                which.iter().zip(rows).map(|(&i, rows)| (cells[i].0, cells[i].1, rows)).collect();
            let published = self.files.publish_object(&lock, &object, &bytes)?;
            self.record(&lock, &Record::new(object, &cells))?;
            published.done();
        }
        // The same output under another name, e.g. one prompt in two sets: the index says so, rows stay single.
        for (object, names) in self.unnamed(cells, &keys)? {
            let names: Vec<_> = names.into_iter().map(|(i, rows)| (cells[i].0, cells[i].1, rows)).collect();
            self.record(&lock, &Record::new(object, &names))?;
        }
        Ok(which.len())
    }

    fn record(&self, lock: &Lock, record: &Record) -> Result<(), StoreError> {
        let bytes = record.to_jsonl();
        let name = index::file_name(self.refresh()?.next_number(), &bytes);
        self.files.publish_index(lock, &name, &bytes)?.done();
        Ok(())
    }

    /// Recorded cells whose slot does not lead to their key yet, by the object that holds them.
    fn unnamed(&self, cells: &[(&str, &Fields)], keys: &[Key]) -> Result<Unnamed, StoreError> {
        let catalog = self.refresh()?;
        let mut unnamed = Unnamed::new();
        for (i, key) in keys.iter().enumerate() {
            if catalog.last_key(cells[i].0) == Some(*key) {
                continue;
            }
            let mut places = catalog.places(key).iter().map(|p| catalog.cell(*p));
            if let Some((record, cell)) = places.find(|(record, _)| self.files.has_object(&record.object)) {
                unnamed.entry(record.object).or_default().push((i, cell.rows.clone()));
            }
        }
        Ok(unnamed)
    }

    /// The cells that no present object holds, each key once.
    fn new_cells(&self, keys: &[Key]) -> Result<Vec<usize>, StoreError> {
        let catalog = self.refresh()?;
        let mut seen = BTreeSet::new();
        let recorded = |key| {
            let mut places = catalog.places(key).iter();
            places.any(|p| self.files.has_object(&catalog.records()[p.record].object))
        };
        Ok((0..keys.len()).filter(|&i| seen.insert(keys[i]) && !recorded(&keys[i])).collect())
    }

    /// Hands every object that holds wanted cells to `take`, once; where that fails, sets it aside and tries the
    /// next object that holds them.
    fn read(
        &self,
        snapshot: &Snapshot,
        keys: &[Key],
        damaged: &mut Vec<Damaged>,
        take: Take<'_>,
    ) -> Result<(), StoreError> {
        let mut snapshot = snapshot.clone();
        let mut wanted: BTreeSet<Key> = keys.iter().copied().collect();
        while !wanted.is_empty() {
            let mut by_record: BTreeMap<usize, Vec<(Key, Place)>> = BTreeMap::new();
            for key in std::mem::take(&mut wanted) {
                if let Some(place) = snapshot.usable(snapshot.catalog.places(&key)) {
                    by_record.entry(place.record).or_default().push((key, place));
                }
            }
            for (record, cells) in by_record {
                let object = snapshot.catalog.records()[record].object;
                let rows: Vec<_> =
                    cells.iter().map(|(k, p)| (*k, snapshot.catalog.cell(*p).1.rows.clone())).collect();
                let taken = self.files.read_object(&object).and_then(|bytes| take(&object, bytes, &rows));
                let Err(reason) = taken else { continue };
                let quarantined = self.set_aside(&object);
                snapshot.lose(record);
                for (key, place) in cells {
                    if snapshot.usable(snapshot.catalog.places(&key)).is_some() {
                        wanted.insert(key);
                    } else {
                        let slot = &snapshot.catalog.cell(place).1.slot;
                        damaged.push(self.damaged(&object, key, slot, &reason, quarantined));
                    }
                }
            }
        }
        Ok(())
    }

    fn damaged(&self, object: &ObjectName, key: Key, slot: &str, reason: &str, quarantined: bool) -> Damaged {
        Damaged {
            key,
            slot: slot.to_string(),
            object: self.files.object_path(object),
            reason: reason.to_string(),
            quarantined,
        }
    }

    /// Quarantines an object that could not be read; `false` where this user may not (a read-only store can still
    /// be read) or another process has replaced it meanwhile.
    fn set_aside(&self, object: &ObjectName) -> bool {
        self.files.lock().and_then(|lock| self.files.quarantine(&lock, object)).unwrap_or(false)
    }

    /// Reads index files that appeared since the last call.
    fn refresh(&self) -> Result<Arc<Catalog>, StoreError> {
        // A panic elsewhere leaves the catalog as it was: it only ever grows by whole files.
        let catalog = || self.catalog.lock().unwrap_or_else(PoisonError::into_inner);
        let mut names = self.files.index_names()?;
        names.retain(|name| !catalog().knows(name));
        // Not under the lock: a thread that waits for others to parse may be given work that needs it.
        let parse = |name: String| {
            let record = self.files.read_index(&name).and_then(|bytes| index::parse(&name, bytes));
            (name, record)
        };
        let read: Vec<_> = names.into_par_iter().map(parse).collect();
        let mut catalog = catalog();
        for (name, record) in read {
            if !catalog.knows(&name) && !Arc::make_mut(&mut catalog).add(&name, record) {
                self.files.quarantine_index(&name);
            }
        }
        Ok(Arc::clone(&catalog))
    }
}

/// A blob has no rows.
const NO_ROWS: Range<u64> = 0..0;

/// Bytes and row ranges of the chosen cells.
type Encode<'a> = &'a dyn Fn(&[usize]) -> Result<(Vec<u8>, Vec<Range<u64>>), StoreError>;
/// By object: index of the cell and its rows.
type Unnamed = BTreeMap<ObjectName, Vec<(usize, Range<u64>)>>;
/// Takes the wanted cells out of an object; the error is the damage found.
type Take<'a> = &'a mut dyn FnMut(&ObjectName, Vec<u8>, &[(Key, Range<u64>)]) -> Result<(), String>;
