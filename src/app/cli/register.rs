//! `streamgauge register`: what a hypothesis means, put on record before its verdict or after a change.

use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use super::exit::{Exit, Failure};
use super::options::CommonOptions;
use super::{check, output};
use crate::pipeline::{self, Places};
use base::device::Wanted;

/// Options of `register`.
#[derive(Args)]
#[command(after_help = "Examples:\n  streamgauge register H19\n  \
streamgauge register H19 --note \"the smallest effect of interest was 2 %, is 5 % now\"\n\n\
A hypothesis is registered by itself at its first verdict that is not untestable, a prospective one before its data are\n\
computed, a draft never. One whose meaning changed after that is exploratory, and stays so when registered again: the note and\n\
the diff stand in the report beside its verdicts. So does a change of its models, prompts or tables. A claim that is to be\n\
confirmed gets a new id, and data nobody has seen.")]
pub(super) struct Arguments {
    /// Ids of hypotheses, e.g. H19
    #[arg(required = true)]
    ids: Vec<String>,
    /// Why it is registered, or registered again
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    note: Option<String>,
    /// Experiment file
    #[arg(long, value_name = "FILE", default_value = "experiments/reproduce.toml")]
    experiment: PathBuf,
    /// Folder of the store: of a prospective hypothesis, it may have no data
    #[arg(long, value_name = "DIR", default_value = "results/store")]
    store: PathBuf,
    /// Folder of reports, verdicts and registrations
    #[arg(long, value_name = "DIR", default_value = "results")]
    results: PathBuf,
    #[command(flatten)]
    common: CommonOptions,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        let loaded = check::load(&self.experiment, &self.common)?;
        let (store, results) = (self.store, self.results);
        let places = Places { store, results, device: Wanted::default(), memory: None };
        let added = pipeline::register(&loaded, &places, &self.ids, self.note.as_deref())?;
        if self.common.json {
            return output::print_json(&serde_json::json!({ "registered": added }));
        }
        let line = |id: &String| match added.contains(id) {
            true => format!("{}\n", registered(id, &places.results)),
            false => format!("{id} is registered as it is\n"),
        };
        output::print(&self.ids.iter().map(line).collect::<String>())
    }
}

/// Says that a hypothesis was registered, and where.
pub(super) fn registered(id: &str, results: &Path) -> String {
    format!("registered {id}: {}", study::registration::path(&results.join("registered")).display())
}
