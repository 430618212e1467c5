//! The jobs of a plan: what is exported, observed, weighed, judged and reported, under which key and from which others.

use std::ops::Range;

use rayon::prelude::*;

use super::basis::{Basis, Choice};
use super::{PipelineError, Subject};
use crate::plan::{Job, JobGraph, JobKind, keys};
use base::hash::{Fields, Key};
use study::config::Loaded;

/// What decides the verdicts and the report of an experiment of which everything is measured.
pub(super) struct Conclusions {
    /// By hypothesis.
    pub(super) judgements: Vec<Fields>,
    pub(super) report: Fields,
}

/// What else a report depends on.
#[derive(Clone, Copy)]
pub(super) struct Beside {
    pub(super) published: Option<Key>,
    pub(super) recipes: Option<Key>,
    pub(super) registered: Option<Key>,
}

/// Key fields of a model's exported graphs.
pub(super) fn export_fields(subject: &Subject) -> Fields {
    keys::Export { graph: subject.graphs.identity(), builder_version: keys::BUILDER_VERSION }.fields()
}

/// What is concluded from everything.
pub(super) fn conclusions(
    loaded: &Loaded,
    subjects: &[Subject],
    all: &Basis<'_>,
    beside: Beside,
) -> Conclusions {
    let judgements = loaded.hypotheses.par_iter().map(|(_, hypothesis, hash)| {
        let mine = all.of(&Choice::of(loaded, hypothesis, subjects));
        judge_fields(loaded, *hash, subjects, &mine, beside.published)
    });
    let judgements: Vec<Fields> = judgements.collect();
    let outcomes: Vec<Key> = judgements.iter().map(Fields::key).collect();
    let report = report_fields(loaded, &outcomes, subjects, all, beside);
    Conclusions { judgements, report }
}

/// The graph of all jobs. `exports` are the [`export_fields`] of the subjects.
pub(super) fn graph<'a>(
    loaded: &Loaded,
    subjects: &[Subject],
    all: &Basis<'a>,
    exports: &'a [Fields],
    conclusions: &'a Conclusions,
) -> Result<JobGraph<'a>, PipelineError> {
    let mut jobs: Vec<Job<'a>> = Vec::with_capacity(subjects.len() + all.cells.len());
    for (subject, fields) in subjects.iter().zip(exports) {
        let (slot, label) = (format!("export/{}", subject.id), format!("{}: ONNX graphs", subject.id));
        jobs.push(Job::new(JobKind::Export, slot, label, fields.key(), fields));
    }
    let cells = jobs.len();
    for &cell in &all.cells {
        let label = format!("{}: {}", subjects[cell.subject].id, cell.prompt.text);
        // Of the first jobs, each exports the subject of its own number.
        let job = Job::new(JobKind::Observe, &cell.slot, label, cell.key, cell);
        jobs.push(job.needing([cell.subject]));
    }
    let weighings = jobs.len();
    for &weighing in &all.weighings {
        let label = format!("{}: weights", subjects[weighing.subject].id);
        jobs.push(Job::new(JobKind::Weigh, &weighing.slot, label, weighing.key, &weighing.fields));
    }
    let spectra = jobs.len();
    for &set in &all.spectra {
        let label = format!("{}: spectra of {}", subjects[set.subject].id, set.set);
        let job = Job::new(JobKind::Spectra, &set.slot, label, set.key, &set.fields);
        jobs.push(job.needing([set.subject]));
    }
    let judgements = jobs.len();
    for ((_, hypothesis, _), fields) in loaded.hypotheses.iter().zip(&conclusions.judgements) {
        let choice = Choice::of(loaded, hypothesis, subjects);
        let mut needs = Vec::new();
        let mut need = |first, chosen: &mut dyn Iterator<Item = bool>| {
            needs.extend(chosen.enumerate().filter(|(_, chosen)| *chosen).map(|(i, _)| first + i));
        };
        need(cells, &mut all.cells.iter().map(|cell| choice.cell(cell)));
        need(weighings, &mut all.weighings.iter().map(|weighing| choice.weighing(weighing)));
        need(spectra, &mut all.spectra.iter().map(|spectra| choice.spectra(spectra)));
        let (slot, label) = (format!("judge/{}", hypothesis.id), hypothesis.title.as_str());
        jobs.push(Job::new(JobKind::Judge, slot, label, fields.key(), fields).needing(needs));
    }
    let needs: Range<usize> = judgements..jobs.len();
    let (slot, label) = (format!("report/{}", loaded.experiment.id), loaded.experiment.title.as_str());
    let fields = &conclusions.report;
    jobs.push(Job::new(JobKind::Report, slot, label, fields.key(), fields).needing(needs));
    Ok(JobGraph::new(jobs)?)
}

/// Key fields of one verdict: the claim, the evidence (with the names it is filed under), the seed.
pub(super) fn judge_fields(
    loaded: &Loaded,
    hypothesis: Key,
    subjects: &[Subject],
    basis: &Basis<'_>,
    published: Option<Key>,
) -> Fields {
    let evidence = basis.digest(subjects, published);
    let (seed, statistics_version) = (loaded.experiment.seed, keys::STATISTICS_VERSION);
    keys::Judge { hypothesis, evidence, seed, statistics_version }.fields()
}

/// Key fields of the report: the verdicts, all evidence, the title of the experiment, recipes of claims, and registrations
/// that are news.
pub(super) fn report_fields(
    loaded: &Loaded,
    outcomes: &[Key],
    subjects: &[Subject],
    basis: &Basis<'_>,
    beside: Beside,
) -> Fields {
    let evidence = basis.digest(subjects, beside.published);
    let (title, report_version) = (loaded.experiment.title.as_str(), keys::REPORT_VERSION);
    let fields =
        keys::Report { outcomes: keys::digest_keys(outcomes), evidence, title, report_version }.fields();
    let more = [("recipes", beside.recipes), ("registrations", beside.registered)];
    more.into_iter().fold(fields, |fields, (name, key)| match key {
        Some(key) => fields.with(name, key),
        None => fields,
    })
}
