//! One value of the metadata of a GGUF file, checked to lie inside the file when it is read.

use std::path::Path;

use super::{
    cursor::Cursor,
    error::{AGAIN, GgufError},
};

/// Kinds of values.
pub(super) const SINGLE: u32 = 6;
pub(super) const DOUBLE: u32 = 12;
/// Lists of lists of lists; files have lists of numbers and texts.
const DEEPEST: u32 = 4;

/// One value.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// Any unsigned integer.
    Unsigned(u64),
    /// Any signed integer.
    Signed(i64),
    /// float32.
    Single(f32),
    /// float64.
    Double(f64),
    /// True or false.
    Flag(bool),
    /// The bytes of a text, not yet known to be UTF-8.
    Text(&'a [u8]),
    /// A list of values of one kind.
    List(List<'a>),
}

/// A list where it lies in the file; its values are known to be there.
#[derive(Clone, Copy)]
pub struct List<'a> {
    pub(super) kind: u32,
    pub(super) count: u64,
    pub(super) start: Cursor<'a>,
}

impl std::fmt::Debug for List<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a list of {} values", self.count)
    }
}

impl<'a> List<'a> {
    /// Every value, in order.
    pub(super) fn values(&self) -> impl Iterator<Item = Result<Value<'a>, GgufError>> + use<'a> {
        let List { kind, count, mut start } = *self;
        (0..count).map(move |_| read(&mut start, kind, "", 0))
    }
}

/// A value as messages show it.
pub(super) fn spelled(value: Value<'_>) -> String {
    const LONGEST: usize = 80;
    match value {
        Value::Unsigned(number) => number.to_string(),
        Value::Signed(number) => number.to_string(),
        Value::Single(number) => number.to_string(),
        Value::Double(number) => number.to_string(),
        Value::Flag(flag) => flag.to_string(),
        Value::Text(bytes) if bytes.len() > LONGEST => format!("a text of {} bytes", bytes.len()),
        Value::Text(bytes) => format!("\"{}\"", bytes.escape_ascii()),
        Value::List(list) => format!("{list:?}"),
    }
}

/// A whole number that is not below zero.
pub(super) fn whole(value: Value<'_>) -> Option<u64> {
    match value {
        Value::Unsigned(number) => Some(number),
        Value::Signed(number) => u64::try_from(number).ok(),
        _ => None,
    }
}

/// A text in UTF-8.
pub(super) fn text<'a>(value: Value<'a>) -> Option<&'a str> {
    if let Value::Text(bytes) = value { std::str::from_utf8(bytes).ok() } else { None }
}

/// The error that a key does not say what is expected of it.
pub(super) fn refused(
    file: &Path,
    key: &str,
    expected: String,
    found: String,
    next: &'static str,
) -> GgufError {
    GgufError::Key { file: file.to_path_buf(), key: key.to_string(), expected, found, next }
}

/// Reads one value of this kind; of a list, checks that its values are there.
pub(super) fn read<'a>(
    cursor: &mut Cursor<'a>,
    kind: u32,
    key: &str,
    depth: u32,
) -> Result<Value<'a>, GgufError> {
    let refuse = |cursor: &Cursor<'_>, expected: String, found: String| {
        refused(cursor.file, key, expected, found, AGAIN)
    };
    if let Some(size) = fixed_size(kind) {
        let bytes = cursor.take(size, key)?;
        let mut eight = [0; 8];
        eight[..bytes.len()].copy_from_slice(bytes);
        let unsigned = u64::from_le_bytes(eight);
        // Moved up to the sign and back.
        let signed = || (unsigned << (64 - 8 * size)) as i64 >> (64 - 8 * size);
        return Ok(match kind {
            1 | 3 | 5 | 11 => Value::Signed(signed()),
            SINGLE => Value::Single(f32::from_bits(unsigned as u32)),
            DOUBLE => Value::Double(f64::from_bits(unsigned)),
            7 if unsigned > 1 => {
                return Err(refuse(cursor, "0 or 1 for false or true".into(), unsigned.to_string()));
            }
            7 => Value::Flag(unsigned == 1),
            _ => Value::Unsigned(unsigned),
        });
    }
    match kind {
        8 => Ok(Value::Text(cursor.text(key)?)),
        9 if depth < DEEPEST => {
            let kind = cursor.u32(key)?;
            let count = cursor.u64(key)?;
            let start = *cursor;
            match fixed_size(kind) {
                Some(size) => {
                    let length = count.checked_mul(size).ok_or_else(|| {
                        refuse(cursor, "a list inside the file".into(), format!("{count} values"))
                    })?;
                    cursor.take(length, key)?;
                    if kind == 7 && cursor_flags(start, length, key)?.iter().any(|flag| *flag > 1) {
                        let expected = "0 or 1 for false or true".to_string();
                        return Err(refuse(cursor, expected, "another byte in the list".into()));
                    }
                }
                // Each takes 8 bytes of the file at least, so this ends.
                None => {
                    for _ in 0..count {
                        read(cursor, kind, key, depth + 1)?;
                    }
                }
            }
            Ok(Value::List(List { kind, count, start }))
        }
        9 => Err(refuse(cursor, format!("lists at most {DEEPEST} deep"), "a deeper one".into())),
        _ => Err(refuse(cursor, "a kind of value from 0 to 12".into(), format!("kind {kind}"))),
    }
}

fn cursor_flags<'a>(mut start: Cursor<'a>, length: u64, key: &str) -> Result<&'a [u8], GgufError> {
    start.take(length, key)
}

/// Bytes of a value of this kind, where all have as many.
pub(super) fn fixed_size(kind: u32) -> Option<u64> {
    match kind {
        0 | 1 | 7 => Some(1),
        2 | 3 => Some(2),
        4..=6 => Some(4),
        10..=12 => Some(8),
        _ => None,
    }
}
