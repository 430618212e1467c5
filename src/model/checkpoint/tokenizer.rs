//! Text to token ids and back, with the BOS policy of a protocol.
//!
//! The `tokenizers` crate does the work; this adds what decides the first token. Which token is the BOS:
//! `tokenizer_config.json` `bos_token` (a string or an object), else `config.json` `bos_token_id`. Whether it is added by
//! default: the post-processor of `tokenizer.json` alone, as in the reference, where `add_bos_token` of `tokenizer_config.json`
//! changes no ids beside it. A GGUF file says all of it itself.
//!
//! That crate is not made for files of strangers: `bounds` looks at one before it does, regular expressions are matched by
//! `expression` and not by the crate, and a `watch` is kept over whatever it is asked. `older` makes a `tokenizer.json` of the
//! files that models had before that format.

mod applied;
mod bos;
mod bounds;
mod charsmap;
mod count;
mod error;
mod expression;
mod older;
mod parsed;
mod pattern;
mod rules;
mod shown;
mod special;
mod watch;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use rayon::prelude::*;

use super::{CheckpointError, files, gguf_files, read_json::optional};
use crate::gguf;
use base::hash::Key;
use bos::stale;
pub use error::TokenizerError;
use number::protocol::Bos;
use older::Assembled;
use parsed::Parsed;
use shown::short;
use special::Special;

const FILE: &str = "tokenizer.json";

/// A checkpoint's tokenizer and its BOS facts.
pub struct Tokenizer {
    file: PathBuf,
    parsed: Arc<Parsed>,
    bos: Result<u32, String>,
    /// The other ids that the post-processor puts in front for the BOS.
    stale: Vec<u32>,
    adds_bos: Adds,
    identity: OnceLock<Key>,
}

/// The file that asks for a BOS by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Adds {
    PostProcessor,
    /// The metadata of a GGUF file, beside the post-processor.
    Config,
    Nobody,
}

impl Tokenizer {
    /// Reads the metadata of a GGUF file; of a folder in Hugging Face layout `tokenizer.json`, or the files that models had before
    /// it, and `tokenizer_config.json` and `config.json` where they are.
    ///
    /// Truncation and padding that `tokenizer.json` asks for are switched off: a prompt is measured whole. So is dropout: its
    /// ids are the same each time.
    ///
    /// # Errors
    /// [`TokenizerError::Missing`] without any tokenizer; files that cannot be read or parsed.
    pub fn open(folder: &Path) -> Result<Tokenizer, TokenizerError> {
        if let Some(file) = gguf_files::find(folder)? {
            return Tokenizer::of_gguf(file);
        }
        let file = folder.join(FILE);
        match matches!(file.try_exists(), Ok(false)) {
            true => Tokenizer::of_older_files(folder),
            false => Tokenizer::of(folder, Arc::new(Parsed::read(&file)?)),
        }
    }

    /// [`Tokenizer::open`] of every folder; a `tokenizer.json` that lies in several is parsed once.
    pub fn open_all<P: AsRef<Path> + Sync>(folders: &[P]) -> Vec<Result<Tokenizer, TokenizerError>> {
        let digest = |folder: &P| {
            // That of a GGUF file is in the file, whatever lies beside it.
            let apart = matches!(gguf_files::find(folder.as_ref()), Ok(None));
            apart.then(|| Key::of_file(&folder.as_ref().join(FILE)).ok()).flatten().map(|(digest, _)| digest)
        };
        let digests: Vec<Option<Key>> = folders.par_iter().map(digest).collect();
        // By content: the first folder that has it.
        let mut first = BTreeMap::new();
        for (digest, folder) in digests.iter().zip(folders) {
            if let Some(digest) = digest {
                first.entry(*digest).or_insert(folder);
            }
        }
        let parse = |(digest, folder): (Key, &P)| {
            Some((digest, Arc::new(Parsed::read(&folder.as_ref().join(FILE)).ok()?)))
        };
        let parsed: BTreeMap<Key, Arc<Parsed>> = first.into_par_iter().filter_map(parse).collect();
        let open = |(folder, digest): (&P, &Option<Key>)| match digest.and_then(|digest| parsed.get(&digest))
        {
            Some(parsed) => Tokenizer::of(folder.as_ref(), Arc::clone(parsed)),
            // Tried again by itself, so that the error names this folder's file.
            None => Tokenizer::open(folder.as_ref()),
        };
        folders.par_iter().zip(&digests).map(open).collect()
    }

