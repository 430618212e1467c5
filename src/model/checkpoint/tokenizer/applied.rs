//! The rules of a `tokenizer.json` as they are applied: by the `tokenizers` crate, except those that match a regular expression.
//! The crate does not say where a match was given up (see [`Expression`]), so these are applied here, in the same way.

use std::sync::LazyLock;

use serde::{Deserialize, Deserializer, de::DeserializeOwned, de::Error};
use serde_json::Value;
use tokenizers::{
    Decoder, DecoderWrapper, ModelWrapper, NormalizedString, Normalizer, NormalizerWrapper,
    PostProcessorWrapper, PreTokenizedString, PreTokenizer, PreTokenizerWrapper, SplitDelimiterBehavior,
    TokenizerImpl,
    pattern::{Invert, Pattern},
    pre_tokenizers::byte_level::ByteLevel,
};

use super::expression::Expression;

/// A tokenizer whose regular expressions are watched.
pub(super) type Watched =
    TokenizerImpl<ModelWrapper, Rules<Normal>, Rules<PreToken>, PostProcessorWrapper, Rules<Decoded>>;

/// Rules, one after the other.
pub(super) struct Rules<R>(Vec<R>);

/// A rule that changes a text.
pub(super) enum Normal {
    Replace {
        pattern: Expression,
        content: String,
    },
    /// Puts a text in front, unless there is nothing else than one of these.
    PrependUnless {
        prepend: String,
        unless: Vec<String>,
    },
    Of(NormalizerWrapper),
}

/// A rule that cuts one.
pub(super) enum PreToken {
    Split {
        pattern: Expression,
        behavior: SplitDelimiterBehavior,
        invert: bool,
    },
    /// Words by the expression of GPT-2, then bytes as characters.
    Words {
        add_prefix_space: bool,
        bytes: ByteLevel,
    },
    Of(PreTokenizerWrapper),
}

/// A rule that makes texts of tokens.
pub(super) enum Decoded {
    Replace { pattern: Expression, content: String },
    Of(DecoderWrapper),
}

/// That of `ByteLevel` in the `tokenizers` crate, `pre_tokenizers/byte_level.rs`, which is GPT-2's.
static WORDS: LazyLock<Result<Expression, String>> = LazyLock::new(|| {
    Expression::of_texts(r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")
});

/// How a rule is spelt in the file.
trait Spelt: Sized {
    /// Key of the list of a sequence.
    const LIST: &str;

    /// A rule of the file that is no sequence.
    fn read(rule: Value) -> Result<Self, String>;
}

impl<'de, R: Spelt> Deserialize<'de> for Rules<R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Rules<R>, D::Error> {
        let mut rules = Vec::new();
        flatten(Value::deserialize(deserializer)?, &mut rules).map_err(D::Error::custom)?;
        Ok(Rules(rules))
    }
}

fn flatten<R: Spelt>(mut rule: Value, into: &mut Vec<R>) -> Result<(), String> {
    if rule["type"] != "Sequence" {
        return R::read(rule).map(|rule| into.push(rule));
    }
    let list = rule.get_mut(R::LIST).and_then(Value::as_array_mut);
    let list = list.ok_or_else(|| format!("a Sequence without a list of {}", R::LIST))?;
    list.drain(..).try_for_each(|rule| flatten(rule, into))
}

fn parse<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| error.to_string())
}

/// What a `Replace` with a regular expression matches, and by what it replaces it.
fn replaced(
    rule: &Value,
    of: fn(&str) -> Result<Expression, String>,
) -> Result<Option<(Expression, String)>, String> {
    let expression = rule["pattern"]["Regex"].as_str().filter(|_| rule["type"] == "Replace");
    let (Some(expression), Some(content)) = (expression, rule["content"].as_str()) else { return Ok(None) };
    Ok(Some((of(expression)?, content.to_string())))
}

impl Spelt for Normal {
    const LIST: &str = "normalizers";

