//! Reporting: report, pictures, verdicts and tables, rewritten when what they show has changed or a file is not as written.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::calibrated;
use super::cells::Cell;
use super::error::{Lost, PipelineError};
use super::evidence::{Apart, Complete};
use super::executor::Run;
use super::inputs::Inputs;
use super::leftovers;
use super::measured_jobs::{MeasuredJobs, Scope};
use super::places::Places;
use super::provenance;
use super::registering;
use super::subject::Subject;
use super::supply::supplies;
use super::wiring::wirings;
use super::written::{Manifest, Written};
use crate::plan::Plan;
use crate::store::Stored;
use base::device::Device;
use base::hash::Key;
use base::publish;
use number::evidence::{Evidence, ModelInfo, PromptInfo, Tables};
use number::index::EvidenceIndex;
use number::metric::Metric;
use number::observation::PromptObservation;
use results::manifest::MANIFEST;
use results::regress::{RUN_SCHEMA, RunFile};
use results::report::{
    LayerProfile, Lead, MetricDefinition, Prompts, Provenance, Reading, Report, View, Weights,
    published_figures, training_figures,
};
use results::tables;
use results::tidy;
use study::analysis::analyse;
use study::config::Loaded;
use study::config::experiment::{Model, PromptSet};
use study::judge::outcome::{FamilyMember, HypothesisOutcome, Listed, Registration};
use study::judge::{behind, family, listed};
use study::published;

/// Asks of the published tables and their recipes, before anything is observed, what the report will ask of them after:
/// a mistake there is told at once and not after hours.
pub(super) fn check(loaded: &Loaded, plan: &Plan) -> Result<(), PipelineError> {
    let observes = plan.counts.iter().any(|count| count.kind == "observe" && count.stale > 0);
    if let Some(folder) = loaded.published.as_ref().filter(|_| observes) {
        let table = published::import(folder)?;
        published::retest(folder, &EvidenceIndex::new(&table))?;
    }
    Ok(())
}

/// The report that was written under this key, if every file of it is as it was written.
pub(super) fn written(run: &Run<'_>, key: &Key) -> Result<Option<Written>, PipelineError> {
    let written: Option<Written> = match run.inputs.store.blob(&run.inputs.snapshot, key)? {
        Stored::Present(bytes) => serde_json::from_slice(&bytes).ok(),
        Stored::Absent | Stored::Damaged(_) => None, // all files are written anew, which costs little
    };
    Ok(written.filter(|written| intact(&run.places.results, &written.files)))
}

/// Writes every result file: all forms of the report from one view.
pub(super) fn write(run: &mut Run<'_>) -> Result<Written, PipelineError> {
    let (loaded, places, progress, jobs) = (run.inputs.loaded, run.places, run.progress, run.measured_jobs());
    progress.start("report", 1);
    let mut view = view(run);
    let observations = run.observations()?;
    view.profiles = profiles(run.inputs, &jobs, &observations)?;
    view.wirings = wirings(&run.inputs.subjects);
    view.leads = leads(run, &view.hypotheses)?;
    let judged: Vec<Key> = run.done.outcome_keys.values().copied().collect();
    let known = calibrated::known(run.inputs, &judged)?;
    view.calibrations = known.into_iter().map(|(id, _, found)| (id, found)).collect();
    let observed = run.apart(&jobs)?;
    let inputs = run.inputs;
    let published = run.published()?;
    view.supplies = supplied(inputs, &published.models);
    read_rows(&mut view, loaded, observed.beside(published))?;
    loaded.published.iter().try_for_each(|folder| run.inputs.check_published(folder))?;
    let before = leftovers::listed(&places.results);
    let mut manifest = Manifest::new();
    let report_folder = PathBuf::from("report");
    let report = Report::of(&view);
    let pictures = report.pictures().map_err(|error| PipelineError::Draw {
        what: "the report's pictures".into(),
        error: error.to_string(),
    })?;
    for (name, bytes) in pictures {
        save(places, &report_folder.join(name), &bytes, &mut manifest)?;
    }
    let html = report.html();
    save(places, &report_folder.join("index.html"), html.page.as_bytes(), &mut manifest)?;
    for (name, table) in &html.data {
        save(places, &report_folder.join("data").join(name), table.as_bytes(), &mut manifest)?;
    }
    save(places, &report_folder.join("report.md"), report.markdown().as_bytes(), &mut manifest)?;
    save(places, Path::new("verdicts.json"), &json(&shown(&view)), &mut manifest)?;
    save(places, Path::new("claims.json"), &json(&view.claims), &mut manifest)?;
    save(places, Path::new("tables/claims.csv"), &tidy::claims(&view.claims), &mut manifest)?;
    let printed = tidy::printed_statistics(&view.statistics);
    save(places, Path::new("tables/printed_statistics.csv"), &printed, &mut manifest)?;
    save(places, Path::new("analysis.json"), &json(&view.analysis), &mut manifest)?;
    write_tables(run, &jobs, &observed, &mut manifest)?;
    write_tidy(run, &view.hypotheses, &mut manifest)?;
    leftovers::remove(&places.results, &before, &manifest, progress);
    write_research_object(run, &mut manifest)?;
    // Last: until then the files are not those of the manifest that is there.
    let listed = results::manifest::manifest(&manifest);
    save(places, Path::new(MANIFEST), &listed, &mut manifest)?;
    for folder in ["", "report", "report/data", "tables", "registered"] {
        publish::sweep(&places.results.join(folder));
    }
    progress.finish();
    Ok(Written { files: manifest, summary: report.terminal(), pages: report.terminal_pages() })
}

