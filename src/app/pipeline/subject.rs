//! Subjects: a model found on disk or brought from the hub, opened, and turned into graphs. Opening reads no weight.

use std::io;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use rayon::prelude::*;

use base::hash::Key;
use base::lookup;
use base::progress::Progress;
use base::threads;
use engine::run::{Graphs, RunError};
use model::arch::{self, ArchError, Recipe};
use model::checkpoint::{Checkpoint, CheckpointError, Memo, Tokenizer, is_gguf, read_config};
use model::hub::{Hub, HubError, HubId, Settings};
use number::evidence::{Evidence, ModelInfo};
use number::facts::{ModelFacts, ORIGINAL, is_quantisation};
use number::observation::SCALES;
use study::config::{
    experiment::{Model, ModelList},
    intervention::Change,
};

/// A model ready to be observed.
pub struct Subject {
    /// Id of the model list, or the name it was given by.
    pub id: String,
    /// Weights and config, with what an intervention changes.
    pub checkpoint: Checkpoint,
    /// How the architecture is computed.
    pub recipe: Recipe,
    /// The ONNX graphs of the architecture.
    pub graphs: Graphs,
    /// Without one only token ids can be run.
    pub tokenizer: PendingTokenizer,
    memo: Memo,
    /// What is changed in the stored model.
    pub intervention: Option<Change>,
    /// What its numbers are evidence of, as the model list says; of a model that no list has, nobody has said that it is none of
    /// language models.
    pub evidence: Evidence,
    facts: ModelFacts,
}

/// A model's tokenizer, or why it has none; who asks waits until it is open.
pub type PendingTokenizer = LazyLock<Opened, Box<dyn FnOnce() -> Opened + Send>>;

/// A tokenizer, or why there is none.
pub(super) type Opened = Result<Arc<Tokenizer>, String>;

