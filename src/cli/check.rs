//! `streamgauge check`: every mistake of every file at once.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{Common, Exit, Failure, output};
use crate::config::{self, Loaded};

/// Options of `check`.
#[derive(Args)]
#[command(after_help = "Examples:\n  streamgauge check\n  streamgauge check experiments/hypotheses/H19.toml\n\n\
With --json: [{\"file\",\"line\",\"column\",\"message\",\"suggestion\"}], empty when all is well.")]
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
            Ok(files) if self.common.json => output::print_json(&Vec::<()>::new()).map(|_| files),
            Ok(files) => output::print(&format!("{files} files are valid\n")).map(|_| files),
            Err(report) if self.common.json => {
                output::print_json(&report.to_json())?;
                return Ok(Exit::BadConfig);
            }
            Err(report) => return Err(Failure::new(Exit::BadConfig, report)),
        }
        .map(|_| Exit::Done)
    }
}

/// Loads an experiment or fails with the whole report.
pub fn load(experiment: &Path, common: &Common) -> Result<Loaded, Failure> {
    config::load(experiment).map_err(|report| {
        if common.json {
            // The report is the result a program asked for; the exit code says that it is one.
            let _ = output::print_json(&report.to_json());
        }
        Failure::new(Exit::BadConfig, report)
    })
}