/// An outcome with what is known beside it, as `verdicts.json` has it.
#[derive(serde::Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    outcome: &'a HypothesisOutcome,
    family: Vec<&'a FamilyMember>,
    listed: Vec<&'a Listed>,
    registration: Option<&'a Registration>,
}

fn shown(view: &View) -> Vec<Shown<'_>> {
    let one = |outcome: &'_ HypothesisOutcome| {
        let registration = view.registrations.iter().find(|(id, _)| *id == outcome.id);
        (
            view.family.iter().filter(|member| member.hypothesis == outcome.id).collect(),
            view.listed.iter().filter(|listed| listed.hypothesis == outcome.id).collect(),
            registration.map(|(_, registration)| registration),
        )
    };
    let all = view.hypotheses.iter().map(|outcome| (outcome, one(outcome)));
    all.map(|(outcome, (family, listed, registration))| Shown { outcome, family, listed, registration })
        .collect()
}

fn intact(results: &Path, manifest: &Manifest) -> bool {
    manifest
        .par_iter()
        .all(|(name, digest)| Key::of_file(&results.join(name)).is_ok_and(|(found, _)| found == *digest))
}

/// What the model list has for predictions that need more, as far as the experiment itself tells.
fn supplied(inputs: &Inputs<'_>, published: &[ModelInfo]) -> Vec<(String, Vec<String>)> {
    let opened = |model: &Model| {
        let subject = inputs.subjects.iter().find(|subject| subject.id == model.id)?;
        Some(subject.recipe.facts())
    };
    let mut all: Vec<(String, Vec<String>)> = Vec::new();
    for supply in supplies(inputs.loaded, published, opened) {
        match all.last_mut() {
            Some((hypothesis, told)) if *hypothesis == supply.hypothesis => told.push(supply.in_full()),
            _ => all.push((supply.hypothesis.clone(), vec![supply.in_full()])),
        }
    }
    all
}

fn view(run: &Run<'_>) -> View {
    let (inputs, loaded) = (run.inputs, run.inputs.loaded);
    let outcomes: Vec<HypothesisOutcome> = run.done.outcomes.values().cloned().collect();
    let alphas: Vec<f64> = loaded.hypotheses.iter().map(|(_, hypothesis, _)| hypothesis.alpha).collect();
    let jobs = run.plan.counts.iter().map(|count| (count.kind.to_string(), count.jobs as u64)).collect();
    View {
        provenance: Provenance {
            program: env!("CARGO_PKG_VERSION").to_string(),
            experiment: loaded.experiment.id.clone(),
            experiment_title: loaded.experiment.title.clone(),
            runtime: (!inputs.cells.is_empty()).then(|| match inputs.runtime.device() {
                Device::Cpu => inputs.runtime.version().to_string(),
                Device::Cuda(_) => format!("{} on {}", inputs.runtime.version(), inputs.runtime.place()),
            }),
            jobs,
        },
        models: inputs.subjects.iter().map(Subject::info).collect(),
        weights: inputs.subjects.iter().map(|subject| weights(loaded, subject)).collect(),
        prompts: loaded.prompt_sets.iter().map(|set| prompts(loaded, set)).collect(),
        family: family(&outcomes, &alphas, inputs.loaded.experiment.family),
        listed: listed(&outcomes),
        registrations: registering::with_effects(inputs, &run.done),
        metrics: Metric::ALL.iter().map(|&metric| definition(metric)).collect(),
        problems: run.problems(),
        hypotheses: outcomes,
        ..View::default()
    }
}