/// Why a model cannot be observed.
#[derive(Debug, thiserror::Error)]
pub enum SubjectError {
    /// A model of the hub is not on this machine and was not to be downloaded.
    #[error(
        "not on this machine; `streamgauge run` downloads {hub} from the hub into {}",
        cache.display()
    )]
    NotHere {
        /// The model.
        hub: HubId,
        /// Folder of the hub's cache.
        cache: PathBuf,
    },
    /// A command has to bring what the model list names, and has not.
    #[error("{} is not here; `{fetch}` brings it", path.display())]
    NotFetched {
        /// Where it should lie.
        path: PathBuf,
        /// The command.
        fetch: String,
    },
    /// What the model list names cannot be looked at.
    #[error("{}: cannot be looked at: {error}", path.display())]
    Lookup {
        /// Where it should lie.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// Its weights are stored otherwise than the model list says.
    #[error("{}: the model list says change = {change:?}, the file's weights are {found}; correct `change`", path.display())]
    OtherWeights {
        /// The file.
        path: PathBuf,
        /// What the model list says.
        change: String,
        /// How most weights are stored.
        found: String,
    },
    /// The hub did not give it.
    #[error(transparent)]
    Hub(#[from] HubError),
    /// Its files cannot be read.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Its architecture is not known, or its config contradicts itself.
    #[error("{}", arch::of_model(folder, error))]
    Arch {
        /// Folder of the checkpoint.
        folder: PathBuf,
        /// What is wrong.
        error: ArchError,
    },
    /// Its graphs cannot be built.
    #[error(transparent)]
    Run(#[from] RunError),
}

/// What to do about a model of the hub that is not on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenMissing {
    /// Bring it from the hub.
    Download,
    /// List it as absent.
    Report,
}

/// Folder of a model of the list, which lies at `path`: its `folder`, else its snapshot in the hub cache; that of the
/// base, if the model is made from one.
pub fn locate(
    model: &Model,
    list: &ModelList,
    path: &Path,
    missing: WhenMissing,
    progress: &dyn Progress,
) -> Result<PathBuf, SubjectError> {
    let base = model
        .intervention
        .and_then(|_| list.models.iter().find(|other| Some(&other.id) == model.base.as_ref()));
    let model = base.unwrap_or(model);
    if let Some(folder) = &model.folder {
        let path = path.parent().unwrap_or(Path::new(".")).join(folder);
        return match &model.fetch {
            None => Ok(path),
            Some(fetch) => match lookup::is_there(&path) {
                Ok(true) => Ok(path),
                Ok(false) => Err(SubjectError::NotFetched { path, fetch: fetch.clone() }),
                Err(error) => Err(SubjectError::Lookup { path, error }),
            },
        };
    }
    let repo = model.hub.as_deref().unwrap_or_default();
    let revision = model.revision.as_deref().unwrap_or("main");
    locate_hub(&HubId::new(repo, revision)?, missing, progress)
}

/// Snapshot folder of a model of the hub, or its GGUF file there. A model this program cannot run is refused before its weights are downloaded.
pub fn locate_hub(
    id: &HubId,
    missing: WhenMissing,
    progress: &dyn Progress,
) -> Result<PathBuf, SubjectError> {
    let hub = Hub::new(Settings::from_env());
    if missing == WhenMissing::Download || hub.offline() {
        let fits = |folder: &Path| {
            let config = read_config(folder).map_err(|error| error.to_string())?;
            Recipe::read(&config).map(|_| ()).map_err(|error| error.to_string())
        };
        return Ok(hub.fetch(id, &fits, progress)?);
    }
    hub.find(id)?.ok_or_else(|| SubjectError::NotHere { hub: id.clone(), cache: hub.cache().to_path_buf() })
}

impl Subject {
    /// Opens a checkpoint folder under an id. Reads headers and config; the tokenizer waits until somebody asks for it.
    pub fn open(id: &str, folder: &Path, memo: &Memo) -> Result<Subject, SubjectError> {
        Subject::of(id, folder, unopened(folder), None, ModelFacts::default(), memo)
    }

    /// Opens a model of the list, from the folder that [`locate`] gave.
    pub fn listed(model: &Model, folder: &Path, memo: &Memo) -> Result<Subject, SubjectError> {
        Subject::of_list(model, folder, unopened(folder), memo)
    }

    fn of_list(
        model: &Model,
        folder: &Path,
        tokenizer: PendingTokenizer,
        memo: &Memo,
    ) -> Result<Subject, SubjectError> {
        let subject = Subject::of(&model.id, folder, tokenizer, change(model), lineage(model), memo)?;
        let subject = Subject { evidence: model.evidence.into(), ..subject };
        // A GGUF type may have a suffix that says which tensors have more bits: q4_k_m.
        let found = subject.checkpoint.dtype().to_string();
        let differs =
            |change: &&String| !change.to_ascii_lowercase().starts_with(&found.to_ascii_lowercase());
        match model
            .change
            .as_ref()
            .filter(|change| is_quantisation(change) && is_gguf(folder))
            .filter(differs)
        {
            Some(change) => {
                Err(SubjectError::OtherWeights { path: folder.to_path_buf(), change: change.clone(), found })
            }
            None => Ok(subject),
        }
    }

    /// [`Subject::listed`] with the tokenizer of the folder, which its models share. Hashes the weights.
    pub fn listed_with(
        model: &Model,
        folder: &Path,
        tokenizer: Opened,
        memo: &Memo,
    ) -> Result<Subject, SubjectError> {
        let tokenizer = LazyLock::new(Box::new(|| tokenizer) as Box<_>);
        let subject = Subject::of_list(model, folder, tokenizer, memo)?;
        subject.weights();
        Ok(subject)
    }

    fn of(
        id: &str,
        folder: &Path,
        tokenizer: PendingTokenizer,
        intervention: Option<Change>,
        lineage: ModelFacts,
        memo: &Memo,
    ) -> Result<Subject, SubjectError> {
        let _span = tracing::info_span!("open", model = id).entered();
        let checkpoint = checkpoint(folder, intervention)?.hashing();
        let recipe = Recipe::of_checkpoint(&checkpoint)
            .map_err(|error| SubjectError::Arch { folder: folder.to_path_buf(), error })?;
        let graphs = Graphs::build(&recipe)?;
        let ModelFacts { kind, base, change, series, step, lineage, .. } = lineage;
        let facts = ModelFacts {
            parameters: Some(checkpoint.parameters()),
            dtype: Some(checkpoint.dtype()),
            bits_per_weight: checkpoint.is_quantised().then(|| checkpoint.bits_per_weight()),
            kind,
            base,
            change,
            series,
            step,
            lineage,
            ..recipe.facts()
        };
        Ok(Subject {
            id: id.to_string(),
            checkpoint,
            recipe,
            graphs,
            tokenizer,
            memo: memo.clone(),
            intervention,
            evidence: Evidence::Measured,
            facts,
        })
    }

    /// The model as tables know it.
    pub fn info(&self) -> ModelInfo {
        ModelInfo { id: self.id.clone(), evidence: self.evidence, facts: self.facts() }
    }

    /// Content hash of the weights, as stored: a variant's are its base's. Reads those that were not read yet, unless they are
    /// known (memoised).
    pub fn weights(&self) -> Key {
        self.checkpoint.identity(&self.memo)
    }

    /// Whether [`Subject::weights`] is known without reading them.
    pub fn is_hashed(&self) -> bool {
        self.checkpoint.remembered(&self.memo).is_some()
    }

    /// Facts from the config, with what only the weights can tell (parameter count and dtype, as stored) and what the
    /// model list says about where the model comes from.
    pub fn facts(&self) -> ModelFacts {
        self.facts.clone()
    }
}

/// Products of a vector with the unembedding that weighing takes, roughly: three spectra of it by Lanczos steps.
const WEIGHING: u64 = 200;

impl Subject {
    /// Floating-point operations of a walk of so many tokens of one prompt, from the shape alone: one product with every weight
    /// of the blocks for each token, and the readouts of the last one.
    pub(super) fn walk_operations(&self, tokens: usize) -> u64 {
        let table = self.table();
        // Embeddings and unembedding; a model of one table has its blocks counted a little low.
        let blocks = self.checkpoint.parameters().saturating_sub(2 * table);
        2 * blocks * tokens as u64 + 2 * table * (1 + SCALES.len() as u64)
    }

    /// Floating-point operations of weighing, from the shape alone.
    pub(super) fn weigh_operations(&self) -> u64 {
        2 * self.table() * WEIGHING
    }

    /// Elements of the unembedding.
    fn table(&self) -> u64 {
        (self.recipe.vocabulary() * self.recipe.embedding_width()) as u64
    }
}

/// The tokenizer of a folder, which is opened when somebody asks for it.
pub fn unopened(folder: &Path) -> PendingTokenizer {
    let folder = folder.to_path_buf();
    LazyLock::new(Box::new(move || open_tokenizer(&folder)))
}

/// The tokenizer of a folder, which a thread begins to open.
pub fn tokenizer(folder: &Path) -> PendingTokenizer {
    let of = folder.to_path_buf();
    match threads::single("tokenizer").map(|builder| builder.spawn(move || open_tokenizer(&of))) {
        Some(Ok(opening)) => {
            LazyLock::new(Box::new(|| opening.join().unwrap_or_else(|panic| resume_unwind(panic))))
        }
        _ => unopened(folder), // no thread to be had: by whoever asks
    }
}

fn open_tokenizer(folder: &Path) -> Opened {
    Tokenizer::open(folder).map(Arc::new).map_err(|error| error.to_string())
}

/// The tokenizer of each folder, with its identity known.
pub(super) fn tokenizers<P: AsRef<Path> + Sync>(folders: &[P]) -> Vec<Opened> {
    let identified = |tokenizer: Tokenizer| {
        tokenizer.identity();
        Arc::new(tokenizer)
    };
    let opened = Tokenizer::open_all(folders).into_par_iter();
    opened.map(|one| one.map(identified).map_err(|error| error.to_string())).collect()
}

/// The intervention of a model of the list, if it is made by one.
pub fn change(model: &Model) -> Option<Change> {
    model.intervention.and_then(|intervention| intervention.changes().first().copied())
}

/// A checkpoint with what an intervention changes: its config, or weights that are made as they are read.
pub fn checkpoint(folder: &Path, intervention: Option<Change>) -> Result<Checkpoint, SubjectError> {
    let stored = Checkpoint::open(folder)?;
    let Some(change) = intervention else { return Ok(stored) };
    intervene(stored, change).map_err(|error| SubjectError::Arch { folder: folder.to_path_buf(), error })
}

fn intervene(stored: Checkpoint, change: Change) -> Result<Checkpoint, ArchError> {
    let made = match change {
        Change::RopeThetaTimes(factor) => {
            let config = arch::rope_theta_times(stored.config(), factor)?;
            return Ok(stored.with_config(config));
        }
        Change::RopeScalingNone => {
            let config = arch::without_rope_scaling(stored.config())?;
            return Ok(stored.with_config(config));
        }
        Change::RandomInit { seed } => Recipe::of_checkpoint(&stored)?.initial(&stored, seed)?,
        Change::FinalNormOnes => Recipe::of_checkpoint(&stored)?.neutral_final_norm(&stored),
    };
    Ok(stored.with_made(made))
}

/// What the model list says about a model's origin: kind, base, change, series, step.
pub fn lineage(model: &Model) -> ModelFacts {
    let made = change(model).map(|change| change.fact());
    let rounded = model.change.as_deref().is_some_and(is_quantisation);
    let kind = match &model.series {
        _ if made.is_some() || rounded => "variant",
        Some(series) if *series != model.id => "revision",
        _ => ORIGINAL,
    };
    ModelFacts {
        kind: Some(kind.to_string()),
        base: model.base.clone(),
        change: made.or_else(|| model.change.clone()),
        series: model.series.clone(),
        step: model.step.map(|step| step as f64),
        lineage: model.lineage.clone(),
        ..ModelFacts::default()
    }
}
