//! `streamgauge new`: a commented template to start from.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::exit::{Exit, Failure};
use super::options::CommonOptions;
use super::output;
use study::config::{Kind, template};

/// Options of `new`.
#[derive(Args)]
#[command(after_help = "Examples:\n  streamgauge new hypothesis H19\n  streamgauge new prompts stories")]
pub(super) struct Arguments {
    /// What to start
    #[arg(value_enum)]
    kind: What,
    /// Its id, e.g. H19
    id: String,
    /// Folder of experiment files
    #[arg(long, value_name = "DIR", default_value = "experiments")]
    experiments: PathBuf,
    #[command(flatten)]
    common: CommonOptions,
}

#[derive(Clone, Copy, ValueEnum)]
enum What {
    /// A claim with predictions and decision rules
    Hypothesis,
    /// A prompt set
    Prompts,
    /// An experiment
    Experiment,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        let kind = match self.kind {
            What::Hypothesis => Kind::Hypothesis,
            What::Prompts => Kind::Prompts,
            What::Experiment => Kind::Experiment,
        };
        let created = template::create(kind, &self.id, &self.experiments)
            .map_err(|error| Failure::new(Exit::BadConfig, error))?;
        if self.common.json {
            return output::print_json(&serde_json::json!({ "written": created.path }));
        }
        output::print(&format!("wrote {}\n{}\n", created.path.display(), created.next))
    }
}
