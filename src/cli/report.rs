//! `streamgauge report`: report from the store alone.

use std::path::PathBuf;

use clap::Args;

use super::{Common, Exit, Failure, Places, run};

/// Options of `report`.
#[derive(Args)]
#[command(after_help = "Example:\n  streamgauge report experiments/reproduce.toml --results /tmp/results")]
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
        run::execute(&self.experiment, &self.places, &self.common, false)
    }
}
