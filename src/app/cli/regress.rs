//! `streamgauge regress`: an experiment run anew and compared with a committed baseline.

use std::path::PathBuf;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use super::exit::{Exit, Failure};
use super::options::{CommonOptions, ComputeOptions};
use super::{check, output, progress, table};
use crate::pipeline;
use results::regress::{BaselineError, baseline, compare};

/// Options of `regress`.
#[derive(Args)]
#[command(after_help = "Examples:\n  streamgauge regress\n  \
streamgauge regress --accept --note \"entropy in two passes, exact for large vocabularies\"\n\n\
Every observation, every measured number under every protocol, every estimate and every verdict is compared. Nothing\n\
is taken from a store. Exit code 0: nothing moved beyond the tolerance; 8: something moved. With --json:\n\
{\"schema\",\"moved\",\"accepted\",\"failures\",\"made_with\",\"verdicts\",\"numbers\",\"verdicts_compared\",\"numbers_compared\"}.")]
pub(super) struct Arguments {
    /// Experiment file
    #[arg(default_value = "experiments/reproduce.toml")]
    experiment: PathBuf,
    /// Folder of the baseline
    #[arg(long, value_name = "DIR", default_value = "results/baseline")]
    baseline: PathBuf,
    /// Make what this run shows the baseline and note in its CHANGES.md what moved; one that nothing differs from stays
    #[arg(long, requires = "note")]
    accept: bool,
    /// Why the numbers may be other ones now
    #[arg(long, value_name = "TEXT", requires = "accept", value_parser = NonEmptyStringValueParser::new())]
    note: Option<String>,
    #[command(flatten)]
    on: ComputeOptions,
    #[command(flatten)]
    common: CommonOptions,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        let loaded = check::load(&self.experiment, &self.common)?;
        // Before the work: a missing baseline need not wait for it.
        let before = match baseline::read(&self.baseline) {
            Err(BaselineError::Missing { .. }) if self.accept => None,
            read => Some(read?),
        };
        let bar = progress::new(self.common.quiet);
        let pipeline::Rerun { numbers, failures } =
            pipeline::rerun(&loaded, (self.on.device, self.on.memory()), bar.as_ref())?;
        let comparison = before.as_ref().map(|before| compare(before, &numbers));
        let moved = comparison.as_ref().is_some_and(|comparison| comparison.moved());
        let differs = comparison.as_ref().is_none_or(|c| moved || !c.made_with.is_empty());
        let accepted = self.accept && differs && failures.is_empty();
        if accepted {
            let note = self.note.as_deref().unwrap_or_default(); // clap asks for one with --accept
            baseline::accept(&self.baseline, &numbers, comparison.as_ref(), note)?;
        }
        let shown = table::Regressed { baseline: &self.baseline, comparison, accepted, failures: &failures };
        if self.common.json {
            output::print_json(&table::regressed_json(&shown))?;
        } else {
            output::print(&table::regressed(&shown))?;
        }
        Ok(match (accepted || !moved, failures.is_empty()) {
            (true, true) => Exit::Done,
            (false, _) => Exit::Moved,
            (true, false) => Exit::SomeFailed,
        })
    }
}
