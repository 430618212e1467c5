//! Subjects: a model of the list, found on disk, opened, and turned into graphs. No weight is read here.

use std::path::{Path, PathBuf};

use crate::arch::{ArchError, Recipe};
use crate::checkpoint::{Checkpoint, CheckpointError, Memo, Tokenizer};
use crate::config::experiment::Model;
use crate::facts::ModelFacts;
use crate::hash::Key;
use crate::run::{Graphs, RunError};

/// A model ready to be observed.
pub struct Subject {
    pub id: String,
    pub checkpoint: Checkpoint,
    pub recipe: Recipe,
    pub graphs: Graphs,
    /// `None` when the folder has no tokenizer: then only token ids can be run.
    pub tokenizer: Result<Tokenizer, String>,
    /// Content hash of the weights.
    pub weights: Key,
}

/// Why a model cannot be observed.
#[derive(Debug, thiserror::Error)]
pub enum SubjectError {
    #[error(
        "model {id} lies on the hub ({repo}, revision {revision}) and is not on this machine; download it with \
         `hf download {repo} --revision {revision}`, or give the model a `folder` in the model list"
    )]
    NotHere { id: String, repo: String, revision: String },
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error("{}: {error}", folder.display())]
    Arch { folder: PathBuf, error: ArchError },
    #[error(transparent)]
    Run(#[from] RunError),
}

/// Folder of a model: its `folder` (relative to the model list), else the hub cache of this machine.
pub fn locate(model: &Model, list: &Path) -> Result<PathBuf, SubjectError> {
    if let Some(folder) = &model.folder {
        return Ok(list.parent().unwrap_or(Path::new(".")).join(folder));
    }
    let repo = model.hub.clone().unwrap_or_default();
    let revision = model.revision.clone().unwrap_or_else(|| "main".to_string());
    cached(&repo, &revision).ok_or(SubjectError::NotHere { id: model.id.clone(), repo, revision })
}

/// The snapshot folder the hub's own tools leave in `HF_HUB_CACHE`, `HF_HOME/hub` or `~/.cache/huggingface/hub`.
fn cached(repo: &str, revision: &str) -> Option<PathBuf> {
    let hub = std::env::var_os("HF_HUB_CACHE")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HF_HOME").map(|home| PathBuf::from(home).join("hub")))
        .or_else(|| {
            std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache/huggingface/hub"))
        })?;
    let model = hub.join(format!("models--{}", repo.replace('/', "--")));
    let commit = std::fs::read_to_string(model.join("refs").join(revision))
        .map(|text| text.trim().to_string())
        .unwrap_or_else(|_| revision.to_string());
    let snapshot = model.join("snapshots").join(commit);
    snapshot.join("config.json").is_file().then_some(snapshot)
}

impl Subject {
    /// Opens a checkpoint folder under an id. Reads headers, config and tokenizer; hashes weights once (memoised).
    pub fn open(id: &str, folder: &Path, memo: &Memo) -> Result<Subject, SubjectError> {
        let checkpoint = Checkpoint::open(folder)?;
        let recipe = Recipe::read(checkpoint.config())
            .map_err(|error| SubjectError::Arch { folder: folder.to_path_buf(), error })?;
        let graphs = Graphs::build(&recipe)?;
        let tokenizer = Tokenizer::open(folder).map_err(|error| error.to_string());
        let weights = checkpoint.identity(memo)?;
        Ok(Subject { id: id.to_string(), checkpoint, recipe, graphs, tokenizer, weights })
    }

    /// Facts from the config, with what only the weights can tell: parameter count and dtype.
    pub fn facts(&self) -> ModelFacts {
        ModelFacts {
            parameters: Some(self.checkpoint.parameters()),
            dtype: Some(self.checkpoint.dtype()),
            ..self.recipe.facts()
        }
    }
}

/// The ONNX Runtime library to load: `ORT_DYLIB_PATH`, else `.runtime/lib` here or above, else beside the program.
pub fn runtime_library() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("ORT_DYLIB_PATH").filter(|path| !path.is_empty()) {
        return Some(PathBuf::from(path));
    }
    let name = if cfg!(target_os = "macos") { "libonnxruntime.dylib" } else { "libonnxruntime.so" };
    let here = std::env::current_dir().ok();
    let program = std::env::current_exe().ok();
    [here, program]
        .iter()
        .flatten()
        .flat_map(|start| start.ancestors())
        .map(|folder| folder.join(".runtime/lib").join(name))
        .find(|path| path.is_file())
}
