//! `streamgauge plan`: the job graph, what is stale and why.

use clap::Args;

use super::{Exit, Failure, Job, check, output, progress};
use crate::pipeline::{self, Missing};

/// Options of `plan`.
#[derive(Args)]
#[command(after_help = "Example:\n  streamgauge plan experiments/reproduce.toml --why")]
pub struct Arguments {
    /// For each stale job, name the field of its key that changed
    #[arg(long)]
    why: bool,
    #[command(flatten)]
    job: Job,
}

impl Arguments {
    pub fn run(self) -> Result<Exit, Failure> {
        let common = &self.job.common;
        let loaded = check::load(&self.job.experiment, common)?;
        let bar = progress::new(common.quiet);
        let planned = pipeline::plan(&loaded, &self.job.places(), Missing::Report, bar.as_ref())?;
        if common.json {
            output::print_json(&planned.plan)?;
        } else if self.why {
            output::print(&planned.plan.with_why().to_string())?;
        } else {
            output::print(&planned.plan.to_string())?;
        }
        if common.quiet {
            // Without notes nothing has said yet why this command fails.
            planned.failures.iter().for_each(|f| output::say(&format!("failed: {}: {}", f.model, f.error)));
        }
        Ok(if planned.failures.is_empty() { Exit::Done } else { Exit::SomeFailed })
    }
}
