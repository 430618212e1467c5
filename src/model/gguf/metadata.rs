//! The metadata of a GGUF file: keys with numbers, texts, and lists of these.
//!
//! Values are checked to lie inside the file when they are read; a list stays where it lies until somebody asks for it, so
//! that the memory it takes is what its use takes.

use std::{collections::BTreeMap, ops::Range, path::Path};

use super::{
    cursor::Cursor,
    encoding::Encoding,
    error::{AGAIN, GgufError, OTHER},
    value::{self, DOUBLE, SINGLE, Value, refused, spelled, text, whole},
};

/// More keys than any file has; each takes memory.
const MOST_KEYS: u64 = 1 << 16;
/// Bytes of a key's name; the format allows more, and no file has any so long.
const LONGEST_KEY: usize = 1 << 10;
/// Values of a list that are read: the largest vocabularies have a quarter as many tokens and half as many merges.
const MOST_VALUES: u64 = 1 << 20;
/// Bytes of the texts of such a list.
const MOST_TEXT: usize = 1 << 26;
/// Kinds of tensors whose numbers are stored as those of [`SINGLE`] and [`DOUBLE`] values are.
const F32: u32 = 0;
const F64: u32 = 28;

/// The keys of a file and their values, sorted.
pub struct Metadata<'a> {
    file: &'a Path,
    entries: BTreeMap<&'a str, Value<'a>>,
}

/// Where the numbers of a list lie.
pub struct Places {
    /// How each is stored.
    pub encoding: &'static Encoding,
    /// Bytes of the file, one after the other.
    pub ranges: Vec<Range<usize>>,
}

impl<'a> Metadata<'a> {
    pub(super) fn read(cursor: &mut Cursor<'a>, count: u64) -> Result<Metadata<'a>, GgufError> {
        let file = cursor.file;
        if count > MOST_KEYS {
            return Err(GgufError::File {
                file: file.to_path_buf(),
                expected: format!("at most {MOST_KEYS} keys"),
                found: count.to_string(),
                next: AGAIN,
            });
        }
        let mut entries = BTreeMap::new();
        for _ in 0..count {
            let key = cursor.name("the name of a key", LONGEST_KEY)?;
            let kind = cursor.u32(key)?;
            let value = value::read(cursor, kind, key, 0)?;
            if entries.insert(key, value).is_some() {
                return Err(refused(file, key, "it once".into(), "it twice".into(), AGAIN));
            }
        }
        Ok(Metadata { file, entries })
    }

    /// The file these are of.
    pub fn file(&self) -> &'a Path {
        self.file
    }

    /// Every key, sorted.
    pub fn keys(&self) -> impl Iterator<Item = &'a str> + '_ {
        self.entries.keys().copied()
    }

