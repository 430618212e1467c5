//! A checkpoint as a format looks at it: the keys of its config, and its tensors by their names' endings.

use std::path::Path;

use safetensors::Dtype;
use serde_json::{Map, Value};

use super::super::{
    error::{AGAIN, CheckpointError, OTHERWISE},
    files::File,
    place::{Place, StoredAs},
};

/// More numbers than a matrix has.
const MOST_ELEMENTS: usize = 1 << 40;

/// What a format reads.
pub(super) struct Source<'a> {
    /// Its name.
    pub(super) method: &'static str,
    /// The config's file.
    pub(super) file: &'a Path,
    /// What the config says of the quantisation.
    pub(super) config: &'a Map<String, Value>,
    pub(super) files: &'a [File],
    /// Sorted by name.
    pub(super) places: &'a [Place],
}

impl<'a> Source<'a> {
    /// The modules that have a tensor of this ending, and its index, by name.
    pub(super) fn modules(&self, ending: &str) -> Vec<(&'a str, usize)> {
        let named = self.places.iter().enumerate();
        named.filter_map(|(index, place)| Some((place.name.strip_suffix(ending)?, index))).collect()
    }

    /// The index of a tensor.
    pub(super) fn part(&self, module: &str, ending: &str) -> Option<usize> {
        let name = format!("{module}{ending}");
        self.places.binary_search_by(|place| place.name.as_str().cmp(&name)).ok()
    }

    /// The index of a tensor that must be there.
    pub(super) fn need(&self, of: usize, module: &str, ending: &str) -> Result<usize, CheckpointError> {
        self.part(module, ending).ok_or_else(|| {
            self.refuse_tensor(
                of,
                format!("the tensor {:?} beside it", format!("{module}{ending}")),
                "none".into(),
            )
        })
    }

    /// A tensor's dtype in its file.
    pub(super) fn dtype(&self, index: usize) -> Option<Dtype> {
        match self.places[index].dtype {
            StoredAs::Plain(dtype) => Some(dtype),
            _ => None,
        }
    }

    pub(super) fn shape(&self, index: usize) -> &'a [usize] {
        &self.places[index].shape
    }

    pub(super) fn bytes(&self, index: usize) -> &'a [u8] {
        let place = &self.places[index];
        &self.files[place.file].bytes()[place.range.clone()]
    }

    /// A tensor's sides, which must be those of a matrix with numbers, stored as one of these.
    pub(super) fn matrix(&self, index: usize, dtypes: &[Dtype]) -> Result<[usize; 2], CheckpointError> {
        self.stored_as(index, dtypes)?;
        match self.shape(index) {
            &[rows, columns] if rows > 0 && columns > 0 => Ok([rows, columns]),
            other => Err(self.refuse_tensor(index, "a matrix".into(), format!("shape {other:?}"))),
        }
    }

    /// Refuses a tensor that is stored as none of these.
    pub(super) fn stored_as(&self, index: usize, dtypes: &[Dtype]) -> Result<Dtype, CheckpointError> {
        let dtype = self.dtype(index).filter(|dtype| dtypes.contains(dtype));
        dtype.ok_or_else(|| {
            let expected: Vec<String> = dtypes.iter().map(ToString::to_string).collect();
            let found = self.places[index].dtype.to_string();
            self.refuse_tensor(index, expected.join(" or "), found)
        })
    }

    /// Refuses a tensor of another shape.
    pub(super) fn shaped(&self, index: usize, shapes: &[&[usize]]) -> Result<(), CheckpointError> {
        if shapes.contains(&self.shape(index)) {
            return Ok(());
        }
        let expected: Vec<String> = shapes.iter().map(|shape| format!("{shape:?}")).collect();
        let found = format!("{:?}", self.shape(index));
        Err(self.refuse_tensor(index, format!("shape {}", expected.join(" or ")), found))
    }

    /// The shape of the weight that a tensor stores in other shape; all that is computed of it stays far from overflow.
    pub(super) fn sized(&self, index: usize, shape: [usize; 2]) -> Result<Vec<usize>, CheckpointError> {
        let elements = shape[0].checked_mul(shape[1]);
        match elements.filter(|elements| (1..=MOST_ELEMENTS).contains(elements)) {
            Some(_) => Ok(shape.to_vec()),
            None => {
                let expected = format!("a weight of 1 to {MOST_ELEMENTS} elements");
                Err(self.refuse_tensor(index, expected, format!("one of shape {shape:?}")))
            }
        }
    }

    /// A whole number of the config, if it is there.
    pub(super) fn count(&self, key: &str) -> Result<Option<i64>, CheckpointError> {
        match self.config.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(found) => {
                found.as_i64().map(Some).ok_or_else(|| self.refuse_key(key, "a whole number", found))
            }
        }
    }

    /// The value of a key, which must be one of these; the first where it is missing.
    pub(super) fn one_of(&self, key: &str, values: &[&'static str]) -> Result<&'static str, CheckpointError> {
        let found = match self.config.get(key) {
            None | Some(Value::Null) => return Ok(values[0]),
            Some(found) => found,
        };
        let text = found.as_str().unwrap_or_default().to_ascii_lowercase();
        let known = values.iter().find(|value| **value == text);
        known.copied().ok_or_else(|| self.refuse_key(key, &values.join(" or "), found))
    }

    /// How many numbers of so many bits fill the words of a row or column.
    pub(super) fn numbers_of(&self, index: usize, words: usize, bits: u32) -> Result<usize, CheckpointError> {
        if (32 * words).is_multiple_of(bits as usize) {
            return Ok(32 * words / bits as usize);
        }
        let found = format!("{words} words of numbers of {bits} bits");
        Err(self.refuse_tensor(index, "whole numbers in its words".into(), found))
    }

    /// The inputs of a group, of which there are so many with a scale each.
    pub(super) fn group_of(
        &self,
        scales: usize,
        inputs: usize,
        groups: usize,
    ) -> Result<usize, CheckpointError> {
        if inputs.is_multiple_of(groups) {
            return Ok(inputs / groups);
        }
        let found = format!("{groups} for {inputs} inputs");
        Err(self.refuse_tensor(scales, "scales of groups of one size".into(), found))
    }

    pub(super) fn refuse_key(&self, key: &str, expected: &str, found: &Value) -> CheckpointError {
        CheckpointError::Quantisation {
            file: self.file.to_path_buf(),
            what: format!("quantisation `{}`, key `{}`", self.method, key.escape_debug()),
            expected: expected.to_string(),
            found: found.to_string(),
            next: OTHERWISE,
        }
    }

    pub(super) fn refuse_tensor(&self, index: usize, expected: String, found: String) -> CheckpointError {
        let place = &self.places[index];
        CheckpointError::Quantisation {
            file: self.files[place.file].path().to_path_buf(),
            what: format!("quantisation `{}`, tensor {:?}", self.method, place.name),
            expected,
            found,
            next: AGAIN,
        }
    }
}
