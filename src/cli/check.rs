//! `streamgauge check`: every mistake of every file at once.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{Common, Exit, Failure, output};
use crate::claims::{self, ClaimsError};
use crate::config::{self, Checked, Kind, Loaded, Report};
use crate::evidence::published;

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
        match config::check(&self.paths).and_then(recipes) {
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

/// The recipes beside the published tables of every experiment, too. Tables that cannot be imported are left to `run`,
/// which says what is wrong with them.
fn recipes(checked: Vec<Checked>) -> Result<Vec<Checked>, Report> {
    for experiment in checked.iter().filter(|one| one.kind == Kind::Experiment) {
        let Some(folder) = config::load(&experiment.path)?.published else { continue };
        let Ok(table) = published::import(&folder) else { continue };
        if let Err(ClaimsError::Recipes(report)) = claims::reproduce(&folder, &table) {
            return Err(report);
        }
    }
    Ok(checked)
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
