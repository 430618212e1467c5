//! The file of a SentencePiece tokenizer, `tokenizer.model` or `spiece.model`: one message of protocol buffers.
//!
//! Source: `sentencepiece_model.proto` of SentencePiece; names, tags and defaults are those there. Fields that change no ids are left out.

use std::collections::BTreeSet;

use prost::{
    Message,
    encoding::{DecodeContext, WireType, decode_key, skip_field},
};

use super::{Prefix, Spaces};
use base64::{Engine, engine::general_purpose::STANDARD};

/// Pieces of the largest vocabulary; those in use have up to 900 thousand.
const MOST_PIECES: usize = 1 << 20;
/// Tag of a piece.
const PIECES: u32 = 1;

#[derive(Clone, PartialEq, Message)]
struct ModelProto {
    #[prost(message, repeated, tag = "1")]
    pieces: Vec<SentencePiece>,
    #[prost(message, optional, tag = "2")]
    trainer_spec: Option<TrainerSpec>,
    #[prost(message, optional, tag = "3")]
    normalizer_spec: Option<NormalizerSpec>,
}

#[derive(Clone, PartialEq, Message)]
struct SentencePiece {
    #[prost(string, optional, tag = "1")]
    piece: Option<String>,
    #[prost(float, optional, tag = "2")]
    score: Option<f32>,
    #[prost(int32, optional, tag = "3", default = "1")]
    r#type: Option<i32>,
}

#[derive(Clone, PartialEq, Message)]
struct TrainerSpec {
    #[prost(int32, optional, tag = "3", default = "1")]
    model_type: Option<i32>,
    #[prost(bool, optional, tag = "24")]
    treat_whitespace_as_suffix: Option<bool>,
    #[prost(bool, optional, tag = "35")]
    byte_fallback: Option<bool>,
    #[prost(int32, optional, tag = "41", default = "1")]
    bos_id: Option<i32>,
    #[prost(int32, optional, tag = "42", default = "2")]
    eos_id: Option<i32>,
}

#[derive(Clone, PartialEq, Message)]
struct NormalizerSpec {
    #[prost(bytes = "vec", optional, tag = "2")]
    precompiled_charsmap: Option<Vec<u8>>,
    #[prost(bool, optional, tag = "3", default = "true")]
    add_dummy_prefix: Option<bool>,
    #[prost(bool, optional, tag = "4", default = "true")]
    remove_extra_whitespaces: Option<bool>,
    #[prost(bool, optional, tag = "5", default = "true")]
    escape_whitespaces: Option<bool>,
}

/// How a text is cut into pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    /// By the sum of the scores of its pieces.
    Unigram,
    /// By merging, the pieces of the best scores first.
    Bpe,
}

/// What a piece is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Text.
    Normal,
    /// What stands for text without a piece.
    Unknown,
    /// A mark that no text becomes.
    Control,
    /// Text that is found first.
    UserDefined,
    /// A byte of text without a piece.
    Byte,
}

/// A piece of a vocabulary.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Piece {
    pub text: String,
    /// Finite.
    pub score: f32,
    pub kind: Kind,
}

/// What a file says.
pub(crate) struct Model {
    pub algorithm: Algorithm,
    /// By their ids; no two of the same text, none empty, at least one of them [`Kind::Unknown`].
    pub pieces: Vec<Piece>,
    /// Characters without a piece are spelled as bytes.
    pub bytes: bool,
    pub spaces: Spaces,
    pub bos: Option<String>,
    pub eos: Option<String>,
}

/// What is wrong with a file: what was expected, and what was found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub expected: String,
    pub found: String,
}

fn wrong<T>(expected: &str, found: impl ToString) -> Result<T, Wrong> {
    Err(Wrong { expected: expected.to_string(), found: found.to_string() })
}

