//! `streamgauge report`: report from the store alone.

use clap::Args;

use super::exit::{Exit, Failure};
use super::options::ExperimentOptions;
use super::run;

/// Options of `report`.
#[derive(Args)]
#[command(after_help = "Example:\n  streamgauge report experiments/reproduce.toml --results /tmp/results")]
pub(super) struct Arguments {
    #[command(flatten)]
    experiment: ExperimentOptions,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        run::execute(&self.experiment, false)
    }
}
