//! Where a tensor lies, and how it is stored there.

use std::{ops::Range, sync::OnceLock};

use crate::gguf::{Encoding, Layout};

/// How a file stores a tensor's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoredAs {
    /// As safetensors does, e.g. `BF16`, `I64`.
    Plain(safetensors::Dtype),
    /// As GGUF does, e.g. `Q4_1`, with its numbers laid out so.
    Blocks(&'static Encoding, Layout),
}

/// Where one tensor lies. Validated: `range` is inside the file and as long as shape and dtype say.
pub(super) struct Place {
    pub(super) name: String,
    pub(super) dtype: StoredAs,
    pub(super) shape: Vec<usize>,
    pub(super) file: usize,
    pub(super) range: Range<usize>,
    /// Of its bytes, once they were hashed.
    pub(super) hash: OnceLock<blake3::Hash>,
}

impl StoredAs {
    /// As the file calls it.
    pub(super) fn name(self) -> String {
        match self {
            StoredAs::Plain(dtype) => dtype.to_string(),
            StoredAs::Blocks(encoding, _) => encoding.name.to_string(),
        }
    }
}

/// The name, and the layout where it is not the usual: all that decides which numbers some bytes are.
impl std::fmt::Display for StoredAs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name())?;
        if let StoredAs::Blocks(_, layout) = self { layout.fmt(f) } else { Ok(()) }
    }
}
