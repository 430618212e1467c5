//! `streamgauge plan`: the job graph, what is stale and why.

use std::path::PathBuf;

use clap::Args;

use super::{Common, Exit, Failure, Places, check, output, progress};
use crate::pipeline;

/// Options of `plan`.
#[derive(Args)]
#[command(after_help = "Example:\n  streamgauge plan experiments/reproduce.toml --why")]
pub struct Arguments {
    /// Experiment file
    #[arg(default_value = "experiments/reproduce.toml")]
    experiment: PathBuf,
    /// For each stale job, name the field of its key that changed
    #[arg(long)]
    why: bool,
    #[command(flatten)]
    places: Places,
    #[command(flatten)]
    common: Common,
}

impl Arguments {
    pub fn run(self) -> Result<Exit, Failure> {
        let loaded = check::load(&self.experiment, &self.common)?;
        let bar = progress::new(self.common.quiet);
        let places = pipeline::Places { store: self.places.store, results: self.places.results };
        let planned = pipeline::plan(&loaded, &places, bar.as_ref())?;
        if self.common.json {
            output::print_json(&planned.plan)?;
        } else if self.why {
            output::print(&planned.plan.with_why().to_string())?;
        } else {
            output::print(&planned.plan.to_string())?;
        }
        Ok(if planned.failures.is_empty() { Exit::Done } else { Exit::SomeFailed })
    }
}
