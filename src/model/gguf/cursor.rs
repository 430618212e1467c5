//! A place in the bytes of a file, from which nothing is read that is not there.

use std::path::Path;

use super::error::{AGAIN, GgufError};

/// Reads little-endian numbers and texts one after another.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    pub file: &'a Path,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// The start of a file.
    pub(super) fn new(file: &'a Path, bytes: &'a [u8]) -> Cursor<'a> {
        Cursor { file, bytes, at: 0 }
    }

    /// Bytes from the start.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Bytes that are left.
    pub(super) fn left(&self) -> u64 {
        (self.bytes.len() - self.at) as u64
    }

    /// The next `count` bytes, which hold `what`.
    pub(super) fn take(&mut self, count: u64, what: &str) -> Result<&'a [u8], GgufError> {
        if count > self.left() {
            return Err(GgufError::File {
                file: self.file.to_path_buf(),
                expected: format!("{count} bytes of {what} from offset {}", self.at),
                found: format!("{} bytes up to the end of the file", self.left()),
                next: AGAIN,
            });
        }
        let start = self.at;
        self.at += count as usize; // at most what is left
        Ok(&self.bytes[start..self.at])
    }

    /// The next bytes as an array.
    fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N], GgufError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N as u64, what)?);
        Ok(array)
    }

    pub(super) fn u32(&mut self, what: &str) -> Result<u32, GgufError> {
        self.array(what).map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self, what: &str) -> Result<u64, GgufError> {
        self.array(what).map(u64::from_le_bytes)
    }

    /// The bytes of a text after its length.
    pub(super) fn text(&mut self, what: &str) -> Result<&'a [u8], GgufError> {
        let length = self.u64(what)?;
        self.take(length, what)
    }

    /// A name of at most `longest` bytes.
    pub(super) fn name(&mut self, what: &str, longest: usize) -> Result<&'a str, GgufError> {
        let at = self.at;
        let refuse = |expected: String, found: String| GgufError::File {
            file: self.file.to_path_buf(),
            expected: format!("{what} of {expected} at offset {at}"),
            found,
            next: AGAIN,
        };
        let mut ahead = *self;
        let length = ahead.u64(what)?;
        if length == 0 || length > longest as u64 {
            return Err(refuse(format!("1 to {longest} bytes"), format!("{length} bytes")));
        }
        let bytes = ahead.take(length, what)?;
        let name = std::str::from_utf8(bytes).map_err(|error| refuse("UTF-8".into(), error.to_string()))?;
        *self = ahead;
        Ok(name)
    }
}
