//! The executor: runs what of a plan is not stored, kind by kind and model by model, in the order in which it is printed.
//!
//! For every group of jobs (of one kind and one model) it is the same: key, stored?, compute, put, count. What differs between
//! kinds is behind the trait [`Kind`].

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::error::{ModelFailure, PipelineError};
use super::evidence::Complete;
use super::inputs::Inputs;
use super::lacking::lacking;
use super::ledger::{Ledger, Output, Value};
use super::measured_jobs::MeasuredJobs;
use super::places::Places;
use super::written::Written;
use crate::plan::{Job, Plan, PlannedJob};
use crate::store::StoreError;
use base::hash::{Fields, Key};
use base::progress::Progress;
use engine::run::RunError;
use number::evidence::{EvidenceTable, Measurement};
use number::observation::PromptObservation;
use study::judge::outcome::HypothesisOutcome;

/// Times that lost outputs are measured again in one run: a disk that loses them each time is at fault.
const MOST_REPAIRS: usize = 3;

/// A kind of job: which jobs there are, what decides their keys, and how they are computed.
pub(super) trait Kind: Send + Sync {
    /// Its name in plans, slots and keys, e.g. `observe`.
    fn name(&self) -> &'static str;

    /// In which part of a run its jobs are done.
    fn stage(&self) -> Stage {
        Stage::Measure
    }

    /// What its outputs are called in the summary of a run; `None`: they are not counted there.
    fn outputs(&self) -> Option<&'static str> {
        None
    }

    /// Makes its jobs. `before` holds those of the kinds earlier in the table, whose places a job may need. Models for which
    /// there is none although the experiment asks for one are added to `refused`.
    fn jobs(&mut self, inputs: &Inputs<'_>, before: &[Job], refused: &mut Vec<ModelFailure>) -> Vec<Job>;

    /// The fields of a job's key, as planned.
    fn fields(&self, inputs: &Inputs<'_>, index: usize) -> Fields;

    /// Floating-point operations of a job, estimated from the model and the prompts alone, so that every machine gets the
    /// same number.
    fn cost(&self, _inputs: &Inputs<'_>, _index: usize) -> u64 {
        0
    }

    /// Another kind whose outputs its jobs make on the way: within a model its jobs come before those.
    fn also_makes(&self) -> Option<&'static str> {
        None
    }

    /// The keys of the outputs that a job makes on the way.
    fn also_made(&self, _inputs: &Inputs<'_>, _index: usize) -> Vec<Key> {
        Vec::new()
    }

    /// Which of these jobs are to be computed: one of each key that has no output yet. A kind whose keys depend on what
    /// other jobs gave, or whose outputs are read later in the run, answers this itself.
    fn due<'p>(&self, jobs: &'p [PlannedJob], run: &mut Run<'_>) -> Result<Vec<Due<'p>>, PipelineError> {
        let mut seen = BTreeSet::new();
        let due = jobs.iter().map(|planned| &planned.job);
        let due = due.filter(|job| !run.ledger.has(&job.key) && seen.insert(job.key));
        Ok(due.map(|job| Due { job, fields: None }).collect())
    }

    /// Computes jobs of one model and hands every output to [`Run::keep`] as soon as it is there.
    fn compute(&self, due: &[Due<'_>], run: &mut Run<'_>) -> Result<(), Failed>;

    /// The rows that a stored output of small objects gives to the evidence table.
    ///
    /// # Errors
    /// An output that is not what a job of this kind makes.
    fn rows(
        &self,
        _inputs: &Inputs<'_>,
        _job: &Job,
        _stored: &[u8],
    ) -> Result<Vec<Measurement>, serde_json::Error> {
        Ok(Vec::new())
    }
}

/// The parts of a run, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// Everything that gives evidence, and the exports.
    Measure,
    /// Verdicts from the evidence.
    Judge,
    /// Files for people and programs.
    Report,
}

/// A job to be computed.
#[derive(Clone, Debug)]
pub(super) struct Due<'p> {
    pub(super) job: &'p Job,
    /// The fields of its key, where they are not the planned ones.
    pub(super) fields: Option<Fields>,
}

impl Due<'_> {
    /// The key under which the output is stored.
    pub(super) fn key(&self) -> Key {
        self.fields.as_ref().map_or(self.job.key, Fields::key)
    }
}

/// Why a group of jobs was not computed.
#[derive(Debug)]
pub(super) enum Failed {
    /// The model is at fault: it is listed, and the others go on.
    Model(String),
    /// The run cannot go on.
    Run(PipelineError),
}

