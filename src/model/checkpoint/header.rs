//! The header of one safetensors file, believed in nothing: 8 bytes of length, JSON, then tensors end to end.
//!
//! The `safetensors` crate defines the format and its dtypes, but its errors name neither expected nor found
//! values and it lets a later duplicate name win silently; so the checks are made here.
//! Format: <https://huggingface.co/docs/safetensors>.

use std::{fmt, ops::Range, path::Path};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};

use super::error::{AGAIN, CheckpointError};

/// One tensor of a header; `range` is in bytes of the whole file.
#[derive(Debug)]
pub(super) struct Declared {
    pub name: String,
    pub dtype: safetensors::Dtype,
    pub shape: Vec<usize>,
    pub range: Range<usize>,
}

/// The limit the reference implementation sets, bytes.
const LONGEST_HEADER: u64 = 100_000_000;

/// The tensors that a file's bytes declare, in the order of their data; every range is inside `bytes`.
pub(super) fn read(file: &Path, bytes: &[u8]) -> Result<Vec<Declared>, CheckpointError> {
    let broken = |expected: String, found: String| CheckpointError::File {
        file: file.to_path_buf(),
        expected,
        found,
        next: AGAIN,
    };
    let Some(length) = bytes.first_chunk::<8>() else {
        return Err(broken("at least 8 bytes of header length".into(), format!("{} bytes", bytes.len())));
    };
    if bytes.starts_with(b"version https://git-lfs") {
        return Err(CheckpointError::File {
            file: file.to_path_buf(),
            expected: "a safetensors file".into(),
            found: "a git-lfs pointer".into(),
            next: "fetch the file itself with `git lfs pull`",
        });
    }
    let length = u64::from_le_bytes(*length);
    let room = bytes.len() as u64 - 8;
    if length > room {
        return Err(broken(
            format!("a header of {length} bytes, as its first 8 bytes say"),
            format!("a file of {} bytes", bytes.len()),
        ));
    }
    if length > LONGEST_HEADER {
        return Err(broken(format!("a header of at most {LONGEST_HEADER} bytes"), format!("{length} bytes")));
    }
    // length <= room < bytes.len(), so it fits.
    let start = 8 + length as usize;
    let header: Header = serde_json::from_slice(&bytes[8..start])
        .map_err(|error| broken("a JSON header of tensors".into(), error.to_string()))?;
    place(file, header.0, start, bytes.len())
}

/// Checks that the tensors lie end to end from `start` to `end`, each as long as its shape and dtype say.
fn place(
    file: &Path,
    mut raw: Vec<(String, RawTensor)>,
    start: usize,
    end: usize,
) -> Result<Vec<Declared>, CheckpointError> {
    let broken = |tensor: &str, expected: String, found: String| CheckpointError::Tensor {
        file: file.to_path_buf(),
        tensor: tensor.to_string(),
        expected,
        found,
        next: AGAIN,
    };
    let data = (end - start) as u64;
    raw.sort_by(|a, b| (a.1.data_offsets, &a.0).cmp(&(b.1.data_offsets, &b.0)));
    let mut declared = Vec::<Declared>::with_capacity(raw.len());
    let mut next = 0;
    for (name, tensor) in raw {
        let RawTensor { dtype, shape, data_offsets: (from, to) } = tensor;
        if from > to || to > data {
            return Err(broken(
                &name,
                format!("data offsets inside the file's {data} bytes of data"),
                format!("[{from}, {to}]"),
            ));
        }
        // Counted with zeros as ones too, so that no product of some dimensions can overflow later on.
        let bits = |floor: usize| {
            shape.iter().try_fold(dtype.bitsize() as u64, |bits, &n| bits.checked_mul(n.max(floor) as u64))
        };
        let size = bits(1).and(bits(0)).filter(|bits| bits % 8 == 0).map(|bits| bits / 8);
        if size != Some(to - from) {
            let expected =
                size.map_or_else(|| "a whole number of bytes below 2^61".into(), |n| format!("{n} bytes"));
            return Err(broken(
                &name,
                format!("{expected} for {dtype} of shape {shape:?}"),
                format!("{} bytes (data offsets [{from}, {to}])", to - from),
            ));
        }
        if from != next {
            let before = declared.last().map_or("the header", |d| d.name.as_str());
            let how = if from < next { "overlapping it" } else { "leaving a hole" };
            return Err(broken(
                &name,
                format!("data from offset {next}, where {before:?} ends"),
                format!("data from {from}, {how}"),
            ));
        }
        next = to;
        declared.push(Declared { name, dtype, shape, range: start + from as usize..start + to as usize });
    }
    if next != data {
        return Err(CheckpointError::File {
            file: file.to_path_buf(),
            expected: format!("{next} bytes of data, as the header says"),
            found: format!("{data} bytes"),
            next: AGAIN,
        });
    }
    Ok(declared)
}

/// Name and tensor in the header's order, duplicates refused, `__metadata__` skipped.
struct Header(Vec<(String, RawTensor)>);

#[derive(Deserialize)]
struct RawTensor {
    dtype: safetensors::Dtype,
    shape: Vec<usize>,
    data_offsets: (u64, u64),
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Header, D::Error> {
        struct Tensors;
        impl<'de> Visitor<'de> for Tensors {
            type Value = Header;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of tensors")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
                let mut tensors = Vec::new();
                let mut seen = std::collections::BTreeSet::new();
                while let Some(name) = map.next_key::<String>()? {
                    if !seen.insert(name.clone()) {
                        return Err(serde::de::Error::custom(format!("the name {name:?} twice")));
                    }
                    if name == "__metadata__" {
                        map.next_value::<IgnoredAny>()?;
                        continue;
                    }
                    let tensor = map
                        .next_value::<RawTensor>()
                        .map_err(|error| serde::de::Error::custom(format!("tensor {name:?} with {error}")))?;
                    tensors.push((name, tensor));
                }
                Ok(Header(tensors))
            }
        }
        deserializer.deserialize_map(Tensors)
    }
}
