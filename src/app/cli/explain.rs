//! `streamgauge explain`: the story of one verdict, down to the rows.

use clap::Args;

use super::exit::{Exit, Failure};
use super::options::ExperimentOptions;
use super::{check, output, progress, table};
use crate::pipeline;

/// Options of `explain`.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  streamgauge explain H17\n  streamgauge explain H13 --prediction H13a --rows 50\n\n\
What is claimed, what the test found under which protocol, which conditions decided, which single choice would change it,\n\
and the rows the numbers come from. Nothing is observed: run first what is missing."
)]
pub(super) struct Arguments {
    /// Hypothesis id, e.g. H17
    id: String,
    /// This prediction only
    #[arg(long, value_name = "ID")]
    prediction: Option<String>,
    /// Rows to print for each quantity
    #[arg(long, value_name = "N", default_value_t = 3)]
    rows: usize,
    #[command(flatten)]
    experiment: ExperimentOptions,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        let loaded = check::load(&self.experiment.file, &self.experiment.common)?;
        let bar = progress::new(self.experiment.common.quiet);
        let found = pipeline::explain(&loaded, &self.experiment.places(), &self.id, bar.as_ref())?;
        let Some(found) = found else {
            let known: Vec<&str> = loaded.hypotheses.iter().map(|(_, one, _)| one.id.as_str()).collect();
            let known = known.join(", ");
            return Err(Failure::new(
                Exit::Usage,
                format!("the experiment has no hypothesis {}; it has {known}", self.id),
            ));
        };
        let known: Vec<&str> = found.hypothesis.predictions.iter().map(|one| one.id.as_str()).collect();
        if let Some(wanted) = self.prediction.as_deref().filter(|wanted| !known.contains(wanted)) {
            let known = known.join(", ");
            let message = format!("{} has no prediction {wanted}; it has {known}", self.id);
            return Err(Failure::new(Exit::Usage, message));
        }
        for failure in &found.failures {
            output::say(&format!("failed: {}: {}", failure.model, failure.error));
        }
        let printed = if self.experiment.common.json {
            output::print_json(&found.outcome)
        } else {
            output::print(&table::explained(&found, self.prediction.as_deref(), self.rows))
        };
        printed.map(|done| if found.failures.is_empty() { done } else { Exit::SomeFailed })
    }
}
