//! Where a tensor lies, and how it is stored there.

use std::{ops::Range, sync::OnceLock};

use safetensors::Dtype;

use super::quantised::{Rows, Scheme};
use crate::gguf::{Encoding, Layout};

/// How a file stores a tensor's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoredAs {
    /// As safetensors does, e.g. `BF16`, `I64`.
    Plain(Dtype),
    /// As GGUF does, e.g. `Q4_1`, with its numbers laid out so.
    Blocks(&'static Encoding, Layout),
    /// As a method of quantisation does, in several tensors, e.g. `gptq-4bit`.
    Quantised(Scheme),
}

/// Where one tensor lies. Validated: `range` is inside the file and as long as shape and dtype say; of a weight that several
/// tensors store, it is that of the first.
pub(super) struct Place {
    pub(super) name: String,
    pub(super) dtype: StoredAs,
    pub(super) shape: Vec<usize>,
    pub(super) file: usize,
    pub(super) range: Range<usize>,
    /// Of its bytes, once they were hashed.
    pub(super) hash: OnceLock<blake3::Hash>,
    /// The tensors that store it, where these are several.
    pub(super) parts: Option<Box<Parts>>,
}

impl Place {
    /// A tensor that a file lists.
    pub(super) fn new(
        name: String,
        dtype: StoredAs,
        shape: Vec<usize>,
        file: usize,
        range: Range<usize>,
    ) -> Place {
        Place { name, dtype, shape, file, range, hash: OnceLock::new(), parts: None }
    }

    /// The tensors of files that this is: itself, or those that store it.
    pub(super) fn stored(&self) -> &[Place] {
        self.parts.as_ref().map_or(std::slice::from_ref(self), |parts| &parts.places)
    }

    /// Whether this is a weight as its bytes lie.
    pub(super) fn is_plain_weight(&self) -> bool {
        matches!(self.dtype, StoredAs::Plain(Dtype::F32 | Dtype::F16 | Dtype::BF16))
    }
}

impl StoredAs {
    /// As the file calls it.
    pub(super) fn name(self) -> String {
        match self {
            StoredAs::Plain(dtype) => dtype.to_string(),
            StoredAs::Blocks(encoding, _) => encoding.name.to_string(),
            StoredAs::Quantised(scheme) => scheme.to_string(),
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

/// The tensors that store a weight, and how its rows follow from them.
pub(super) struct Parts {
    pub(super) places: Vec<Place>,
    pub(super) rows: Box<dyn Rows>,
}

impl Parts {
    /// All that decides the numbers besides the bytes of the parts.
    pub(super) fn says(&self) -> String {
        self.rows.says()
    }
}
