//! SentencePiece's own files, with what the settings beside them add.
//!
//! A text becomes the pieces that SentencePiece's library cuts it into; marks of the vocabulary and tokens that the settings name
//! are found in it first, as the tokenizers of transformers find them. Source: `tokenization_utils_sentencepiece.py`, and
//! `SpmConverter` and `LlamaConverter` of `convert_slow_tokenizer.py`. Where a file has no class of its own, `AutoTokenizer` of
//! transformers 5 forgets the space that SentencePiece puts in front of a text; that is not followed.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde_json::{Map, Value, json};

use super::{
    super::{
        super::CheckpointError,
        error::TokenizerError,
        special::{Again, Special},
    },
    assembled::{Assembled, CONVERT, adds, refuse, template},
};
use crate::sentencepiece::{self, Algorithm, Kind, Model, Piece, Prefix, Spaces, found_first};
use base::foreign;

/// Names that such files have.
pub(super) const FILES: [&str; 2] = ["tokenizer.model", "spiece.model"];

/// Tokens that T5 has beyond its pieces if the settings do not say how many, and the most that they may say.
const USUAL_EXTRA: u64 = 100;
const MOST_EXTRA: u64 = 1 << 12;

/// What a class of the reference does beside what the file says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// `LlamaTokenizer`, and those that do nothing.
    Llama,
    /// Merges follow the order of the pieces.
    Gemma,
    /// Has more tokens, and ends each text.
    T5,
}

const CLASSES: [(&str, Class); 9] = [
    ("LlamaTokenizer", Class::Llama),
    ("LLaMATokenizer", Class::Llama),
    ("CodeLlamaTokenizer", Class::Llama),
    ("GemmaTokenizer", Class::Gemma),
    ("T5Tokenizer", Class::T5),
    ("TokenizersBackend", Class::Llama),
    ("PreTrainedTokenizer", Class::Llama),
    ("InternLM2Tokenizer", Class::Llama),
    ("BaichuanTokenizer", Class::Llama),
];

/// The tokenizer of a folder whose vocabulary is in this file.
///
/// # Errors
/// A file that cannot be read, is none of SentencePiece's or asks for what is not followed; a class that does more.
pub(super) fn assemble(
    folder: &Path,
    name: &str,
    settings: &Map<String, Value>,
    config: &Map<String, Value>,
) -> Result<Assembled, TokenizerError> {
    let file = folder.join(name);
    let class = class(settings, config).map_err(|found| {
        let names: Vec<&str> = CLASSES.iter().map(|(name, _)| *name).collect();
        refuse(&file, format!("a class that reads it ({})", names.join(", ")), &found, CONVERT)
    })?;
    let io = |source| CheckpointError::Io { file: file.clone(), what: "cannot read", source };
    let bytes = foreign::read(&file, foreign::Kind::Json).map_err(io)?;
    let mut model =
        Model::read(&bytes).map_err(|wrong| refuse(&file, wrong.expected, &wrong.found, CONVERT))?;
    if class == Class::T5 {
        let extra = settings.get("extra_ids").and_then(Value::as_u64).unwrap_or(USUAL_EXTRA);
        if extra > MOST_EXTRA {
            return Err(refuse(
                &file,
                format!("`extra_ids` up to {MOST_EXTRA}"),
                &extra.to_string(),
                CONVERT,
            ));
        }
        let piece = |id: u64| Piece { text: format!("<extra_id_{id}>"), score: 0.0, kind: Kind::Control };
        model.pieces.extend((0..extra).rev().map(piece));
    }
    let named = [("bos_token", &model.bos), ("eos_token", &model.eos)];
    let usual: Vec<(&str, &str)> =
        named.iter().filter_map(|(key, token)| Some((*key, token.as_deref()?))).collect();
    let special = Special::few(folder, settings, &usual)?;
    rename(&mut model.pieces, &special);
    let vocabulary: Map<String, Value> =
        model.pieces.iter().enumerate().map(|(id, piece)| (piece.text.clone(), id.into())).collect();
    let mut added = special.added(&vocabulary, Again::Nothing);
    let prefix = prefix(&model, class, settings);
    added.splice(0..0, marks(&model.pieces, &added, &prefix));
    let ends = adds(settings, "add_eos_token") || class == Class::T5;
    let post_processor = template(&special, &added, ends, settings);
    let spaces = Spaces { prefix, ..model.spaces.clone() };
    let cut = match model.algorithm {
        Algorithm::Unigram => unigram(&model),
        Algorithm::Bpe => bpe(&file, &model, class, vocabulary)?,
    };
    let json = sentencepiece::tokenizer(added, &spaces, post_processor, cut);
    Ok(Assembled { file, json, bos: special.named("bos_token") })
}

