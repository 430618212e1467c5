//! A checkpoint's identity: what its weights are, whatever files they lie in.
//!
//! Hashed are, in order of names, every tensor's name, dtype, shape and the blake3 of its bytes: the same tensors
//! in one file or in ten shards, renamed, moved or touched, have one identity. Of quantised weights these are the tensors that
//! store them, as they lie on disk, and then how each weight follows from its own. `config.json` and the tokenizer enter a job's key
//! by themselves.

use rayon::prelude::*;

use super::{Checkpoint, memo::Memo, place::Place};
use base::hash::Key;

/// Below this a tensor is hashed on one core (many at a time), above on all of them, bytes.
const LARGE: usize = 1 << 20;

impl Checkpoint {
    /// The identity of the weights, if it was found before or `memo` knows these very files.
    pub fn remembered(&self, memo: &Memo) -> Option<Key> {
        self.identity.get().copied().or_else(|| {
            let known = memo.get(self.folder(), &self.stamps()?)?;
            Some(*self.identity.get_or_init(|| known))
        })
    }

    /// The identity of the weights. Reads every byte once, unless it is [`Checkpoint::remembered`], or
    /// [`Checkpoint::hash_weight`] has read it. (A disk that fails under a mapping kills the process with SIGBUS.)
    pub fn identity(&self, memo: &Memo) -> Key {
        self.remembered(memo).unwrap_or_else(|| {
            let left = self.stored_places().into_iter().filter(|place| place.hash.get().is_none());
            let bytes: usize = left.map(|place| place.range.len()).sum();
            let _span = tracing::info_span!("hash", folder = %self.folder().display(), bytes).entered();
            let key = self.hashed();
            // A memo that cannot be written costs time, never a result.
            if let Some(stamps) = self.stamps() {
                memo.put(self.folder(), stamps, key);
            }
            *self.identity.get_or_init(|| key)
        })
    }

    /// The same checkpoint, whose readers are to hash its weights too ([`Checkpoint::hash_weight`]), for an identity that will
    /// be asked for.
    #[must_use]
    pub fn hashing(self) -> Checkpoint {
        Checkpoint { hashing: true, ..self }
    }

    /// Says whether readers of weights are to hash them.
    pub fn is_hashing(&self) -> bool {
        self.hashing && self.identity.get().is_none()
    }

    /// Hashes a weight that was just read, so that [`Checkpoint::identity`] need not read it again.
    pub fn hash_weight(&self, name: &str) {
        for place in self.place(name).into_iter().flat_map(Place::stored) {
            self.hash_of(place);
        }
    }

    /// Threads that come to one tensor at once each hash it: a lock could wait for a task of its own holder.
    fn hash_of(&self, place: &Place) -> blake3::Hash {
        place.hash.get().copied().unwrap_or_else(|| {
            let hash = hash(self.bytes(place));
            let _ = place.hash.set(hash); // or another thread has: it is the same
            hash
        })
    }

    /// Every tensor of the files, sorted by name.
    fn stored_places(&self) -> Vec<&Place> {
        let mut places: Vec<&Place> =
            self.places.iter().flat_map(Place::stored).chain(&self.unread.0).collect();
        places.sort_by(|a, b| a.name.cmp(&b.name));
        places
    }

    fn hashed(&self) -> Key {
        let places = self.stored_places();
        let contents: Vec<blake3::Hash> = places.par_iter().map(|place| self.hash_of(place)).collect();
        let mut hasher = blake3::Hasher::new_derive_key("streamgauge 2026 checkpoint identity v1");
        hasher.update(&(places.len() as u64).to_le_bytes());
        for (place, content) in places.iter().zip(contents) {
            for text in [&place.name, &place.dtype.to_string()] {
                hasher.update(&(text.len() as u64).to_le_bytes());
                hasher.update(text.as_bytes());
            }
            hasher.update(&(place.shape.len() as u64).to_le_bytes());
            for &n in &place.shape {
                hasher.update(&(n as u64).to_le_bytes());
            }
            hasher.update(content.as_bytes());
        }
        for place in &self.places {
            let Some(parts) = &place.parts else { continue };
            for text in [&place.name, &format!("{:?}", place.shape), &parts.says()] {
                hasher.update(&(text.len() as u64).to_le_bytes());
                hasher.update(text.as_bytes());
            }
        }
        Key::from(hasher.finalize())
    }
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
