//! What SentencePiece does to a text before its model cuts it, as rules of a `tokenizer.json`.
//!
//! Source: `Normalizer::Normalize` of SentencePiece's `normalizer.cc`; [`Prefix::Outside`] is that of transformers'
//! `LlamaTokenizer`.

use serde_json::{Value, json};

/// The letter that stands for a space inside tokens.
pub(crate) const SPACE: char = '▁';

/// Where a space is put that the text does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Prefix {
    /// Nowhere.
    Never,
    /// In front of each piece of text between tokens that are found first.
    Everywhere,
    /// Likewise, but not of pieces that are one of these texts: tokens that are found after the space was put.
    Unless(Vec<String>),
    /// In front of the text, if it does not begin with one.
    Outside,
}

/// How characters and spaces of a text are changed; a space that stays becomes [`SPACE`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spaces {
    /// Which characters are replaced first, `precompiled_charsmap` in base64; none where it is empty.
    pub charsmap: String,
    /// Spaces at both ends are dropped, several in a row become one.
    pub removes_extra: bool,
    /// Which come in front.
    pub prefix: Prefix,
    /// A text that spells the name of a byte's piece, such as `<0x0A>`, is not taken for it.
    pub names_no_bytes: bool,
}

impl Spaces {
    /// Normalizer and pre-tokenizer.
    pub(super) fn rules(&self) -> (Value, Value) {
        let drop = |regex: &str| json!({"type": "Replace", "pattern": {"Regex": regex}, "content": ""});
        let mut rules = Vec::new();
        if !self.charsmap.is_empty() {
            rules.push(json!({"type": "Precompiled", "precompiled_charsmap": self.charsmap}));
        }
        if self.removes_extra {
            rules.push(drop(r"\A +|(?<= ) +"));
        }
        match &self.prefix {
            Prefix::Everywhere => rules.push(json!({"type": "Prepend", "prepend": SPACE})),
            Prefix::Unless(texts) => {
                rules.push(json!({"type": "PrependUnless", "prepend": SPACE, "unless": texts}))
            }
            Prefix::Never | Prefix::Outside => {}
        }
        rules.push(json!({"type": "Replace", "pattern": {"String": " "}, "content": SPACE}));
        if self.removes_extra {
            rules.push(drop(r"▁+\z"));
        }
        let normalizer = match rules.len() {
            1 => rules.remove(0),
            _ => json!({"type": "Sequence", "normalizers": rules}),
        };
        let mut cuts = Vec::new();
        if self.prefix == Prefix::Outside {
            cuts.push(
                json!({"type": "Metaspace", "replacement": SPACE, "prepend_scheme": "first", "split": false}),
            );
        }
        if self.names_no_bytes {
            let name = r"<(?=0x[0-9A-F][0-9A-F]>)";
            cuts.push(json!({"type": "Split", "pattern": {"Regex": name}, "behavior": "MergedWithPrevious", "invert": false}));
        }
        let pre_tokenizer = match cuts.len() {
            0 => Value::Null,
            1 => cuts.remove(0),
            _ => json!({"type": "Sequence", "pretokenizers": cuts}),
        };
        (normalizer, pre_tokenizer)
    }
}