fn prompts(loaded: &Loaded, set: &PromptSet) -> Prompts {
    let asking = loaded.hypotheses.iter().filter(|(_, hypothesis, _)| hypothesis.prompts.contains(&set.id));
    let prompts = set.prompts.iter().map(|prompt| PromptInfo {
        id: prompt.id.clone(),
        category: prompt.category.clone(),
        text: prompt.text.clone(),
        sets: vec![set.id.clone()],
    });
    Prompts {
        id: set.id.clone(),
        title: set.title.clone(),
        source: set.source.clone(),
        asked_by: asking.map(|(_, hypothesis, _)| hypothesis.id.clone()).collect(),
        prompts: prompts.collect(),
    }
}

/// Of folders nothing is said: a checkpoint that is moved is the same.
fn weights(loaded: &Loaded, subject: &Subject) -> (String, Weights) {
    let listed = loaded.selected().find(|model| model.id == subject.id);
    let origin = listed.map(|model| match (&model.hub, &model.revision, &model.fetch) {
        (Some(hub), Some(revision), _) => format!("{hub}, revision {revision}"),
        (Some(hub), None, _) => hub.clone(),
        (None, _, Some(fetch)) => format!("brought by {fetch}"),
        (None, _, None) => String::new(),
    });
    (subject.id.clone(), Weights { origin: origin.unwrap_or_default(), hash: subject.weights() })
}

/// The hypotheses that are told first, with the rows that their predictions are read off: of those with one quantity.
fn leads(run: &mut Run<'_>, outcomes: &[HypothesisOutcome]) -> Result<Vec<Lead>, PipelineError> {
    let loaded = run.inputs.loaded;
    let mut leads = Vec::new();
    for (_, hypothesis, _) in &loaded.hypotheses {
        let outcome = outcomes.iter().find(|outcome| outcome.id == hypothesis.id);
        let Some(outcome) = outcome.filter(|_| loaded.experiment.lead.contains(&hypothesis.id)) else {
            continue;
        };
        let jobs = run.measured_jobs().read_by(&Scope::of(run.inputs, hypothesis));
        let observed = run.apart(&jobs)?;
        let tables = observed.beside(run.published()?);
        let readings = outcome.predictions.iter().flat_map(|one| {
            let asked = hypothesis.predictions.iter().find(|asked| asked.id == one.id);
            let found = asked.map(|asked| behind(hypothesis, asked, one.evidence, tables.of(one.evidence)));
            match found.as_deref() {
                Some([only]) => Reading::all(&one.id, one.evidence, &only.rows),
                _ => Vec::new(),
            }
        });
        leads.push(Lead { hypothesis: hypothesis.id.clone(), readings: readings.collect() });
    }
    Ok(leads)
}