fn class(settings: &Map<String, Value>, config: &Map<String, Value>) -> Result<Class, String> {
    let name = |object: &Map<String, Value>| Some(object.get("tokenizer_class")?.as_str()?.to_string());
    let Some(asked) = name(settings).or_else(|| name(config)) else {
        let family = config.get("model_type").and_then(Value::as_str).unwrap_or_default();
        return Ok(if family.starts_with("gemma") { Class::Gemma } else { Class::Llama });
    };
    let bare = asked.strip_suffix("Fast").unwrap_or(&asked);
    let found = CLASSES.iter().find(|(name, _)| *name == bare);
    found.map(|(_, class)| *class).ok_or_else(|| format!("`tokenizer_class` = {asked:?}"))
}

/// A token that the settings declare at the id of a piece stands in its place.
fn rename(pieces: &mut [Piece], special: &Special) {
    let known: BTreeSet<String> = pieces.iter().map(|piece| piece.text.clone()).collect();
    for (id, token) in special.declared().filter(|(_, token)| !token.is_empty() && !known.contains(*token)) {
        let piece = usize::try_from(id).ok().and_then(|id| pieces.get_mut(id));
        if let Some(piece) = piece.filter(|piece| piece.kind != Kind::Unknown) {
            *piece = Piece { text: token.to_string(), score: 0.0, kind: Kind::Control };
        }
    }
}

/// Pieces that are found in a text before it is cut, but for those that the settings tell more of.
fn marks(pieces: &[Piece], told: &[Value], prefix: &Prefix) -> Vec<Value> {
    let told: BTreeSet<&str> = told.iter().filter_map(|token| token["content"].as_str()).collect();
    let late = matches!(prefix, Prefix::Unless(_));
    let mark = |(id, piece): (usize, &Piece)| {
        let defined = match piece.kind {
            Kind::Unknown | Kind::Control => false,
            Kind::UserDefined => true,
            Kind::Normal | Kind::Byte => return None,
        };
        let mark = found_first(id, &piece.text, !defined, defined && late);
        (!told.contains(piece.text.as_str())).then_some(mark)
    };
    pieces.iter().enumerate().filter_map(mark).collect()
}

/// Where a space comes in front. `legacy` is the word of `LlamaTokenizer` for whether one does after each mark.
fn prefix(model: &Model, class: Class, settings: &Map<String, Value>) -> Prefix {
    let flag = |key: &str| settings.get(key).and_then(Value::as_bool).filter(|_| class == Class::Llama);
    let prefixed = flag("add_prefix_space").unwrap_or(model.spaces.prefix != Prefix::Never);
    match (prefixed, flag("legacy")) {
        (false, _) => Prefix::Never,
        (true, Some(false)) => Prefix::Outside,
        _ => match defined(model) {
            texts if texts.is_empty() => Prefix::Everywhere,
            texts => Prefix::Unless(texts),
        },
    }
}

/// Pieces that are found after a space was put in front, as the library finds them. Where characters or spaces are changed it finds
/// them before that, too, so that they stay as they are: then they are among those that are found first.
fn defined(model: &Model) -> Vec<String> {
    let changed = !model.spaces.charsmap.is_empty() || model.spaces.removes_extra;
    let defined = model.pieces.iter().filter(|piece| piece.kind == Kind::UserDefined && !changed);
    defined.map(|piece| piece.text.clone()).collect()
}

fn unigram(model: &Model) -> Value {
    let pieces: Vec<Value> = model.pieces.iter().map(|piece| json!([piece.text, piece.score])).collect();
    json!({"type": "Unigram", "unk_id": model.unknown(), "vocab": pieces, "byte_fallback": model.bytes})
}

fn bpe(
    file: &Path,
    model: &Model,
    class: Class,
    vocabulary: Map<String, Value>,
) -> Result<Value, TokenizerError> {
    let texts: Vec<&str> = model.pieces.iter().map(|piece| piece.text.as_str()).collect();
    let ids: BTreeMap<&str, usize> = texts.iter().enumerate().map(|(id, text)| (*text, id)).collect();
    let rank = |id: usize| {
        let Piece { score, kind, .. } = &model.pieces[id];
        let score = if class == Class::Gemma { -(id as f32) } else { *score };
        matches!(kind, Kind::Normal | Kind::UserDefined).then_some(score)
    };
    let merges = sentencepiece::merges(&texts, &ids, rank).ok_or_else(|| {
        let longest = texts.iter().map(|text| text.len()).max().unwrap_or(0);
        let found = format!("pieces of up to {longest} bytes");
        refuse(file, "pieces short enough to be cut into pairs".to_string(), &found, CONVERT)
    })?;
    let merges = merges.into_iter().map(|(left, right)| json!([left, right])).collect();
    let unknown = Some(model.pieces[model.unknown()].text.clone());
    Ok(sentencepiece::bpe(vocabulary.into(), merges, unknown, model.bytes))
}