    fn read(rule: Value) -> Result<Normal, String> {
        #[derive(Deserialize)]
        struct Unless {
            prepend: String,
            unless: Vec<String>,
        }
        if rule["type"] == "PrependUnless" {
            return parse(rule).map(|Unless { prepend, unless }| Normal::PrependUnless { prepend, unless });
        }
        Ok(match replaced(&rule, Expression::of_texts)? {
            Some((pattern, content)) => Normal::Replace { pattern, content },
            None => Normal::Of(parse(rule)?),
        })
    }
}

impl Spelt for PreToken {
    const LIST: &str = "pretokenizers";

    fn read(rule: Value) -> Result<PreToken, String> {
        #[derive(Deserialize)]
        struct How {
            behavior: SplitDelimiterBehavior,
            invert: bool,
        }
        if let Some(pattern) = rule["pattern"]["Regex"].as_str().filter(|_| rule["type"] == "Split") {
            let pattern = Expression::of_texts(pattern)?;
            let How { behavior, invert } = parse(rule)?;
            return Ok(PreToken::Split { pattern, behavior, invert });
        }
        Ok(match parse(rule)? {
            PreTokenizerWrapper::ByteLevel(bytes) if bytes.use_regex => PreToken::Words {
                add_prefix_space: bytes.add_prefix_space,
                bytes: bytes.add_prefix_space(false).use_regex(false),
            },
            other => PreToken::Of(other),
        })
    }
}

impl Spelt for Decoded {
    const LIST: &str = "decoders";

    fn read(rule: Value) -> Result<Decoded, String> {
        Ok(match replaced(&rule, Expression::of_tokens)? {
            Some((pattern, content)) => Decoded::Replace { pattern, content },
            None => Decoded::Of(parse(rule)?),
        })
    }
}

impl Normalizer for Rules<Normal> {
    fn normalize(&self, text: &mut NormalizedString) -> tokenizers::Result<()> {
        self.0.iter().try_for_each(|rule| match rule {
            Normal::Replace { pattern, content } => text.replace(pattern, content),
            Normal::PrependUnless { prepend, unless } => {
                if !text.is_empty() && !unless.iter().any(|other| other == text.get()) {
                    text.prepend(prepend);
                }
                Ok(())
            }
            Normal::Of(rule) => rule.normalize(text),
        })
    }
}

impl PreTokenizer for Rules<PreToken> {
    fn pre_tokenize(&self, text: &mut PreTokenizedString) -> tokenizers::Result<()> {
        self.0.iter().try_for_each(|rule| match rule {
            PreToken::Split { pattern, behavior, invert: true } => {
                text.split(|_, piece| piece.split(Invert(pattern), *behavior))
            }
            PreToken::Split { pattern, behavior, invert: false } => {
                text.split(|_, piece| piece.split(pattern, *behavior))
            }
            PreToken::Words { add_prefix_space, bytes } => {
                let words = WORDS.as_ref().map_err(String::clone)?;
                text.split(|_, mut piece| {
                    if *add_prefix_space && !piece.get().starts_with(' ') {
                        piece.prepend(" ");
                    }
                    piece.split(words, SplitDelimiterBehavior::Isolated)
                })?;
                bytes.pre_tokenize(text)
            }
            PreToken::Of(rule) => rule.pre_tokenize(text),
        })
    }
}

impl Decoder for Rules<Decoded> {
    fn decode_chain(&self, tokens: Vec<String>) -> tokenizers::Result<Vec<String>> {
        self.0.iter().try_fold(tokens, |tokens, rule| match rule {
            Decoded::Replace { pattern, content } => {
                tokens.iter().map(|token| without(token, pattern, content)).collect()
            }
            Decoded::Of(rule) => rule.decode_chain(tokens),
        })
    }
}

/// A token with something else in the place of each match.
fn without(token: &str, pattern: &Expression, content: &str) -> tokenizers::Result<String> {
    let pieces = pattern.find_matches(token)?;
    Ok(pieces
        .into_iter()
        .map(|((start, end), matched)| if matched { content } else { &token[start..end] })
        .collect())
}