/// What the report reads off rows of evidence.
fn read_rows(view: &mut View, loaded: &Loaded, tables: Tables<'_>) -> Result<(), PipelineError> {
    let indices: Vec<(Evidence, EvidenceIndex<'_>)> =
        Evidence::ALL.iter().map(|&kind| (kind, EvidenceIndex::new(tables.of(kind)))).collect();
    if let (Some(folder), Some((_, rows))) = (&loaded.published, indices.first()) {
        let retest = published::retest(folder, rows)?;
        (view.claims, view.statistics, view.llama) = (retest.claims, retest.statistics, Some(retest.llama));
        view.figures = published_figures(&indices);
    }
    view.training = training_figures(&indices);
    view.analysis = analyse(&indices);
    Ok(())
}

fn definition(metric: Metric) -> MetricDefinition {
    let described = metric.describe();
    MetricDefinition {
        name: metric.to_string(),
        unit: described.unit.to_string(),
        definition: described.definition.to_string(),
    }
}

fn profiles(
    inputs: &Inputs<'_>,
    jobs: &MeasuredJobs<'_>,
    observations: &Complete<PromptObservation>,
) -> Result<Vec<LayerProfile>, Lost> {
    let cells: Vec<&Cell> = jobs.kind("observe").map(|job| &inputs.cells[job.index]).collect();
    let mut profiles = Vec::new();
    for (index, subject) in inputs.subjects.iter().enumerate() {
        let Some(bos) = cells.iter().find(|cell| cell.subject == index).map(|cell| cell.bos) else {
            continue;
        };
        let mut keys: Vec<Key> = cells
            .iter()
            .filter(|cell| cell.subject == index && cell.bos == bos)
            .map(|cell| cell.key)
            .collect();
        keys.sort();
        keys.dedup();
        let mine: Vec<&PromptObservation> =
            keys.iter().map(|key| observations.get(key)).collect::<Result<_, _>>()?;
        profiles.push(LayerProfile::of(&subject.id, &mine, bos));
    }
    Ok(profiles)
}

fn write_tables(
    run: &mut Run<'_>,
    jobs: &MeasuredJobs<'_>,
    observed: &Apart,
    manifest: &mut Manifest,
) -> Result<(), PipelineError> {
    let (inputs, places, observations) = (run.inputs, run.places, run.observations()?);
    let mut seen = std::collections::BTreeSet::new();
    let rows: Vec<tables::Observed<'_>> = jobs
        .kind("observe")
        .map(|job| &inputs.cells[job.index])
        .filter(|cell| seen.insert((cell.subject, &cell.prompt.id, cell.bos)))
        .map(|cell| {
            Ok(tables::Observed {
                evidence: inputs.subjects[cell.subject].evidence,
                source: "streamgauge",
                model: &inputs.subjects[cell.subject].id,
                prompt: &cell.prompt.id,
                category: &cell.prompt.category,
                bos: cell.bos,
                dtype: "float32",
                observation: observations.get(&cell.key)?,
            })
        })
        .collect::<Result<_, Lost>>()?;
    let published = run.published()?;
    let folder = places.results.join("tables");
    let written = tables::write_observations(&folder.join("observations.parquet"), &rows)?;
    manifest.insert("tables/observations.parquet".to_string(), written);
    let rows = published.rows.iter().chain(&observed.measured.rows).chain(&observed.rehearsal.rows);
    let written = tables::write_measurements(&folder.join("measurements.parquet"), rows)?;
    manifest.insert("tables/measurements.parquet".to_string(), written);
    Ok(())
}

/// Verdicts as tables, the manual of all tables, and what entered.
fn write_tidy(
    run: &Run<'_>,
    outcomes: &[HypothesisOutcome],
    manifest: &mut Manifest,
) -> Result<(), PipelineError> {
    let (inputs, places, experiment) = (run.inputs, run.places, &run.inputs.loaded.experiment);
    let made_with = RunFile { schema: RUN_SCHEMA, made_with: provenance::made_with(inputs) };
    for (name, bytes) in [
        ("tables/predictions.csv", tidy::predictions(outcomes)),
        ("tables/statistics.csv", tidy::statistics(outcomes)),
        ("tables/estimates.csv", tidy::estimates(outcomes)),
        ("tables/specifications.csv", tidy::specifications(outcomes)),
        ("tables/README.md", tidy::manual().into_bytes()),
        ("tables/datapackage.json", tidy::package(&experiment.id, &experiment.title).into_bytes()),
        ("run.json", json(&made_with)),
    ] {
        save(places, Path::new(name), &bytes, manifest)?;
    }
    Ok(())
}

/// What binds the files together. It comes last: it is also the list by which the next report knows the files of this one.
fn write_research_object(run: &Run<'_>, manifest: &mut Manifest) -> Result<(), PipelineError> {
    let (inputs, places, experiment) = (run.inputs, run.places, &run.inputs.loaded.experiment);
    let made = tidy::Made {
        experiment: &experiment.id,
        title: &experiment.title,
        date: experiment.date.as_deref(),
        licence: experiment.licence.as_deref(),
        program: env!("CARGO_PKG_VERSION"),
        runtime: inputs.runtime.version(),
        inputs: &provenance::entities(inputs),
    };
    let object = tidy::research_object(&made, manifest);
    save(places, Path::new(tidy::RESEARCH_OBJECT), object.as_bytes(), manifest)
}

/// Indented JSON with a final newline.
fn json(value: &impl serde::Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).unwrap_or_default(); // plain structs always serialise
    bytes.push(b'\n');
    bytes
}

/// Writes one file whole, and into the manifest.
fn save(places: &Places, name: &Path, bytes: &[u8], manifest: &mut Manifest) -> Result<(), PipelineError> {
    let path = places.results.join(name);
    let folder = path.parent().unwrap_or(Path::new("."));
    create(folder)?;
    let fail = |error| PipelineError::Write { path: path.clone(), error };
    publish::write(&path, &[bytes]).map_err(fail)?;
    manifest.insert(name.to_string_lossy().into_owned(), Key::of_bytes(bytes));
    Ok(())
}

fn create(folder: &Path) -> Result<(), PipelineError> {
    std::fs::create_dir_all(folder)
        .map_err(|error| PipelineError::Write { path: folder.to_path_buf(), error })
}
