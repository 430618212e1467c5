//! The store: immutable Parquet objects named by content, and the index of what exists.
//!
//! A cell is one output under its key, e.g. one prompt observed on one model. Cells are written in segments:
//! one object and one index file per put. Readers take no lock; writers take one, drop what another process
//! recorded meanwhile, and record last. A process killed at any moment loses at most the put under way.
//! Layout of the folder: `files.rs`; of an index file: `index.rs`; of an observation segment: `segment.rs`.

mod answer;
mod error;
mod files;
mod index;
mod segment;
mod snapshot;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

pub use answer::{Answers, Damaged, Stored, damage_notes};
pub use error::StoreError;
use files::{Files, Found, Lock};
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
        Snapshot::take(&self.files, self.refresh()?)
    }

    /// Like [`Store::snapshot`], after reading every object once: a plan made from it knows of all damage.
    pub fn checked_snapshot(&self) -> Result<(Snapshot, Vec<Damaged>), StoreError> {
        let mut snapshot = self.snapshot()?;
        let mut damaged = Vec::new();
        let catalog = Arc::clone(&snapshot.catalog);
        let records = catalog.records();
        let verify = |record: usize| {
            let looked = self.files.verify_object(&records[record].object)?;
            Ok((record, looked))
        };
        let present = (0..records.len()).into_par_iter().filter(|&record| snapshot.present(record));
        let looked: Vec<(usize, Found<()>)> = present.map(verify).collect::<Result<_, StoreError>>()?;
        for (record, _) in looked.into_iter().filter(|(_, found)| *found != Found::Sound(())) {
            let r = &records[record];
            let Err(damage) = self.second_read(&r.object)? else { continue };
            snapshot.lose(record);
            damaged.extend(r.cells.iter().map(|c| damage.of(c.key, &c.slot)));
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

    /// The answer to each of these keys, every object read once and verified.
    ///
    /// # Errors
    /// An object that the system could not read: whether its observations are there is not known then.
    pub fn observations(
        &self,
        snapshot: &Snapshot,
        keys: &[Key],
    ) -> Result<Answers<PromptObservation>, StoreError> {
        let mut found = BTreeMap::new();
        let (damaged, absent) = self.read(snapshot, keys, &mut |object, bytes, cells| {
            let undecodable =
                |what: String| StoreError::Undecodable { path: self.files.object_path(object), what };
            let segment = Segment::decode(&object.file(), bytes).map_err(|e| undecodable(e.to_string()))?;
            for (key, rows) in cells {
                let observation = segment.observation(rows);
                let observation = observation
                    .ok_or_else(|| undecodable(format!("rows {rows:?} do not hold one observation")))?;
                found.insert(*key, observation);
            }
            Ok(())
        })?;
        Ok(Answers { found, damaged, absent })
    }

    /// Stores a small output, e.g. an outcome as JSON. An output already recorded under this key stays.
    pub fn put_blob(&self, slot: &str, fields: &Fields, bytes: &[u8]) -> Result<(), StoreError> {
        self.put(ObjectKind::Blob, &[(slot, fields)], &|_| Ok((bytes.to_vec(), vec![NO_ROWS]))).map(drop)
    }

    /// The bytes stored under each of these keys, verified.
    ///
    /// # Errors
    /// An object that the system could not read: whether the output is there is not known then.
    pub fn blobs(&self, snapshot: &Snapshot, keys: &[Key]) -> Result<Answers<Vec<u8>>, StoreError> {
        let mut found = BTreeMap::new();
        let (damaged, absent) = self.read(snapshot, keys, &mut |_, bytes, cells| {
            found.extend(cells.iter().map(|(key, _)| (*key, bytes.clone())));
            Ok(())
        })?;
        Ok(Answers { found, damaged, absent })
    }

    /// The bytes stored under the key, verified.
    ///
    /// # Errors
    /// As [`Store::blobs`].
    pub fn blob(&self, snapshot: &Snapshot, key: &Key) -> Result<Stored<Vec<u8>>, StoreError> {
        let Answers { mut found, damaged, .. } = self.blobs(snapshot, &[*key])?;
        Ok(match (found.remove(key), damaged.into_iter().next()) {
            (Some(bytes), _) => Stored::Present(bytes),
            (None, Some(damaged)) => Stored::Damaged(damaged),
            (None, None) => Stored::Absent,
        })
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
            for (record, cell) in catalog.places(key).iter().map(|p| catalog.cell(*p)) {
                if self.files.has_object(&record.object)? {
                    unnamed.entry(record.object).or_default().push((i, cell.rows.clone()));
                    break;
                }
            }
        }
        Ok(unnamed)
    }

    /// The cells that no present object holds, each key once.
    fn new_cells(&self, keys: &[Key]) -> Result<Vec<usize>, StoreError> {
        let catalog = self.refresh()?;
        let (mut seen, mut new) = (BTreeSet::new(), Vec::new());
        for (i, key) in keys.iter().enumerate().filter(|(_, key)| seen.insert(**key)) {
            let mut recorded = false;
            for place in catalog.places(key) {
                recorded = recorded || self.files.has_object(&catalog.records()[place.record].object)?;
            }
            if !recorded {
                new.push(i);
            }
        }
        Ok(new)
    }

    /// Hands every object that holds wanted cells to `take`, once; one that is damaged is set aside, and the next that holds
    /// its cells is tried. The answer is what is damaged or gone, and which keys were never recorded.
    fn read(
        &self,
        snapshot: &Snapshot,
        keys: &[Key],
        take: Take<'_>,
    ) -> Result<(Vec<Damaged>, Vec<Key>), StoreError> {
        let (mut damaged, mut absent, mut snapshot) = (Vec::new(), Vec::new(), snapshot.clone());
        let mut wanted: BTreeSet<Key> = keys.iter().copied().collect();
        while !wanted.is_empty() {
            let mut by_record: BTreeMap<usize, Vec<(Key, Place)>> = BTreeMap::new();
            for key in std::mem::take(&mut wanted) {
                let places = snapshot.catalog.places(&key);
                match (snapshot.usable(places), places.first()) {
                    (Some(place), _) => by_record.entry(place.record).or_default().push((key, place)),
                    // Its object was gone already when the snapshot was taken.
                    (None, Some(place)) => {
                        let (record, cell) = snapshot.catalog.cell(*place);
                        damaged.push(self.damage(&record.object, GONE, false).of(key, &cell.slot));
                    }
                    (None, None) => absent.push(key),
                }
            }
            for (record, cells) in by_record {
                let object = snapshot.catalog.records()[record].object;
                let rows: Vec<_> =
                    cells.iter().map(|(k, p)| (*k, snapshot.catalog.cell(*p).1.rows.clone())).collect();
                let read = match self.files.read_object(&object)? {
                    Found::Sound(bytes) => Ok(bytes),
                    Found::Wrong(_) | Found::Gone => self.second_read(&object)?,
                };
                let damage = match read {
                    Ok(bytes) => {
                        take(&object, bytes, &rows)?;
                        continue;
                    }
                    Err(damage) => damage,
                };
                snapshot.lose(record);
                for (key, place) in cells {
                    if snapshot.usable(snapshot.catalog.places(&key)).is_some() {
                        wanted.insert(key);
                    } else {
                        damaged.push(damage.of(key, &snapshot.catalog.cell(place).1.slot));
                    }
                }
            }
        }
        Ok((damaged, absent))
    }

    /// Reads an object whose bytes were wrong once more; the inner error is the damage if they are wrong again.
    fn second_read(&self, object: &ObjectName) -> Result<Result<Vec<u8>, Damage>, StoreError> {
        let (found, moved) = self.files.look_again(object)?;
        Ok(match found {
            Found::Sound(bytes) => Ok(bytes),
            Found::Wrong(reason) => Err(self.damage(object, &reason, moved)),
            Found::Gone => Err(self.damage(object, GONE, false)),
        })
    }

    fn damage(&self, object: &ObjectName, reason: &str, quarantined: bool) -> Damage {
        Damage { object: self.files.object_path(object), reason: reason.to_string(), quarantined }
    }

    /// Reads index files that appeared since the last call.
    fn refresh(&self) -> Result<Arc<Catalog>, StoreError> {
        // A panic elsewhere leaves the catalog as it was: it only ever grows by whole files.
        let catalog = || self.catalog.lock().unwrap_or_else(PoisonError::into_inner);
        let mut names = self.files.index_names()?;
        names.retain(|name| !catalog().knows(name));
        // Not under the lock: a thread that waits for others to parse may be given work that needs it.
        let read = names.into_par_iter().map(|name| Ok((self.index_file(&name)?, name)));
        let read: Vec<(Result<Record, String>, String)> = read.collect::<Result<_, StoreError>>()?;
        let mut catalog = catalog();
        for (record, name) in read {
            if !catalog.knows(&name) {
                Arc::make_mut(&mut catalog).add(&name, record);
            }
        }
        Ok(Arc::clone(&catalog))
    }

    /// The content of an index file; the inner error is the damage. One whose bytes are wrong is read again before it is
    /// moved aside: the fault may have been in memory or on the way.
    fn index_file(&self, name: &str) -> Result<Result<Record, String>, StoreError> {
        let found = match self.files.read_index(name)? {
            Found::Wrong(_) => self.files.read_index(name)?,
            found => found,
        };
        Ok(match found {
            Found::Sound(bytes) => Record::from_jsonl(bytes),
            Found::Gone => Err("it was removed while the index was read".to_string()),
            Found::Wrong(reason) => {
                self.files.quarantine_index(name);
                Err(reason)
            }
        })
    }
}

/// What was found in place of an object's bytes.
struct Damage {
    object: PathBuf,
    reason: String,
    quarantined: bool,
}

impl Damage {
    /// The damage of one of the object's cells.
    fn of(&self, key: Key, slot: &str) -> Damaged {
        let Damage { object, reason, quarantined } = self;
        let (object, reason, quarantined) = (object.clone(), reason.clone(), *quarantined);
        Damaged { key, slot: slot.to_string(), object, reason, quarantined }
    }
}

/// The damage of an object that lies neither in its place nor, as far as is known, in quarantine.
const GONE: &str = "it is not there any more";

/// A blob has no rows.
const NO_ROWS: Range<u64> = 0..0;

/// Bytes and row ranges of the chosen cells.
type Encode<'a> = &'a dyn Fn(&[usize]) -> Result<(Vec<u8>, Vec<Range<u64>>), StoreError>;
/// By object: index of the cell and its rows.
type Unnamed = BTreeMap<ObjectName, Vec<(usize, Range<u64>)>>;
/// Takes the wanted cells out of a sound object.
type Take<'a> = &'a mut dyn FnMut(&ObjectName, Vec<u8>, &[(Key, Range<u64>)]) -> Result<(), StoreError>;
