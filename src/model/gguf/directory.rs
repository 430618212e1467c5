//! The directory of a GGUF file's tensors, checked against the file: each begins where the one before it, padded, ends.

use std::{collections::BTreeSet, ops::Range, path::Path};

use super::{
    cursor::Cursor,
    encoding::Encoding,
    error::{AGAIN, GgufError},
    metadata::Metadata,
};

/// More tensors than any file has; each takes memory.
const MOST_TENSORS: u64 = 1 << 18;
/// The format says 64.
const LONGEST_NAME: usize = 256;
/// Of the format.
const MOST_DIMENSIONS: u32 = 4;
/// Beyond all files, and as float32 numbers fewer bytes than a size can say.
const MOST_ELEMENTS: u64 = 1 << 60;
/// Where the file does not say.
const ALIGNMENT: u64 = 32;
/// No file asks for more than a page.
const LARGEST_ALIGNMENT: u64 = 1 << 16;

/// One tensor of a file.
#[derive(Clone, Debug)]
pub struct Declared<'a> {
    /// Its name in the file.
    pub name: &'a str,
    /// How its numbers are stored.
    pub encoding: &'static Encoding,
    /// Outermost dimension first; the file has the innermost first.
    pub shape: Vec<usize>,
    /// Bytes of the whole file.
    pub range: Range<usize>,
    /// What lies there.
    pub data: &'a [u8],
    /// The file.
    pub file: &'a Path,
}

/// Reads `count` entries of the file that has these bytes.
pub(super) fn read<'a>(
    cursor: &mut Cursor<'a>,
    metadata: &Metadata<'a>,
    count: u64,
    bytes: &'a [u8],
) -> Result<Vec<Declared<'a>>, GgufError> {
    if count > MOST_TENSORS {
        return Err(GgufError::File {
            file: cursor.file.to_path_buf(),
            expected: format!("at most {MOST_TENSORS} tensors"),
            found: count.to_string(),
            next: AGAIN,
        });
    }
    let alignment = alignment(metadata)?;
    let mut entries = Vec::new();
    let mut names = BTreeSet::new();
    for _ in 0..count {
        let entry = Entry::read(cursor)?;
        if !names.insert(entry.name) {
            return Err(entry.refuse(cursor, "one tensor of this name".into(), "two".into()));
        }
        entries.push(entry);
    }
    // No sum below overflows: a directory lies in the file, and what each tensor adds is checked to.
    let start = (cursor.at() as u64).next_multiple_of(alignment);
    let room = (bytes.len() as u64).saturating_sub(start);
    let (mut next, mut before) = (0, "the directory");
    let mut declared = Vec::new();
    for entry in entries {
        if entry.offset != next {
            let expected = format!("its data at offset {next}, where {before:?} and its padding end");
            return Err(entry.refuse(cursor, expected, format!("offset {}", entry.offset)));
        }
        let end = next.checked_add(entry.size).filter(|end| *end <= room).ok_or_else(|| {
            let expected = format!("{} bytes for {} of shape {:?}", entry.size, entry.encoding, entry.shape);
            entry.refuse(
                cursor,
                expected,
                format!("{} bytes up to the end of the file", room - next.min(room)),
            )
        })?;
        let range = (start + next) as usize..(start + end) as usize;
        next = end.next_multiple_of(alignment);
        before = entry.name;
        let Entry { name, encoding, shape, .. } = entry;
        let data = &bytes[range.clone()];
        declared.push(Declared { name, encoding, shape, range, data, file: cursor.file });
    }
    Ok(declared)
}

fn alignment(metadata: &Metadata<'_>) -> Result<u64, GgufError> {
    const KEY: &str = "general.alignment";
    let found = metadata.count(KEY)?.unwrap_or(ALIGNMENT);
    if found.is_power_of_two() && found <= LARGEST_ALIGNMENT {
        return Ok(found);
    }
    let expected = format!("a power of two up to {LARGEST_ALIGNMENT}");
    Err(metadata.refuse(KEY, &expected, found.to_string(), AGAIN))
}

/// What one entry says, by itself.
struct Entry<'a> {
    name: &'a str,
    encoding: &'static Encoding,
    shape: Vec<usize>,
    /// Bytes of data.
    size: u64,
    offset: u64,
}

impl<'a> Entry<'a> {
    fn read(cursor: &mut Cursor<'a>) -> Result<Entry<'a>, GgufError> {
        let name = cursor.name("the name of a tensor", LONGEST_NAME)?;
        let refuse = |cursor: &Cursor<'_>, expected: String, found: String| {
            refused(cursor, name, expected, found, AGAIN)
        };
        let dimensions = cursor.u32(name)?;
        if !(1..=MOST_DIMENSIONS).contains(&dimensions) {
            let expected = format!("1 to {MOST_DIMENSIONS} dimensions");
            return Err(refuse(cursor, expected, dimensions.to_string()));
        }
        let mut sizes = Vec::new();
        for _ in 0..dimensions {
            sizes.push(cursor.u64(name)?);
        }
        let id = cursor.u32(name)?;
        let offset = cursor.u64(name)?;
        let encoding = Encoding::of(id).ok_or_else(|| {
            let known = "a type that is known".to_string();
            refused(cursor, name, known, format!("type {id}"), "use a file that stores it in another type")
        })?;
        let row = sizes[0]; // at least one
        if sizes.contains(&0) || !row.is_multiple_of(encoding.elements as u64) {
            let expected = format!("rows of whole {encoding} blocks of {} elements", encoding.elements);
            return Err(refuse(cursor, expected, format!("dimensions {sizes:?}, the first that of a row")));
        }
        let elements = sizes.iter().try_fold(1u64, |count, &n| count.checked_mul(n));
        let bytes = |count: u64| (count / encoding.elements as u64).checked_mul(encoding.bytes as u64);
        let Some(size) = elements.filter(|count| *count <= MOST_ELEMENTS).and_then(bytes) else {
            let expected = format!("at most {MOST_ELEMENTS} elements");
            return Err(refuse(cursor, expected, format!("dimensions {sizes:?}")));
        };
        let shape = sizes.iter().rev().map(|&n| n as usize).collect();
        Ok(Entry { name, encoding, shape, size, offset })
    }

    fn refuse(&self, cursor: &Cursor<'_>, expected: String, found: String) -> GgufError {
        refused(cursor, self.name, expected, found, AGAIN)
    }
}

fn refused(
    cursor: &Cursor<'_>,
    tensor: &str,
    expected: String,
    found: String,
    next: &'static str,
) -> GgufError {
    GgufError::Tensor { file: cursor.file.to_path_buf(), tensor: tensor.to_string(), expected, found, next }
}
