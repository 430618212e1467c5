//! Checkpoints on disk: `config.json`, safetensors or pickled weights (one file or index and shards), `tokenizer.json`; or GGUF, which is all of it.
//!
//! Files are memory-mapped and validated at opening; no weight is copied or converted. `files` finds and maps them (`index` says which of several holds what),
//! `header` believes nothing they say (nor does `pickled`), `gguf_files` opens those of GGUF and `packed` reads their weights, `quantised` reads weights that
//! several tensors store, `identity` hashes what they hold (`memo` remembers it), `made` stands in for
//! weights that an intervention replaces, `widen` turns weights into float32, `spectral` measures one matrix as it
//! streams by, `tokenizer` turns text into ids, `wrapped` knows what wrappers put in front of names.

mod beside_text;
mod config;
mod error;
mod files;
mod gguf_files;
mod header;
mod identity;
mod index;
mod made;
mod memo;
mod packed;
mod pickled;
mod place;
mod python;
mod quantised;
mod read_json;
mod tensor;
mod tokenizer;
pub mod widen;
mod wrapped;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::OnceLock,
};

pub use config::{DESCRIPTIONS, read_config};
pub use error::CheckpointError;
use files::File;
pub use files::{INDEX, SINGLE, WEIGHTS};
pub use index::shard_names;
pub use made::Made;
pub use memo::Memo;
use memo::Stamp;
pub use packed::Packed;
use place::Place;
pub use place::StoredAs;
use serde_json::{Map, Value};

use crate::gguf::{self, GgufError, name_in_file};
use base::hash::Key;
pub use gguf_files::{gguf_parts, is_gguf};
use quantised::Unread;
pub use quantised::{Quantised, Scheme, quantisations, unknown_quantisation};
use tensor::plain;
pub use tensor::{Content, Dtype, Entry, Tensor};
pub use tokenizer::{Tokenizer, TokenizerError};

/// A checkpoint folder or GGUF file, open: its config, and every tensor's place in a memory-mapped file.
///
/// The files must not be truncated while this lives (the kernel would answer reads of a vanished page with SIGBUS);
/// checkpoints are immutable by custom, and their identity is hashed. [`Checkpoint::unchanged`] tells whether they were.
pub struct Checkpoint {
    folder: PathBuf,
    config: Map<String, Value>,
    files: Vec<File>,
    /// Sorted by name, names unique.
    places: Vec<Place>,
    /// What no weight follows from.
    unread: Unread,
    /// What the files say and is not followed.
    notes: Vec<String>,
    /// Weights that are read instead of the stored ones of these names.
    made: BTreeMap<String, Made>,
    /// Some tensors are no part of the text stack.
    beside_text: bool,
    /// Weights are to be hashed as they are read.
    hashing: bool,
    /// Once it was found.
    identity: OnceLock<Key>,
}

/// The part of a checkpoint's weights that one dtype stores.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Share {
    /// Its name.
    pub dtype: String,
    /// How many tensors.
    pub tensors: u64,
    /// How many numbers.
    pub elements: u64,
    /// How many bytes of the file.
    pub bytes: u64,
}

impl Checkpoint {
    /// Maps the files of a folder in Hugging Face layout, or those of a GGUF file (given itself, or alone in a folder without
    /// other weights), and validates their headers; reads no weight.
    ///
    /// With both `model.safetensors` and an index present the single file is read, as transformers does.
    ///
    /// # Errors
    /// Everything that makes them unusable: see [`CheckpointError`].
    pub fn open(folder: &Path) -> Result<Checkpoint, CheckpointError> {
        let mut notes = Vec::new();
        let (config, files, places, unread) = match gguf_files::find(folder)? {
            Some(file) => {
                let (config, files, places) = gguf_files::open(&file)?;
                (config, files, places, Unread::default())
            }
            None => {
                let config::Config { mut keys, quantised_by } = config::read(folder)?;
                let files::Mapped { files, places, note } = files::open(folder)?;
                notes.extend(note);
                let described = quantised::is_described(&keys);
                let (places, unread) = quantised::apply(&quantised_by, &mut keys, &files, places)?;
                if described && !places.iter().any(|place| matches!(place.dtype, StoredAs::Quantised(_))) {
                    notes.push(format!(
                        "{}: it says that the weights are quantised, but they are stored plain, and are read as they are stored",
                        quantised_by.display()
                    ));
                }
                if keys.get("tie_last_hidden_states") == Some(&Value::Bool(false)) {
                    notes.push(format!(
                        "{}: `tie_last_hidden_states` is false, so the last of the hidden states that transformers gives is the \
                         stream before the final norm: its ratio is `last-block`, and `hf-last` is after the norm here as ever",
                        folder.join("config.json").display()
                    ));
                }
                if beside_text::described(&keys) {
                    notes.extend(beside_text::note(&folder.join("config.json"), &places));
                }
                (keys, files, places, unread)
            }
        };
        let beside_text = beside_text::described(&config);
        Ok(Checkpoint {
            folder: folder.to_path_buf(),
            config,
            files,
            places,
            unread,
            notes,
            made: BTreeMap::new(),
            beside_text,
            hashing: false,
            identity: OnceLock::new(),
        })
    }

