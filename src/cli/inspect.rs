//! `streamgauge inspect`: what a checkpoint is.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::{Common, Exit, Failure, measure, output, progress, table};
use crate::checkpoint::{Memo, spectral};
use crate::facts::ModelFacts;
use crate::pipeline::{Subject, SubjectError};
use crate::progress::Progress;

/// Options of `inspect`.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  streamgauge inspect llama3-tiny --json\n  streamgauge inspect EleutherAI/pythia-70m\n\n\
The spectral norm is computed without forming a second matrix, in one buffer of rows."
)]
pub struct Arguments {
    /// Id in the model list, a folder with config.json and model.safetensors, or a model of the Hugging Face hub
    model: String,
    /// Model list, where ids are looked up
    #[arg(long, value_name = "FILE", default_value = "experiments/models.toml")]
    models: PathBuf,
    #[command(flatten)]
    common: Common,
}

/// What `inspect --json` prints.
#[derive(Serialize)]
pub struct Inspection {
    pub schema: u32,
    pub id: String,
    pub facts: ModelFacts,
    pub parameters: u64,
    /// Content hash of the weights.
    pub weights: String,
    pub matrices: Vec<Matrix>,
}

/// Norms of one matrix, rows = vocabulary.
#[derive(Clone, Serialize)]
pub struct Matrix {
    /// `embedding` or `unembedding`.
    pub role: &'static str,
    pub tensor: String,
    pub rows: usize,
    pub cols: usize,
    pub norms: spectral::Spectrum,
}

impl Arguments {
    pub fn run(self) -> Result<Exit, Failure> {
        let bar = progress::new(self.common.quiet);
        let subject = measure::open_model(&self.model, &self.models, &Memo::none(), bar.as_ref())?;
        let unfit = |error| SubjectError::Arch { folder: subject.checkpoint.folder().to_path_buf(), error };
        subject.recipe.checked_weights(&subject.checkpoint).map_err(unfit)?; // facts of a config that fits
        let embedding = subject.recipe.embedding_name(&subject.checkpoint);
        let unembedding = subject.recipe.unembedding_name(&subject.checkpoint);
        let mut matrices = vec![matrix(&subject, "embedding", &embedding, bar.as_ref())?];
        matrices.push(if unembedding == embedding {
            Matrix { role: "unembedding", ..matrices[0].clone() } // tied: one tensor in two roles
        } else {
            matrix(&subject, "unembedding", &unembedding, bar.as_ref())?
        });
        let inspection = Inspection {
            schema: 1,
            id: subject.id.clone(),
            facts: subject.facts(),
            parameters: subject.checkpoint.parameters(),
            weights: subject.weights.to_string(),
            matrices,
        };
        if self.common.json {
            output::print_json(&inspection)
        } else {
            output::print(&table::inspected(&inspection))
        }
    }
}

fn matrix(subject: &Subject, role: &'static str, name: &str, bar: &dyn Progress) -> Result<Matrix, Failure> {
    let tensor = subject.checkpoint.tensor(name)?;
    bar.start(&format!("norms of {name}"), 1);
    let norms = spectral::spectrum(&tensor);
    bar.finish();
    let norms = norms.map_err(|error| Failure::new(Exit::BadInput, error))?;
    let (rows, cols) = (tensor.shape[0], tensor.shape[1]); // `spectrum` takes matrices only
    Ok(Matrix { role, tensor: name.to_string(), rows, cols, norms })
}
