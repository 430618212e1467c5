//! Judging: each hypothesis once per change of what it means or of the evidence that it reads.

use rayon::prelude::*;

use crate::pipeline::error::{ModelFailure, PipelineError};
use crate::pipeline::executor::{Due, Failed, Kind, Run, Stage};
use crate::pipeline::inputs::Inputs;
use crate::pipeline::measured_jobs::{MeasuredJobs, Scope};
use crate::plan::{Job, Known, PlannedJob, keys};
use crate::store::Stored;
use base::hash::Fields;
use study::judge::{StatisticsCache, judge_with};

/// The kind of job that judges a hypothesis: one job for each.
#[derive(Default)]
pub(super) struct Judge {
    /// Fields of the keys by hypothesis, as they are when everything is measured.
    fields: Vec<Fields>,
}

impl Kind for Judge {
    fn name(&self) -> &'static str {
        "judge"
    }

    fn stage(&self) -> Stage {
        Stage::Judge
    }

    fn outputs(&self) -> Option<&'static str> {
        Some("verdicts")
    }

    fn jobs(&mut self, inputs: &Inputs<'_>, before: &[Job], _: &mut Vec<ModelFailure>) -> Vec<Job> {
        let hypotheses = &inputs.loaded.hypotheses;
        let all = MeasuredJobs::of(before);
        self.fields =
            (0..hypotheses.len()).into_par_iter().map(|index| fields(inputs, &all, index)).collect();
        let job = |(index, fields): (usize, &Fields)| {
            let (_, hypothesis, _) = &hypotheses[index];
            let scope = Scope::of(inputs, hypothesis);
            let needs = before.iter().enumerate().filter(|(_, job)| scope.reads(job));
            let (slot, label) = (format!("judge/{}", hypothesis.id), hypothesis.title.clone());
            let needs = needs.map(|(place, _)| place);
            Job::new(self.name(), index, slot, label, fields.key()).needing(needs)
        };
        self.fields.iter().enumerate().map(job).collect()
    }

    fn fields(&self, _: &Inputs<'_>, index: usize) -> Fields {
        self.fields[index].clone()
    }

    /// A verdict that is stored is read here, since the report shows it; one that cannot be read is made again. Where
    /// something could not be measured, the keys are those of the evidence that there is.
    fn due<'p>(&self, jobs: &'p [PlannedJob], run: &mut Run<'_>) -> Result<Vec<Due<'p>>, PipelineError> {
        let (inputs, measured, complete) = (run.inputs, run.measured_jobs(), run.is_complete());
        let one = |planned: &'p PlannedJob| {
            let job = &planned.job;
            let fields =
                if complete { self.fields(inputs, job.index) } else { fields(inputs, &measured, job.index) };
            let stored = inputs.store.blob(&inputs.snapshot, &fields.key())?;
            Ok((Due { job, fields: Some(fields) }, stored))
        };
        let asked: Result<Vec<_>, PipelineError> = jobs.par_iter().map(one).collect();
        let mut due = Vec::new();
        for (one, stored) in asked? {
            let (index, key) = (one.job.index, one.key());
            let before = run.done.outcome_keys.insert(index, key);
            if before == Some(key) && run.done.outcomes.contains_key(&index) {
                continue; // judged in this run, before outputs that others read had to be measured again
            }
            let outcome = match stored {
                Stored::Present(bytes) => serde_json::from_slice(&bytes).ok(),
                Stored::Absent => None,
                Stored::Damaged(damaged) => {
                    // Of what was lost before, the plan has told.
                    if inputs.snapshot.has(&key) {
                        run.progress.note(&damaged.to_string());
                    }
                    None
                }
            };
            match outcome {
                Some(outcome) => drop(run.done.outcomes.insert(index, outcome)),
                None => due.push(one),
            }
        }
        Ok(due)
    }

    fn compute(&self, due: &[Due<'_>], run: &mut Run<'_>) -> Result<(), Failed> {
        let (inputs, progress, jobs) = (run.inputs, run.progress, run.measured_jobs());
        let cache = StatisticsCache::new(inputs.loaded.experiment.seed);
        // Hypotheses on the same evidence one after the other: its table is made once, and one is held at a time.
        let evidence =
            |due: &Due<'_>| due.fields.as_ref().and_then(|fields| fields.get("evidence").map(String::from));
        let mut due: Vec<&Due<'_>> = due.iter().collect();
        due.sort_by_cached_key(|due| (evidence(due), due.job.index));
        for alike in due.chunk_by(|a, b| evidence(a) == evidence(b)) {
            let mut table = None;
            for due in alike {
                let job = due.job;
                let (_, hypothesis, hash) = &inputs.loaded.hypotheses[job.index];
                progress.start(&format!("judge {}", hypothesis.id), 1);
                let measured = match &mut table {
                    Some(table) => &*table,
                    none => &*none.insert(run.evidence_table(&jobs.read_by(&Scope::of(inputs, hypothesis)))?),
                };
                let outcome = judge_with(hypothesis, *hash, run.published()?, measured, &cache);
                progress.finish();
                let bytes = serde_json::to_vec(&outcome).unwrap_or_default(); // plain structs always serialise
                run.keep_as(due, bytes)?;
                run.done.outcomes.insert(job.index, outcome);
            }
        }
        Ok(())
    }
}

/// Key fields of a verdict: the claim, the evidence (with the names it is filed under), the seed.
fn fields(inputs: &Inputs<'_>, jobs: &MeasuredJobs<'_>, index: usize) -> Fields {
    let (_, hypothesis, hash) = &inputs.loaded.hypotheses[index];
    let evidence = jobs.read_by(&Scope::of(inputs, hypothesis)).digest(inputs);
    let (seed, statistics_version) = (inputs.loaded.experiment.seed, keys::STATISTICS_VERSION);
    keys::Judge { hypothesis: *hash, evidence, seed, statistics_version }.fields()
}
