//! Tokenizers of folders without `tokenizer.json`: the files that a model's class of the reference had before that format, put
//! together as that class does today.
//!
//! Source: `tokenization_utils_base.py`, `tokenization_utils_tokenizers.py` and `models/auto/tokenization_auto.py` of
//! transformers 5.

mod assembled;
mod byte_level;
mod class;
mod pieces;

use std::path::Path;

use serde_json::{Map, Value, json};

use super::special::{Again, Special};
use super::{super::read_json::json, error::TokenizerError};
pub(super) use assembled::Assembled;
use assembled::{CONVERT, adds, refuse, template};
use class::Split;

const VOCABULARY: &str = "vocab.json";
const MERGES: &str = "merges.txt";

/// Files of tokenizers that are not read, and what they hold.
const OTHERS: [(&str, &str); 5] = [
    ("sentencepiece.bpe.model", "a SentencePiece model of a class that counts its pieces otherwise"),
    ("vocab.txt", "the vocabulary of a WordPiece tokenizer"),
    ("tekken.json", "a tokenizer of mistral-common"),
    ("tiktoken.model", "a tokenizer of tiktoken"),
    ("qwen.tiktoken", "a tokenizer of tiktoken"),
];

/// Puts the tokenizer of a folder without `tokenizer.json` together; none where no file tells of one.
///
/// # Errors
/// Files that are missing beside the others, cannot be read, or are of a kind that is not read.
pub(super) fn assemble(
    folder: &Path,
    settings: &Map<String, Value>,
    config: &Map<String, Value>,
) -> Result<Option<Assembled>, TokenizerError> {
    // What cannot be looked at is opened, and its error is the one to tell.
    let absent = |name: &str| matches!(folder.join(name).try_exists(), Ok(false));
    match (absent(VOCABULARY), absent(MERGES)) {
        (true, true) => {}
        (false, false) => return byte_level(folder, settings, config).map(Some),
        (without, _) => {
            let (found, missing) = if without { (MERGES, VOCABULARY) } else { (VOCABULARY, MERGES) };
            let expected = format!("{missing:?} beside it");
            return Err(refuse(&folder.join(found), expected, "no such file", "download it"));
        }
    }
    if let Some(name) = pieces::FILES.iter().find(|name| !absent(name)) {
        return pieces::assemble(folder, name, settings, config).map(Some);
    }
    match OTHERS.iter().find(|(name, _)| !absent(name)) {
        Some((name, what)) => {
            let expected = "tokenizer.json, or vocab.json and merges.txt, or tokenizer.model".to_string();
            Err(refuse(&folder.join(name), expected, &format!("only {what}"), CONVERT))
        }
        None => Ok(None),
    }
}

fn byte_level(
    folder: &Path,
    settings: &Map<String, Value>,
    config: &Map<String, Value>,
) -> Result<Assembled, TokenizerError> {
    let file = folder.join(VOCABULARY);
    let class =
        class::named(settings, config).map_err(|found| refuse(&file, class::expected(), &found, CONVERT))?;
    let vocabulary: Map<String, Value> = json(&file, "an object of token to id")?;
    let merges = byte_level::merges(&folder.join(MERGES))?;
    let special = Special::few(folder, settings, class.tokens)?;
    let again = match class.split {
        Split::Gpt2 => Again::Nothing,
        Split::Digits => Again::Special,
        Split::Qwen2 => Again::Plain,
    };
    let added = special.added(&vocabulary, again);
    let bos = special.named("bos_token");
    let post_processor = template(&special, &added, adds(settings, "add_eos_token"), settings);
    let (normalizer, pre_tokenizer) = byte_level::rules(class, settings);
    let json = json!({
        "version": "1.0",
        "added_tokens": added,
        "normalizer": normalizer,
        "pre_tokenizer": pre_tokenizer,
        "post_processor": post_processor,
        "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
        "model": {
            "type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
            "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
            "vocab": vocabulary, "merges": merges,
        },
    });
    Ok(Assembled { file, json, bos })
}

#[cfg(test)]
mod tests;
