//! `streamgauge diff`: what changed between two runs.

use std::path::PathBuf;

use clap::Args;

use super::exit::{Exit, Failure};
use super::options::CommonOptions;
use super::{output, table};
use results::regress::{compare, results};

/// Options of `diff`.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  streamgauge run --results before\n  $EDITOR experiments/hypotheses/H13.toml\n  \
streamgauge run --results after\n  streamgauge diff before after\n\n\
Inputs first (program, runtime, weights, prompts, hypotheses, primary protocols), then verdicts, numbers and estimates,\n\
worst first; numbers under different protocols are never compared: one is gone, the other new. Exit code 0: nothing\n\
moved beyond the tolerance; 8: something did. With --json:\n\
{\"schema\",\"moved\",\"made_with\",\"verdicts\",\"numbers\",\"verdicts_compared\",\"numbers_compared\"}."
)]
pub(super) struct Arguments {
    /// Results folder of the first run
    #[arg(value_name = "RUN_A")]
    before: PathBuf,
    /// Results folder of the second run
    #[arg(value_name = "RUN_B")]
    after: PathBuf,
    #[command(flatten)]
    common: CommonOptions,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        let comparison = compare(&results(&self.before)?, &results(&self.after)?);
        let moved = comparison.moved();
        if self.common.json {
            output::print_json(&table::differing_json(comparison))?;
        } else {
            output::print(&table::differing(&self.before, &self.after, &comparison))?;
        }
        Ok(if moved { Exit::Moved } else { Exit::Done })
    }
}
