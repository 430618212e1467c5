//! What ends a command, and what ends the work on one model only.

use std::path::PathBuf;

use super::subject::SubjectError;
use crate::store::StoreError;
use base::hash::Key;
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
    /// Outputs that the store had, or was given, cannot be had any more.
    #[error(transparent)]
    Lost(#[from] Lost),
    /// A stored output is not what this program writes under its key.
    #[error(
        "{slot}: its stored output cannot be read by this streamgauge ({error}); name another folder for the store, in which \
         it is computed again"
    )]
    Stored {
        /// Slot of the job.
        slot: String,
        /// What is wrong with it.
        error: serde_json::Error,
    },
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
    /// Files that enter keys changed after the keys were made.
    #[error(
        "{}: a table or the recipes changed while this program worked; nothing is judged on them. Run again", path.display()
    )]
    Changed {
        /// The folder.
        path: PathBuf,
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

/// Outputs that were there when they were counted on and then turned out to be damaged or gone.
#[derive(Clone, Debug, thiserror::Error)]
#[error(
    "{}. This was found when the outputs were read, and again after what is lost was left out or made anew: nothing is judged \
     on part of the evidence. Check the disk of the store and run again", notes.join("; ")
)]
pub struct Lost {
    /// Their keys.
    pub keys: Vec<Key>,
    /// One line for each object.
    pub notes: Vec<String>,
}

/// One model that could not be used, and why. The others go on.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct ModelFailure {
    /// Id of the model.
    pub model: String,
    /// Why it, or a part of its work, failed.
    pub error: String,
}
