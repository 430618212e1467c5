//! The inputs of a plan: models, prompts, published tables, and the store with what it holds.

use std::path::Path;

use super::calibrated;
use super::cells::Cell;
use super::error::{ModelFailure, PipelineError};
use super::subject::Subject;
use crate::plan::keys;
use crate::store::{Snapshot, Store};
use base::foreign;
use base::hash::Key;
use base::lookup;
use engine::run::Runtime;
use study::config::Loaded;
use study::judge::hypothesis::Hypothesis;
use study::judge::outcome::Registration;
use study::published::claims::{NO_EVIDENCE, RECIPES};

/// Everything from which the jobs of an experiment are made.
pub struct Inputs<'a> {
    /// The experiment with all its files.
    pub loaded: &'a Loaded,
    /// Computes the models.
    pub runtime: Runtime,
    /// Where outputs lie.
    pub store: Store,
    /// What the store held when the plan was made.
    pub snapshot: Snapshot,
    /// The models, opened, in the order of the experiment.
    pub subjects: Vec<Subject>,
    /// Every prompt of every model under every BOS policy.
    pub cells: Vec<Cell>,
    /// Key of the imported published tables; `None`: the experiment names none.
    pub published: Option<Key>,
    /// Digest of the recipes of published claims.
    pub recipes: Option<Key>,
    /// How rules fare in simulated worlds, as far as it was read.
    pub(super) calibrated: calibrated::Read,
    /// By hypothesis id: what it means against what it was registered as.
    pub registrations: Vec<(String, Registration)>,
    /// Hypotheses that mean something else than when first registered: their number, and what they meant then, or why
    /// that cannot be judged any more.
    pub as_registered: Vec<(usize, Result<Hypothesis, String>)>,
    /// Models and prompts that are not measured, those of one reason together.
    pub unmeasured: Vec<Unmeasured>,
}

/// A model or prompt that is not measured.
#[derive(Clone, Debug)]
pub struct Unmeasured {
    /// Which, and what is said of it.
    pub what: ModelFailure,
    /// Why.
    pub why: WhyUnmeasured,
}

/// Why something is not measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WhyUnmeasured {
    /// It cannot be run.
    Failed,
    /// A model of the hub that is not on this machine and was not to be downloaded.
    Absent,
    /// A command of the model list has not brought the model yet: the experiment goes on without it.
    Unfetched,
}

impl Inputs<'_> {
    /// What cannot be run.
    pub fn failures(&self) -> impl Iterator<Item = &ModelFailure> {
        self.unmeasured_as(|why| why == WhyUnmeasured::Failed)
    }

    /// What cannot be observed: failures and absent models.
    pub fn unusable(&self) -> impl Iterator<Item = &ModelFailure> {
        self.unmeasured_as(|why| why != WhyUnmeasured::Unfetched)
    }

    /// Models that a command of the model list has not brought yet.
    pub fn unfetched(&self) -> impl Iterator<Item = &ModelFailure> {
        self.unmeasured_as(|why| why == WhyUnmeasured::Unfetched)
    }

    /// What the results lack: all of these.
    pub fn left_out(&self) -> impl Iterator<Item = &ModelFailure> {
        self.unmeasured_as(|_| true)
    }

    fn unmeasured_as(&self, is: impl Fn(WhyUnmeasured) -> bool) -> impl Iterator<Item = &ModelFailure> {
        self.unmeasured.iter().filter(move |one| is(one.why)).map(|one| &one.what)
    }

    /// Checks that the published tables and recipes are those whose digests enter the keys: to be asked after they were read
    /// again.
    ///
    /// # Errors
    /// Tables that cannot be read, or that somebody changed since the plan was made.
    pub(super) fn check_published(&self, folder: &Path) -> Result<(), PipelineError> {
        let now = (Some(published_digest(folder)?), Some(recipes_digest(folder)?));
        if now == (self.published, self.recipes) {
            return Ok(());
        }
        Err(PipelineError::Changed { path: folder.to_path_buf() })
    }
}

/// Key of the imported tables.
pub(super) fn published_digest(folder: &Path) -> Result<Key, PipelineError> {
    let tables = tables_digest(folder)?;
    Ok(keys::Import { tables, importer_version: keys::IMPORT_VERSION }.fields().key())
}

/// Digest of published tables: the names and bytes of the folder's CSV files from which evidence is imported.
pub(super) fn tables_digest(folder: &Path) -> Result<Key, PipelineError> {
    let fail = |error| PipelineError::Read { path: folder.to_path_buf(), error };
    let mut names = Vec::new();
    for path in lookup::entries(folder).map_err(fail)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let table = path.extension().is_some_and(|extension| extension == "csv");
        if table && !NO_EVIDENCE.contains(&name.as_str()) {
            names.push(name);
        }
    }
    digest(folder, &names, foreign::Kind::Table)
}

/// Digest of what a folder of published tables says was printed and how it is recomputed.
pub(super) fn recipes_digest(folder: &Path) -> Result<Key, PipelineError> {
    let there = NO_EVIDENCE.iter().filter(|name| **name == RECIPES || folder.join(name).exists());
    digest(folder, &there.map(|name| name.to_string()).collect::<Vec<_>>(), foreign::Kind::Text)
}

fn digest(folder: &Path, names: &[String], kind: foreign::Kind) -> Result<Key, PipelineError> {
    let mut files = Vec::new();
    for name in names {
        let path = folder.join(name);
        let bytes = foreign::read(&path, kind).map_err(|error| PipelineError::Read { path, error })?;
        files.push((name, bytes));
    }
    Ok(keys::digest_files(files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()))))
}