    fn of_gguf(file: PathBuf) -> Result<Tokenizer, TokenizerError> {
        let mapped = files::File::open(file.clone(), "a GGUF file")?;
        let header = gguf::Header::read(&file, mapped.bytes()).map_err(CheckpointError::from)?;
        let described = gguf::tokenizer(&header.metadata).map_err(CheckpointError::from)?;
        let parsed = Parsed::of(&file, described.json.to_string().into_bytes())?;
        let named = described.bos.as_ref().and_then(|token| parsed.inner().token_to_id(token));
        let bos = named.ok_or_else(|| "the file has no key `tokenizer.ggml.bos_token_id`".to_string());
        let adds_bos = if described.adds_bos && bos.is_ok() { Adds::Config } else { Adds::Nobody };
        let (parsed, stale) = (Arc::new(parsed), Vec::new());
        Ok(Tokenizer { file, parsed, bos, stale, adds_bos, identity: OnceLock::new() })
    }

    fn of(folder: &Path, parsed: Arc<Parsed>) -> Result<Tokenizer, TokenizerError> {
        let settings = optional(&folder.join("tokenizer_config.json"))?;
        let config = optional(&folder.join("config.json"))?;
        // A BOS that only the settings know has no id in the model.
        let bos = bos::named(parsed.inner(), &settings, &config);
        let file = folder.join(FILE);
        let parsed = parsed.beside(&file, &Special::read(folder, &settings, &[])?)?;
        Tokenizer::with_bos(file, parsed, bos)
    }

    fn of_older_files(folder: &Path) -> Result<Tokenizer, TokenizerError> {
        let settings = optional(&folder.join("tokenizer_config.json"))?;
        let config = optional(&folder.join("config.json"))?;
        let missing = || TokenizerError::Missing { folder: folder.to_path_buf() };
        let Assembled { file, json, bos } =
            older::assemble(folder, &settings, &config)?.ok_or_else(missing)?;
        let parsed = Parsed::of(&file, json.to_string().into_bytes())?;
        let bos = match bos.and_then(|token| parsed.inner().token_to_id(&token)) {
            Some(bos) => Ok(bos),
            None => bos::of_config(&config),
        };
        Tokenizer::with_bos(file, Arc::new(parsed), bos)
    }

    fn with_bos(
        file: PathBuf,
        parsed: Arc<Parsed>,
        bos: Result<u32, String>,
    ) -> Result<Tokenizer, TokenizerError> {
        let adds = |bos: u32| {
            let adds = parsed.puts_in_front(bos);
            adds.map_err(|found| TokenizerError::Bad { file: file.clone(), found })
        };
        let adds_bos = match &bos {
            Ok(bos) if adds(*bos)? => Adds::PostProcessor,
            _ => Adds::Nobody,
        };
        let token = bos.as_ref().ok().and_then(|bos| Some((*bos, parsed.inner().id_to_token(*bos)?)));
        let stale = token.map_or_else(Vec::new, |(bos, token)| stale(parsed.inner(), bos, &token));
        Ok(Tokenizer { file, parsed, bos, stale, adds_bos, identity: OnceLock::new() })
    }

    /// The token ids of one prompt, at least one.
    ///
    /// `always` and `never` are the tokenizer's default with every leading BOS taken off, and for `always` one put
    /// in front: whatever else the tokenizer adds stays, so that the policies differ in the BOS alone. Where the
    /// tokenizer has no BOS, `never` is its default.
    ///
    /// # Errors
    /// An empty text, a text of no tokens, or no BOS where one is needed.
    pub fn encode(&self, text: &str, bos: Bos) -> Result<Vec<u32>, TokenizerError> {
        self.under(&self.plain(text)?, text, bos)
    }

    /// The ids that `tokenizer.json` gives a text; [`Tokenizer::under`] makes those of every policy from them.
    ///
    /// # Errors
    /// An empty text, or one that the file's rules fail on.
    pub fn plain(&self, text: &str) -> Result<Vec<u32>, TokenizerError> {
        if text.is_empty() {
            return Err(TokenizerError::EmptyText);
        }
        let failed = |why: String| TokenizerError::Encode { file: self.file.clone(), text: short(text), why };
        self.parsed.ids(text).map_err(failed)
    }

