//! `streamgauge plan`: the job graph, what is stale and why.

use clap::Args;
use serde::Serialize;

use super::exit::{Exit, Failure};
use super::options::ExperimentOptions;
use super::{check, output, progress};
use crate::pipeline::{self, ModelNeeds, WhenMissing};
use crate::plan::{Plan, Shard};

/// Options of `plan`.
#[derive(Args)]
#[command(after_help = "Example:\n  streamgauge plan experiments/reproduce.toml --why --needs")]
pub(super) struct Arguments {
    /// For each stale job, name the field of its key that changed
    #[arg(long)]
    why: bool,
    /// For each model with something to observe, what that needs: memory, and time by a quick calibration
    #[arg(long)]
    needs: bool,
    /// Print the part of the plan that falls to one of several machines, e.g. 3/64: the same part for everyone who asks
    #[arg(long, value_name = "I/N", conflicts_with = "needs")]
    shard: Option<Shard>,
    #[command(flatten)]
    experiment: ExperimentOptions,
}

/// The JSON of a plan, with the needs that were asked for.
#[derive(Serialize)]
struct WithNeeds<'a> {
    #[serde(flatten)]
    plan: &'a Plan,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    needs: &'a [ModelNeeds],
}

impl Arguments {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        let common = &self.experiment.common;
        let loaded = check::load(&self.experiment.file, common)?;
        let bar = progress::new(common.quiet);
        let planned = pipeline::plan(&loaded, &self.experiment.places(), WhenMissing::Report, bar.as_ref())?;
        let shard = self.shard.map(|shard| planned.shard(shard));
        let plan = shard.as_ref().unwrap_or(&planned.plan);
        let needs = if self.needs { pipeline::needs(&planned)? } else { Vec::new() };
        if common.json {
            output::print_json(&WithNeeds { plan, needs: &needs })?;
        } else if self.why {
            output::print(&plan.with_why().to_string())?;
        } else {
            output::print(&plan.to_string())?;
        }
        if !common.json {
            let lines: String = needs.iter().map(|needs| format!("{needs}\n")).collect();
            output::print(&lines)?;
        }
        if common.quiet {
            // Without notes nothing has said yet why this command fails.
            planned.inputs.failures().for_each(|f| output::say(&format!("failed: {}: {}", f.model, f.error)));
        }
        Ok(if planned.inputs.failures().next().is_none() { Exit::Done } else { Exit::SomeFailed })
    }
}