/// A run under way.
pub(super) struct Run<'a> {
    pub(super) inputs: &'a Inputs<'a>,
    pub(super) kinds: &'a [Box<dyn Kind>],
    pub(super) plan: &'a Plan,
    pub(super) places: &'a Places,
    pub(super) progress: &'a dyn Progress,
    pub(super) ledger: Ledger<'a>,
    pub(super) done: Done,
    /// Evidence that was read already.
    pub(super) read: Read,
    /// Keys of outputs that a failed job would have made on the way: another walk would fail as that one did.
    pub(super) in_vain: BTreeSet<Key>,
    /// Places of the jobs, by key and then in the order of the plan.
    by_key: OnceCell<Vec<usize>>,
    measured: OnceCell<MeasuredJobs<'a>>,
}

/// The outcome of a run so far.
#[derive(Debug, Default)]
pub struct Done {
    /// Outputs made now, by kind.
    pub counts: BTreeMap<&'static str, usize>,
    /// Models that failed while they were computed.
    pub failures: Vec<ModelFailure>,
    /// Verdicts, made now or stored, by the number of the hypothesis.
    pub outcomes: BTreeMap<usize, HypothesisOutcome>,
    /// Verdicts of hypotheses as they were first registered, by the number of the hypothesis, where it means something else now.
    pub as_registered: BTreeMap<usize, HypothesisOutcome>,
    /// Keys of both, by the number of the job.
    pub outcome_keys: BTreeMap<usize, Key>,
    /// The report, written now or before.
    pub report: Option<Written>,
}

/// Evidence that was read, once and only when something needed it.
#[derive(Default)]
pub(super) struct Read {
    pub(super) published: Option<EvidenceTable>,
    pub(super) observations: Option<Arc<Complete<PromptObservation>>>,
    pub(super) small_objects: Option<Arc<Complete<Vec<u8>>>>,
}

/// The kind of a job.
pub(super) fn kind_of<'k>(kinds: &'k [Box<dyn Kind>], job: &Job) -> Option<&'k dyn Kind> {
    kinds.iter().find(|kind| kind.name() == job.kind).map(|kind| &**kind)
}

impl Done {
    /// Number of outputs of a kind that were made now.
    pub fn count(&self, kind: &str) -> usize {
        self.counts.get(kind).copied().unwrap_or_default()
    }
}

