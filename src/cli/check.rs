//! `streamgauge check`: every mistake of every file at once.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{Common, Exit, Failure, output};
use crate::config::{self, Loaded, Report};

/// Options of `check`.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  streamgauge check\n  streamgauge check experiments/hypotheses/H19.toml\n\n\
With --json: [{\"file\",\"line\",\"column\",\"message\",\"suggestion\"}], empty when all is well."
)]
pub struct Arguments {
    /// Experiment files (with everything they name), or single model lists, prompt sets, hypotheses
    #[arg(default_value = "experiments/reproduce.toml")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    common: Common,
}

impl Arguments {
    pub fn run(self) -> Result<Exit, Failure> {
        match config::check(&self.paths) {
            Ok(_) if self.common.json => output::print_json(&serde_json::json!([])),
            Ok(checked) => output::print(&format!("{} files are valid\n", checked.len())),
            Err(report) if self.common.json => {
                output::print_json(&report.to_json())?;
                Ok(Exit::BadConfig)
            }
            Err(report) => Err(bad(&report)),
        }
    }
}

/// A report as a failure, in colour where a person reads it.
pub fn bad(report: &Report) -> Failure {
    Failure::rendered(Exit::BadConfig, report.render(std::io::stderr().is_terminal()))
}

/// Loads an experiment or fails with the whole report.
pub fn load(experiment: &Path, common: &Common) -> Result<Loaded, Failure> {
    config::load(experiment).map_err(|report| {
        if common.json {
            // The report is the result a program asked for; the exit code says that it is one.
            let _ = output::print_json(&report.to_json());
        }
        bad(&report)
    })
}
