//! The only place where stages are chained: survey → plan → observe → judge → report.

mod basis;
mod cells;
mod device;
mod explaining;
mod jobs;
mod judging;
mod needs;
mod observing;
mod planning;
mod provenance;
mod registering;
mod regressing;
mod reporting;
mod spectra;
mod subject;
mod weighing;

use std::path::PathBuf;

use crate::store::StoreError;
use base::device::Wanted;
use base::progress::Progress;
use engine::run::RunError;
use model::checkpoint::CheckpointError;

pub use cells::{Cell, observe_fields, observe_fields_of_ids};
pub use device::{runtime, runtime_library};
pub use explaining::{Explained, explain};
pub use judging::Judged;
pub use needs::{ModelNeeds, needs};
pub use observing::{Observed, measure};
pub use planning::{Planned, plan};
pub use registering::register;
pub use regressing::{Pictured, picture};
pub use reporting::Written;
pub use spectra::SetSpectra;
pub use subject::{
    Missing, Subject, SubjectError, Tokenizing, change, checkpoint, lineage, locate, locate_hub, tokenizer,
};
pub use weighing::{Weighing, weigh_subject};

/// Where a run reads, writes and computes.
#[derive(Clone, Debug)]
pub struct Places {
    pub store: PathBuf,
    pub results: PathBuf,
    pub device: Wanted,
    /// Bytes of memory that observing may take; `None`: what the machine has left.
    pub memory: Option<u64>,
}

/// A stage that ended a command. Failures of single models do not: they are listed in the result.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error(transparent)]
    Subject(#[from] SubjectError),
    #[error(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Evidence(#[from] study::published::EvidenceError),
    #[error(transparent)]
    Claims(#[from] study::claims::ClaimsError),
    #[error(transparent)]
    Registration(#[from] study::registration::RegistrationError),
    #[error(transparent)]
    Graph(#[from] crate::plan::GraphError),
    #[error("cannot read {}: {error}", path.display())]
    Read { path: PathBuf, error: std::io::Error },
    #[error("cannot write {}: {error}; make room or choose another folder, what is stored is not lost", path.display())]
    Write { path: PathBuf, error: std::io::Error },
    #[error(transparent)]
    Table(#[from] results::tables::TableError),
    #[error("cannot draw {what}: {error}")]
    Draw { what: String, error: String },
}

/// One model that could not be used, and why. The others go on.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct ModelFailure {
    pub model: String,
    pub error: String,
}

/// What one `run` did.
pub struct Summary {
    pub planned: Planned,
    pub observed: Observed,
    pub judged: Judged,
    pub written: Written,
}

impl Summary {
    /// Every model and prompt that could not be used.
    pub fn failures(&self) -> impl Iterator<Item = &ModelFailure> {
        self.planned.unusable().chain(&self.observed.failures)
    }
}

/// Runs an experiment: downloads and computes what is missing, judges, writes the report.
///
/// # Errors
/// Only what ends the whole run (store, runtime, published tables). A model that fails is in [`Summary::failures`].
pub fn run(
    loaded: &study::config::Loaded,
    places: &Places,
    compute: bool,
    progress: &dyn Progress,
) -> Result<Summary, PipelineError> {
    let missing = if compute { Missing::Download } else { Missing::Report };
    let planned = plan(loaded, places, missing, progress)?;
    if compute {
        reporting::check(loaded, &planned)?;
    }
    let observed = observing::observe_missing(&planned, compute, progress)?;
    let mut sources = judging::Sources::new(loaded, &planned, &observed);
    let judged = judging::judge_all(&mut sources, progress)?;
    registering::first_verdicts(loaded, &places.results)?;
    let written = reporting::write(&mut sources, places, &judged, progress)?;
    Ok(Summary { planned, observed, judged, written })
}
