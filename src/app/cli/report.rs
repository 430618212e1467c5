//! `streamgauge report`: report from the store alone.

use clap::Args;

use super::{Exit, Failure, Job, run};

/// Options of `report`.
#[derive(Args)]
#[command(after_help = "Example:\n  streamgauge report experiments/reproduce.toml --results /tmp/results")]
pub(super) struct Arguments {
    #[command(flatten)]
    job: Job,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        run::execute(&self.job, false)
    }
}
