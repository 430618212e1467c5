//! `streamgauge report`: report from the store alone, and any page of it in the terminal.

use clap::Args;

use super::exit::{Exit, Failure};
use super::options::ExperimentOptions;
use super::{output, run};
use crate::pipeline::Written;
use base::nearest::nearest;

/// All pages, one after the other.
const ALL: &str = "all";
/// What addresses of models and of hypotheses may begin with, and people leave out.
const LEFT_OUT: [&str; 3] = ["", "model-", "hypothesis-"];

/// Options of `report`.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  streamgauge report experiments/reproduce.toml --results /tmp/results\n  \
streamgauge report --page H17\n  streamgauge report --page all | less\n\n\
The pages are those of index.html and of report.md: report (the opening one), one for each hypothesis and each model by \
its id, methods, models, layers, and claims, figures and analysis where the experiment has them."
)]
pub(super) struct Arguments {
    /// Print this page instead of the summary: `report`, an id such as H17 or llama3-tiny, `methods`, …; `all` for every page
    #[arg(long, value_name = "PAGE", conflicts_with = "json")]
    page: Option<String>,
    #[command(flatten)]
    experiment: ExperimentOptions,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        let Some(wanted) = self.page else { return run::execute(&self.experiment, false) };
        run::execute_and(&self.experiment, false, |summary, _| {
            let text = page(summary.done.report.as_ref(), &wanted)?;
            for failure in summary.failures() {
                output::say(&format!("failed: {}: {}", failure.model, failure.error));
            }
            output::print(&text)
        })
    }
}

/// The text of a page by its address, with or without what it begins with.
fn page(written: Option<&Written>, wanted: &str) -> Result<String, Failure> {
    let pages = written.map_or(&[][..], |written| &written.pages);
    let lower = wanted.to_lowercase();
    if lower == ALL {
        return Ok(pages.iter().map(|page| page.text.as_str()).collect::<Vec<_>>().join("\n\n"));
    }
    let found = LEFT_OUT.iter().find_map(|start| {
        let name = format!("{start}{lower}");
        pages.iter().find(|page| page.name == name)
    });
    found.map(|page| page.text.clone()).ok_or_else(|| {
        let known: Vec<&str> = pages.iter().map(|page| page.name.as_str()).chain([ALL]).collect();
        let meant = nearest(wanted, known.iter().copied());
        let meant = meant.map_or_else(String::new, |name| format!("did you mean `{name}`? "));
        let known = known.join(", ");
        Failure::new(Exit::Usage, format!("the report has no page `{wanted}`; {meant}its pages: {known}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_found_by_the_id_that_people_know() {
        let pages = serde_json::json!(["report", "h17", "model-llama3-tiny"].map(|name| {
            serde_json::json!({ "name": name, "title": "", "text": format!("text of {name}\n") })
        }));
        let written = serde_json::json!({ "files": {}, "summary": "", "pages": pages });
        let written: Written = serde_json::from_value(written).unwrap();
        let found = |wanted| page(Some(&written), wanted).map_err(|failure| failure.message);
        assert_eq!(found("H17").unwrap(), "text of h17\n");
        assert_eq!(found("llama3-tiny").unwrap(), "text of model-llama3-tiny\n");
        assert_eq!(found("all").unwrap().lines().count(), 7);
        assert!(
            found("H71").unwrap_err().contains("no page `H71`; did you mean `h17`? its pages: report, h17,")
        );
    }
}
