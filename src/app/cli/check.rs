//! `streamgauge check`: every mistake of every file at once.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::Args;

use super::exit::{Exit, Failure};
use super::options::CommonOptions;
use super::output;
use super::reachable;
use crate::pipeline::{WhenMissing, locate, registrations};
use base::progress::Silent;
use model::arch::Recipe;
use model::checkpoint::{is_gguf, read_config};
use number::index::EvidenceIndex;
use study::config::{self, BranchesByModel, Checked, Kind, Loaded, Report, experiment::Model};
use study::published::claims::ClaimsError;
use study::{published, published::EvidenceError};

/// Options of `check`.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  streamgauge check\n  streamgauge check experiments/hypotheses/H19.toml\n\n\
With --json: [{\"file\",\"line\",\"column\",\"message\",\"suggestion\"}], empty when all is well; null where there is none."
)]
pub(super) struct Arguments {
    /// Experiment files (with everything they name), or single model lists, prompt sets, hypotheses
    #[arg(default_value = "experiments/reproduce.toml")]
    paths: Vec<PathBuf>,
    /// Folder of registrations that experiments are compared with
    #[arg(long, value_name = "DIR", default_value = "results")]
    results: PathBuf,
    #[command(flatten)]
    common: CommonOptions,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        match config::check(&self.paths).map_err(ClaimsError::Toml).and_then(published_too) {
            Ok(checked) => {
                let news = registered(&checked, &self.results)? + &at_hand(&checked, &self.results)?;
                if self.common.json {
                    return output::print_json(&serde_json::json!([]));
                }
                let (valid, are) = (checked.len(), if checked.len() == 1 { "file is" } else { "files are" });
                output::print(&format!("{valid} {are} valid\n{news}"))
            }
            Err(error) if self.common.json => {
                output::print_json(&match &error {
                    ClaimsError::Toml(report) => report.to_json(),
                    ClaimsError::Evidence(error) => in_a_table(error),
                })?;
                Ok(Exit::BadConfig)
            }
            Err(ClaimsError::Toml(report)) => Err(bad(&report)),
            Err(ClaimsError::Evidence(error)) => Err(Failure::new(Exit::BadConfig, error.to_string())),
        }
    }
}

/// What is otherwise than registered in the experiments, a line each.
fn registered(checked: &[Checked], results: &Path) -> Result<String, Failure> {
    let mut news = String::new();
    for experiment in checked.iter().filter(|one| one.kind == Kind::Experiment) {
        let loaded = config::load(&experiment.path).map_err(|report| bad(&report))?;
        for (id, registration) in registrations(&loaded, results)? {
            if registration.exploratory {
                news += &format!("{id} is exploratory: it means something else than when first registered\n");
            }
            for what in &registration.entered {
                news += &format!("{id}, otherwise than when registered: {what}\n");
            }
            if let Some(derived) = &registration.derived {
                news += &format!("{id} is derived from {}, registered before it\n", derived.from);
            }
        }
    }
    Ok(news)
}

/// Which verdicts the data at hand allow, for every core prediction that could not come out both ways on them: published rows, and
/// what the last run in the results folder measured for the file as it is.
fn at_hand(checked: &[Checked], results: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    for experiment in checked.iter().filter(|one| one.kind == Kind::Experiment) {
        let loaded = config::load(&experiment.path).map_err(|report| bad(&report))?;
        let table = reachable::published(&loaded).map_err(|error| Failure::new(Exit::BadConfig, error))?;
        text += &reachable::in_words(&reachable::at_hand(&loaded, table.as_ref(), results));
        text += &reachable::needs(&loaded, table.as_ref());
    }
    Ok(text)
}

/// The published tables of every experiment, their claims and the recipes beside them.
fn published_too(checked: Vec<Checked>) -> Result<Vec<Checked>, ClaimsError> {
    for experiment in checked.iter().filter(|one| one.kind == Kind::Experiment) {
        let loaded = config::load(&experiment.path).map_err(ClaimsError::Toml)?;
        branches(&loaded).map_err(ClaimsError::Toml)?;
        let Some(folder) = loaded.published else { continue };
        let table = published::import(&folder)?;
        published::retest(&folder, &EvidenceIndex::new(&table))?;
    }
    Ok(checked)
}

/// The branches that quantities name, against those of the experiment's models that are on this machine.
fn branches(loaded: &Loaded) -> Result<(), Report> {
    let naming: Vec<_> =
        loaded.hypotheses.iter().filter(|(_, hypothesis, _)| config::names_a_branch(hypothesis)).collect();
    if naming.is_empty() {
        return Ok(());
    }
    let known: BranchesByModel = loaded.selected().filter_map(|model| branches_of(model, loaded)).collect();
    naming.iter().try_for_each(|(path, hypothesis, _)| config::check_branches(path, hypothesis, &known))
}

/// Id and branches of a model; `None` where it is not here or cannot be read, which a run says.
fn branches_of(model: &Model, loaded: &Loaded) -> Option<(String, Vec<String>)> {
    let folder = locate(model, &loaded.models, &loaded.models_path, WhenMissing::Report, &Silent).ok()?;
    let recipe = Recipe::read(&read_config(&folder).ok()?).ok()?;
    Some((model.id.clone(), recipe.all_branches().into_iter().map(str::to_string).collect()))
}

fn in_a_table(error: &EvidenceError) -> serde_json::Value {
    let (file, line) = error.place();
    serde_json::json!([{
        "file": file.map(|file| file.to_string_lossy()),
        "line": line,
        "column": null,
        "message": error.to_string(),
        "suggestion": null,
    }])
}

/// A report as a failure, in colour where a person reads it.
pub(super) fn bad(report: &Report) -> Failure {
    Failure::rendered(Exit::BadConfig, report.render(std::io::stderr().is_terminal()))
}

/// What a path is that a model has, and no experiment.
fn a_model(path: &Path) -> Option<&'static str> {
    match path.is_dir() {
        true => path.join("config.json").is_file().then_some("the folder of a model"),
        false => is_gguf(path).then_some("a GGUF file"),
    }
}

/// Loads an experiment or fails with the whole report.
pub(super) fn load(experiment: &Path, common: &CommonOptions) -> Result<Loaded, Failure> {
    if let Some(found) = a_model(experiment) {
        let at = experiment.display();
        return Err(Failure::new(
            Exit::BadConfig,
            format!(
                "{at}: expected an experiment, a TOML file, found {found}; measure it with `streamgauge measure {at} --prompt TEXT`, or \
                 name it in the model list of an experiment"
            ),
        ));
    }
    config::load(experiment).map_err(|report| {
        if common.json {
            // The report is the result a program asked for; the exit code says that it is one.
            let _ = output::print_json(&report.to_json());
        }
        bad(&report)
    })
}
