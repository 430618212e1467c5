//! A repository's place in the hub cache, laid out as `huggingface_hub` lays it out.
//!
//! ```text
//! models--owner--name/refs/<revision>              the commit a branch or tag stood for
//! models--owner--name/snapshots/<commit>/<file>    link to ../../blobs/<etag>
//! models--owner--name/blobs/<etag>                 content, named by its hash
//! models--owner--name/blobs/<etag>.incomplete      being downloaded
//! models--owner--name/.no_exist/<commit>/<file>    empty: the repository has no such file
//! .locks/models--owner--name/<etag>.lock           held by whoever downloads this content
//! ```

use std::{
    fs::{self, File, TryLockError},
    io::ErrorKind,
    path::{Path, PathBuf},
};

use hf_hub::{Cache, CacheRepo};

use super::{HubError, HubId, digest::Etag, digest::is_hex};
use crate::checkpoint;
use base::foreign::{self, Kind};
use base::{lookup, progress::Progress, publish};

/// Files besides config and weights that decide what is measured. A repository may lack them.
pub(super) const TOKENIZER: [&str; 2] = ["tokenizer.json", "tokenizer_config.json"];
/// Those that tell of the tokenizer where the first of [`TOKENIZER`] is not.
pub(super) const OLDER_TOKENIZER: [&str; 6] = [
    "vocab.json",
    "merges.txt",
    "tokenizer.model",
    "spiece.model",
    "added_tokens.json",
    "special_tokens_map.json",
];

/// One repository at one revision.
pub(super) struct RepoCache {
    repo: CacheRepo,
    /// `models--owner--name`.
    folder: PathBuf,
    locks: PathBuf,
    revision: String,
    /// A GGUF file that is meant instead of the repository's checkpoint.
    file: Option<String>,
}

/// The files of a model that the cache holds.
pub(super) enum Found {
    /// Everything, or the certainty that the repository has no more.
    Whole(PathBuf),
    /// Config and all weights; whether the repository has a tokenizer is not known.
    WithoutTokenizer(PathBuf),
    Nothing,
}

impl RepoCache {
    pub(super) fn new(root: &Path, id: &HubId) -> RepoCache {
        let repo = id.at(id.revision());
        let name = repo.folder_name();
        RepoCache {
            folder: root.join(&name),
            locks: root.join(".locks").join(&name),
            repo: Cache::new(root.to_path_buf()).repo(repo),
            revision: id.revision().to_string(),
            file: id.file().map(ToString::to_string),
        }
    }

    pub(super) fn snapshot(&self, commit: &str) -> PathBuf {
        self.repo.pointer_path(commit)
    }

    /// A snapshot without one of its shards is none: it was cut, or only its config was ever asked for.
    pub(super) fn find(&self) -> Result<Found, HubError> {
        let Some(commit) = self.commit()? else { return Ok(Found::Nothing) };
        if let Some(file) = &self.file {
            // A file of another name would not have become an id.
            for part in checkpoint::gguf_parts(file).unwrap_or_default() {
                if !self.has(&commit, &part)? {
                    return Ok(Found::Nothing);
                }
            }
            return Ok(Found::Whole(self.snapshot(&commit).join(file)));
        }
        if !self.has(&commit, "config.json")? || !self.has_weights(&commit)? {
            return Ok(Found::Nothing);
        }
        let snapshot = self.snapshot(&commit);
        let older: &[&str] = if self.has(&commit, TOKENIZER[0])? { &[] } else { &OLDER_TOKENIZER };
        for name in TOKENIZER.iter().chain(older) {
            if !self.has(&commit, name)? && !is_file(&self.absent(&commit, name))? {
                return Ok(Found::WithoutTokenizer(snapshot));
            }
        }
        Ok(Found::Whole(snapshot))
    }

