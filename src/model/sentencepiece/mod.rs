//! SentencePiece tokenizers, as a `tokenizer.json` has them: those that GGUF files describe and those of SentencePiece's own files.
//!
//! `model` reads such a file, `rules` spells how it changes a text, `merges` finds the merges that the scores of a vocabulary
//! imply.

mod merges;
mod model;
mod rules;

use serde_json::{Value, json};

pub(crate) use merges::merges;
pub(crate) use model::{Algorithm, Kind, Model, Piece};
pub(crate) use rules::{Prefix, SPACE, Spaces};

/// A token that is found in a text before it is cut, as a `tokenizer.json` lists it; a `normalized` one is found after spaces and
/// characters were changed.
pub(crate) fn found_first(id: usize, content: &str, special: bool, normalized: bool) -> Value {
    json!({
        "id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
        "normalized": normalized, "special": special,
    })
}

/// The model of a BPE vocabulary, `{token: id}`, and its merges. Characters without a token are spelled as bytes, or are the
/// unknown token, of which several in a row are one.
pub(crate) fn bpe(vocabulary: Value, merges: Vec<Value>, unknown: Option<String>, bytes: bool) -> Value {
    json!({
        "type": "BPE", "dropout": null, "unk_token": unknown, "continuing_subword_prefix": null,
        "end_of_word_suffix": null, "fuse_unk": true, "byte_fallback": bytes, "ignore_merges": false,
        "vocab": vocabulary, "merges": merges,
    })
}

/// A whole tokenizer: tokens found first, what happens to spaces, the model.
pub(crate) fn tokenizer(added: Vec<Value>, spaces: &Spaces, post_processor: Value, model: Value) -> Value {
    let (normalizer, pre_tokenizer) = spaces.rules();
    json!({
        "version": "1.0",
        "added_tokens": added,
        "normalizer": normalizer,
        "pre_tokenizer": pre_tokenizer,
        "post_processor": post_processor,
        "decoder": {"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": SPACE}, "content": " "},
            {"type": "ByteFallback"},
            {"type": "Fuse"},
        ]},
        "model": model,
    })
}
