//! Byte-level BPE: the merges as `merges.txt` lists them, and how a text is cut before they apply.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::{
    assembled::{refuse, text},
    class::{Class, Split},
};
use crate::checkpoint::tokenizer::error::TokenizerError;

/// `PRETOKENIZE_REGEX` of `tokenization_qwen2.py`.
const QWEN2: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// The pairs of a file, in the order in which they are merged.
pub(super) fn merges(file: &Path) -> Result<Vec<Value>, TokenizerError> {
    let text = text(file)?;
    let lines =
        text.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with("#version"));
    let pair = |(index, line): (usize, &str)| match line.split_once(' ') {
        Some((left, right)) if !left.is_empty() && !right.is_empty() && !right.contains(' ') => {
            Ok(json!([left, right]))
        }
        _ => {
            let shown: String = line.chars().take(40).collect();
            let found = format!("{shown:?} in line {}", index + 1);
            Err(refuse(
                file,
                "two tokens and a space between in each line".into(),
                &found,
                "download it again",
            ))
        }
    };
    lines.map(pair).collect()
}

/// Normalizer and pre-tokenizer.
pub(super) fn rules(class: &Class, settings: &Map<String, Value>) -> (Value, Value) {
    let prefix = settings.get("add_prefix_space") == Some(&Value::Bool(true));
    let spelled = |words: bool| json!({"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": true, "use_regex": words});
    let sequence =
        |first: Value, words: bool| json!({"type": "Sequence", "pretokenizers": [first, spelled(words)]});
    let pre_tokenizer = match class.split {
        Split::Gpt2 => spelled(true),
        Split::Digits => sequence(json!({"type": "Digits", "individual_digits": true}), true),
        Split::Qwen2 => {
            let by = json!({"type": "Split", "pattern": {"Regex": QWEN2}, "behavior": "Isolated", "invert": false});
            sequence(by, false)
        }
    };
    let normalizer = if class.composes { json!({"type": "NFC"}) } else { Value::Null };
    (normalizer, pre_tokenizer)
}
