//! Bounds of a `tokenizer.json`, looked at before the `tokenizers` crate sees it.
//!
//! That crate believes the file: it reserves what a length in it says, follows offsets in it, and applies every rule that it
//! lists to whatever the rule before made. Whoever opens a checkpoint of somebody else's must not run out of memory, so the
//! file is read here first, without keeping it, and refused beyond bounds that no tokenizer in use comes near. What then
//! still does not fit makes the crate panic, which [`base::contain`] turns into an error.

use std::{cell::Cell, fmt};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::{count::Count, rules::Rules};

/// Values of a model: an entry of a vocabulary is two, a merge is three. The largest in use have 2 million.
const MOST_VALUES: usize = 4 << 20;
/// Values of each other part.
const MOST_SETTINGS: usize = 1 << 16;
/// Bytes of a text outside the vocabulary; the largest in use is a charsmap of 0.3 MB.
const LONGEST_SETTING: usize = 1 << 22;
/// An id beyond this belongs to no vocabulary.
const LARGEST_ID: u64 = 1 << 24;
/// Bytes of a vocabulary's longest token; the longest in use are runs of some hundred spaces or dashes. The crate keeps tokens in
/// trees as deep as the token is long, and each level of a tree takes room on the stack when it is dropped.
const LONGEST_TOKEN: usize = 1 << 11;
/// Bytes of all added tokens, of which an automaton is made.
const MOST_ADDED: usize = 1 << 20;
/// How many times as long a token may become when it is decoded.
const LARGEST_DECODING: u64 = 1 << 10;
/// Bytes that a text may become in the worst case.
const LONGEST_TEXT: u64 = 8 << 20;

/// How many times as long the rules of a tokenizer can make a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Growth(u64);

impl Growth {
    /// Checks that a text of so many bytes can be encoded.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn allows(self, bytes: usize) -> Result<(), String> {
        if (bytes as u64).saturating_mul(self.0) <= LONGEST_TEXT {
            return Ok(());
        }
        let growth = self.0;
        Err(format!(
            "rules that can make a text of {bytes} bytes {growth} times as long ({LONGEST_TEXT} is the most)"
        ))
    }
}

/// What is to be known of a file that may be opened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Checked {
    pub growth: Growth,
    /// The share of merges that its model leaves out by chance.
    pub dropout: Option<f64>,
}

/// Checks a file.
///
/// # Errors
/// What is wrong with it.
pub(super) fn check(bytes: &[u8]) -> Result<Checked, String> {
    serde_json::from_slice::<Sizes>(bytes).map_err(|error| error.to_string())?;
    let parts: Parts = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let mut rules = Rules::default();
    for part in [&parts.normalizer, &parts.pre_tokenizer, &parts.post_processor] {
        rules.follow(part)?;
    }
    let growth = Growth(rules.growth());
    check_added(growth, parts.added_tokens.iter().map(|token| token.content.len()))?;
    let mut rules = Rules::default();
    rules.follow(&parts.decoder)?;
    if rules.growth() > LARGEST_DECODING {
        return Err(format!("a decoder that can make a token {} times as long", rules.growth()));
    }
    Ok(Checked { growth, dropout: parts.model.dropout.filter(|&dropout| is_chance(dropout)) })
}

/// Checks added tokens of so many bytes each.
///
/// # Errors
/// What is wrong with them.
pub(super) fn check_added(growth: Growth, bytes: impl Iterator<Item = usize> + Clone) -> Result<(), String> {
    let longest = bytes.clone().max().unwrap_or(0);
    if longest > LONGEST_TOKEN {
        return Err(format!("an added token of {longest} bytes, where {LONGEST_TOKEN} is the most"));
    }
    let all: usize = bytes.sum();
    if all > MOST_ADDED {
        return Err(format!("added tokens of {all} bytes, where {MOST_ADDED} is the most"));
    }
    growth.allows(all)
}

/// Whether a model of this dropout leaves some merges out: not none, and not all of them every time.
pub(super) fn is_chance(dropout: f64) -> bool {
    dropout != 0.0 && dropout != 1.0
}

/// The parts that have bounds of their own.
#[derive(serde::Deserialize)]
struct Parts {
    #[serde(default)]
    added_tokens: Vec<Added>,
    #[serde(default)]
    normalizer: Value,
    #[serde(default)]
    pre_tokenizer: Value,
    #[serde(default)]
    post_processor: Value,
    #[serde(default)]
    decoder: Value,
    model: Model,
}

#[derive(serde::Deserialize)]
struct Added {
    content: String,
}

#[derive(serde::Deserialize)]
struct Model {
    dropout: Option<f64>,
}

/// Checks how large each part is; keeps nothing.
struct Sizes;

impl<'de> Deserialize<'de> for Sizes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Sizes, D::Error> {
        deserializer.deserialize_map(Sizes)
    }
}

impl<'de> Visitor<'de> for Sizes {
    type Value = Sizes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Sizes, A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            let (values, text) = match key.as_str() {
                "model" => (Cell::new(MOST_VALUES), LONGEST_TOKEN),
                "added_tokens" => (Cell::new(MOST_VALUES), LONGEST_TOKEN),
                _ => (Cell::new(MOST_SETTINGS), LONGEST_SETTING),
            };
            let number = if key == "model" { LARGEST_ID } else { u64::MAX };
            map.next_value_seed(&Count { values: &values, text, number })?;
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(part: &str, value: Value, words: &str) {
        let mut file = json!({"model": {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"}});
        assert_eq!(check(file.to_string().as_bytes()), Ok(Checked { growth: Growth(1), dropout: None }));
        file[part] = value;
        let error = check(file.to_string().as_bytes()).unwrap_err();
        assert!(error.contains(words), "{error}");
    }

    #[test]
    fn what_the_crate_would_ask_memory_for_is_refused() {
        refused("model", json!({"vocab": {"a": u32::MAX}}), "the number 4294967295");
        refused("model", json!({"vocab": {("a".repeat(LONGEST_TOKEN + 1)): 0}}), "a text of 2049 bytes");
        refused("model", json!({"vocab": vec![0; MOST_VALUES]}), "too many values");
        refused("normalizer", json!(vec![0; MOST_SETTINGS]), "too many values");
        let many: Vec<Value> =
            (0..=MOST_ADDED / LONGEST_TOKEN).map(|_| json!({"content": "a".repeat(LONGEST_TOKEN)})).collect();
        refused("added_tokens", json!(many), "added tokens of 1050624 bytes");
        let replace = json!({"type": "Replace", "pattern": {"String": ""}, "content": "a".repeat(2000)});
        refused("decoder", replace, "2001 times");
    }

    #[test]
    fn a_text_may_grow_up_to_what_memory_allows() {
        assert!(Growth(12).allows(500_000).is_ok());
        let error = Growth(1000).allows(10_000).unwrap_err();
        assert!(error.contains("10000 bytes 1000 times"), "{error}");
    }
}
