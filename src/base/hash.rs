//! Keys: the blake3 hash of everything that decides an output, and nothing else.
//!
//! A key is made of named fields. Names and values are length-prefixed before hashing, so that no two
//! different field lists encode to the same bytes. The field list itself is kept beside the key in the
//! store: `plan --why` compares field by field and can say which one changed.

use std::{
    fmt::{self, Write as _},
    io,
    path::Path,
    str::FromStr,
    sync::LazyLock,
};

use blake3::hazmat::{ContextKey, HasherExt, hash_derive_key_context};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::foreign;

/// A 256-bit content hash, shown as 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key([u8; 32]);

impl Key {
    /// Hash of a byte string as it is (used for file contents and tensors).
    pub fn of_bytes(bytes: &[u8]) -> Key {
        Key(*blake3::hash(bytes).as_bytes())
    }

    /// [`Key::of_bytes`] of a file's content, read in pieces, and how many bytes those are.
    pub fn of_file(path: &Path) -> io::Result<(Key, u64)> {
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(foreign::open(path)?)?;
        Ok((Key::from(hasher.finalize()), hasher.count()))
    }

    /// The 32 bytes of the hash.
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
        struct Digits;
        impl de::Visitor<'_> for Digits {
            type Value = Key;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key of 64 hex digits")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Key, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Digits)
    }
}

/// Takes named values one after the other: [`Fields`] keeps them, [`KeyOf`] only hashes them.
pub trait Naming: Sized {
    /// Takes one more value.
    #[must_use]
    fn with(self, name: &str, value: impl fmt::Display) -> Self;
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
    /// Fields of a job of this kind, none yet.
    pub fn new(job: &str) -> Fields {
        Fields { job: job.to_string(), fields: Vec::new() }
    }

    /// The same fields and one more.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl fmt::Display) -> Fields {
        self.fields.push((name.to_string(), value.to_string()));
        self
    }

    /// The key of these fields: blake3 over length-prefixed names and values.
    pub fn key(&self) -> Key {
        let all = KeyOf::new(&self.job);
        self.fields.iter().fold(all, |all, (name, value)| all.with(name, value)).key()
    }

    /// The value of a field, if there is one of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

impl Naming for Fields {
    fn with(self, name: &str, value: impl fmt::Display) -> Fields {
        Fields::with(self, name, value)
    }
}

/// Hashes fields without storing them; gives the same key as [`Fields::key`].
pub struct KeyOf(Text);

impl KeyOf {
    /// The key of a job of this kind, no field hashed yet.
    pub fn new(job: &str) -> KeyOf {
        // Room for the fields of an observation.
        let mut text = Text(Vec::with_capacity(1024));
        text.put(job);
        KeyOf(text)
    }

    /// The key of one more field.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl fmt::Display) -> KeyOf {
        self.0.put(name);
        self.0.put(value);
        self
    }

    /// The key of all fields, hashed at once: blake3 is several times faster on one long input than on many short ones.
    pub fn key(self) -> Key {
        static CONTEXT: LazyLock<ContextKey> =
            LazyLock::new(|| hash_derive_key_context("streamgauge 2026 job key v1"));
        Key::from(blake3::Hasher::new_from_context_key(&CONTEXT).update(&self.0.0).finalize())
    }
}

impl Naming for KeyOf {
    fn with(self, name: &str, value: impl fmt::Display) -> KeyOf {
        KeyOf::with(self, name, value)
    }
}

/// Texts, each after its length in bytes.
struct Text(Vec<u8>);

impl Text {
    fn put(&mut self, value: impl fmt::Display) {
        let start = self.0.len();
        self.0.extend_from_slice(&[0; 8]);
        // Writing to memory fails only where a value's own `Display` does, and none here does.
        let _ = write!(self, "{value}");
        let length = (self.0.len() - start - 8) as u64;
        self.0[start..start + 8].copy_from_slice(&length.to_le_bytes());
    }
}

impl fmt::Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
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
    fn a_key_is_blake3_of_length_prefixed_names_and_values() {
        let mut bytes = Vec::new();
        for text in ["observe", "prompt", "Zürich", "bos", "1"] {
            bytes.extend((text.len() as u64).to_le_bytes());
            bytes.extend(text.as_bytes());
        }
        let expected = blake3::derive_key("streamgauge 2026 job key v1", &bytes);
        assert_eq!(Fields::new("observe").with("prompt", "Zürich").with("bos", 1).key(), expected.into());
        assert_eq!(KeyOf::new("observe").with("prompt", "Zürich").with("bos", 1).key(), expected.into());
    }

    #[test]
    fn a_key_survives_its_own_text() {
        let key = Fields::new("observe").with("text", "ab").key();
        assert_eq!(key.to_string().parse::<Key>().unwrap(), key);
        assert!("zz".parse::<Key>().is_err());
    }
}
