//! Mutations that know the format: most inputs get past the first check of a parser, so that its depths are tried too.

mod archive;
mod bytes;
mod http;
mod json;
mod protobuf;
mod quantised;
mod safetensors;
mod text;

use rand::{RngExt, rngs::ChaCha8Rng};
use serde_json::Value;

use archive::Archive;
use protobuf::Message;
use quantised::Module;
pub(crate) use quantised::{beginning_with, input as input_of, parts as parts_of};

/// How inputs are spelt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Nothing is known but that numbers are varints or little-endian, and that a footer is at the end.
    Bytes,
    /// Likewise, but what counts is in so many bytes at the beginning.
    Head(usize),
    /// Lines and words: TOML, CSV.
    Text,
    Json,
    /// The length of a JSON header, the header, data.
    Safetensors,
    /// The length of a config, the config, a file in safetensors.
    Quantised,
    /// A zip archive of members that are not compressed.
    Archive,
    /// Fields of the wire format of protocol buffers.
    Protobuf,
    /// A byte that says which request is answered, and the answer.
    Http,
}

/// The seeds of a target, taken apart once.
pub(crate) struct Seeds {
    format: Format,
    seeds: Vec<Seed>,
    /// Objects, lists, texts and numbers of all seeds, to be put elsewhere.
    values: Vec<Value>,
}

enum Seed {
    Bytes(Vec<u8>),
    Json(Value),
    Safetensors(Value, Vec<u8>),
    Quantised(Module),
    Archive(Archive),
    Protobuf(Message),
}

impl Seeds {
    pub(crate) fn new(format: Format, seeds: &[Vec<u8>]) -> Seeds {
        let seeds: Vec<Seed> = seeds.iter().map(|seed| Seed::of(format, seed)).collect();
        let mut values = Vec::new();
        for seed in &seeds {
            match seed {
                Seed::Json(value) | Seed::Safetensors(value, _) => json::parts(value, &mut values),
                Seed::Quantised(module) => json::parts(module.config(), &mut values),
                _ => {}
            }
        }
        Seeds { format, seeds, values }
    }

    /// A mutation of the seed at a place.
    pub(crate) fn mutate(&self, at: usize, rng: &mut ChaCha8Rng) -> Vec<u8> {
        let other = &self.seeds[rng.random_range(0..self.seeds.len())];
        let mut mutated = match &self.seeds[at] {
            Seed::Json(value) => json::mutate(value, &self.values, rng).to_string().into_bytes(),
            Seed::Safetensors(header, data) => safetensors::mutate(header, data, &self.values, rng),
            Seed::Quantised(module) => module.mutate(&self.values, rng),
            Seed::Archive(archive) => archive.mutate(rng),
            Seed::Protobuf(message) => {
                let other = if let Seed::Protobuf(other) = other { other } else { message };
                protobuf::mutate(message, other, rng)
            }
            Seed::Bytes(bytes) => {
                let other = if let Seed::Bytes(other) = other { other } else { bytes };
                match self.format {
                    Format::Text | Format::Json => text::mutate(bytes, other, rng),
                    Format::Http => http::mutate(bytes, other, rng),
                    Format::Head(head) => bytes::mutate_head(bytes, head, rng),
                    _ => bytes::mutate(bytes, other, rng),
                }
            }
        };
        if rng.random_range(0..16) == 0 {
            mutated = bytes::mutate(&mutated, &mutated.clone(), rng);
        }
        mutated
    }
}

impl Seed {
    fn of(format: Format, seed: &[u8]) -> Seed {
        let whole = || Seed::Bytes(seed.to_vec());
        match format {
            Format::Json => serde_json::from_slice(seed).map_or_else(|_| whole(), Seed::Json),
            Format::Safetensors => match safetensors::parts(seed) {
                Some((header, data)) => Seed::Safetensors(header, data),
                None => whole(),
            },
            Format::Quantised => Module::of(seed).map_or_else(whole, Seed::Quantised),
            Format::Archive => Archive::of(seed).map_or_else(whole, Seed::Archive),
            Format::Protobuf => Message::of(seed, 0).map_or_else(whole, Seed::Protobuf),
            Format::Bytes | Format::Head(_) | Format::Text | Format::Http => whole(),
        }
    }
}

/// A file in protocol buffers without the long fields that are weights.
pub(crate) fn without_weights(file: &[u8]) -> Vec<u8> {
    Message::of(file, 0).map_or_else(|| file.to_vec(), |message| message.bytes())
}

/// Whole numbers at which something overflows or begins.
pub(super) fn number(rng: &mut ChaCha8Rng) -> u64 {
    const EDGES: [u64; 9] =
        [0, 1, 7, 255, 65_535, 1 << 20, i32::MAX as u64, u32::MAX as u64, i64::MAX as u64];
    match rng.random_range(0..4) {
        0 => rng.random_range(0..20),
        1 => 1 << rng.random_range(0..64),
        2 => u64::MAX - rng.random_range(0..4),
        _ => EDGES[rng.random_range(0..EDGES.len())].wrapping_add(rng.random_range(0..3)).wrapping_sub(1),
    }
}
