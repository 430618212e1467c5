//! A file's metadata and tensors, as a family asks for them.

use serde_json::{Map, Value as Json};

use super::{
    directory::Declared,
    error::{AGAIN, GgufError, OTHER},
    metadata::Metadata,
};

/// What is known of a model before its family reads it.
pub(super) struct Source<'a> {
    pub metadata: &'a Metadata<'a>,
    /// Those of all parts.
    pub tensors: &'a [Declared<'a>],
    /// `general.architecture`, which the keys of the family begin with.
    pub architecture: &'static str,
}

impl Source<'_> {
    /// A key of the family.
    pub(super) fn key(&self, name: &str) -> String {
        format!("{}.{name}", self.architecture)
    }

    pub(super) fn has(&self, tensor: &str) -> bool {
        self.tensor(tensor).is_some()
    }

    pub(super) fn tensor(&self, name: &str) -> Option<&Declared<'_>> {
        self.tensors.iter().find(|tensor| tensor.name == name)
    }

    /// A number of the family, if the file has it.
    pub(super) fn number(&self, name: &str) -> Result<Option<f64>, GgufError> {
        self.metadata.number(&self.key(name))
    }

    /// A number that the file must have.
    pub(super) fn need_number(&self, name: &str) -> Result<f64, GgufError> {
        self.metadata.need(&self.key(name), "a number", self.number(name)?)
    }

    /// A size of all layers, if the file has it.
    pub(super) fn size(&self, name: &str) -> Result<Option<u64>, GgufError> {
        self.metadata.count_of_layers(&self.key(name))
    }

    /// A size that the file must have.
    pub(super) fn need_size(&self, name: &str) -> Result<u64, GgufError> {
        let size = self.metadata.need(&self.key(name), "a size", self.size(name)?)?;
        if size == 0 {
            return Err(self.metadata.refuse(&self.key(name), "a size of at least 1", "0".into(), AGAIN));
        }
        Ok(size)
    }

    /// Query heads, and key/value heads: as many where the file does not say.
    pub(super) fn heads(&self) -> Result<(u64, u64), GgufError> {
        let heads = self.need_size("attention.head_count")?;
        Ok((heads, self.size("attention.head_count_kv")?.unwrap_or(heads)))
    }

    /// The width of a head: as the file says, or its share of the stream, if there is one. Values must be as wide.
    pub(super) fn head_width(&self) -> Result<Option<u64>, GgufError> {
        let (width, heads) = (self.need_size("embedding_length")?, self.need_size("attention.head_count")?);
        let given = self.size("attention.key_length")?;
        let share = || width.checked_div(heads).filter(|share| share * heads == width);
        let expected = given.or_else(share);
        let name = "attention.value_length";
        if let (Some(found), Some(expected)) = (self.size(name)?, expected)
            && found != expected
        {
            return Err(self.refuse(name, &format!("the width of a head, {expected}"), found.to_string()));
        }
        Ok(expected)
    }

    /// Components of a head that positions turn: as the file says, or all.
    pub(super) fn turning(&self) -> Result<Option<u64>, GgufError> {
        let turning = self.size("rope.dimension_count")?;
        Ok(turning.or(self.head_width()?))
    }

    /// The number of tokens: as the file says, or else as many as have an embedding.
    pub(super) fn vocabulary(&self) -> Result<u64, GgufError> {
        const EMBEDDING: &str = "token_embd.weight";
        if let Some(given) = self.size("vocab_size")? {
            return Ok(given);
        }
        let rows = self.tensor(EMBEDDING).and_then(|tensor| tensor.shape.first());
        rows.map(|rows| *rows as u64).ok_or_else(|| GgufError::Tensor {
            file: self.metadata.file().to_path_buf(),
            tensor: EMBEDDING.to_string(),
            expected: "it, as it says how many tokens there are".into(),
            found: "no such tensor".into(),
            next: AGAIN,
        })
    }

    /// The error that a key of the family says what is not computed.
    pub(super) fn refuse(&self, name: &str, expected: &str, found: String) -> GgufError {
        self.metadata.refuse(&self.key(name), expected, found, OTHER)
    }
}

/// The keys of a `config.json`, as they are put together.
pub(super) type Config = Map<String, Json>;
