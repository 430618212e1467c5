//! Pickled weights, `pytorch_model.bin`: a zip archive of torch whose pickle names tensors, and whose members hold their numbers.
//!
//! No code runs: `machine` knows only what builds a dictionary of tensors, and refuses everything else by its name. Numbers are
//! read where they lie in the mapped file. `rawzip` finds the members without copying, and depends on nothing.

mod machine;
mod value;

use std::{collections::BTreeMap, ops::Range, path::Path};

use rawzip::{CompressionMethod, ZipArchive};

use super::{
    error::CheckpointError,
    place::{Place, StoredAs},
};
use machine::tensors;
use value::Tensor;

/// The weights in one file.
pub(super) const SINGLE: &str = "pytorch_model.bin";
/// The shard of each tensor.
pub(super) const INDEX: &str = "pytorch_model.bin.index.json";
/// Bytes of a pickle, at most: of names and shapes.
const LONGEST: usize = 32 << 20;
/// More members than an archive of weights has.
const MOST_MEMBERS: usize = 1 << 20;
const CONVERT: &str =
    "download the model's safetensors files, or convert it with transformers' save_pretrained";
const AGAIN: &str = "download the file again";

/// The tensors of a file whose bytes these are, which is the one of this number among those of a checkpoint.
pub(super) fn read(path: &Path, bytes: &[u8], file: usize) -> Result<Vec<Place>, CheckpointError> {
    let refuse = |expected: &str, found: String, next| CheckpointError::File {
        file: path.to_path_buf(),
        expected: expected.to_string(),
        found,
        next,
    };
    if bytes.starts_with(b"version https://git-lfs") {
        let next = "fetch the file itself with `git lfs pull`";
        return Err(refuse("weights of torch", "a git-lfs pointer".into(), next));
    }
    if !bytes.starts_with(b"PK") {
        // A bare pickle begins with its protocol.
        let found = match bytes.first() {
            Some(0x80) => "a pickle, as torch wrote before version 1.6".to_string(),
            _ => format!("bytes that begin with \"{}\"", bytes[..bytes.len().min(4)].escape_ascii()),
        };
        return Err(refuse("a zip archive of torch", found, CONVERT));
    }
    let members = members(bytes).map_err(|found| refuse("a zip archive of torch", found, AGAIN))?;
    let pickles: Vec<&str> = members.keys().filter_map(|name| name.strip_suffix("data.pkl")).collect();
    let [folder] = pickles[..] else {
        return Err(refuse("one member data.pkl", format!("{} of them", pickles.len()), CONVERT));
    };
    if let Some(order) = members.get(&format!("{folder}byteorder"))
        && bytes[order.clone()] != *b"little"
    {
        let found = format!("\"{}\"", bytes[order.clone()][..order.len().min(16)].escape_ascii());
        return Err(refuse("numbers with the lowest byte first", found, CONVERT));
    }
    let pickle = &bytes[members[&format!("{folder}data.pkl")].clone()];
    if pickle.len() > LONGEST {
        return Err(refuse("a pickle of names and shapes", format!("{} bytes", pickle.len()), CONVERT));
    }
    let found = tensors(pickle).map_err(|found| refuse("a pickled dictionary of tensors", found, CONVERT))?;
    let mut places = Vec::new();
    for (name, tensor) in found {
        let place = place(&members, folder, &tensor).map_err(|(expected, found, next)| {
            let (file, tensor) = (path.to_path_buf(), name.to_string());
            CheckpointError::Tensor { file, tensor, expected, found, next }
        })?;
        let Tensor { dtype, shape, .. } = tensor;
        places.push(Place::new(name.to_string(), StoredAs::Plain(dtype), shape, file, place));
    }
    Ok(places)
}

/// The members of an archive, none of them compressed.
fn members(bytes: &[u8]) -> Result<BTreeMap<String, Range<usize>>, String> {
    let archive = ZipArchive::from_slice(bytes).map_err(|error| error.to_string())?;
    let mut members = BTreeMap::new();
    let mut entries = archive.entries();
    while let Some(entry) = entries.next_entry().map_err(|error| error.to_string())? {
        let name = String::from_utf8(entry.file_path().as_bytes().to_vec())
            .map_err(|_| "a member whose name is no text".to_string())?;
        if entry.compression_method() != CompressionMethod::STORE {
            return Err(format!("the compressed member {name:?}"));
        }
        let found =
            archive.get_entry(entry.wayfinder()).map_err(|error| format!("member {name:?}: {error}"))?;
        let (start, end) = found.compressed_data_range();
        let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
        let Some((start, end)) = range.filter(|(start, end)| start <= end && *end <= bytes.len()) else {
            return Err(format!("member {name:?} beyond the end of the file"));
        };
        if members.len() == MOST_MEMBERS || members.insert(name.clone(), start..end).is_some() {
            return Err(format!("member {name:?} once more, or one too many"));
        }
    }
    Ok(members)
}

/// Where a tensor's numbers lie; else what was expected, what was found, and what helps.
fn place(
    members: &BTreeMap<String, Range<usize>>,
    folder: &str,
    tensor: &Tensor,
) -> Result<Range<usize>, (String, String, &'static str)> {
    let Tensor { dtype, key, offset, shape, strides } = tensor;
    let mut contiguous = 1usize;
    let mut one_by_one = shape.len() == strides.len();
    for (side, stride) in shape.iter().zip(strides).rev() {
        one_by_one &= *side <= 1 || *stride == contiguous;
        // Counted with zeros as ones too, so that no product of some sides can overflow later on.
        let all = contiguous.checked_mul((*side).max(1)).filter(|all| *all <= 1 << 56);
        contiguous = all.ok_or_else(|| ("fewer elements".into(), format!("shape {shape:?}"), AGAIN))?;
    }
    if !one_by_one {
        let found = format!("strides {strides:?} of shape {shape:?}");
        return Err(("rows that follow each other in the file".into(), found, CONVERT));
    }
    let member = format!("{folder}data/{key}");
    let Some(range) = members.get(&member) else {
        return Err((format!("its numbers in member {member:?}"), "no such member".into(), AGAIN));
    };
    let size = dtype.bitsize() / 8;
    let elements: usize = shape.iter().product();
    let end = offset.checked_add(elements).and_then(|end| end.checked_mul(size));
    match end.filter(|end| *end <= range.len()) {
        Some(end) => Ok(range.start + offset * size..range.start + end),
        None => {
            let found = format!("{} bytes", range.len());
            Err((format!("{elements} elements from {offset} on in member {member:?}"), found, AGAIN))
        }
    }
}
