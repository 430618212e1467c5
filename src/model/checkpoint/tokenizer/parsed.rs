//! A `tokenizer.json`, read once and asked under watch.

use std::{
    path::Path,
    sync::{Arc, LazyLock},
};

use serde_json::{Map, Value};
use tokenizers::{AddedToken, ModelWrapper};

use super::{
    TokenizerError,
    applied::Watched,
    bounds::{self, Checked, Growth},
    special::Special,
    watch::watched,
};
use crate::checkpoint::CheckpointError;
use base::foreign::{self, Kind};

/// A `tokenizer.json`.
pub(super) struct Parsed {
    inner: Watched,
    growth: Growth,
    /// The dropout that the file asks for.
    dropout: Option<f64>,
    /// The settings that decide ids, as [`content`] spells them.
    content: LazyLock<Vec<u8>, Box<dyn FnOnce() -> Vec<u8> + Send>>,
}

impl Parsed {
    pub(super) fn read(file: &Path) -> Result<Parsed, TokenizerError> {
        let _span = tracing::info_span!("tokenizer", file = %file.display()).entered();
        if matches!(file.try_exists(), Ok(false)) {
            return Err(TokenizerError::Missing { folder: file.parent().unwrap_or(file).to_path_buf() });
        }
        Parsed::of(file, bytes(file)?)
    }

    /// Of the bytes of a `tokenizer.json` that `file` holds or describes.
    pub(super) fn of(file: &Path, bytes: Vec<u8>) -> Result<Parsed, TokenizerError> {
        Parsed::with(file, bytes, Vec::new())
    }

    /// This one, read from `file`, with the tokens that the files beside it name: itself where it has them all.
    pub(super) fn beside(
        self: Arc<Parsed>,
        file: &Path,
        special: &Special,
    ) -> Result<Arc<Parsed>, TokenizerError> {
        let added = self.inner.get_added_vocabulary().get_added_tokens_decoder();
        let joining = special.beside(&added.values().map(|token| (token.content.as_str(), token)).collect());
        Ok(match joining.is_empty() {
            true => self,
            false => Arc::new(Parsed::with(file, bytes(file)?, joining)?),
        })
    }

    fn with(file: &Path, bytes: Vec<u8>, joining: Vec<AddedToken>) -> Result<Parsed, TokenizerError> {
        let bad = |found: String| TokenizerError::Bad { file: file.to_path_buf(), found };
        let Checked { growth, dropout } = bounds::check(&bytes).map_err(bad)?;
        bounds::check_added(growth, joining.iter().map(|token| token.content.len())).map_err(bad)?;
        let open = || -> tokenizers::Result<Watched> {
            let mut inner = Watched::from_bytes(&bytes)?;
            inner.with_truncation(None)?;
            inner.with_padding(None);
            inner.add_tokens(&joining);
            if dropout.is_some()
                && let ModelWrapper::BPE(mut model) = inner.get_model().clone()
            {
                model.dropout = None;
                inner.with_model(model);
            }
            Ok(inner)
        };
        // Opening it changes the added tokens as texts are changed.
        let inner = watched(bytes.len(), open).map_err(bad)?;
        let content = move || {
            let mut content = content(bytes);
            // Their order gives them their ids.
            content.extend(joining.iter().flat_map(|token| format!("{token:?}").into_bytes()));
            content
        };
        Ok(Parsed { inner, growth, dropout, content: LazyLock::new(Box::new(content)) })
    }

    /// What can be asked without applying a rule.
    pub(super) fn inner(&self) -> &Watched {
        &self.inner
    }

    /// The dropout that the file asks for.
    pub(super) fn dropout(&self) -> Option<f64> {
        self.dropout
    }

    /// The settings that decide ids, in one spelling.
    pub(super) fn content(&self) -> &[u8] {
        &self.content
    }

    /// The ids of a text.
    ///
    /// # Errors
    /// What the rules fail on.
    pub(super) fn ids(&self, text: &str) -> Result<Vec<u32>, String> {
        self.growth.allows(text.len())?;
        watched(text.len(), || self.inner.encode_fast(text, true)).map(|encoding| encoding.get_ids().to_vec())
    }

    /// The text of an id whose token has so many bytes.
    ///
    /// # Errors
    /// What the decoder fails on.
    pub(super) fn decoded(&self, id: u32, bytes: usize) -> Result<String, String> {
        watched(bytes, || self.inner.decode(&[id], false))
    }

    /// Says whether the post-processor puts `bos` in front of a text that does not begin with it.
    ///
    /// # Errors
    /// What the rules fail on so that nobody can say.
    pub(super) fn puts_in_front(&self, bos: u32) -> Result<bool, String> {
        let text = "a";
        let ids = |special| self.inner.encode(text, special).map(|encoding| encoding.get_ids().to_vec());
        watched(text.len(), || -> Result<bool, String> {
            Ok(match (ids(false), ids(true)) {
                (Ok(bare), Ok(full)) => leading(&full, bos) > leading(&bare, bos),
                _ => false,
            })
        })
    }
}

fn bytes(file: &Path) -> Result<Vec<u8>, TokenizerError> {
    let io = |source| CheckpointError::Io { file: file.to_path_buf(), what: "cannot read", source };
    let bytes = foreign::read(file, Kind::Json).map_err(io)?;
    // Editors leave a mark of byte order in front.
    let unmarked = bytes.strip_prefix(b"\xef\xbb\xbf").map(<[u8]>::to_vec);
    Ok(unmarked.unwrap_or(bytes))
}

/// The settings of a `tokenizer.json` that decide ids, in one spelling whatever its formatting. The bytes
/// as they lie where a tokenizer can be read of them but no general JSON (a number out of range that it ignores).
fn content(bytes: Vec<u8>) -> Vec<u8> {
    let Ok(mut content) = serde_json::from_slice::<Map<String, Value>>(&bytes) else { return bytes };
    // Switched off, so they decide nothing.
    content.remove("truncation");
    content.remove("padding");
    if let Some(dropout) = content.get_mut("model").and_then(|model| model.get_mut("dropout"))
        && dropout.as_f64().is_some_and(bounds::is_chance)
    {
        *dropout = Value::Null;
    }
    content.sort_keys();
    let mut content = Value::Object(content);
    content.sort_all_objects();
    content.to_string().into_bytes()
}

/// The number of times that `bos` stands in front.
fn leading(ids: &[u32], bos: u32) -> usize {
    ids.iter().take_while(|&&id| id == bos).count()
}
