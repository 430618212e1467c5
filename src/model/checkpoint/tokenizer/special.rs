//! Tokens that are found in a text before it is cut: those that the files beside a vocabulary or a `tokenizer.json` name.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde_json::{Map, Value, json};
use tokenizers::AddedToken;

use super::super::{CheckpointError, read_json::optional};

/// The keys of tokens that every class has, in the order in which they are added; `SPECIAL_TOKENS_ATTRIBUTES`.
const NAMED: [&str; 7] =
    ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

/// Tokens beside a vocabulary; those in use have some thousands. Each is compared with all others.
const MOST_TOKENS: usize = 1 << 14;

/// What a class says once more, after all tokens are known, of those that the settings name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    Nothing,
    /// That they are as a text alone would be.
    Plain,
    /// That they are special.
    Special,
}

/// A token as the settings spell it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Token {
    content: String,
    single_word: bool,
    lstrip: bool,
    rstrip: bool,
    normalized: bool,
    special: bool,
    /// Spelled as a text alone.
    plain: bool,
}

/// All tokens that the files beside a vocabulary name.
pub(super) struct Special {
    /// By their declared ids.
    declared: Vec<(u64, Token)>,
    /// Under a key.
    named: Vec<(String, Token)>,
    /// Under none.
    extra: Vec<Token>,
}

impl Token {
    /// A text that stands alone is special.
    fn plain(content: &str) -> Token {
        let content = content.to_string();
        let [single_word, lstrip, rstrip, normalized] = [false; 4];
        Token { content, single_word, lstrip, rstrip, normalized, special: true, plain: true }
    }

    /// An object says all of it itself; null and values of other types are no token.
    fn read(value: &Value, special: Option<bool>) -> Option<Token> {
        let object = match value {
            Value::String(content) => return Some(Token::plain(content)),
            value => value.as_object()?,
        };
        let flag = |key: &str| object.get(key).and_then(Value::as_bool);
        let special = special.or(flag("special")).unwrap_or(false);
        Some(Token {
            content: object.get("content")?.as_str()?.to_string(),
            single_word: flag("single_word").unwrap_or(false),
            lstrip: flag("lstrip").unwrap_or(false),
            rstrip: flag("rstrip").unwrap_or(false),
            normalized: flag("normalized").unwrap_or(!special),
            special,
            plain: false,
        })
    }

    fn is(&self, other: &AddedToken) -> bool {
        let flags = (self.single_word, self.lstrip, self.rstrip, self.normalized, self.special);
        flags == (other.single_word, other.lstrip, other.rstrip, other.normalized, other.special)
    }

    fn json(&self, id: u64) -> Value {
        json!({
            "id": id, "content": self.content, "single_word": self.single_word, "lstrip": self.lstrip,
            "rstrip": self.rstrip, "normalized": self.normalized, "special": self.special,
        })
    }
}

impl Special {
    /// Reads `tokenizer_config.json`, and `special_tokens_map.json` and `added_tokens.json` where that has no
    /// `added_tokens_decoder`. The `usual` tokens, each with its key, are those that the settings need not name.
    pub(super) fn read(
        folder: &Path,
        settings: &Map<String, Value>,
        usual: &[(&str, &str)],
    ) -> Result<Special, CheckpointError> {
        let mut settings = settings.clone();
        let mut declared: Vec<(u64, Token)> = Vec::new();
        if let Some(decoder) = settings.get("added_tokens_decoder").and_then(Value::as_object) {
            declared.extend(
                decoder.iter().filter_map(|(id, token)| Some((id.parse().ok()?, Token::read(token, None)?))),
            );
        } else {
            for (key, value) in optional(&folder.join("special_tokens_map.json"))? {
                settings.insert(key, special(value));
            }
            let mut names: Vec<String> = NAMED
                .iter()
                .filter_map(|key| Some(Token::read(settings.get(*key)?, None)?.content))
                .collect();
            names.extend(extra(&settings).into_iter().map(|token| token.content));
            for (content, id) in optional(&folder.join("added_tokens.json"))? {
                let Some(id) = id.as_u64() else { continue };
                let special = names.contains(&content);
                declared.push((
                    id,
                    Token { special, normalized: !special, plain: false, ..Token::plain(&content) },
                ));
            }
        }
        declared.sort_by_key(|(id, _)| *id);
        // A name stands for the declared token of that content.
        let resolve = |token: Token| {
            let mut known = declared.iter().map(|(_, known)| known);
            known.find(|known| known.content == token.content).cloned().unwrap_or(token)
        };
        let usual =
            |key: &str| usual.iter().find(|(name, _)| *name == key).map(|(_, token)| Token::plain(token));
        let mut named = Vec::new();
        for key in NAMED {
            let token = match settings.get(key) {
                Some(value) => Token::read(value, None).map(resolve),
                None => usual(key),
            };
            named.extend(token.map(|token| (key.to_string(), token)));
        }
        // Tokens of one model, by whatever name: texts first, then objects, then those that are listed by name.
        let own = |key: &String| key.ends_with("_token") && !NAMED.contains(&key.as_str());
        let mut others: Vec<(&String, &Value)> = settings.iter().filter(|(key, _)| own(key)).collect();
        others.sort_by_key(|(_, value)| value.is_object());
        others.extend(settings.get("extra_special_tokens").and_then(Value::as_object).into_iter().flatten());
        for (key, value) in others {
            named.extend(Token::read(value, None).map(|token| (key.clone(), token)));
        }
        Ok(Special { declared, named, extra: extra(&settings) })
    }

