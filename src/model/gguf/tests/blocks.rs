//! Every type against the `gguf` package, on the random blocks of `scripts/reference/make_gguf.py`.

use std::{collections::BTreeMap, fs, path::Path};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::super::Encoding;

#[derive(Deserialize)]
struct Golden {
    count: usize,
    types: BTreeMap<String, Numbers>,
}

#[derive(Deserialize)]
struct Numbers {
    sha256: String,
    /// Of the first two blocks, eight hexadecimal digits each.
    first: String,
}

/// The next bytes of Steele et al. 2014, the lowest of each number first.
pub(super) fn random_bytes(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed;
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// A NaN's sign and payload follow from the order of operands, which a processor may choose.
fn canonical(number: f32) -> u32 {
    if number.is_nan() { 0x7fc0_0000 } else { number.to_bits() }
}

#[test]
fn every_type_is_dequantised_as_by_the_reference_bit_for_bit() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/goldens/gguf/blocks.json");
    let golden: Golden = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let known: Vec<&str> = Encoding::all().filter(|one| one.holds_weights()).map(|one| one.name).collect();
    assert_eq!(golden.types.len(), known.len(), "{known:?}");
    for id in 0..=64 {
        let Some(encoding) = Encoding::of(id).filter(|encoding| encoding.holds_weights()) else { continue };
        let expected = &golden.types[encoding.name];
        let size = golden.count * encoding.bytes;
        let mut next = random_bytes(u64::from(id));
        let mut blocks = Vec::new();
        while blocks.len() < size {
            blocks.extend(next().to_le_bytes());
        }
        let mut numbers = vec![0.0; golden.count * encoding.elements];
        encoding.decode(&blocks[..size], &mut numbers);
        let bits: Vec<u32> = numbers.into_iter().map(canonical).collect();
        let first = expected.first.as_bytes().as_chunks::<8>().0;
        for (i, (found, expected)) in bits.iter().zip(first).enumerate() {
            let expected = u32::from_str_radix(std::str::from_utf8(expected).unwrap(), 16).unwrap();
            let as_float = (f32::from_bits(*found), f32::from_bits(expected));
            assert_eq!(*found, expected, "{encoding} element {i}: {as_float:?}");
        }
        let bytes: Vec<u8> = bits.iter().flat_map(|bits| bits.to_le_bytes()).collect();
        let found: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(found, expected.sha256, "{encoding}: all {} blocks", golden.count);
    }
}