impl Model {
    /// Reads the bytes of a file.
    ///
    /// # Errors
    /// What of it cannot be, or is not followed.
    pub(crate) fn read(bytes: &[u8]) -> Result<Model, Wrong> {
        const MODEL: &str = "a SentencePiece model";
        if is_tiktoken(bytes) {
            return wrong(MODEL, "a tokenizer of tiktoken");
        }
        let count = count(bytes).or_else(|error| wrong(MODEL, error))?;
        if count == 0 || count > MOST_PIECES {
            return wrong(&format!("between one and {MOST_PIECES} pieces"), count);
        }
        let file = ModelProto::decode(bytes).or_else(|error| wrong(MODEL, error))?;
        let (trainer, normalizer) =
            (file.trainer_spec.unwrap_or_default(), file.normalizer_spec.unwrap_or_default());
        let algorithm = match trainer.model_type() {
            1 => Algorithm::Unigram,
            2 => Algorithm::Bpe,
            other => return wrong("`model_type` UNIGRAM (1) or BPE (2)", other),
        };
        if trainer.treat_whitespace_as_suffix() {
            return wrong("`treat_whitespace_as_suffix` false", true);
        }
        if !normalizer.escape_whitespaces() {
            return wrong("`escape_whitespaces` true", false);
        }
        let pieces = pieces(file.pieces)?;
        let named = |id: i32| {
            let piece = usize::try_from(id).ok().and_then(|id| pieces.get(id));
            piece.filter(|piece| piece.kind == Kind::Control).map(|piece| piece.text.clone())
        };
        Ok(Model {
            algorithm,
            bytes: trainer.byte_fallback(),
            spaces: Spaces {
                charsmap: STANDARD.encode(normalizer.precompiled_charsmap()),
                removes_extra: normalizer.remove_extra_whitespaces(),
                prefix: if normalizer.add_dummy_prefix() { Prefix::Everywhere } else { Prefix::Never },
                names_no_bytes: algorithm == Algorithm::Unigram
                    && pieces.iter().any(|piece| piece.kind == Kind::Byte),
            },
            bos: named(trainer.bos_id()),
            eos: named(trainer.eos_id()),
            pieces,
        })
    }

    /// The id of the piece that stands for text without one.
    pub(crate) fn unknown(&self) -> usize {
        self.pieces.iter().position(|piece| piece.kind == Kind::Unknown).unwrap_or_default()
    }
}

/// Whether each line is a token in base64 and its rank; a file of the same name is of this kind in repositories of Llama 3.
fn is_tiktoken(bytes: &[u8]) -> bool {
    let line = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let mut words = line.split(|&byte| byte == b' ');
    let (Some(token), Some(rank), None) = (words.next(), words.next(), words.next()) else { return false };
    STANDARD.decode(token).is_ok() && !rank.is_empty() && rank.iter().all(u8::is_ascii_digit)
}

/// The number of pieces, found without keeping one.
fn count(mut bytes: &[u8]) -> Result<usize, String> {
    let mut pieces = 0;
    while !bytes.is_empty() {
        let (tag, kind) = decode_key(&mut bytes).map_err(|error| error.to_string())?;
        pieces += usize::from(tag == PIECES && kind == WireType::LengthDelimited);
        let skipped = skip_field(kind, tag, &mut bytes, DecodeContext::default());
        skipped.map_err(|error| error.to_string())?;
    }
    Ok(pieces)
}

fn pieces(stored: Vec<SentencePiece>) -> Result<Vec<Piece>, Wrong> {
    let mut pieces = Vec::with_capacity(stored.len());
    for (id, stored) in stored.into_iter().enumerate() {
        let score = stored.score();
        let kind = match stored.r#type() {
            1 => Kind::Normal,
            2 => Kind::Unknown,
            3 => Kind::Control,
            4 => Kind::UserDefined,
            6 => Kind::Byte,
            other => {
                let expected =
                    "pieces that are NORMAL, UNKNOWN, CONTROL, USER_DEFINED or BYTE (1, 2, 3, 4, 6)";
                return wrong(expected, format!("type {other} of piece {id}"));
            }
        };
        let text = stored.piece.unwrap_or_default();
        if text.is_empty() {
            return wrong("pieces of text", format!("nothing as piece {id}"));
        }
        if !score.is_finite() {
            return wrong("finite scores", format!("{score} of piece {id}"));
        }
        pieces.push(Piece { text, score, kind });
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = pieces.iter().find(|piece| !seen.insert(piece.text.as_str())) {
        return wrong("every piece once", format!("{:?} twice", short(&twice.text)));
    }
    match pieces.iter().filter(|piece| piece.kind == Kind::Unknown).count() {
        1 => Ok(pieces),
        count => wrong("one piece of the type UNKNOWN", count),
    }
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}
