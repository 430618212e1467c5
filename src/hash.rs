//! Keys: the blake3 hash of everything that decides an output, and nothing else.
//!
//! A key is made of named fields. Names and values are length-prefixed before hashing, so that no two
//! different field lists encode to the same bytes. The field list itself is kept beside the key in the
//! store: `plan --why` compares field by field and can say which one changed.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A 256-bit content hash, shown as 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key([u8; 32]);

impl Key {
    /// Hash of a byte string as it is (used for file contents and tensors).
    pub fn of_bytes(bytes: &[u8]) -> Key {
        Key(*blake3::hash(bytes).as_bytes())
    }

    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// First eight hex digits, for people. Never used to look anything up.
    pub fn short(&self) -> String {
        self.to_string()[..8].to_string()
    }
}

impl From<[u8; 32]> for Key {
    fn from(bytes: [u8; 32]) -> Key {
        Key(bytes)
    }
}

impl From<blake3::Hash> for Key {
    fn from(hash: blake3::Hash) -> Key {
        Key(*hash.as_bytes())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.short())
    }
}

/// The text was not 64 hex digits.
#[derive(Debug, thiserror::Error)]
#[error("expected a key of 64 hex digits, found {0:?}")]
pub struct BadKey(String);

impl FromStr for Key {
    type Err = BadKey;
    fn from_str(text: &str) -> Result<Key, BadKey> {
        blake3::Hash::from_hex(text).map(Key::from).map_err(|_| BadKey(text.to_string()))
    }
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Key, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The named values that decide one output, in the order they were added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fields {
    /// What kind of job the fields describe, e.g. `observe`.
    pub job: String,
    /// Name and value, in insertion order; the order is part of the key.
    pub fields: Vec<(String, String)>,
}

impl Fields {
    pub fn new(job: &str) -> Fields {
        Fields { job: job.to_string(), fields: Vec::new() }
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: impl fmt::Display) -> Fields {
        self.fields.push((name.to_string(), value.to_string()));
        self
    }

    /// The key of these fields: blake3 over length-prefixed names and values.
    pub fn key(&self) -> Key {
        let mut bytes = Vec::new();
        put(&mut bytes, &self.job);
        for (name, value) in &self.fields {
            put(&mut bytes, name);
            put(&mut bytes, value);
        }
        hashed(&bytes)
    }

    /// The key of fields of one name whose values are keys, without fields that are kept.
    pub fn key_of_keys<'k>(job: &str, name: &str, keys: impl IntoIterator<Item = &'k Key>) -> Key {
        let mut bytes = Vec::new();
        put(&mut bytes, job);
        for key in keys {
            put(&mut bytes, name);
            put(&mut bytes, &blake3::Hash::from_bytes(key.0).to_hex());
        }
        hashed(&bytes)
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

fn put(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

/// Of everything at once: blake3 is several times faster on one long input than on many short ones.
fn hashed(bytes: &[u8]) -> Key {
    Key::from(blake3::Hasher::new_derive_key("streamgauge 2026 job key v1").update(bytes).finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moving_a_character_between_fields_changes_the_key() {
        let a = Fields::new("observe").with("text", "ab").with("bos", "c");
        let b = Fields::new("observe").with("text", "a").with("bos", "bc");
        let c = Fields::new("observe").with("tex", "tab").with("bos", "c");
        assert_ne!(a.key(), b.key());
        assert_ne!(a.key(), c.key());
    }

    #[test]
    fn keys_as_fields_have_the_key_of_their_fields() {
        let keys = [Key::of_bytes(b"a"), Key::of_bytes(b"b")];
        let fields = Fields::new("keys").with("key", keys[0]).with("key", keys[1]);
        assert_eq!(Fields::key_of_keys("keys", "key", &keys), fields.key());
    }

    #[test]
    fn a_key_survives_its_own_text() {
        let key = Fields::new("observe").with("text", "ab").key();
        assert_eq!(key.to_string().parse::<Key>().unwrap(), key);
        assert!("zz".parse::<Key>().is_err());
    }
}
