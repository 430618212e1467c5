//! The Hugging Face hub: a model id becomes a folder in the user's own cache, and what is missing there is downloaded.
//!
//! One way: `id` (which model) → `settings` (the environment) → `cache` (what is here already) → `client` (HTTP:
//! redirects, retries, refusals as errors) → `download` (one file: resumed, hashed, published).
//!
//! The cache is the one `huggingface_hub` and `hf` use, so each finds what the other left. From the
//! `hf-hub` crate come the layout (`Cache`, `Repo`), the hub's URLs and `RepoInfo`, and ureq, its HTTP client. Its
//! own download is not used: version 0.5 checks no hash, stays silent about status codes and does not read
//! `HF_HUB_CACHE`; 1.0 brings an asynchronous runtime and the xet stack, and restarts a cut file from its first byte.

mod cache;
mod client;
mod digest;
mod download;
mod error;
mod id;
mod remote;
mod settings;
mod url;

use std::path::{Path, PathBuf};

use cache::{Found, OLDER_TOKENIZER, RepoCache, TOKENIZER};
use client::Client;
use digest::is_hex;
pub use error::{HubError, Shown};
pub use id::HubId;
use remote::Remote;
pub use settings::{Settings, Token};

use crate::checkpoint;
use base::progress::{NotesOnly, Progress};
use base::secret;

/// The hub as this user's environment describes it.
pub struct Hub {
    settings: Settings,
}

impl Hub {
    /// The hub under these settings; nothing is asked yet.
    pub fn new(settings: Settings) -> Hub {
        Hub { settings }
    }

    /// The folder of downloaded models.
    pub fn cache(&self) -> &Path {
        &self.settings.cache
    }

    /// `HF_HUB_OFFLINE`: nothing is asked of the hub.
    pub fn offline(&self) -> bool {
        self.settings.offline
    }

    /// The model's snapshot if config and all weights are in the cache. Asks nobody.
    ///
    /// # Errors
    /// [`HubError`] where the cache cannot be looked at.
    pub fn find(&self, id: &HubId) -> Result<Option<PathBuf>, HubError> {
        Ok(match RepoCache::new(&self.settings.cache, id).find()? {
            Found::Whole(folder) | Found::WithoutTokenizer(folder) => Some(folder),
            Found::Nothing => None,
        })
    }

    /// The model's snapshot, downloaded where it is not in the cache: config, tokenizer, weights (safetensors, or pickled where
    /// there are no others), nothing else. Of an id with a GGUF file that file, with the other parts of its model beside it.
    ///
    /// A cached model is taken as it is, without asking whether its branch has moved since: a number must not change
    /// because a second run was online. `fits` sees the snapshot when it holds config and tokenizer, before the weights
    /// are downloaded; a GGUF file is all of these at once.
    ///
    /// # Errors
    /// [`HubError`]. What was downloaded until then stays, and the next call goes on from there.
    pub fn fetch(
        &self,
        id: &HubId,
        fits: &dyn Fn(&Path) -> Result<(), String>,
        progress: &dyn Progress,
    ) -> Result<PathBuf, HubError> {
        let progress = &Hiding(progress);
        let cache = RepoCache::new(&self.settings.cache, id);
        let found = cache.find()?;
        if let Found::Whole(folder) = found {
            return Ok(folder);
        }
        let fetched = if self.settings.offline {
            Err(HubError::Offline { id: id.clone(), cache: self.settings.cache.clone() })
        } else {
            self.download(id, &cache, fits, progress)
        };
        match (fetched, found) {
            // Only a tokenizer was asked for, and there may be none.
            (Err(HubError::Offline { .. }), Found::WithoutTokenizer(folder)) => Ok(folder),
            (Err(error @ (HubError::WrongHash { .. } | HubError::Unfit { .. })), _) => Err(error),
            // Whatever the hub answers, or does not, the model is here. Nor need a cache that several share be one that
            // everybody may write.
            (Err(error), Found::WithoutTokenizer(folder)) => {
                progress.note(&format!("{id}: used as it is in the cache, without a tokenizer: {error}"));
                Ok(folder)
            }
            (fetched, _) => fetched,
        }
    }