    /// The commit the revision stands for, as far as the cache knows. A ref that another program wrote by half tells nothing.
    fn commit(&self) -> Result<Option<String>, HubError> {
        let path = self.reference();
        let commit = match is_file(&path)? {
            false => self.revision.clone(),
            true => match foreign::read_text(&path, Kind::Text) {
                Ok(text) => text.trim().to_string(),
                Err(error) if matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::FileTooLarge) => {
                    return Ok(None);
                }
                Err(error) => return Err(HubError::io("read", &path)(error)),
            },
        };
        Ok(is_hex(&commit, 40).then_some(commit))
    }

    /// The file that names the commit of the revision.
    fn reference(&self) -> PathBuf {
        self.folder.join("refs").join(&self.revision)
    }

    /// Says whether the snapshot holds the file's content: a link to a blob that is gone does not count.
    pub(super) fn has(&self, commit: &str, name: &str) -> Result<bool, HubError> {
        is_file(&self.snapshot(commit).join(name))
    }

    /// Says whether the snapshot holds all weights: of those kinds that a checkpoint may have, the one that is read.
    pub(super) fn has_weights(&self, commit: &str) -> Result<bool, HubError> {
        for (single, index) in checkpoint::WEIGHTS {
            if self.has(commit, single)? {
                return Ok(true);
            }
            let index = self.snapshot(commit).join(index);
            if is_file(&index)? {
                let shards = checkpoint::shard_names(&index)?;
                return shards.iter().try_fold(true, |all, shard| Ok(all && self.has(commit, shard)?));
            }
        }
        Ok(false)
    }

    fn absent(&self, commit: &str, name: &str) -> PathBuf {
        self.folder.join(".no_exist").join(commit).join(name)
    }

    pub(super) fn mark_absent(&self, commit: &str, name: &str) -> Result<(), HubError> {
        write(&self.absent(commit, name), b"")
    }

    pub(super) fn write_ref(&self, commit: &str) -> Result<(), HubError> {
        if self.commit()?.as_deref() == Some(commit) {
            return Ok(()); // a commit stands for itself, and a ref that is right is not put at risk by a full disk
        }
        write(&self.reference(), commit.as_bytes())
    }

    pub(super) fn blob(&self, etag: &Etag) -> PathBuf {
        self.repo.blob_path(etag.as_str())
    }

    /// The file in which the content of this hash grows until it is whole and checked.
    pub(super) fn incomplete(&self, etag: &Etag) -> Result<PathBuf, HubError> {
        let path = self.repo.blob_path(&format!("{}.incomplete", etag.as_str()));
        make_parent(&path)?;
        Ok(path)
    }

    /// Waits for whoever downloads this content, then holds everybody else off until the file is dropped.
    pub(super) fn lock(&self, etag: &Etag, progress: &dyn Progress) -> Result<File, HubError> {
        let path = self.locks.join(format!("{}.lock", etag.as_str()));
        make_parent(&path)?;
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(HubError::io("open", &path))?;
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => progress.note("waiting: another process downloads this model"),
            // Waiting tells what is wrong, if anything still is.
            Err(TryLockError::Error(_)) => {}
        }
        lookup::lock(&file).map_err(HubError::io("lock", &path))?;
        Ok(file)
    }

    /// Makes checked content a file of the snapshot. A file that is there stays: others may be reading it.
    pub(super) fn publish(&self, commit: &str, name: &str, etag: &Etag) -> Result<(), HubError> {
        if self.has(commit, name)? {
            return Ok(()); // whoever held the lock before made it
        }
        let pointer = self.snapshot(commit).join(name);
        make_parent(&pointer)?;
        if pointer.symlink_metadata().is_ok() {
            fs::remove_file(&pointer).map_err(HubError::io("replace", &pointer))?; // its blob is gone
        }
        #[cfg(unix)]
        let made = {
            let up = "../".repeat(name.matches('/').count());
            let blob = Path::new(&up).join("../../blobs").join(etag.as_str());
            std::os::unix::fs::symlink(blob, &pointer)
        };
        // Where links need a privilege the content itself goes into the snapshot, as `huggingface_hub` does.
        #[cfg(not(unix))]
        let made = fs::rename(self.blob(etag), &pointer);
        made.map_err(HubError::io("write", &pointer))
    }
}

fn is_file(path: &Path) -> Result<bool, HubError> {
    lookup::is_file(path).map_err(HubError::io("look at", path))
}

/// Other processes find the whole file or none, even where this one is killed.
fn write(path: &Path, bytes: &[u8]) -> Result<(), HubError> {
    make_parent(path)?;
    publish::write(path, &[bytes]).map_err(HubError::io("write", path))
}

fn make_parent(path: &Path) -> Result<(), HubError> {
    match path.parent() {
        Some(folder) => fs::create_dir_all(folder).map_err(HubError::io("make", folder)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_another_process_published_first_is_not_taken_from_under_its_readers() {
        let root = tempfile::tempdir().unwrap();
        let cache = RepoCache::new(root.path(), &HubId::parse("owner/model").unwrap());
        let (commit, etag) = ("0".repeat(40), Etag::parse(&"1".repeat(40)).unwrap());
        cache.publish(&commit, "config.json", &etag).unwrap();
        assert!(!cache.has(&commit, "config.json").unwrap(), "a link to a blob that is not there");
        fs::create_dir_all(cache.blob(&etag).parent().unwrap()).unwrap();
        fs::write(cache.blob(&etag), "{}").unwrap();
        cache.publish(&commit, "config.json", &etag).unwrap();
        let file = cache.snapshot(&commit).join("config.json");
        assert!(cache.has(&commit, "config.json").unwrap());

        // Told apart from a link that was made anew.
        fs::remove_file(&file).unwrap();
        fs::write(&file, "{}").unwrap();
        cache.publish(&commit, "config.json", &etag).unwrap();
        assert!(file.symlink_metadata().unwrap().is_file(), "it was replaced");
    }

    #[test]
    fn what_cannot_be_looked_at_is_not_taken_for_a_model_that_is_not_there() {
        let root = tempfile::tempdir().unwrap();
        let cache = RepoCache::new(root.path(), &HubId::parse("owner/model").unwrap());
        assert!(matches!(cache.find().unwrap(), Found::Nothing));
        let refs = root.path().join("models--owner--model/refs");
        fs::create_dir_all(&refs).unwrap();
        // Half of a name, as a program leaves it that is killed while it writes there.
        fs::write(refs.join("main"), &"1".repeat(40)[..17]).unwrap();
        assert!(matches!(cache.find().unwrap(), Found::Nothing));
        cache.write_ref(&"1".repeat(40)).unwrap();
        assert_eq!(cache.commit().unwrap().unwrap(), "1".repeat(40));
        fs::remove_file(refs.join("main")).unwrap();
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("main", refs.join("main")).unwrap();
            let error = cache.find().err().unwrap().to_string();
            assert!(error.starts_with("cannot look at ") && error.contains("refs/main"), "{error}");
        }
    }
}
