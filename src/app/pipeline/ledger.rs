//! The ledger of a command: which outputs exist, and the one way in which new ones are stored.

use std::collections::{BTreeMap, BTreeSet};

use crate::plan::Known;
use crate::store::{Cell, Snapshot, Store, StoreError};
use base::hash::{Fields, Key};
use number::observation::PromptObservation;

/// What a store held when the command began, and what was made since.
#[derive(Debug)]
pub(super) struct Ledger<'a> {
    /// `None`: nothing is stored.
    store: Option<(&'a Store, &'a Snapshot)>,
    made: BTreeSet<Key>,
    /// Found damaged or gone since, and not made again.
    lost: BTreeSet<Key>,
}

/// An output under its name.
pub(super) struct Output {
    /// Finds the previous key of the same thing, e.g. `weigh/llama3-tiny`.
    pub(super) slot: String,
    /// What decided it; the key of these fields names it.
    pub(super) fields: Fields,
    /// What is stored.
    pub(super) value: Value,
}

/// What a job makes.
#[derive(Clone)]
pub(super) enum Value {
    /// Rows of a segment, shared with the other observations that are stored with it.
    Observation(Box<PromptObservation>),
    /// A small object, e.g. JSON.
    Bytes(Vec<u8>),
    /// Several small objects, each under the fields and its name; the output itself is the list of their digests.
    Files(Vec<(String, Vec<u8>)>),
}

impl<'a> Ledger<'a> {
    /// The ledger of a store.
    pub(super) fn of(store: &'a Store, snapshot: &'a Snapshot) -> Ledger<'a> {
        Ledger { store: Some((store, snapshot)), made: BTreeSet::new(), lost: BTreeSet::new() }
    }

    /// The ledger of a command that stores nothing.
    pub(super) fn nowhere() -> Ledger<'a> {
        Ledger { store: None, made: BTreeSet::new(), lost: BTreeSet::new() }
    }

    /// Whether an output exists, from before or made since.
    pub(super) fn has(&self, key: &Key) -> bool {
        let stored = self.store.is_some_and(|(_, snapshot)| snapshot.has(key)) || self.made.contains(key);
        stored && !self.lost.contains(key)
    }

    /// From now on these outputs do not exist, until they are made again.
    pub(super) fn lose(&mut self, keys: impl IntoIterator<Item = Key>) {
        self.lost.extend(keys);
    }

    /// Stores outputs, the observations among them as one segment, and gives how many observations were new.
    pub(super) fn put(&mut self, outputs: Vec<Output>) -> Result<usize, StoreError> {
        let Some((store, _)) = self.store else { return Ok(0) };
        let _span = tracing::info_span!("store", outputs = outputs.len()).entered();
        let (mut rows, mut others, mut keys) = (Vec::new(), Vec::new(), Vec::new());
        for Output { slot, fields, value } in outputs {
            keys.push(fields.key());
            match value {
                Value::Observation(observation) => {
                    rows.push(Cell { slot, fields, observation: *observation })
                }
                Value::Bytes(bytes) => others.push((slot, fields, Vec::new(), bytes)),
                Value::Files(files) => {
                    let list = digests(&files);
                    others.push((slot, fields, files, list));
                }
            }
        }
        // Observations first: whoever finds the spectra of a prompt set need not walk its prompts again.
        let new = if rows.is_empty() { 0 } else { store.put_observations(&rows)? };
        for (slot, fields, files, bytes) in others {
            for (name, content) in files {
                store.put_blob(&format!("{slot}/{name}"), &fields.clone().with("file", name), &content)?;
            }
            store.put_blob(&slot, &fields, &bytes)?;
        }
        self.lost.retain(|key| !keys.contains(key));
        self.made.extend(keys);
        Ok(new)
    }
}

/// The list of files and their digests, as JSON.
fn digests(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let digests: BTreeMap<&str, Key> =
        files.iter().map(|(name, bytes)| (name.as_str(), Key::of_bytes(bytes))).collect();
    serde_json::to_vec(&digests).unwrap_or_default() // a map of strings always serialises
}
