//! `streamgauge run`: the main job.

use std::path::PathBuf;

use clap::Args;

use super::{Common, Exit, Failure, Places, output, progress, table};
use crate::pipeline;

/// Options of `run`.
#[derive(Args)]
#[command(after_help = "Example:\n  streamgauge run experiments/reproduce.toml\n\n\
A second run recomputes nothing and says so. A killed run resumes: finished batches are in the store.")]
pub struct Arguments {
    /// Experiment file
    #[arg(default_value = "experiments/reproduce.toml")]
    experiment: PathBuf,
    #[command(flatten)]
    places: Places,
    #[command(flatten)]
    common: Common,
}

impl Arguments {
    pub fn run(self) -> Result<Exit, Failure> {
        execute(&self.experiment, &self.places, &self.common, true)
    }
}

/// Shared by `run` (computes what is missing) and `report` (does not).
pub fn execute(
    experiment: &std::path::Path,
    places: &Places,
    common: &Common,
    compute: bool,
) -> Result<Exit, Failure> {
    let loaded = super::check::load(experiment, common)?;
    let bar = progress::new(common.quiet);
    let places = pipeline::Places { store: places.store.clone(), results: places.results.clone() };
    let summary = pipeline::run(&loaded, &places, compute, bar.as_ref())?;
    if common.json {
        output::print_json(&table::summary_json(&summary))?;
    } else {
        output::print(&table::summary(&summary, &places))?;
    }
    let failed = !summary.planned.failures.is_empty() || !summary.observed.failures.is_empty();
    Ok(if failed { Exit::SomeFailed } else { Exit::Done })
}