    /// [`Tokenizer::encode`] of a text whose [`Tokenizer::plain`] ids are known.
    ///
    /// # Errors
    /// No ids, or no BOS where one is needed.
    pub fn under(&self, plain: &[u32], text: &str, bos: Bos) -> Result<Vec<u32>, TokenizerError> {
        let mut ids = plain.to_vec();
        match bos {
            Bos::Auto if self.adds_bos == Adds::Config => ids.insert(0, self.need_bos(bos)?),
            Bos::Auto => {}
            Bos::Always => {
                let bos = self.need_bos(bos)?;
                ids.drain(..self.leading(&ids, bos));
                ids.insert(0, bos);
            }
            Bos::Never => {
                if let Ok(bos) = self.bos {
                    ids.drain(..self.leading(&ids, bos));
                }
            }
        }
        if ids.is_empty() {
            return Err(TokenizerError::NoTokens { file: self.file.clone(), text: text.to_string() });
        }
        Ok(ids)
    }

    /// The number of BOS tokens in front of the ids of a text; where another token stands there for the BOS, a number that no
    /// text reaches. A text and this number decide its ids, whatever policy asked for them.
    pub fn leading_bos(&self, ids: &[u32]) -> usize {
        let Ok(bos) = self.bos else { return 0 };
        let front = self.leading(ids, bos);
        let others = ids[..front].iter().filter(|&&id| id != bos).count();
        if others == 0 { front } else { usize::MAX - others }
    }

    /// The number of tokens in front that are the BOS, or stand for it.
    fn leading(&self, ids: &[u32], bos: u32) -> usize {
        ids.iter().take_while(|&&id| id == bos || self.stale.contains(&id)).count()
    }

    /// A token as text for people: byte-level and `▁` spellings resolved, a leading space kept. A token that is
    /// part of a character stays as the vocabulary spells it; an id outside the vocabulary becomes `<id 5>`.
    pub fn token(&self, id: u32) -> String {
        let Some(piece) = self.parsed.inner().id_to_token(id) else { return format!("<id {id}>") };
        if self.parsed.inner().get_added_vocabulary().get_added_tokens_decoder().contains_key(&id) {
            return piece;
        }
        // Byte-level spellings have no `▁`; the decoders of those that do would strip the leading space.
        if piece.contains('▁') {
            return piece.replace('▁', " ");
        }
        match self.parsed.decoded(id, piece.len()) {
            Ok(text) if !text.is_empty() && !text.contains(char::REPLACEMENT_CHARACTER) => text,
            _ => piece,
        }
    }

    /// Hash of what decides the ids: the content of `tokenizer.json` (whatever its formatting), which token is the
    /// BOS and who adds it. Found when first asked for: 0.1 s where the vocabulary is large.
    pub fn identity(&self) -> Key {
        *self.identity.get_or_init(|| {
            let mut hasher = blake3::Hasher::new_derive_key("streamgauge 2026 tokenizer identity v1");
            hasher.update(format!("{:?} {:?} ", self.bos.as_ref().ok(), self.adds_bos).as_bytes());
            hasher.update(self.parsed.content());
            Key::from(hasher.finalize())
        })
    }

    /// What of the file is not followed, for people.
    pub fn note(&self) -> Option<String> {
        if let (Ok(bos), Some(stale)) = (&self.bos, self.stale.first()) {
            return Some(format!(
                "{}: its post-processor puts token {stale} in front for the BOS, which is token {bos}; `auto` follows it, \
                 `always` and `never` take it off",
                self.file.display()
            ));
        }
        let dropout = self.parsed.dropout()?;
        Some(format!(
            "{}: its dropout of {dropout}, by which the ids of a text are chance, is left off",
            self.file.display()
        ))
    }

    /// The BOS token's id, if the checkpoint says which it is.
    pub fn bos(&self) -> Option<u32> {
        self.bos.as_ref().ok().copied()
    }

    fn need_bos(&self, policy: Bos) -> Result<u32, TokenizerError> {
        self.bos.as_ref().copied().map_err(|why| TokenizerError::NoBos {
            file: self.file.clone(),
            policy: policy.as_str(),
            why: why.clone(),
            other: match self.file.extension().is_some_and(|kind| kind == "json") {
                true => "set bos_token in tokenizer_config.json",
                false => "use a GGUF file that names its BOS",
            },
        })
    }
}

#[cfg(test)]
mod tests;
