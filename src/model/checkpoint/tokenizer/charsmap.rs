//! The `precompiled_charsmap` of a SentencePiece normalizer: which characters it replaces by which.
//!
//! Bytes: length of the trie (u32, little-endian), the trie (u32 units of a double array), texts that end with a zero each.
//! Layout and walk follow `spm_precompiled`, which believes the length and follows the units out of the array.

use base64::{Engine, engine::general_purpose::STANDARD};

/// Units of the largest trie that is read; that of NFKC with case folding has some 60 thousand.
const MOST_UNITS: usize = 1 << 18;
/// Bytes of the longest text that is looked up at once: a character, or several that make one sign.
const LONGEST_KEY: usize = 5;

/// Checks that no text leads out of a charsmap (in base64), and gives how many times as long it can make one.
///
/// # Errors
/// What is wrong with it.
pub(super) fn growth(text: &str) -> Result<u64, String> {
    let bytes = STANDARD.decode(text).map_err(|error| format!("no base64 ({error})"))?;
    let (length, rest) = bytes.split_first_chunk::<4>().ok_or("fewer than 4 bytes")?;
    let length = u32::from_le_bytes(*length) as usize / 4 * 4;
    let (trie, texts) =
        rest.split_at_checked(length).ok_or_else(|| format!("a trie of {length} bytes in {}", rest.len()))?;
    let units: Vec<Unit> = trie.as_chunks().0.iter().map(|bytes| Unit(u32::from_le_bytes(*bytes))).collect();
    if units.is_empty() || units.len() > MOST_UNITS {
        return Err(format!("a trie of {} units", units.len()));
    }
    let texts = str::from_utf8(texts).map_err(|_| "texts that are not UTF-8")?;
    walk(&units, texts)
}

/// Looks at all units that some key leads to, key length by key length.
fn walk(units: &[Unit], texts: &str) -> Result<u64, String> {
    let mut most = 1;
    let mut nodes = vec![units[0].offset()];
    for length in 1..=LONGEST_KEY {
        let mut next = Vec::new();
        for node in nodes {
            // Every byte of a key is looked up, whether the trie knows it or not.
            if node | 0xff >= units.len() {
                return Err(format!("unit {} in a trie of {}", node | 0xff, units.len()));
            }
            for byte in 1..=0xff {
                let unit = units[node ^ byte];
                if unit.label() != byte {
                    continue;
                }
                let child = node ^ byte ^ unit.offset();
                next.push(child);
                if unit.has_value() {
                    let value = units.get(child).map(|unit| unit.value());
                    let found = value.and_then(|at| texts.get(at..));
                    let found =
                        found.ok_or_else(|| format!("a text at {value:?} in {} bytes", texts.len()))?;
                    let replacement = found.split('\0').next().unwrap_or(found);
                    most = most.max(replacement.len().div_ceil(length) as u64);
                }
            }
        }
        next.sort_unstable();
        next.dedup();
        nodes = next;
    }
    Ok(most)
}

/// One unit of a double array. Source: `include/darts.h` of Darts-clone, `DoubleArrayUnit`.
#[derive(Clone, Copy)]
struct Unit(u32);

impl Unit {
    fn has_value(self) -> bool {
        self.0 >> 8 & 1 == 1
    }

    fn value(self) -> usize {
        (self.0 & 0x7fff_ffff) as usize
    }

    /// Equal to no byte where the unit is a value.
    fn label(self) -> usize {
        (self.0 & 0x8000_00ff) as usize
    }

    fn offset(self) -> usize {
        ((self.0 >> 10) as usize) << ((self.0 & 1 << 9) >> 6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A map of one key, `a`, to a text at a place.
    fn charsmap(at: u32, texts: &str) -> Vec<u8> {
        let mut units = [0u32; 512];
        units[0] = 256 << 10;
        units[256 ^ b'a' as usize] = b'a' as u32 | 1 << 8 | (b'a' as u32) << 10;
        units[256] = at;
        let units = units.iter().flat_map(|unit| unit.to_le_bytes());
        2048u32.to_le_bytes().into_iter().chain(units).chain(texts.bytes()).collect()
    }

    fn of(bytes: &[u8]) -> Result<u64, String> {
        growth(&STANDARD.encode(bytes))
    }

    #[test]
    fn a_sound_map_is_as_long_as_its_longest_text() {
        assert_eq!(of(&charsmap(0, "bcd\0")), Ok(3));
        assert_eq!(of(&charsmap(2, "bcd\0")), Ok(1));
        assert_eq!(of(&charsmap(4, "bcd\0ä\0")), Ok(2));
        assert_eq!(of(&charsmap(0, "")), Ok(1), "it replaces by nothing");
    }

    #[test]
    fn no_length_and_no_unit_leads_out_of_a_map() {
        let refused = |bytes: &[u8], words: &str| {
            let error = of(bytes).unwrap_err();
            assert!(error.contains(words), "{error}");
        };
        assert!(growth("%").unwrap_err().contains("base64"));
        refused(&[1, 2, 3], "4 bytes");
        refused(&[0xff; 64], "a trie of 4294967292 bytes in 60");
        refused(&[0; 4], "a trie of 0 units");
        refused(&charsmap(9, "bcd\0"), "a text at Some(9) in 4 bytes");
        refused(&charsmap(1, "ä\0"), "a text at Some(1)");
        let mut bytes = charsmap(0, "bcd\0");
        bytes[6] = 0xff;
        refused(&bytes, "in a trie of 512");
        bytes = charsmap(0, "bcd\0");
        bytes.extend([0xff]);
        refused(&bytes, "UTF-8");
        // Followed beyond its only key, it leads out too.
        bytes = charsmap(0, "bcd\0");
        let at = 4 + 4 * (256 ^ b'a' as usize);
        bytes[at..at + 4].copy_from_slice(&(b'a' as u32 | 0x7fff << 10).to_le_bytes());
        refused(&bytes, "in a trie of 512");
    }
}
