//! The rules of a `tokenizer.json`: what normalises a text, cuts it, adds to it and decodes it. How far each can make a text
//! grow, and whether it holds something that the `tokenizers` crate would stumble over.

use serde_json::{Map, Value};

use super::{charsmap, pattern, shown};

/// How deep sequences of rules may lie in each other.
const DEEPEST: usize = 8;
/// How many rules there may be.
const MOST: usize = 256;
/// Pieces of a template.
const MOST_PIECES: usize = 256;
/// Keys of the lists of a sequence.
const LISTS: [&str; 4] = ["normalizers", "pretokenizers", "processors", "decoders"];

/// The types of rules that are no sequence, as the `tokenizers` crate names them, and one of ours. It guesses what a rule of any other name may be
/// by its keys: such a rule would be applied without having been looked at.
const TYPES: [&str; 35] = [
    "BPEDecoder",
    "BertNormalizer",
    "BertPreTokenizer",
    "BertProcessing",
    "ByteFallback",
    "ByteLevel",
    "CTC",
    "CharDelimiterSplit",
    "Delimiter",
    "Digits",
    "FixedLength",
    "Fuse",
    "Lowercase",
    "Metaspace",
    "NFC",
    "NFD",
    "NFKC",
    "NFKD",
    "Nmt",
    "Precompiled",
    "Prepend",
    "PrependUnless",
    "Punctuation",
    "Replace",
    "RobertaProcessing",
    "Split",
    "Strip",
    "StripAccents",
    "TemplateProcessing",
    "UnicodeScripts",
    "Whitespace",
    "WhitespaceSplit",
    "WordPiece",
    "StripNormalizer",
    "Bert",
];

/// Keys by which the `tokenizers` crate guesses, where the type is one of another place (a `Split` among normalizers), and the types
/// that have them; the lists of a sequence tell too.
const TELLING: [(&str, &[&str]); 3] = [
    ("precompiled_charsmap", &["Precompiled"]),
    ("prepend", &["Prepend", "PrependUnless"]),
    ("content", &["Replace", "Strip"]),
];

/// Rules, one after the other.
pub(super) struct Rules {
    growth: u64,
    count: usize,
}

impl Default for Rules {
    fn default() -> Rules {
        Rules { growth: 1, count: 0 }
    }
}

impl Rules {
    /// How many times as long all of them can make a text.
    pub(super) fn growth(&self) -> u64 {
        self.growth
    }

    /// Takes a rule, and those of which it is a sequence.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn follow(&mut self, rule: &Value) -> Result<(), String> {
        self.at(rule, 0)
    }

    fn at(&mut self, rule: &Value, depth: usize) -> Result<(), String> {
        if rule.is_null() && depth == 0 {
            return Ok(());
        }
        let kind = rule.get("type").and_then(Value::as_str);
        let (Some(fields), Some(kind)) = (rule.as_object(), kind) else {
            return Err("a rule that is no object with a type".to_string());
        };
        self.count += 1;
        if depth > DEEPEST || self.count > MOST {
            return Err(format!("more than {MOST} rules, or some {DEEPEST} deep in each other"));
        }
        let sequences = LISTS.iter().map(|&list| (list, &["Sequence"][..]));
        let mut telling = sequences.chain(TELLING);
        if let Some((key, _)) =
            telling.find(|(key, kinds)| fields.contains_key(*key) && !kinds.contains(&kind))
        {
            return Err(format!(
                "a rule of the type {:?} with the key {key:?} of another",
                shown::short(kind)
            ));
        }
        if kind == "Sequence" {
            let lists = LISTS.iter().filter_map(|list| fields.get(*list)?.as_array());
            return lists.flatten().try_for_each(|rule| self.at(rule, depth + 1));
        }
        if !TYPES.contains(&kind) {
            return Err(format!("a rule of the type {:?}, which is not known", shown::short(kind)));
        }
        let growth = growth(kind, fields).map_err(|wrong| format!("a {kind} with {wrong}"))?;
        self.growth = self.growth.saturating_mul(growth);
        Ok(())
    }
}

/// How many times as long one rule can make a text, if it does so each time anew: Unicode's own forms do not.
fn growth(kind: &str, fields: &Map<String, Value>) -> Result<u64, String> {
    let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
    let replaced = fields.get("pattern").map_or(Ok(1), pattern::shortest_match)?;
    Ok(match kind {
        "Precompiled" => charsmap::growth(text("precompiled_charsmap"))
            .map_err(|wrong| format!("a precompiled_charsmap of {wrong}"))?,
        // A pattern that matches nothing puts the text before every byte.
        "Replace" => match replaced {
            0 => 1 + text("content").len() as u64,
            some => (text("content").len() as u64).div_ceil(some).max(1),
        },
        "Prepend" | "PrependUnless" => 1 + text("prepend").len() as u64,
        // Bytes become characters of up to two bytes; some signs get a space on either side.
        "ByteLevel" | "Bert" | "BertNormalizer" => 2,
        // A space becomes a character of up to four bytes, and another may come in front.
        "Metaspace" => 8,
        "TemplateProcessing" => template(fields)?,
        "FixedLength" if fields.get("length").is_some_and(|length| length == 0) => {
            return Err("the length 0".to_string());
        }
        _ => 1,
    })
}

