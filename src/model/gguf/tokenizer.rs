//! The tokenizer of a GGUF file, as a `tokenizer.json` has it: byte-level BPE, or SentencePiece's BPE with bytes for what has no
//! token.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::{
    error::{AGAIN, GgufError},
    metadata::Metadata,
    splits::{self, Split},
};
use crate::sentencepiece::{self, Prefix, Spaces, found_first};

/// A tokenizer and what is said of its BOS.
pub struct Tokenizer {
    /// In the form of a `tokenizer.json`.
    pub json: Json,
    /// The token that begins a text, if the file names one.
    pub bos: Option<String>,
    /// Whether a text gets it.
    pub adds_bos: bool,
}

const TOKEN_IDS: &str = "give token ids instead of text (`--tokens 1,2,3`)";
const MODEL: &str = "tokenizer.ggml.model";
const TOKENS: &str = "tokenizer.ggml.tokens";
const KINDS: &str = "tokenizer.ggml.token_type";

/// Kinds of tokens, `TokenType` of `gguf/constants.py`.
const NORMAL: u64 = 1;
const UNKNOWN: u64 = 2;
const CONTROL: u64 = 3;
const USER_DEFINED: u64 = 4;

/// Reads the tokenizer.
///
/// # Errors
/// A kind of tokenizer or a split that is not known, lists that are missing or contradict each other.
pub fn tokenizer(metadata: &Metadata<'_>) -> Result<Tokenizer, GgufError> {
    match metadata.text(MODEL)? {
        Some("gpt2") => byte_level(metadata),
        Some("llama") => sentencepiece(metadata),
        model => {
            let found = model.map_or_else(|| "no such key".to_string(), |model| format!("{model:?}"));
            let expected = "\"gpt2\" (byte-level BPE) or \"llama\" (SentencePiece)";
            Err(metadata.refuse(MODEL, expected, found, TOKEN_IDS))
        }
    }
}

fn byte_level(metadata: &Metadata<'_>) -> Result<Tokenizer, GgufError> {
    let split = split(metadata)?;
    refuse_true(
        metadata,
        &["add_eos_token", "add_sep_token", "add_space_prefix", "remove_extra_whitespaces"],
    )?;
    let vocabulary = Vocabulary::read(metadata, texts(metadata)?)?;
    let (normalizer, pre_tokenizer) = split.json();
    let json = json!({
        "version": "1.0",
        "added_tokens": vocabulary.added(),
        "normalizer": normalizer,
        "pre_tokenizer": pre_tokenizer,
        "post_processor": null,
        "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
        "model": {
            "type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
            "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false,
            "ignore_merges": split.whole_words, "vocab": vocabulary.json(),
            "merges": vocabulary.stored_merges(metadata)?,
        },
    });
    let bos = vocabulary.named(metadata, "tokenizer.ggml.bos_token_id", None)?;
    let adds_bos = metadata.flag("tokenizer.ggml.add_bos_token")?.unwrap_or(split.adds_bos);
    Ok(Tokenizer { json, bos, adds_bos })
}

/// The split that the file names.
fn split(metadata: &Metadata<'_>) -> Result<&'static Split, GgufError> {
    const PRE: &str = "tokenizer.ggml.pre";
    let name = metadata.text(PRE)?.unwrap_or("no such key");
    splits::named(name).ok_or_else(|| {
        let known: Vec<&str> = splits::names().collect();
        metadata.refuse(PRE, &format!("one of {}", known.join(", ")), format!("{name:?}"), TOKEN_IDS)
    })
}

/// What llama.cpp takes for the BOS and for the unknown token of a SentencePiece vocabulary that names none.
const USUAL_BOS: u64 = 1;
const USUAL_UNKNOWN: u64 = 0;

/// As the `tokenizer.json` of LLaMA 2 and Gemma: spaces become a letter of their own, of which one comes in front if the file
/// says nothing else, then merges apply to the whole text; characters without a token are spelled as bytes.
fn sentencepiece(metadata: &Metadata<'_>) -> Result<Tokenizer, GgufError> {
    refuse_true(metadata, &["add_eos_token", "add_sep_token", "remove_extra_whitespaces"])?;
    let gemma = metadata.text("general.architecture")?.is_some_and(|name| name.starts_with("gemma"));
    // Tokens of several spaces are written as such in files of Gemma.
    let spelled = |token: &str| gemma && token.len() > 1 && token.bytes().all(|byte| byte == b' ');
    let texts = texts(metadata)?;
    let owned: Vec<String> = texts
        .iter()
        .map(|token| if spelled(token) { token.replace(' ', "▁") } else { (*token).to_string() })
        .collect();
    let vocabulary = Vocabulary::read(metadata, owned.iter().map(String::as_str).collect())?;
    let merges = match metadata.get("tokenizer.ggml.merges") {
        Some(_) => vocabulary.stored_merges(metadata)?,
        None => vocabulary.implied_merges(metadata, gemma)?,
    };
    let unknown = vocabulary.named(metadata, "tokenizer.ggml.unknown_token_id", Some(USUAL_UNKNOWN))?;
    let prefixed = metadata.flag("tokenizer.ggml.add_space_prefix")?.unwrap_or(true);
    let spaces = Spaces {
        charsmap: String::new(),
        removes_extra: false,
        prefix: if prefixed { Prefix::Everywhere } else { Prefix::Never },
        names_no_bytes: false,
    };
    let model = sentencepiece::bpe(vocabulary.json().into(), merges, unknown, true);
    let json = sentencepiece::tokenizer(vocabulary.added(), &spaces, Json::Null, model);
    let bos = vocabulary.named(metadata, "tokenizer.ggml.bos_token_id", Some(USUAL_BOS))?;
    let adds_bos = metadata.flag("tokenizer.ggml.add_bos_token")?.unwrap_or(true);
    Ok(Tokenizer { json, bos, adds_bos })
}

/// What is not done must not be asked for.
fn refuse_true(metadata: &Metadata<'_>, flags: &[&str]) -> Result<(), GgufError> {
    for key in flags {
        let key = format!("tokenizer.ggml.{key}");
        if metadata.flag(&key)? == Some(true) {
            return Err(metadata.refuse(&key, "false", "true".into(), TOKEN_IDS));
        }
    }
    Ok(())
}

fn texts<'a>(metadata: &Metadata<'a>) -> Result<Vec<&'a str>, GgufError> {
    metadata.need(TOKENS, "a list of tokens", metadata.texts(TOKENS)?)
}

