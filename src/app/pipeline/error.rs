//! What ends a command, and what ends the work on one model only.

use std::path::PathBuf;

use super::subject::SubjectError;
use crate::store::StoreError;
use engine::run::RunError;
use model::checkpoint::CheckpointError;

/// Why a command ended early. Failures of single models do not end it: they are listed in its result.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// A checkpoint could not be read.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A model could not be found or opened.
    #[error(transparent)]
    Subject(#[from] SubjectError),
    /// The runtime is missing, or a model could not be run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The store could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A published table is wrong.
    #[error(transparent)]
    Evidence(#[from] study::published::EvidenceError),
    /// A recipe of a published claim is wrong.
    #[error(transparent)]
    Claims(#[from] study::published::claims::ClaimsError),
    /// A registration could not be read or written, or is not as asked for.
    #[error(transparent)]
    Registration(#[from] study::registration::RegistrationError),
    /// The jobs are no graph.
    #[error(transparent)]
    Graph(#[from] crate::plan::GraphError),
    /// A file could not be read.
    #[error("cannot read {}: {error}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// A file of the results could not be written.
    #[error("cannot write {}: {error}; make room or choose another folder, what is stored is not lost", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// A table could not be written.
    #[error(transparent)]
    Table(#[from] results::tables::TableError),
    /// A picture could not be drawn.
    #[error("cannot draw {what}: {error}")]
    Draw {
        /// Which picture.
        what: String,
        /// What the drawing code said.
        error: String,
    },
}

/// One model that could not be used, and why. The others go on.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct ModelFailure {
    /// Id of the model.
    pub model: String,
    /// Why it, or a part of its work, failed.
    pub error: String,
}
