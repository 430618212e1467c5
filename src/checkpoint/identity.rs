//! A checkpoint's identity: what its weights are, whatever files they lie in.
//!
//! Hashed are, in order of names, every tensor's name, dtype, shape and the blake3 of its bytes: the same tensors
//! in one file or in ten shards, renamed, moved or touched, have one identity. `config.json` and the tokenizer
//! enter a job's key by themselves.

use rayon::prelude::*;

use super::{Checkpoint, CheckpointError, Entry, memo::Memo};
use crate::hash::Key;

/// Below this a tensor is hashed on one core (many at a time), above on all of them, bytes.
const LARGE: usize = 1 << 20;

impl Checkpoint {
    /// The identity of the weights. Reads every byte once, unless `memo` knows these very files.
    ///
    /// # Errors
    /// None today: a memo that cannot be read or written only costs time. (A disk that fails under a mapping
    /// kills the process with SIGBUS.)
    pub fn identity(&self, memo: &Memo) -> Result<Key, CheckpointError> {
        let stamps = self.stamps();
        if let Some(known) = stamps.as_ref().and_then(|stamps| memo.get(self.folder(), stamps)) {
            return Ok(known);
        }
        let entries: Vec<Entry<'_>> = self.entries().collect();
        let bytes: usize = entries.iter().map(|entry| entry.bytes.len()).sum();
        let span = tracing::info_span!("hash", folder = %self.folder().display(), bytes).entered();
        let key = identity_of(&entries);
        drop(span);
        if let Some(stamps) = stamps {
            memo.put(self.folder(), stamps, key);
        }
        Ok(key)
    }
}

/// `entries` sorted by name.
fn identity_of(entries: &[Entry<'_>]) -> Key {
    let contents: Vec<blake3::Hash> = entries.par_iter().map(|entry| hash(entry.bytes)).collect();
    let mut hasher = blake3::Hasher::new_derive_key("streamgauge 2026 checkpoint identity v1");
    hasher.update(&(entries.len() as u64).to_le_bytes());
    for (entry, content) in entries.iter().zip(contents) {
        for text in [entry.name, &entry.dtype.to_string()] {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
        hasher.update(&(entry.shape.len() as u64).to_le_bytes());
        for &n in entry.shape {
            hasher.update(&(n as u64).to_le_bytes());
        }
        hasher.update(content.as_bytes());
    }
    Key::from(hasher.finalize())
}

fn hash(bytes: &[u8]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    if bytes.len() < LARGE {
        hasher.update(bytes);
    } else {
        hasher.update_rayon(bytes);
    }
    hasher.finalize()
}