/// The tokens of a file.
struct Vocabulary<'a> {
    tokens: Vec<&'a str>,
    ids: BTreeMap<&'a str, usize>,
    /// Of every token; empty where the file does not say.
    kinds: Vec<u64>,
}

impl<'a> Vocabulary<'a> {
    fn read(metadata: &Metadata<'_>, tokens: Vec<&'a str>) -> Result<Vocabulary<'a>, GgufError> {
        let mut ids = BTreeMap::new();
        for (id, token) in tokens.iter().enumerate() {
            if let Some(first) = ids.insert(*token, id) {
                let found = format!("{token:?} at {first} and at {id}");
                return Err(metadata.refuse(TOKENS, "every token once", found, TOKEN_IDS));
            }
        }
        let kinds = metadata.counts(KINDS)?.unwrap_or_default();
        if !kinds.is_empty() && kinds.len() != tokens.len() {
            let expected = format!("a kind for each of {} tokens", tokens.len());
            return Err(metadata.refuse(KINDS, &expected, format!("{} kinds", kinds.len()), AGAIN));
        }
        Ok(Vocabulary { tokens, ids, kinds })
    }

    /// The vocabulary of a `tokenizer.json`.
    fn json(&self) -> Map<String, Json> {
        self.tokens.iter().enumerate().map(|(id, token)| ((*token).to_string(), id.into())).collect()
    }

    /// Tokens that are found in a text before it is split.
    fn added(&self) -> Vec<Json> {
        let added = |(id, (kind, token)): (usize, (&u64, &&str))| {
            [UNKNOWN, CONTROL, USER_DEFINED]
                .contains(kind)
                .then(|| found_first(id, token, *kind != USER_DEFINED, false))
        };
        self.kinds.iter().zip(&self.tokens).enumerate().filter_map(added).collect()
    }

    /// Pairs of tokens whose concatenation is one, in the order in which they are merged, as the file has them.
    fn stored_merges(&self, metadata: &Metadata<'_>) -> Result<Vec<Json>, GgufError> {
        const KEY: &str = "tokenizer.ggml.merges";
        let merges = metadata.need(KEY, "a list of merges", metadata.texts(KEY)?)?;
        let pair = |(index, merge): (usize, &&str)| {
            // Spaces inside tokens are spelled as a letter.
            let pair = merge.split_once(' ').filter(|(left, right)| {
                let known = |token: &str| self.ids.contains_key(token);
                known(left) && known(right) && known(&format!("{left}{right}"))
            });
            pair.map(|(left, right)| json!([left, right])).ok_or_else(|| {
                let found = format!("{merge:?} at index {index}");
                metadata.refuse(
                    KEY,
                    "two tokens and a space between, which together are a token",
                    found,
                    AGAIN,
                )
            })
        };
        merges.iter().enumerate().map(pair).collect()
    }

    /// The merges that the scores imply; of Gemma the order of its tokens, which its scores do not follow.
    fn implied_merges(&self, metadata: &Metadata<'_>, by_order: bool) -> Result<Vec<Json>, GgufError> {
        const KEY: &str = "tokenizer.ggml.scores";
        let scores = match by_order {
            true => (0..self.tokens.len()).map(|id| -(id as f32)).collect(),
            false => metadata.need(KEY, "a score for every token", metadata.numbers(KEY)?)?,
        };
        if scores.len() != self.tokens.len() {
            let expected = format!("a score for each of {} tokens", self.tokens.len());
            return Err(metadata.refuse(KEY, &expected, format!("{} scores", scores.len()), AGAIN));
        }
        let merged = |kind: &u64| [NORMAL, USER_DEFINED].contains(kind);
        let rank = |id: usize| self.kinds.get(id).is_none_or(merged).then_some(scores[id]);
        let merges = sentencepiece::merges(&self.tokens, &self.ids, rank).ok_or_else(|| {
            let longest = self.tokens.iter().map(|token| token.len()).max().unwrap_or(0);
            let found = format!("tokens of up to {longest} bytes");
            metadata.refuse(TOKENS, "tokens short enough to be cut into pairs", found, TOKEN_IDS)
        })?;
        Ok(merges.into_iter().map(|(left, right)| json!([left, right])).collect())
    }

    /// The token whose id is under a key, or that with the usual id where there is no such key.
    fn named(
        &self,
        metadata: &Metadata<'_>,
        key: &str,
        usual: Option<u64>,
    ) -> Result<Option<String>, GgufError> {
        let given = metadata.count(key)?;
        let Some(id) = given.or(usual) else { return Ok(None) };
        let found = usize::try_from(id).ok().and_then(|id| self.tokens.get(id));
        match found {
            None if given.is_some() => {
                let expected = format!("an id below {}", self.tokens.len());
                Err(metadata.refuse(key, &expected, id.to_string(), AGAIN))
            }
            found => Ok(found.map(|token| (*token).to_string())),
        }
    }
}
