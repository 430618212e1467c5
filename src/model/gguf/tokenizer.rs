//! The tokenizer of a GGUF file, as a `tokenizer.json` has it: byte-level BPE.
//!
//! The file names how texts are split before merges apply (`tokenizer.ggml.pre`) and leaves it to its reader what the name
//! means. Source: `llm_tokenizer_bpe` in llama.cpp's `llama-vocab.cpp`, and the `tokenizer.json` of the models named.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::{
    error::{AGAIN, GgufError},
    metadata::Metadata,
};

/// A tokenizer and what is said of its BOS.
pub struct Tokenizer {
    /// In the form of a `tokenizer.json`.
    pub json: Json,
    /// The token that begins a text, if the file names one.
    pub bos: Option<String>,
    /// Whether a text gets it.
    pub adds_bos: bool,
}

/// How texts are split under some names.
struct Split {
    names: &'static [&'static str],
    /// Splits as they are in a `tokenizer.json`, before bytes are spelled as letters.
    how: How,
    /// A word that is a token is not merged.
    whole_words: bool,
    /// Where the file does not say.
    adds_bos: bool,
}

enum How {
    /// GPT-2's words.
    Words,
    /// The same, every digit by itself.
    WordsAndDigits,
    /// By a pattern of its own, of composed characters (NFC) or of any.
    Pattern { pattern: &'static str, composed: bool },
}

const LLAMA3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN2: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

static SPLITS: &[Split] = &[
    Split { names: &["gpt-2", "phi-2"], how: How::Words, whole_words: false, adds_bos: false },
    Split {
        names: &["llama-bpe", "llama3", "llama-v3"],
        how: How::Pattern { pattern: LLAMA3, composed: false },
        whole_words: true,
        adds_bos: true,
    },
    Split {
        names: &["qwen2", "deepseek-r1-qwen"],
        how: How::Pattern { pattern: QWEN2, composed: true },
        whole_words: false,
        adds_bos: false,
    },
    Split { names: &["smollm", "starcoder"], how: How::WordsAndDigits, whole_words: false, adds_bos: false },
];

const TOKEN_IDS: &str = "give token ids instead of text (`--tokens 1,2,3`)";

/// Kinds of tokens, `TokenType` of `gguf/constants.py`: those that are found in a text before it is split.
const UNKNOWN: u64 = 2;
const CONTROL: u64 = 3;
const USER_DEFINED: u64 = 4;

/// Reads the tokenizer.
///
/// # Errors
/// A kind of tokenizer or a split that is not known, lists that are missing or contradict each other.
pub fn tokenizer(metadata: &Metadata<'_>) -> Result<Tokenizer, GgufError> {
    let split = split(metadata)?;
    const TOKENS: &str = "tokenizer.ggml.tokens";
    let tokens = metadata.need(TOKENS, "a list of tokens", metadata.texts(TOKENS)?)?;
    let mut vocabulary = BTreeMap::new();
    for (id, token) in tokens.iter().enumerate() {
        if let Some(first) = vocabulary.insert(*token, id) {
            let found = format!("{token:?} at {first} and at {id}");
            return Err(metadata.refuse(TOKENS, "every token once", found, TOKEN_IDS));
        }
    }
    let ordered: Map<String, Json> =
        tokens.iter().enumerate().map(|(id, token)| ((*token).to_string(), id.into())).collect();
    let (normalizer, pre_tokenizer) = split.how.json();
    let bos = id(metadata, "tokenizer.ggml.bos_token_id", &tokens)?;
    let json = json!({
        "version": "1.0",
        "added_tokens": added(metadata, &tokens)?,
        "normalizer": normalizer,
        "pre_tokenizer": pre_tokenizer,
        "post_processor": null,
        "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
        "model": {
            "type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
            "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false,
            "ignore_merges": split.whole_words, "vocab": ordered, "merges": merges(metadata, &vocabulary)?,
        },
    });
    let adds_bos = metadata.flag("tokenizer.ggml.add_bos_token")?.unwrap_or(split.adds_bos);
    Ok(Tokenizer { json, bos: bos.map(|id| tokens[id].to_string()), adds_bos })
}

/// The split that the file names. What it asks for besides must be what is done.
fn split(metadata: &Metadata<'_>) -> Result<&'static Split, GgufError> {
    const MODEL: &str = "tokenizer.ggml.model";
    const PRE: &str = "tokenizer.ggml.pre";
    let model = metadata.text(MODEL)?;
    if model != Some("gpt2") {
        let found = model.map_or_else(|| "no such key".to_string(), |model| format!("{model:?}"));
        return Err(metadata.refuse(MODEL, "\"gpt2\" (byte-level BPE)", found, TOKEN_IDS));
    }
    for key in ["add_eos_token", "add_sep_token", "add_space_prefix", "remove_extra_whitespaces"] {
        let key = format!("tokenizer.ggml.{key}");
        if metadata.flag(&key)? == Some(true) {
            return Err(metadata.refuse(&key, "false", "true".into(), TOKEN_IDS));
        }
    }
    let name = metadata.text(PRE)?.unwrap_or("no such key");
    SPLITS.iter().find(|split| split.names.contains(&name)).ok_or_else(|| {
        let known: Vec<&str> = SPLITS.iter().flat_map(|split| split.names).copied().collect();
        metadata.refuse(PRE, &format!("one of {}", known.join(", ")), format!("{name:?}"), TOKEN_IDS)
    })
}

impl How {
    /// Normaliser and splits of a `tokenizer.json`.
    fn json(&self) -> (Json, Json) {
        let bytes = |words: bool| json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": words});
        let sequence =
            |first: Json, words| json!({"type": "Sequence", "pretokenizers": [first, bytes(words)]});
        match self {
            How::Words => (Json::Null, bytes(true)),
            How::WordsAndDigits => {
                (Json::Null, sequence(json!({"type": "Digits", "individual_digits": true}), true))
            }
            How::Pattern { pattern, composed } => {
                let by_pattern = json!({
                    "type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": false
                });
                let normalizer = if *composed { json!({"type": "NFC"}) } else { Json::Null };
                (normalizer, sequence(by_pattern, false))
            }
        }
    }
}

/// Tokens that are found in a text before it is split.
fn added(metadata: &Metadata<'_>, tokens: &[&str]) -> Result<Vec<Json>, GgufError> {
    const KEY: &str = "tokenizer.ggml.token_type";
    let kinds = metadata.counts(KEY)?.unwrap_or_default();
    if !kinds.is_empty() && kinds.len() != tokens.len() {
        let expected = format!("a kind for each of {} tokens", tokens.len());
        return Err(metadata.refuse(KEY, &expected, format!("{} kinds", kinds.len()), AGAIN));
    }
    let added = |(id, (kind, token)): (usize, (&u64, &&str))| {
        [UNKNOWN, CONTROL, USER_DEFINED].contains(kind).then(|| {
            json!({
                "id": id, "content": token, "single_word": false, "lstrip": false, "rstrip": false,
                "normalized": false, "special": *kind != USER_DEFINED,
            })
        })
    };
    Ok(kinds.iter().zip(tokens).enumerate().filter_map(added).collect())
}

/// Pairs of tokens whose concatenation is one; in the order in which they are merged.
fn merges(metadata: &Metadata<'_>, vocabulary: &BTreeMap<&str, usize>) -> Result<Vec<Json>, GgufError> {
    const KEY: &str = "tokenizer.ggml.merges";
    let merges = metadata.need(KEY, "a list of merges", metadata.texts(KEY)?)?;
    let pair = |(index, merge): (usize, &&str)| {
        // Spaces inside tokens are spelled as a letter.
        let pair = merge.split_once(' ').filter(|(left, right)| {
            let known = |token: &str| vocabulary.contains_key(token);
            known(left) && known(right) && known(&format!("{left}{right}"))
        });
        pair.map(|(left, right)| json!([left, right])).ok_or_else(|| {
            let found = format!("{merge:?} at index {index}");
            metadata.refuse(KEY, "two tokens and a space between, which together are a token", found, AGAIN)
        })
    };
    merges.iter().enumerate().map(pair).collect()
}

/// The index of a token under a key, if the key is there.
fn id(metadata: &Metadata<'_>, key: &str, tokens: &[&str]) -> Result<Option<usize>, GgufError> {
    let Some(id) = metadata.count(key)? else { return Ok(None) };
    let found = usize::try_from(id).ok().filter(|id| *id < tokens.len());
    match found {
        None => Err(metadata.refuse(key, &format!("an id below {}", tokens.len()), id.to_string(), AGAIN)),
        found => Ok(found),
    }
}
