//! `streamgauge new`: a commented template to start from.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Common, Exit, Failure, output};
use crate::config::template;

/// Options of `new`.
#[derive(Args)]
#[command(after_help = "Example:\n  streamgauge new hypothesis H19")]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// A hypothesis: claim, predictions, decision rules
    Hypothesis {
        /// Its id, e.g. H19
        id: String,
        /// Folder to write it to
        #[arg(long, value_name = "DIR", default_value = "experiments/hypotheses")]
        folder: PathBuf,
        #[command(flatten)]
        common: Common,
    },
}

impl Arguments {
    pub fn run(self) -> Result<Exit, Failure> {
        let What::Hypothesis { id, folder, common } = self.what;
        let path = template::write(&folder, &id).map_err(|error| Failure::new(Exit::BadConfig, error))?;
        if common.json {
            return output::print_json(&serde_json::json!({ "written": path }));
        }
        output::print(&format!(
            "wrote {0}\n  next: edit it, then `streamgauge check {0}` and `streamgauge run`\n",
            path.display()
        ))
    }
}