impl<'a> Run<'a> {
    pub(super) fn new(
        (inputs, kinds, plan): (&'a Inputs<'a>, &'a [Box<dyn Kind>], &'a Plan),
        places: &'a Places,
        progress: &'a dyn Progress,
    ) -> Run<'a> {
        let ledger = Ledger::of(&inputs.store, &inputs.snapshot);
        let (done, read) = (Done::default(), Read::default());
        let (in_vain, by_key, measured) = (BTreeSet::new(), OnceCell::new(), OnceCell::new());
        Run { inputs, kinds, plan, places, progress, ledger, done, read, in_vain, by_key, measured }
    }

    /// Does what is due of these stages, in the order of the plan.
    pub(super) fn execute(&mut self, stages: &[Stage]) -> Result<(), PipelineError> {
        let plan = self.plan;
        let groups = plan.jobs.chunk_by(|a, b| a.job.kind == b.job.kind && a.job.model == b.job.model);
        for group in groups {
            let Some(kind) = kind_of(self.kinds, &group[0].job) else { continue };
            if !stages.contains(&kind.stage()) {
                continue;
            }
            let mut due = kind.due(group, self)?;
            due.retain(|due| !self.in_vain.contains(&due.key()));
            if due.is_empty() {
                continue;
            }
            match kind.compute(&due, self) {
                Ok(()) => {}
                Err(Failed::Model(error)) => self.fail(&group[0].job, error),
                Err(Failed::Run(error)) => return Err(error),
            }
        }
        Ok(())
    }

    /// Does `work`, and where an output that was counted on turns out to be damaged or gone, measures it again (if `compute`; else
    /// it is left out of the evidence, and of the keys that hold it) and does the work anew.
    ///
    /// # Errors
    /// Those of the work; [`PipelineError::Lost`] if outputs are lost again and again.
    pub(super) fn repairing<T>(
        &mut self,
        compute: bool,
        mut work: impl FnMut(&mut Self) -> Result<T, PipelineError>,
    ) -> Result<T, PipelineError> {
        for _ in 0..MOST_REPAIRS {
            match work(self) {
                Err(PipelineError::Lost(lost)) => {
                    lost.notes.iter().for_each(|note| self.progress.note(note));
                    self.ledger.lose(lost.keys);
                    // What was read or listed with the lost outputs is read and listed again.
                    (self.read, self.measured) = (Read::default(), OnceCell::new());
                    if compute {
                        self.execute(&[Stage::Measure])?;
                    }
                }
                done => return done,
            }
        }
        work(self)
    }

    /// Lists the model of a job as failed, and says so. A second job that fails in the same way is no news.
    fn fail(&mut self, job: &Job, error: String) {
        let model = job.model.map_or(job.kind, |model| &self.inputs.subjects[model].id).to_string();
        let failure = ModelFailure { model, error };
        if !self.done.failures.contains(&failure) {
            self.progress.note(&format!("{}: {}", failure.model, failure.error));
            self.done.failures.push(failure);
        }
    }

    /// Stores outputs and counts them. Each gets the name of every job of its key: two prompt sets may share a prompt, two
    /// models a checkpoint.
    pub(super) fn keep(&mut self, outputs: Vec<(Key, Value)>) -> Result<(), StoreError> {
        let (plan, mut named) = (self.plan, Vec::new());
        let mut observed = None;
        for (key, value) in outputs {
            let mut places = self.places_of(key).peekable();
            let Some(first) = places.peek().map(|&place| &plan.jobs[place].job) else { continue };
            let Some(kind) = kind_of(self.kinds, first) else { continue };
            let count = places.clone().count();
            let outputs = places.zip(std::iter::repeat_n(value, count)).map(|(place, value)| {
                let job = &plan.jobs[place].job;
                Output { slot: job.slot.clone(), fields: kind.fields(self.inputs, job.index), value }
            });
            let before = named.len();
            named.extend(outputs);
            // Of observations the store says how many are new, since those of a prompt set with spectra are made again.
            match named[before].value {
                Value::Observation(_) => observed = Some(kind.name()),
                _ => *self.done.counts.entry(kind.name()).or_default() += 1,
            }
        }
        let new = self.ledger.put(named)?;
        observed.into_iter().for_each(|kind| *self.done.counts.entry(kind).or_default() += new);
        Ok(())
    }

    /// Stores the output of one job, under the fields that its key really has, and counts it.
    pub(super) fn keep_as(&mut self, due: &Due<'_>, bytes: Vec<u8>) -> Result<(), StoreError> {
        let Due { job, fields } = due;
        let Some(kind) = kind_of(self.kinds, job) else { return Ok(()) };
        let fields = fields.clone().unwrap_or_else(|| kind.fields(self.inputs, job.index));
        self.ledger.put(vec![Output { slot: job.slot.clone(), fields, value: Value::Bytes(bytes) }])?;
        *self.done.counts.entry(job.kind).or_default() += 1;
        Ok(())
    }

    /// Places of the jobs of a key, in the order of the plan.
    fn places_of(&self, key: Key) -> impl Iterator<Item = usize> + Clone + use<'_> {
        let jobs = &self.plan.jobs;
        let by_key = self.by_key.get_or_init(|| {
            let mut places: Vec<usize> = (0..jobs.len()).collect();
            places.sort_by_key(|&place| (jobs[place].job.key, place));
            places
        });
        let first = by_key.partition_point(|&place| jobs[place].job.key < key);
        by_key[first..].iter().copied().take_while(move |&place| jobs[place].job.key == key)
    }

    /// Everything that was measured, now or before. To be asked when measuring is over.
    pub(super) fn measured_jobs(&self) -> MeasuredJobs<'a> {
        let plan = self.plan;
        let all = || MeasuredJobs::of(plan.jobs.iter().map(|planned| &planned.job));
        let present = || MeasuredJobs(all().0.into_iter().filter(|job| self.ledger.has(&job.key)).collect());
        self.measured.get_or_init(present).clone()
    }

    /// One line for every model and prompt that the results lack, and for outputs that the store does not hold.
    pub(super) fn problems(&self) -> Vec<String> {
        let failures = || self.inputs.left_out().chain(&self.done.failures);
        let failed = failures().map(|failure| failure.model.as_str()).collect();
        let name = |job: &Job| kind_of(self.kinds, job)?.outputs();
        let lacking = lacking(self.inputs, self.plan, &self.ledger, &failed, name);
        failures().map(|failure| format!("{}: {}", failure.model, failure.error)).chain(lacking).collect()
    }

    /// Whether everything of the plan was measured, so that verdicts and report have the keys that were planned.
    pub(super) fn is_complete(&self) -> bool {
        self.plan
            .jobs
            .iter()
            .all(|planned| planned.job.evidence.is_none() || self.ledger.has(&planned.job.key))
    }
}

impl From<PipelineError> for Failed {
    fn from(error: PipelineError) -> Failed {
        match error {
            PipelineError::Run(error) => error.into(),
            other => Failed::Run(other),
        }
    }
}

impl From<RunError> for Failed {
    fn from(error: RunError) -> Failed {
        Failed::Model(error.to_string())
    }
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Failed {
        Failed::Run(error.into())
    }
}
