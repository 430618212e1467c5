//! The id of a model of the hub: `owner/name`, and after `@` a branch, tag or commit.

use std::fmt;

use hf_hub::{Repo, RepoType};

use super::HubError;

/// A model repository at a revision, `main` where none is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubId {
    repo: String,
    revision: String,
}

impl HubId {
    /// Reads `owner/name` or `owner/name@revision`.
    ///
    /// # Errors
    /// [`HubError::BadId`].
    pub fn parse(text: &str) -> Result<HubId, HubError> {
        let (repo, revision) = text.split_once('@').unwrap_or((text, "main"));
        HubId::new(repo, revision)
    }

    /// Both parts become paths and URLs, so what could lead out of either is refused.
    ///
    /// # Errors
    /// [`HubError::BadId`].
    pub fn new(repo: &str, revision: &str) -> Result<HubId, HubError> {
        let bad = |why| Err(HubError::BadId { text: format!("{repo}@{revision}"), why });
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
        Ok(HubId { repo: repo.to_string(), revision: revision.to_string() })
    }

    /// `owner/name`.
    pub fn repo(&self) -> &str {
        &self.repo
    }

    /// Branch, tag or commit.
    pub fn revision(&self) -> &str {
        &self.revision
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
        }
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