    /// The value of a key, if it is there.
    pub fn get(&self, key: &str) -> Option<Value<'a>> {
        self.entries.get(key).copied()
    }

    /// A number without fraction or sign.
    ///
    /// # Errors
    /// A value of another kind.
    pub fn count(&self, key: &str) -> Result<Option<u64>, GgufError> {
        self.typed(key, "a whole number that is not negative", whole)
    }

    /// A number. A float32 is read as the shortest decimal number that it stands for: 1e-5, not 0.00000999999974737875.
    ///
    /// # Errors
    /// A value of another kind, or one that is not finite.
    pub fn number(&self, key: &str) -> Result<Option<f64>, GgufError> {
        self.typed(key, "a finite number", |value| match value {
            Value::Single(single) => {
                single.to_string().parse().ok().filter(|number: &f64| number.is_finite())
            }
            Value::Double(double) => Some(double).filter(|number| number.is_finite()),
            other => whole(other).map(|count| count as f64),
        })
    }

    /// True or false.
    ///
    /// # Errors
    /// A value of another kind.
    pub fn flag(&self, key: &str) -> Result<Option<bool>, GgufError> {
        self.typed(
            key,
            "true or false",
            |value| if let Value::Flag(flag) = value { Some(flag) } else { None },
        )
    }

    /// A text.
    ///
    /// # Errors
    /// A value of another kind, or one that is not UTF-8.
    pub fn text(&self, key: &str) -> Result<Option<&'a str>, GgufError> {
        self.typed(key, "a text in UTF-8", text)
    }

    /// A list of texts.
    ///
    /// # Errors
    /// A value of another kind, or a text that is not UTF-8.
    pub fn texts(&self, key: &str) -> Result<Option<Vec<&'a str>>, GgufError> {
        self.list(key, "a list of texts in UTF-8", text)
    }

    /// A list of numbers without fraction or sign.
    ///
    /// # Errors
    /// A value of another kind.
    pub fn counts(&self, key: &str) -> Result<Option<Vec<u64>>, GgufError> {
        self.list(key, "a list of whole numbers that are not negative", whole)
    }

    /// A list of flags.
    ///
    /// # Errors
    /// A value of another kind.
    pub fn flags(&self, key: &str) -> Result<Option<Vec<bool>>, GgufError> {
        let flag = |value| if let Value::Flag(flag) = value { Some(flag) } else { None };
        self.list(key, "a list of true and false", flag)
    }

    /// A list of finite numbers.
    ///
    /// # Errors
    /// A value of another kind.
    pub fn numbers(&self, key: &str) -> Result<Option<Vec<f32>>, GgufError> {
        self.list(key, "a list of finite numbers", |value| match value {
            Value::Single(number) => Some(number).filter(|number| number.is_finite()),
            Value::Double(number) => Some(number as f32).filter(|number| number.is_finite()),
            Value::Unsigned(number) => Some(number as f32),
            Value::Signed(number) => Some(number as f32),
            _ => None,
        })
    }

    /// Where the numbers of a list lie.
    ///
    /// # Errors
    /// A value of another kind.
    pub fn places_of_numbers(&self, key: &str) -> Result<Option<Places>, GgufError> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let (Value::List(list), true) = (value, matches!(self.numbers(key), Ok(Some(_)))) else {
            return Err(self.refuse(key, "a list of finite numbers", spelled(value), AGAIN));
        };
        let stored = match list.kind {
            SINGLE => Encoding::of(F32),
            DOUBLE => Encoding::of(F64),
            _ => None,
        };
        let Some(encoding) = stored else {
            return Err(self.refuse(key, "numbers with a fraction", "whole numbers".into(), AGAIN));
        };
        let (size, start) = (encoding.bytes, list.start.at());
        let places = (0..list.count as usize).map(|i| start + i * size..start + (i + 1) * size).collect();
        Ok(Some(Places { encoding, ranges: places }))
    }

    /// A number for all layers: given once, or for each layer and always the same.
    ///
    /// # Errors
    /// A value of another kind, or numbers that differ.
    pub fn count_of_layers(&self, key: &str) -> Result<Option<u64>, GgufError> {
        if !matches!(self.get(key), Some(Value::List(_))) {
            return self.count(key);
        }
        let mut counts = self.counts(key)?.unwrap_or_default();
        counts.dedup();
        match counts[..] {
            [one] => Ok(Some(one)),
            _ => Err(self.refuse(key, "one number for all layers", "numbers that differ".into(), OTHER)),
        }
    }

    /// The error that a key does not say what is expected of it.
    pub fn refuse(&self, key: &str, expected: &str, found: String, next: &'static str) -> GgufError {
        refused(self.file, key, expected.to_string(), found, next)
    }

    /// A value that must be there.
    ///
    /// # Errors
    /// No value.
    pub fn need<T>(&self, key: &str, expected: &str, value: Option<T>) -> Result<T, GgufError> {
        value.ok_or_else(|| self.refuse(key, expected, "no such key".into(), AGAIN))
    }

    fn typed<T>(
        &self,
        key: &str,
        expected: &str,
        read: impl Fn(Value<'a>) -> Option<T>,
    ) -> Result<Option<T>, GgufError> {
        let Some(value) = self.get(key) else { return Ok(None) };
        match read(value) {
            Some(read) => Ok(Some(read)),
            None => Err(self.refuse(key, expected, spelled(value), AGAIN)),
        }
    }

    fn list<T>(
        &self,
        key: &str,
        expected: &str,
        read: impl Fn(Value<'a>) -> Option<T>,
    ) -> Result<Option<Vec<T>>, GgufError> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let Value::List(list) = value else {
            return Err(self.refuse(key, expected, spelled(value), AGAIN));
        };
        if list.count > MOST_VALUES {
            return Err(self.refuse(
                key,
                &format!("at most {MOST_VALUES} values"),
                list.count.to_string(),
                AGAIN,
            ));
        }
        let (mut values, mut bytes) = (Vec::new(), 0);
        for (index, value) in list.values().enumerate() {
            let value = value?;
            bytes += if let Value::Text(text) = value { text.len() } else { 0 };
            if bytes > MOST_TEXT {
                let expected = format!("texts of at most {MOST_TEXT} bytes");
                return Err(self.refuse(key, &expected, "more".into(), AGAIN));
            }
            let read = read(value).ok_or_else(|| {
                self.refuse(key, expected, format!("{} at index {index}", spelled(value)), AGAIN)
            })?;
            values.push(read);
        }
        Ok(Some(values))
    }
}
