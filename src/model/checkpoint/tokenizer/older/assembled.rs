//! A tokenizer made of other files than `tokenizer.json`, and what those who make one share.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::super::{super::CheckpointError, error::TokenizerError, special::Special};

use base::foreign::{self, Kind};

/// A tokenizer made of other files.
pub(in crate::checkpoint::tokenizer) struct Assembled {
    /// The file that holds its vocabulary.
    pub file: PathBuf,
    /// As `tokenizer.json` would have it.
    pub json: Value,
    /// The token that begins a text, if its class or the settings name one.
    pub bos: Option<String>,
}

/// What always helps.
pub(super) const CONVERT: &str = "write tokenizer.json with transformers (`AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER)`), or \
                       give token ids instead of text (`--tokens 1,2,3`)";

/// Whether the settings say yes to this key.
pub(super) fn adds(settings: &Map<String, Value>, key: &str) -> bool {
    settings.get(key) == Some(&Value::Bool(true))
}

/// The rule that puts the BOS in front of a text where the settings ask for it, and the EOS behind it.
pub(super) fn template(
    special: &Special,
    added: &[Value],
    ends: bool,
    settings: &Map<String, Value>,
) -> Value {
    let id =
        |token: &str| added.iter().find(|added| added["content"] == token).map(|added| added["id"].clone());
    let mut single = vec![json!({"Sequence": {"id": "A", "type_id": 0}})];
    let mut used = Map::new();
    let mut put = |token: Option<String>, at: fn(usize) -> usize| {
        if let Some(token) = token
            && let Some(id) = id(&token)
        {
            used.insert(token.clone(), json!({"id": token, "ids": [id], "tokens": [token]}));
            single.insert(at(single.len()), json!({"SpecialToken": {"id": token, "type_id": 0}}));
        }
    };
    put(special.named("bos_token").filter(|_| adds(settings, "add_bos_token")), |_| 0);
    put(special.named("eos_token").filter(|_| ends), |length| length);
    json!({
        "type": "TemplateProcessing", "single": single,
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": used,
    })
}

/// The error of a file that makes no tokenizer.
pub(super) fn refuse(file: &Path, expected: String, found: &str, next: &'static str) -> TokenizerError {
    TokenizerError::Older { file: file.to_path_buf(), expected, found: found.to_string(), next }
}

/// A text of a folder, without the mark of byte order that an editor may have left in front.
pub(super) fn text(file: &Path) -> Result<String, TokenizerError> {
    let read = foreign::read_text(file, Kind::Json);
    let text =
        read.map_err(|source| CheckpointError::Io { file: file.into(), what: "cannot read", source })?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_string).unwrap_or(text))
}
