//! Mutations of safetensors files: of the header as JSON, of its length, of the data.

use rand::{RngExt, rngs::ChaCha8Rng};
use serde_json::Value;

use super::{json, number};

/// Header and data of a file.
pub(super) fn parts(file: &[u8]) -> Option<(Value, Vec<u8>)> {
    let (length, rest) = file.split_first_chunk::<8>()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    let (header, data) = rest.split_at_checked(length)?;
    Some((serde_json::from_slice(header).ok()?, data.to_vec()))
}

/// A file of this header.
pub(super) fn file(header: &Value, data: &[u8]) -> Vec<u8> {
    let text = header.to_string();
    [&(text.len() as u64).to_le_bytes(), text.as_bytes(), data].concat()
}

/// A file of a changed header, mostly with a length that fits.
pub(super) fn mutate(header: &Value, data: &[u8], values: &[Value], rng: &mut ChaCha8Rng) -> Vec<u8> {
    let text = match rng.random_range(0..10) {
        0 => header.to_string(),
        _ => json::mutate(header, values, rng).to_string(),
    };
    let length = match rng.random_range(0..10) {
        0 => number(rng),
        1 => (text.len() as u64).wrapping_add(rng.random_range(0..9)).wrapping_sub(4),
        _ => text.len() as u64,
    };
    let kept = match rng.random_range(0..10) {
        0 => rng.random_range(0..=data.len()),
        _ => data.len(),
    };
    [&length.to_le_bytes(), text.as_bytes(), &data[..kept]].concat()
}
