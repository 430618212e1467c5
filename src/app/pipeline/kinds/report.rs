//! Reporting: the files of the results folder, rewritten when what they show has changed or one is not as written.

use crate::pipeline::error::{ModelFailure, PipelineError};
use crate::pipeline::executor::{Due, Failed, Kind, Run, Stage};
use crate::pipeline::inputs::Inputs;
use crate::pipeline::measured_jobs::MeasuredJobs;
use crate::pipeline::{calibrated, registering, reporting};
use crate::plan::{Job, PlannedJob, keys};
use base::hash::{Fields, Key};
use number::metric::Metric;
use study::config::experiment::Model;
use study::judge::Calibration;

/// The kind of job that writes the results folder: one job.
#[derive(Default)]
pub(super) struct Report {
    /// Fields of the key, as they are when everything is measured and nothing fails.
    fields: Option<Fields>,
}

impl Kind for Report {
    fn name(&self) -> &'static str {
        "report"
    }

    fn stage(&self) -> Stage {
        Stage::Report
    }

    fn jobs(&mut self, inputs: &Inputs<'_>, before: &[Job], _: &mut Vec<ModelFailure>) -> Vec<Job> {
        let verdicts = || before.iter().enumerate().filter(|(_, job)| job.kind == "judge");
        let outcomes: Vec<Key> = verdicts().map(|(_, job)| job.key).collect();
        // What cannot be read now cannot be when the report is due, and is told then.
        let known = calibrated::known(inputs, &outcomes).unwrap_or_default();
        let fields = self.fields.insert(fields(inputs, &outcomes, &known, &MeasuredJobs::of(before)));
        let experiment = &inputs.loaded.experiment;
        let (slot, label) = (format!("report/{}", experiment.id), experiment.title.clone());
        let job = Job::new("report", 0, slot, label, fields.key());
        vec![job.needing(verdicts().map(|(place, _)| place))]
    }

    fn fields(&self, _: &Inputs<'_>, _: usize) -> Fields {
        self.fields.clone().unwrap_or_else(|| Fields::new("report"))
    }

    /// What is stored has the list of files with their digests: the report is due where one of them is not as written.
    fn due<'p>(&self, jobs: &'p [PlannedJob], run: &mut Run<'_>) -> Result<Vec<Due<'p>>, PipelineError> {
        let mut due = Vec::new();
        for PlannedJob { job, .. } in jobs {
            let fields = if run.is_complete() {
                self.fields(run.inputs, job.index)
            } else {
                let outcomes: Vec<Key> = run.done.outcome_keys.values().copied().collect();
                let known = calibrated::known(run.inputs, &outcomes)?;
                fields(run.inputs, &outcomes, &known, &run.measured_jobs())
            };
            let problems = run.problems();
            // A failure changes the report but is no evidence, so it enters the key here only.
            let fields =
                if problems.is_empty() { fields } else { fields.with("problems", problems.join("\n")) };
            run.done.report = reporting::written(run, &fields.key())?;
            if run.done.report.is_none() {
                due.push(Due { job, fields: Some(fields) });
            }
        }
        Ok(due)
    }

    fn compute(&self, due: &[Due<'_>], run: &mut Run<'_>) -> Result<(), Failed> {
        for due in due {
            let written = reporting::write(run)?;
            let bytes = serde_json::to_vec(&written).unwrap_or_default(); // plain structs always serialise
            run.keep_as(due, bytes)?;
            run.done.report = Some(written);
        }
        Ok(())
    }
}

/// Key fields of the report: the verdicts, all evidence, the title of the experiment, the metrics, the size of the family
/// and the hypotheses told first where they are stated, what is known of simulated worlds, recipes of claims, and registrations that are news.
fn fields(
    inputs: &Inputs<'_>,
    outcomes: &[Key],
    known: &[(String, Key, Vec<Calibration>)],
    jobs: &MeasuredJobs<'_>,
) -> Fields {
    let (outcomes, evidence) = (keys::digest_keys(outcomes), jobs.digest(inputs));
    let (title, report_version) = (inputs.loaded.experiment.title.as_str(), keys::REPORT_VERSION);
    let fields = keys::Report { outcomes, evidence, title, report_version }.fields();
    // Tables have the numbers of every metric, and the report its definition.
    let fields = fields.with("metrics", metrics());
    let titles = inputs.loaded.hypotheses.iter().map(|(_, hypothesis, _)| hypothesis.title.as_str());
    let fields = fields.with("titles", titles.collect::<Vec<_>>().join("\n"));
    let fields = match inputs.loaded.experiment.family {
        Some(size) => fields.with("family", size),
        None => fields,
    };
    let fields = fields.with("what is told of prompts and models", told(inputs));
    let fields = match &inputs.loaded.experiment.lead[..] {
        [] => fields,
        lead => fields.with("lead", lead.join("\n")),
    };
    let calibrations: Vec<&Key> = known.iter().map(|(_, key, _)| key).collect();
    let calibrations = (!calibrations.is_empty()).then(|| keys::digest_keys(calibrations));
    let more = [
        ("calibrations", calibrations),
        ("recipes", inputs.recipes),
        ("registrations", registering::digest(&inputs.registrations)),
    ];
    more.into_iter().fold(fields, |fields, (name, key)| match key {
        Some(key) => fields.with(name, key),
        None => fields,
    })
}

/// Digest of the sets of prompts, whose texts no measured number may have, and of where models are from.
fn told(inputs: &Inputs<'_>) -> Key {
    let loaded = inputs.loaded;
    let fields = loaded.prompt_sets.iter().fold(Fields::new("told"), |fields, set| {
        let texts =
            set.prompts.iter().map(|prompt| format!("{}\n{}\n{}", prompt.id, prompt.category, prompt.text));
        let texts = keys::digest_texts(texts.collect::<Vec<_>>().iter().map(String::as_str));
        fields.with(&set.id, format!("{}\n{}\n{texts}", set.title, set.source))
    });
    let fields = loaded.selected().fold(fields, |fields, model| {
        fields.with(&model.id, format!("{:?} {:?} {:?}", model.hub, model.revision, model.fetch))
    });
    // Which others would supply what predictions need.
    let fields = loaded.models.models.iter().fold(fields, |fields, model| {
        let Model { profiles, base, series, step, change, intervention, published_as, .. } = model;
        let listed =
            format!("{profiles:?} {base:?} {series:?} {step:?} {change:?} {intervention:?} {published_as:?}");
        fields.with(&format!("listed {}", model.id), listed)
    });
    fields.key()
}

/// Digest of every metric with its unit and definition.
fn metrics() -> Key {
    let described = Metric::ALL.iter().map(|metric| (metric.as_str(), metric.describe()));
    let fields = described.fold(Fields::new("metrics"), |fields, (name, described)| {
        fields.with(name, format!("{}: {}", described.unit, described.definition))
    });
    fields.key()
}