    /// The same weights under another config.
    #[must_use]
    pub fn with_config(self, config: Map<String, Value>) -> Checkpoint {
        Checkpoint { config, ..self }
    }

    /// The same checkpoint with these weights, by name, in place of the stored ones; shapes stay. [`Checkpoint::identity`]
    /// remains that of what is stored.
    #[must_use]
    pub fn with_made(self, made: BTreeMap<String, Made>) -> Checkpoint {
        Checkpoint { made, ..self }
    }

    /// Where it lies: its folder, or the GGUF file that was given.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// `config.json` as it is, but for what it says of the quantisation of weights, which are read as unquantised ones.
    pub fn config(&self) -> &Map<String, Value> {
        &self.config
    }

    /// What its files say and is not followed, for people.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Whether the checkpoint lists a tensor of this name, of any dtype.
    pub fn has(&self, name: &str) -> bool {
        self.place(name).is_some()
    }

    /// One weight.
    ///
    /// # Errors
    /// [`CheckpointError::NoTensor`] where there is none of this name (with the most similar name there is),
    /// [`CheckpointError::NotAWeight`] where its dtype is none of F32, F16, BF16 and GGUF's types of weights, and no quantised one.
    pub fn tensor(&self, name: &str) -> Result<Tensor<'_>, CheckpointError> {
        let entry = self.find(name)?;
        let stored = entry.weight().ok_or_else(|| CheckpointError::NotAWeight {
            file: entry.file.to_path_buf(),
            tensor: name.to_string(),
            dtype: entry.dtype.to_string(),
        })?;
        Ok(match self.made.get(name) {
            Some(made) => Tensor { dtype: Dtype::F32, content: Content::Made(made), ..stored },
            None => stored,
        })
    }

    /// One tensor of any dtype.
    ///
    /// # Errors
    /// [`CheckpointError::NoTensor`] where there is none of this name (with the most similar name there is).
    pub fn find(&self, name: &str) -> Result<Entry<'_>, CheckpointError> {
        let place = self.place(name).ok_or_else(|| self.no_tensor(name))?;
        Ok(self.entry(place))
    }

    /// Every weight (F32, F16, BF16, blocks of GGUF, or quantised) as stored, sorted by name.
    pub fn tensors(&self) -> impl Iterator<Item = Tensor<'_>> {
        self.entries().filter_map(|entry| entry.weight())
    }

    /// Every tensor of any dtype, sorted by name.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.places.iter().map(|place| self.entry(place))
    }

    /// Number of elements of all weights of the text stack as stored; a tied matrix stored twice counts twice.
    pub fn parameters(&self) -> u64 {
        let beside = |name: &str| self.beside_text && beside_text::is_beside(name);
        self.tensors().filter(|tensor| !beside(tensor.name)).map(|tensor| tensor.elements() as u64).sum()
    }

    /// The dtype that stores most of the weights' elements, e.g. `BF16` or `Q4_1`; `none` without weights.
    pub fn dtype(&self) -> String {
        let most = self.stored().into_iter().max_by_key(|stored| stored.elements);
        most.map_or_else(|| "none".to_string(), |most| most.dtype)
    }

    /// What each dtype stores of the weights, in the order of their names.
    pub fn stored(&self) -> Vec<Share> {
        let mut shares = BTreeMap::<String, Share>::new();
        for entry in self.entries().filter(|entry| entry.weight().is_some()) {
            let dtype = entry.dtype.name();
            let share =
                shares.entry(dtype.clone()).or_insert(Share { dtype, tensors: 0, elements: 0, bytes: 0 });
            share.tensors += 1;
            share.elements += entry.shape.iter().product::<usize>() as u64;
            share.bytes += entry.size();
        }
        shares.into_values().collect()
    }

    /// Bits that a weight takes in the files, with its share of its block's scales: the mean of all weights.
    pub fn bits_per_weight(&self) -> f64 {
        let stored = self.stored();
        let [bytes, elements] = [|share: &Share| share.bytes, |share: &Share| share.elements]
            .map(|of| stored.iter().map(of).sum::<u64>());
        (8 * bytes) as f64 / elements.max(1) as f64
    }

    /// Whether most weights are of a type that stores them in blocks with scales of their own.
    pub fn is_quantised(&self) -> bool {
        self.tensors().next().is_some() && plain(&self.dtype()).is_none()
    }

    /// Asks the kernel to start reading a weight's pages, e.g. the next block's while this one is computed. Waits while the
    /// disk has more to do than it takes note of.
    pub fn prefetch(&self, name: &str) {
        for place in self.place(name).into_iter().flat_map(Place::stored) {
            self.files[place.file].prefetch(&place.range);
        }
    }

    /// Waits until a weight's pages are in memory and mapped, so that its users need not wait.
    pub fn read(&self, name: &str) {
        for place in self.place(name).into_iter().flat_map(Place::stored) {
            self.files[place.file].read(&place.range);
        }
    }

    /// Looks at the weight files again: whoever computed something from them asks this before it is shown or kept.
    ///
    /// # Errors
    /// [`CheckpointError::Changed`] where a file has another size, inode or time of modification than when it was mapped.
    pub fn unchanged(&self) -> Result<(), CheckpointError> {
        self.files.iter().try_for_each(File::unchanged)
    }

    /// What the weight files were when they were mapped; `None` where the system cannot tell.
    fn stamps(&self) -> Option<Vec<Stamp>> {
        self.files.iter().map(|file| file.stamp().cloned()).collect()
    }

    fn place(&self, name: &str) -> Option<&Place> {
        let at = self.places.binary_search_by(|place| place.name.as_str().cmp(name)).ok()?;
        Some(&self.places[at])
    }

    fn bytes(&self, place: &Place) -> &[u8] {
        &self.files[place.file].bytes()[place.range.clone()]
    }

    fn entry<'a>(&'a self, place: &'a Place) -> Entry<'a> {
        let file = &self.files[place.file];
        let shape = &place.shape;
        let quantised = place.parts.as_ref().map(|parts| Quantised { files: &self.files, parts, shape });
        Entry {
            name: &place.name,
            dtype: place.dtype,
            shape: &place.shape,
            bytes: self.bytes(place),
            file: file.path(),
            offset: place.range.start as u64,
            quantised,
        }
    }

    /// The first of its files of weights.
    fn file(&self) -> &Path {
        self.files.first().map_or(&self.folder, File::path)
    }

    fn no_tensor(&self, name: &str) -> CheckpointError {
        if let Some((file, shard)) = files::promised(&self.folder, name) {
            return CheckpointError::Tensor {
                file,
                tensor: name.to_string(),
                expected: format!("it in {shard:?}"),
                found: "no such tensor there".to_string(),
                next: "download index and shards again from one revision",
            };
        }
        let model_type = self.config.get("model_type").and_then(Value::as_str);
        if let (true, Some(model_type)) = (is_gguf(self.file()), model_type)
            && let Some(tensor) = name_in_file(model_type, name)
        {
            return CheckpointError::Gguf(GgufError::Tensor {
                file: self.file().to_path_buf(),
                tensor,
                expected: format!("it, as `{model_type}` computes with it"),
                found: "no such tensor".to_string(),
                next: gguf::AGAIN,
            });
        }
        let similar = self
            .places
            .iter()
            .map(|place| (strsim::normalized_levenshtein(&place.name, name), place.name.as_str()))
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, similar)| similar.to_string());
        CheckpointError::NoTensor {
            folder: self.folder.clone(),
            tensor: name.to_string(),
            count: self.places.len(),
            similar,
        }
    }
}