/// Of a template: how often it repeats the text. Special tokens are few.
fn template(fields: &Map<String, Value>) -> Result<u64, String> {
    let pieces = fields.get("single").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if pieces.len() > MOST_PIECES {
        return Err(format!("{} pieces", pieces.len()));
    }
    let special = fields.get("special_tokens");
    let mut texts = 0;
    for piece in pieces {
        if let Some(sequence) = piece.get("Sequence") {
            texts += 1;
            if sequence.get("id").is_some_and(|id| id != "A") {
                return Err("a second text where there is one".to_string());
            }
        }
        let id = piece.get("SpecialToken").and_then(|token| token.get("id")?.as_str());
        let Some(id) = id else { continue };
        let token = special.and_then(|all| all.get(id)).ok_or_else(|| format!("no special token {id:?}"))?;
        let count = |list: &str| token.get(list).and_then(Value::as_array).map_or(0, Vec::len);
        if count("ids") != count("tokens") || count("ids") > MOST_PIECES {
            return Err(format!("{} ids for {} tokens in {id:?}", count("ids"), count("tokens")));
        }
    }
    Ok(texts.max(1))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn follow(rule: Value) -> Result<u64, String> {
        let mut rules = Rules::default();
        rules.follow(&rule).map(|()| rules.growth())
    }

    #[test]
    fn rules_after_each_other_multiply() {
        let replace =
            |from: &str, to: &str| json!({"type": "Replace", "pattern": {"String": from}, "content": to});
        assert_eq!(follow(Value::Null), Ok(1));
        assert_eq!(follow(json!({"type": "NFC"})), Ok(1));
        assert_eq!(follow(replace(" ", "▁")), Ok(3));
        assert_eq!(follow(replace("``", "\"")), Ok(1));
        assert_eq!(follow(replace("", "ab")), Ok(3));
        let llama = json!({"type": "Sequence",
            "normalizers": [{"type": "Prepend", "prepend": "▁"}, replace(" ", "▁")]});
        assert_eq!(follow(llama), Ok(12));
        let bytes = json!({"type": "Sequence", "pretokenizers": vec![json!({"type": "ByteLevel"}); 80]});
        assert_eq!(follow(bytes), Ok(u64::MAX));
    }

    #[test]
    fn rules_that_the_crate_stumbles_over_are_refused() {
        let refused = |rule: Value, words: &str| {
            let error = follow(rule).unwrap_err();
            assert!(error.contains(words), "{error}");
        };
        refused(json!("NFC"), "no object with a type");
        let map = json!({"type": "Precompiled", "precompiled_charsmap": "////fw=="});
        refused(json!({"type": "Sequences", "rules": [map]}), "the type \"Sequences\"");
        refused(json!({"type": "Split", "normalizers": [map]}), "the key \"normalizers\" of another");
        refused(
            json!({"type": "Split", "precompiled_charsmap": "////fw=="}),
            "\"precompiled_charsmap\" of another",
        );
        refused(json!({"type": "FixedLength", "length": 0}), "a FixedLength with the length 0");
        refused(json!({"type": "Precompiled", "precompiled_charsmap": "////fw=="}), "a trie of");
        let mut deep = json!({"type": "NFC"});
        for _ in 0..=DEEPEST {
            deep = json!({"type": "Sequence", "normalizers": [deep]});
        }
        refused(deep, "8 deep");
        refused(json!({"type": "Sequence", "decoders": vec![json!({"type": "Fuse"}); 256]}), "256 rules");
        let template = |single: Value| {
            json!({"type": "TemplateProcessing", "single": single, "pair": [],
            "special_tokens": {"<s>": {"id": "<s>", "ids": [1, 2], "tokens": ["<s>"]}}})
        };
        let text = |id: &str| json!({"Sequence": {"id": id, "type_id": 0}});
        let special = |id: &str| json!({"SpecialToken": {"id": id, "type_id": 0}});
        assert_eq!(follow(template(json!([text("A"), text("A")]))), Ok(2));
        refused(template(json!([text("B")])), "a second text");
        refused(template(json!([special("</s>")])), "no special token");
        refused(template(json!([special("<s>")])), "2 ids for 1 tokens");
        refused(template(json!(vec![text("A"); 300])), "300 pieces");
    }
}
