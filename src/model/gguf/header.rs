//! The header of one GGUF file: magic, version, metadata, directory of tensors.

use std::path::Path;

use super::{
    cursor::Cursor,
    directory::{self, Declared},
    error::{AGAIN, GgufError},
    metadata::Metadata,
};

/// The first bytes of every GGUF file.
pub const MAGIC: &[u8; 4] = b"GGUF";

/// What a file's bytes declare; every range lies inside the file.
pub struct Header<'a> {
    /// 2 or 3, which differ in nothing that is read.
    pub version: u32,
    /// The keys and their values.
    pub metadata: Metadata<'a>,
    /// The tensors, in the order of their data.
    pub tensors: Vec<Declared<'a>>,
}

impl<'a> Header<'a> {
    /// Reads the header of a file whose bytes these are.
    ///
    /// # Errors
    /// Bytes that are no GGUF of version 2 or 3, or that contradict themselves.
    pub fn read(file: &'a Path, bytes: &'a [u8]) -> Result<Header<'a>, GgufError> {
        let refuse = |expected: &str, found: String, next| GgufError::File {
            file: file.to_path_buf(),
            expected: expected.to_string(),
            found,
            next,
        };
        if bytes.starts_with(b"version https://git-lfs") {
            let next = "fetch the file itself with `git lfs pull`";
            return Err(refuse("a GGUF file", "a git-lfs pointer".into(), next));
        }
        if !bytes.starts_with(MAGIC) {
            let found = match &bytes[..bytes.len().min(MAGIC.len())] {
                [] => "an empty file".to_string(),
                start => format!("\"{}\"", start.escape_ascii()),
            };
            return Err(refuse("a GGUF file, which begins with \"GGUF\"", found, AGAIN));
        }
        let mut cursor = Cursor::new(file, bytes);
        cursor.take(MAGIC.len() as u64, "magic")?;
        let version = cursor.u32("the version")?;
        if !(2..=3).contains(&version) {
            let (found, next) = match version {
                1 => ("version 1".to_string(), "write it anew with a llama.cpp of late 2023 or newer"),
                _ if (1..=3).contains(&version.swap_bytes()) => {
                    ("a file for big-endian machines".to_string(), "download the usual, little-endian file")
                }
                _ => (format!("version {version}"), "use a file of version 3"),
            };
            return Err(refuse("GGUF of version 2 or 3", found, next));
        }
        let tensors = cursor.u64("the number of tensors")?;
        let keys = cursor.u64("the number of keys")?;
        let metadata = Metadata::read(&mut cursor, keys)?;
        let tensors = directory::read(&mut cursor, &metadata, tensors, bytes)?;
        Ok(Header { version, metadata, tensors })
    }
}
