//! `streamgauge inspect`: what a checkpoint is.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::exit::{Exit, Failure};
use super::options::CommonOptions;
use super::{model_argument, output, progress, table};
use crate::pipeline::{self, Subject, SubjectError, weigh};
use engine::weigh::Parts;
use model::arch::ArchError;
use model::checkpoint::{Memo, Share};
use number::facts::ModelFacts;
use number::weights::{Largest, Spectrum};

/// Options of `inspect`.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  streamgauge inspect llama3-tiny --json\n  streamgauge inspect EleutherAI/pythia-70m\n\n\
The spectral norm is computed without forming a second matrix, in one buffer of rows."
)]
pub(super) struct Arguments {
    /// Id in the model list, a folder with config.json and model.safetensors, a GGUF file, or a model of the Hugging Face hub
    model: String,
    /// Model list, where ids are looked up
    #[arg(long, value_name = "FILE", default_value = "experiments/models.toml")]
    models: PathBuf,
    #[command(flatten)]
    common: CommonOptions,
}

/// What `inspect --json` prints.
#[derive(Serialize)]
pub(super) struct Inspection {
    pub schema: u32,
    pub id: String,
    pub facts: ModelFacts,
    pub parameters: u64,
    /// What each dtype stores of them.
    pub stored: Vec<Share>,
    /// Bits of the file for each parameter, scales of blocks included.
    pub bits_per_weight: f64,
    /// Content hash of the weights.
    pub weights: String,
    pub matrices: Vec<Matrix>,
    /// Of the unembedding less the mean of its rows.
    pub unembedding_centred: Largest,
    /// Of the unembedding times diag(what the final norm multiplies by), less the mean of its rows; null without such a norm.
    pub unembedding_folded: Option<Largest>,
    /// Squared Frobenius norm of each query head's value weights, `[L][H]`.
    pub value_weight_squares: Vec<Vec<f64>>,
    /// What the model's files say and is not followed.
    pub notes: Vec<String>,
}

/// Norms of one matrix, rows = vocabulary.
#[derive(Clone, Serialize)]
pub(super) struct Matrix {
    /// `embedding` or `unembedding`.
    pub role: &'static str,
    pub tensor: String,
    pub rows: usize,
    pub cols: usize,
    pub norms: Spectrum,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        let bar = progress::new(self.common.quiet);
        let subject =
            model_argument::open(&self.model, &self.models, pipeline::unopened, &Memo::none(), bar.as_ref())?;
        let unfit = |error| match error {
            // It names the folder itself.
            ArchError::Checkpoint(error) => SubjectError::Checkpoint(error),
            error => SubjectError::Arch { folder: subject.checkpoint.folder().to_path_buf(), error },
        };
        // Facts of a config that fits.
        subject.recipe.checked_weights(&subject.checkpoint).map_err(unfit)?;
        let weighed = weigh(&subject, bar.as_ref()).map_err(|error| Failure::new(Exit::BadInput, error))?;
        let parts = Parts::of(&subject.recipe, &subject.checkpoint);
        let matrices = vec![
            matrix(&subject, "embedding", parts.embedding, weighed.embedding)?,
            matrix(&subject, "unembedding", parts.unembedding, weighed.unembedding)?,
        ];
        let stored = subject.checkpoint.stored();
        let inspection = Inspection {
            schema: 1,
            id: subject.id.clone(),
            facts: subject.facts(),
            parameters: subject.checkpoint.parameters(),
            bits_per_weight: subject.checkpoint.bits_per_weight(),
            stored,
            weights: subject.weights().to_string(),
            matrices,
            unembedding_centred: weighed.centred,
            unembedding_folded: weighed.folded,
            value_weight_squares: weighed.value_squares,
            notes: subject.checkpoint.notes().to_vec(),
        };
        if self.common.json {
            output::print_json(&inspection)
        } else {
            output::print(&table::inspected(&inspection))
        }
    }
}

fn matrix(subject: &Subject, role: &'static str, tensor: String, norms: Spectrum) -> Result<Matrix, Failure> {
    let shape = subject.checkpoint.tensor(&tensor)?.shape;
    Ok(Matrix { role, rows: shape[0], cols: shape[1], tensor, norms }) // only matrices can be weighed
}
