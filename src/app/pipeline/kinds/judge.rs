//! Judging: each hypothesis once per change of what it means or of the evidence that it reads; one that means something else than
//! when it was first registered also as it was then, so that the report can say what the change does.

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::pipeline::error::{ModelFailure, PipelineError};
use crate::pipeline::executor::{Due, Failed, Kind, Run, Stage};
use crate::pipeline::inputs::Inputs;
use crate::pipeline::measured_jobs::{MeasuredJobs, Scope};
use crate::plan::{Job, Known, PlannedJob, keys};
use crate::store::Stored;
use base::hash::{Fields, Key};
use study::config::hypothesis_key;
use study::judge::hypothesis::Hypothesis;
use study::judge::outcome::HypothesisOutcome;
use study::judge::{StatisticsCache, judge_with};

/// The kind of job that judges a hypothesis: one job for each.
#[derive(Default)]
pub(super) struct Judge {
    /// What is judged, by the number of the job.
    asked: Vec<Asked>,
    /// Fields of the keys, likewise, as they are when everything is measured.
    fields: Vec<Fields>,
}

/// What a job judges.
struct Asked {
    /// Number of the hypothesis in the experiment.
    number: usize,
    /// Whether it is judged as it was first registered.
    then: bool,
    hypothesis: Hypothesis,
    hash: Key,
}

fn asked(inputs: &Inputs<'_>) -> Vec<Asked> {
    let now = inputs.loaded.hypotheses.iter().enumerate().map(|(number, (_, hypothesis, hash))| Asked {
        number,
        then: false,
        hypothesis: hypothesis.clone(),
        hash: *hash,
    });
    let then = inputs.as_registered.iter().filter_map(|(number, then)| {
        let hypothesis = then.as_ref().ok()?.clone();
        let hash = hypothesis_key(&hypothesis);
        Some(Asked { number: *number, then: true, hypothesis, hash })
    });
    now.chain(then).collect()
}

/// Where a verdict belongs: with those of now or with those as first registered.
fn outcomes<'r>(run: &'r mut Run<'_>, asked: &Asked) -> &'r mut BTreeMap<usize, HypothesisOutcome> {
    match asked.then {
        false => &mut run.done.outcomes,
        true => &mut run.done.as_registered,
    }
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
        let all = MeasuredJobs::of(before);
        self.asked = asked(inputs);
        self.fields = self.asked.par_iter().map(|asked| fields(inputs, &all, asked)).collect();
        let job = |(index, fields): (usize, &Fields)| {
            let Asked { hypothesis, then, .. } = &self.asked[index];
            let scope = Scope::of(inputs, hypothesis);
            let needs = before.iter().enumerate().filter(|(_, job)| scope.reads(job));
            let (slot, label) = match then {
                false => (format!("judge/{}", hypothesis.id), hypothesis.title.clone()),
                true => (format!("judge/{}/as-registered", hypothesis.id), "as first registered".to_string()),
            };
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
            let fields = match complete {
                true => self.fields(inputs, job.index),
                false => fields(inputs, &measured, &self.asked[job.index]),
            };
            let stored = inputs.store.blob(&inputs.snapshot, &fields.key())?;
            Ok((Due { job, fields: Some(fields) }, stored))
        };
        let asked: Result<Vec<_>, PipelineError> = jobs.par_iter().map(one).collect();
        let mut due = Vec::new();
        for (one, stored) in asked? {
            let (index, key) = (one.job.index, one.key());
            let asked = &self.asked[index];
            let before = run.done.outcome_keys.insert(index, key);
            if before == Some(key) && outcomes(run, asked).contains_key(&asked.number) {
                continue; // judged in this run, before outputs that others read had to be measured again
            }
            let outcome = match stored {
                Stored::Present(bytes) => serde_json::from_slice::<HypothesisOutcome>(&bytes).ok(),
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
                Some(outcome) => keep(run, asked, outcome),
                None => due.push(one),
            }
        }
        Ok(due)
    }

    fn compute(&self, due: &[Due<'_>], run: &mut Run<'_>) -> Result<(), Failed> {
        let (inputs, progress, jobs) = (run.inputs, run.progress, run.measured_jobs());
        let cache = StatisticsCache::new(inputs.loaded.experiment.seed);
        // Hypotheses on the same evidence one after the other: its tables are made once, and those of one are held at a time.
        let evidence =
            |due: &Due<'_>| due.fields.as_ref().and_then(|fields| fields.get("evidence").map(String::from));
        let mut due: Vec<&Due<'_>> = due.iter().collect();
        due.sort_by_cached_key(|due| (evidence(due), due.job.index));
        for alike in due.chunk_by(|a, b| evidence(a) == evidence(b)) {
            let mut tables = None;
            for due in alike {
                let job = due.job;
                let asked = &self.asked[job.index];
                let hypothesis = &asked.hypothesis;
                let as_registered = if asked.then { " as first registered" } else { "" };
                progress.start(&format!("judge {}{as_registered}", hypothesis.id), 1);
                let observed = match &mut tables {
                    Some(tables) => &*tables,
                    none => &*none.insert(run.apart(&jobs.read_by(&Scope::of(inputs, hypothesis)))?),
                };
                let tables = observed.beside(run.published()?);
                let outcome = judge_with(hypothesis, asked.hash, tables, &cache);
                progress.finish();
                let bytes = serde_json::to_vec(&outcome).unwrap_or_default(); // plain structs always serialise
                run.keep_as(due, bytes)?;
                keep(run, asked, outcome);
            }
        }
        Ok(())
    }
}

/// Takes a verdict into the run. Its title is that of the file, which is no part of what was judged.
fn keep(run: &mut Run<'_>, asked: &Asked, mut outcome: HypothesisOutcome) {
    outcome.title.clone_from(&run.inputs.loaded.hypotheses[asked.number].1.title);
    outcomes(run, asked).insert(asked.number, outcome);
}

/// Key fields of a verdict: the claim, the evidence (with the names it is filed under), the seed.
fn fields(inputs: &Inputs<'_>, jobs: &MeasuredJobs<'_>, asked: &Asked) -> Fields {
    let evidence = jobs.read_by(&Scope::of(inputs, &asked.hypothesis)).digest(inputs);
    let (seed, statistics_version) = (inputs.loaded.experiment.seed, keys::STATISTICS_VERSION);
    keys::Judge { hypothesis: asked.hash, evidence, seed, statistics_version }.fields()
}