    fn download(
        &self,
        id: &HubId,
        cache: &RepoCache,
        fits: &dyn Fn(&Path) -> Result<(), String>,
        progress: &dyn Progress,
    ) -> Result<PathBuf, HubError> {
        let client = Client::new(&self.settings)?;
        let info = client.info(id, progress)?;
        if !is_hex(&info.sha, 40) {
            let found = format!("the commit {} for revision {:?}", Shown::quoted(&info.sha), id.revision());
            let expected = "a commit of 40 hex digits";
            return Err(HubError::BadAnswer { id: id.clone(), expected, found: found.into() });
        }
        let commit = info.sha.as_str();
        let snapshot = cache.snapshot(commit);
        let has = |name: &str| info.siblings.iter().any(|sibling| sibling.rfilename == name);
        if let Some(file) = id.file() {
            let parts = checkpoint::gguf_parts(file).unwrap_or_default(); // another name is no id
            if let Some(file) = parts.iter().find(|part| !has(part)) {
                let files = info.siblings.iter().map(|sibling| Shown::from(&sibling.rfilename)).collect();
                return Err(HubError::NoGguf { id: id.clone(), file: file.clone(), files });
            }
            get(&client, cache, id, commit, &parts, progress)?;
            cache.write_ref(commit)?;
            return Ok(snapshot.join(file));
        }
        let mut kinds = checkpoint::WEIGHTS.into_iter();
        let weights = kinds.find(|(single, index)| has(single) || has(index));
        let (Some((single, index)), true) = (weights, has("config.json")) else {
            let files = info.siblings.iter().map(|sibling| Shown::from(&sibling.rfilename)).collect();
            return Err(HubError::NotACheckpoint { id: id.clone(), files });
        };
        let older: &[&str] = if has(TOKENIZER[0]) { &[] } else { &OLDER_TOKENIZER };
        let descriptions = checkpoint::DESCRIPTIONS.into_iter().map(|(name, _)| name);
        let mut small = vec!["config.json"];
        small.extend(descriptions.filter(|name| has(name)));
        for name in TOKENIZER.iter().chain(older) {
            if has(name) {
                small.push(name);
            } else {
                cache.mark_absent(commit, name)?;
            }
        }
        get(&client, cache, id, commit, &small, &NotesOnly(progress))?;
        fits(&snapshot).map_err(|why| HubError::Unfit { id: id.clone(), why: why.into() })?;
        // Weights of another kind may be here, from when the repository had no others.
        if cache.has_weights(commit)? {
            // Nothing is missing.
        } else if has(single) {
            get(&client, cache, id, commit, &[single], progress)?;
        } else {
            get(&client, cache, id, commit, &[index], &NotesOnly(progress))?;
            let shards = checkpoint::shard_names(&snapshot.join(index))?;
            get(&client, cache, id, commit, &shards, progress)?;
        }
        cache.write_ref(commit)?;
        Ok(snapshot)
    }
}

/// Passes on what a download says, without the secrets that a server quotes.
struct Hiding<'a>(&'a dyn Progress);

impl Progress for Hiding<'_> {
    fn start(&self, stage: &str, total: u64) {
        self.0.start(&secret::hide(stage), total);
    }
    fn start_bytes(&self, stage: &str, total: u64) {
        self.0.start_bytes(&secret::hide(stage), total);
    }
    fn advance(&self, steps: u64) {
        self.0.advance(steps);
    }
    fn finish(&self) {
        self.0.finish();
    }
    fn note(&self, line: &str) {
        self.0.note(&secret::hide(line));
    }
}

/// Downloads those of the files the snapshot lacks, under one bar.
fn get(
    client: &Client,
    cache: &RepoCache,
    id: &HubId,
    commit: &str,
    names: &[impl AsRef<str>],
    progress: &dyn Progress,
) -> Result<(), HubError> {
    let mut remotes: Vec<Remote> = Vec::new();
    for name in names.iter().map(AsRef::as_ref) {
        if !cache.has(commit, name)? {
            remotes.push(client.look(id, commit, name, progress)?);
        }
    }
    if remotes.is_empty() {
        return Ok(());
    }
    let total = remotes.iter().fold(0, |total: u64, remote| total.saturating_add(remote.size));
    progress.start_bytes(&format!("download {id}"), total);
    let done =
        remotes.iter().try_for_each(|remote| download::get(client, cache, id, commit, remote, progress));
    progress.finish();
    done
}
