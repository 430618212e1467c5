//! `streamgauge run`: an experiment from its plan to its report.

use clap::Args;

use super::exit::{Exit, Failure};
use super::options::ExperimentOptions;
use super::{check, output, profile, progress, speed::Meter, table};
use crate::pipeline::{self, Places, Summary};

/// Options of `run`.
#[derive(Args)]
#[command(after_help = "Example:\n  streamgauge run experiments/reproduce.toml\n\n\
A second run recomputes nothing and says so. A killed run resumes: finished batches are in the store.")]
pub(super) struct Arguments {
    #[command(flatten)]
    experiment: ExperimentOptions,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        execute(&self.experiment, true)
    }
}

/// Shared by `run` (computes what is missing) and `report` (does not).
pub(super) fn execute(options: &ExperimentOptions, compute: bool) -> Result<Exit, Failure> {
    execute_and(options, compute, |summary, places| match options.common.json {
        true => output::print_json(&table::summary_json(summary)),
        false => output::print(&table::summary(summary, places)),
    })
}

/// The same, and shows what it did in a way of the caller's.
pub(super) fn execute_and(
    options: &ExperimentOptions,
    compute: bool,
    show: impl FnOnce(&Summary<'_>, &Places) -> Result<Exit, Failure>,
) -> Result<Exit, Failure> {
    let loaded = check::load(&options.file, &options.common)?;
    let bar = progress::new(options.common.quiet);
    let places = options.places();
    let _profile = profile::start(options.on.profile.as_deref())?;
    let meter = Meter::new(bar.as_ref());
    let summary = pipeline::run(&loaded, &places, compute, &meter)?;
    if !options.common.quiet {
        meter.say(&summary.planned.inputs.runtime);
    }
    show(&summary, &places)?;
    let exit = if summary.failures().next().is_some() { Exit::SomeFailed } else { Exit::Done };
    // The process ends here: the system takes the memory back at once, and piece by piece it takes a tenth of such a run.
    std::mem::forget(summary);
    Ok(exit)
}
