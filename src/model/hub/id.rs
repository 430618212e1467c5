//! The id of a model of the hub: `owner/name`, after `@` a branch, tag or commit, after `:` a GGUF file of the repository.

use std::fmt;

use hf_hub::{Repo, RepoType};

use super::HubError;
use crate::checkpoint::gguf_parts;

/// A model repository at a revision, `main` where none is named, or one GGUF file there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubId {
    repo: String,
    revision: String,
    /// Whole, or the first of its parts.
    file: Option<String>,
}

impl HubId {
    /// Reads `owner/name`, `owner/name@revision`, and either with `:FILE.gguf` behind it.
    ///
    /// # Errors
    /// [`HubError::BadId`].
    pub fn parse(text: &str) -> Result<HubId, HubError> {
        let (at, file) = text.split_once(':').map_or((text, None), |(at, file)| (at, Some(file)));
        let (repo, revision) = at.split_once('@').unwrap_or((at, "main"));
        HubId::of(repo, revision, file)
    }

    /// A repository, or a file of it as `owner/name:FILE.gguf`, at a revision.
    ///
    /// # Errors
    /// [`HubError::BadId`].
    pub fn new(repo: &str, revision: &str) -> Result<HubId, HubError> {
        let (repo, file) = repo.split_once(':').map_or((repo, None), |(repo, file)| (repo, Some(file)));
        HubId::of(repo, revision, file)
    }

    /// All become paths and URLs, so what could lead out of either is refused.
    fn of(repo: &str, revision: &str, file: Option<&str>) -> Result<HubId, HubError> {
        let behind = file.map(|file| format!(":{file}")).unwrap_or_default();
        let bad = |why| Err(HubError::BadId { text: format!("{repo}@{revision}{behind}"), why });
        let plain = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_alphanumeric())
                && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
                && !part.contains("--")
                && !part.contains("..")
        };
        if repo.split('/').count() > 2 || !repo.split('/').all(plain) {
            return bad("the repository is not of the form owner/name");
        }
        let step = |part: &str| {
            !part.is_empty()
                && !part.starts_with('.')
                && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.+".contains(c))
        };
        if !revision.split('/').all(step) {
            return bad("the revision is no name of a branch, tag or commit");
        }
        if let Some(file) = file {
            let ending = file.rsplit_once('.').map(|(_, ending)| ending);
            if !file.split('/').all(step) || !ending.is_some_and(|e| e.eq_ignore_ascii_case("gguf")) {
                return bad("what stands behind the colon is no name of a GGUF file");
            }
            if let Err(why) = gguf_parts(file) {
                return bad(why);
            }
        }
        Ok(HubId {
            repo: repo.to_string(),
            revision: revision.to_string(),
            file: file.map(ToString::to_string),
        })
    }

    /// `owner/name`.
    pub fn repo(&self) -> &str {
        &self.repo
    }

    /// Branch, tag or commit.
    pub fn revision(&self) -> &str {
        &self.revision
    }

    /// The GGUF file that is meant, where it is not the repository itself: whole, or the first of its parts.
    pub fn file(&self) -> Option<&str> {
        self.file.as_deref()
    }

    /// The `hf-hub` crate's name for it.
    pub(super) fn at(&self, revision: &str) -> Repo {
        Repo::with_revision(self.repo.clone(), RepoType::Model, revision.to_string())
    }
}

impl fmt::Display for HubId {
    /// Writes what [`HubId::parse`] reads; `@main` is left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.revision.as_str() {
            "main" => f.write_str(&self.repo),
            revision => write!(f, "{}@{revision}", self.repo),
        }?;
        self.file.as_ref().map_or(Ok(()), |file| write!(f, ":{file}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_with_and_without_a_revision() {
        let id = HubId::parse("EleutherAI/pythia-70m@step1000").unwrap();
        assert_eq!((id.repo(), id.revision()), ("EleutherAI/pythia-70m", "step1000"));
        assert_eq!(id.to_string(), "EleutherAI/pythia-70m@step1000");
        assert_eq!(HubId::parse("Qwen/Qwen2.5-0.5B").unwrap().to_string(), "Qwen/Qwen2.5-0.5B");
        assert_eq!(HubId::parse("owner/name@refs/pr/1").unwrap().revision(), "refs/pr/1");
    }

    #[test]
    fn a_gguf_file_of_a_repository_is_named_behind_a_colon() {
        let id = HubId::parse("owner/name-GGUF@v1:Q8/m-00001-of-00002.gguf").unwrap();
        assert_eq!((id.repo(), id.revision()), ("owner/name-GGUF", "v1"));
        assert_eq!(id.file(), Some("Q8/m-00001-of-00002.gguf"));
        assert_eq!(id.to_string(), "owner/name-GGUF@v1:Q8/m-00001-of-00002.gguf");
        assert_eq!(HubId::new("owner/name-GGUF:Q8/m-00001-of-00002.gguf", "v1").unwrap(), id);
        assert_eq!(HubId::parse("owner/name:m.GGUF").unwrap().to_string(), "owner/name:m.GGUF");
        assert_eq!(HubId::parse("owner/name").unwrap().file(), None);
        for text in [
            "a/b:",
            "a/b:x",
            "a/b:gguf",
            "a/b:../x.gguf",
            "a/b:/x.gguf",
            "a/b:x/.y.gguf",
            "a/b:x\\y.gguf",
            "a/b:x.gguf@v1",
            "a/b:x:y.gguf",
            "C:/x.gguf",
            "a/b:x-00002-of-00002.gguf",
        ] {
            assert!(HubId::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn ids_that_would_leave_the_cache_or_the_repository_are_refused() {
        for text in [
            "",
            "/",
            "a/",
            "/a",
            "a/b/c",
            "../b",
            "a/..",
            "./b",
            "a/b@",
            "a/b@..",
            "a/b@../../x",
            "a/b@/x",
            "a/b@x/",
            "a/b@x?y",
            "a/b@x%2f",
            "a b/c",
            "a--b/c",
            "a/b@x\\y",
            "~/b",
            "a/b@x y",
            "a/b@x@y",
        ] {
            assert!(HubId::parse(text).is_err(), "{text:?}");
        }
    }
}
