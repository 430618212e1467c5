//! `streamgauge calibrate`: how often the judge is wrong in simulated worlds.

use clap::Args;

use super::exit::{Exit, Failure};
use super::options::ExperimentOptions;
use super::{check, output, progress, table};
use crate::pipeline;

/// Options of `calibrate`.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  streamgauge calibrate experiments/reproduce.toml\n  streamgauge calibrate --id H13\n\n\
Worlds are drawn in which a claim is false and in which it is true, with the models, prompts and spread of what was measured;\n\
the rule judges each. Printed is how often each verdict came. Nothing is observed: run first what is missing."
)]
pub(super) struct Arguments {
    /// This hypothesis only
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    #[command(flatten)]
    experiment: ExperimentOptions,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        let mut loaded = check::load(&self.experiment.file, &self.experiment.common)?;
        if let Some(wanted) = &self.id {
            let known: Vec<&str> = loaded.hypotheses.iter().map(|(_, one, _)| one.id.as_str()).collect();
            if !known.contains(&wanted.as_str()) {
                let message =
                    format!("the experiment has no hypothesis {wanted}; it has {}", known.join(", "));
                return Err(Failure::new(Exit::Usage, message));
            }
            loaded.hypotheses.retain(|(_, hypothesis, _)| hypothesis.id == *wanted);
        }
        let bar = progress::new(self.experiment.common.quiet);
        let found = pipeline::calibrate(&loaded, &self.experiment.places(), self.id.is_none(), bar.as_ref())?;
        match self.experiment.common.json {
            true => {
                let found: std::collections::BTreeMap<_, _> = found.into_iter().collect();
                output::print_json(&found)
            }
            false => output::print(&table::calibrated(&found)),
        }
    }
}