    /// [`Special::read`] for [`Special::added`], which compares each token with all others.
    pub(super) fn few(
        folder: &Path,
        settings: &Map<String, Value>,
        usual: &[(&str, &str)],
    ) -> Result<Special, CheckpointError> {
        let special = Special::read(folder, settings, usual)?;
        let count = special.declared.len() + special.named.len() + special.extra.len();
        if count > MOST_TOKENS {
            return Err(CheckpointError::File {
                file: folder.join("tokenizer_config.json"),
                expected: format!("at most {MOST_TOKENS} tokens beside the vocabulary"),
                found: count.to_string(),
                next: "download it again",
            });
        }
        Ok(special)
    }

    /// Those that a `tokenizer.json` with the tokens `known` lacks or describes in another way, in the order in which they join
    /// it: transformers 5.23, `TokenizersBackend.__init__`.
    pub(super) fn beside(&self, known: &BTreeMap<&str, &AddedToken>) -> Vec<AddedToken> {
        let declared = self.declared.iter().map(|(_, token)| token);
        let mut joining: Vec<&Token> = declared
            .filter(|token| known.get(token.content.as_str()).is_none_or(|known| !token.is(known)))
            .collect();
        let mut told: BTreeSet<&str> = joining.iter().map(|token| token.content.as_str()).collect();
        let named: BTreeSet<&str> = self.named.iter().map(|(_, token)| token.content.as_str()).collect();
        for token in self.named.iter().map(|(_, token)| token).chain(&self.extra) {
            if !known.contains_key(token.content.as_str()) && told.insert(&token.content) {
                joining.push(token);
            }
        }
        joining
            .into_iter()
            .map(|token| {
                AddedToken::from(
                    token.content.clone(),
                    token.special || named.contains(token.content.as_str()),
                )
                .single_word(token.single_word)
                .lstrip(token.lstrip)
                .rstrip(token.rstrip)
                .normalized(token.normalized)
            })
            .collect()
    }

    /// The content of the token under a key.
    pub(super) fn named(&self, key: &str) -> Option<String> {
        self.named.iter().find(|(name, _)| name == key).map(|(_, token)| token.content.clone())
    }

    /// Tokens with the ids that the settings declare.
    pub(super) fn declared(&self) -> impl Iterator<Item = (u64, &str)> {
        self.declared.iter().map(|(id, token)| (*id, token.content.as_str()))
    }

    /// All of them as `tokenizer.json` has them. Each has the id of the vocabulary, or else the next one, whatever id was
    /// declared.
    pub(super) fn added(&self, vocabulary: &Map<String, Value>, again: Again) -> Vec<Value> {
        let mut tokens: Vec<Token> = self.declared.iter().map(|(_, token)| token.clone()).collect();
        let declared = |token: &Token| self.declared().any(|(_, known)| known == token.content);
        let is_named = |token: &Token| self.named.iter().any(|(_, named)| named.content == token.content);
        let mentioned = || self.named.iter().map(|(_, token)| token).chain(&self.extra);
        for token in mentioned().filter(|token| !declared(token)) {
            if !tokens.contains(token) {
                tokens.push(token.clone());
            }
        }
        for token in &mut tokens {
            token.special |= is_named(token);
        }
        match again {
            Again::Plain => tokens.extend(mentioned().map(|token| Token::plain(&token.content))),
            Again::Special => {
                tokens.extend(mentioned().cloned().map(|token| Token { special: true, ..token }))
            }
            Again::Nothing => {}
        }
        let mut found: Vec<(u64, Token)> = Vec::new();
        let mut next = vocabulary.len() as u64;
        for token in tokens.into_iter().filter(|token| !token.content.is_empty()) {
            // The last to describe a token is right.
            if let Some((_, known)) = found.iter_mut().find(|(_, known)| known.content == token.content) {
                *known = token;
                continue;
            }
            let id = vocabulary.get(&token.content).and_then(Value::as_u64).unwrap_or(next);
            next = next.max(id + 1);
            found.push((id, token));
        }
        found.iter().map(|(id, token)| token.json(*id)).collect()
    }
}

/// A value of `special_tokens_map.json`: tokens there are special whatever they say.
fn special(mut value: Value) -> Value {
    if let Some(object) = value.as_object_mut().filter(|object| object.contains_key("content")) {
        object.insert("special".into(), true.into());
    }
    value
}

/// The tokens without a key.
fn extra(settings: &Map<String, Value>) -> Vec<Token> {
    let list = |key: &str| settings.get(key).and_then(Value::as_array).filter(|list| !list.is_empty());
    let listed = list("extra_special_tokens").or_else(|| list("additional_special_tokens"));
    listed.into_iter().flatten().filter_map(|token| Token::read(token, None)).collect()
}
