//! Evidence of a run: published tables, and what was measured as rows of the same table.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;

use super::cells::Cell;
use super::error::{Lost, PipelineError};
use super::executor::Run;
use super::measured_jobs::MeasuredJobs;
use super::subject::Subject;
use crate::plan::Job;
use crate::store::{Answers, Damaged, damage_notes};
use base::hash::Key;
use number::evidence::{Evidence, EvidenceTable, Measurement, PromptInfo, Tables};
use number::metric::{attention_traces, measurements};
use number::observation::PromptObservation;
use number::weights::Weighed;
use study::published;

impl Run<'_> {
    /// The published tables (empty when the experiment names none).
    pub(super) fn published(&mut self) -> Result<&EvidenceTable, PipelineError> {
        if self.read.published.is_none() {
            self.read.published = Some(match &self.inputs.loaded.published {
                Some(folder) => {
                    let table = published::import(folder)?;
                    self.inputs.check_published(folder)?;
                    table
                }
                None => EvidenceTable::default(),
            });
        }
        Ok(self.read.published.get_or_insert_default())
    }

    /// Observations of every cell that was measured.
    ///
    /// # Errors
    /// One that cannot be read ([`StoreError`](crate::store::StoreError)), or that is damaged or gone ([`Lost`]).
    pub(super) fn observations(&mut self) -> Result<Arc<Complete<PromptObservation>>, PipelineError> {
        if let Some(observations) = &self.read.observations {
            return Ok(Arc::clone(observations));
        }
        let jobs = self.measured_jobs();
        let keys: Vec<Key> = jobs.kind("observe").map(|job| job.key).collect();
        let store = &self.inputs.store;
        let all = Complete::of(store.observations(&store.snapshot()?, &keys)?)?;
        Ok(Arc::clone(self.read.observations.insert(Arc::new(all))))
    }

    /// The tables of what these jobs observed, one for each kind of evidence that this program observes: no table that is judged
    /// has rows of both.
    pub(super) fn apart(&mut self, jobs: &MeasuredJobs<'_>) -> Result<Apart, PipelineError> {
        let inputs = self.inputs;
        let mut of = |evidence| self.evidence_table(&jobs.of_evidence(inputs, evidence));
        Ok(Apart { measured: of(Evidence::Measured)?, rehearsal: of(Evidence::Rehearsal)? })
    }

    /// The table of what these jobs observed, whatever it is evidence of: each (model, prompt, BOS) once, in the order of the plan, then what other kinds of job
    /// measured.
    pub(super) fn evidence_table(&mut self, jobs: &MeasuredJobs<'_>) -> Result<EvidenceTable, PipelineError> {
        let inputs = self.inputs;
        let (observations, small) = (self.observations()?, self.small_objects()?);
        let mut table = EvidenceTable::default();
        // By model.
        let mut squares = BTreeMap::new();
        for job in jobs.kind("weigh") {
            let weighed: Weighed =
                serde_json::from_slice(small.get(&job.key)?).map_err(|error| misread(job, error))?;
            squares.insert(job.index, weighed.value_squares);
        }
        let (mut seen, mut prompts) = (BTreeSet::new(), BTreeMap::<&str, usize>::new());
        let mut found = Vec::new();
        for job in jobs.kind("observe") {
            let cell = &inputs.cells[job.index];
            let observation = observations.get(&cell.key)?;
            // A prompt of several sets was run once, and is in all of them.
            if let Some(&place) = prompts.get(cell.prompt.id.as_str()) {
                let known: &mut Vec<String> = &mut table.prompts[place].sets;
                let new =
                    cell.prompt.sets.iter().filter(|set| !known.contains(set)).cloned().collect::<Vec<_>>();
                known.extend(new);
            }
            if !seen.insert((cell.subject, cell.prompt.id.as_str(), cell.bos)) {
                continue;
            }
            know(&mut table, &inputs.subjects[cell.subject]);
            prompts.entry(cell.prompt.id.as_str()).or_insert_with(|| {
                table.prompts.push(PromptInfo::clone(&cell.prompt));
                table.prompts.len() - 1
            });
            found.push((cell, observation, squares.get(&cell.subject)));
        }
        let rows = |(cell, observation, squares): &(&Cell, &PromptObservation, Option<&Vec<Vec<f64>>>)| {
            let (id, prompt) = (&inputs.subjects[cell.subject].id, &cell.prompt);
            let mut rows = measurements(id, prompt, observation, cell.bos);
            if let Some(squares) = squares {
                rows.extend(attention_traces(id, prompt, observation, squares, cell.bos));
            }
            as_evidence(inputs.subjects[cell.subject].evidence, &mut rows);
            rows
        };
        // There may be ten million rows; beside them lie those of a few observations only.
        for some in found.chunks(64) {
            let some: Vec<Vec<Measurement>> = some.par_iter().map(rows).collect();
            table.rows.extend(some.into_iter().flatten());
        }
        // The last kind first, as tables were always written: two versions of this program write the same bytes.
        for kind in self.kinds.iter().rev().filter(|kind| kind.name() != "observe") {
            for job in jobs.kind(kind.name()) {
                let mut rows =
                    kind.rows(inputs, job, small.get(&job.key)?).map_err(|error| misread(job, error))?;
                if !rows.is_empty() {
                    if let Some(subject) = job.model.map(|model| &inputs.subjects[model]) {
                        know(&mut table, subject);
                        as_evidence(subject.evidence, &mut rows);
                    }
                    table.rows.extend(rows);
                }
            }
        }
        Ok(table)
    }

    /// The small objects that the jobs of all other kinds made, as stored.
    fn small_objects(&mut self) -> Result<Arc<Complete<Vec<u8>>>, PipelineError> {
        if let Some(objects) = &self.read.small_objects {
            return Ok(Arc::clone(objects));
        }
        let jobs = self.measured_jobs();
        let keys: Vec<Key> = jobs.0.iter().filter(|job| job.kind != "observe").map(|job| job.key).collect();
        let store = &self.inputs.store;
        let all = Complete::of(store.blobs(&store.snapshot()?, &keys)?)?;
        Ok(Arc::clone(self.read.small_objects.insert(Arc::new(all))))
    }
}

/// What was observed here, by what it is evidence of.
pub(super) struct Apart {
    /// Of checkpoints that were trained on natural data.
    pub measured: EvidenceTable,
    /// Of checkpoints that only test the instrument.
    pub rehearsal: EvidenceTable,
}

impl Apart {
    /// The tables of every kind of evidence, with these published ones.
    pub(super) fn beside<'a>(&'a self, published: &'a EvidenceTable) -> Tables<'a> {
        Tables { published, measured: &self.measured, rehearsal: &self.rehearsal }
    }
}

/// Outputs of which none is missing that was asked for: what is judged and reported on is complete.
#[derive(Debug)]
pub(super) struct Complete<T>(BTreeMap<Key, T>);

impl<T> Complete<T> {
    /// What the store answered, if it had every output.
    fn of(answers: Answers<T>) -> Result<Complete<T>, Lost> {
        let Answers { found, damaged, absent } = answers;
        match (&damaged[..], &absent[..]) {
            ([], []) => Ok(Complete(found)),
            ([], absent) => Err(Lost::unrecorded(absent)),
            (damaged, _) => Err(Lost::of(damaged)),
        }
    }

    /// The output of a key; an error if it was not among those that were read.
    pub(super) fn get(&self, key: &Key) -> Result<&T, Lost> {
        self.0.get(key).ok_or_else(|| Lost::unrecorded(&[*key]))
    }
}

impl Lost {
    fn of(damaged: &[Damaged]) -> Lost {
        Lost { keys: damaged.iter().map(|one| one.key).collect(), notes: damage_notes(damaged) }
    }

    /// Outputs of which the index says nothing although they were made.
    fn unrecorded(keys: &[Key]) -> Lost {
        let note = format!("{} output(s) are not in the index of the store any more", keys.len());
        Lost { keys: keys.to_vec(), notes: vec![note] }
    }
}

/// The error of a stored output with the right bytes that is not what a job of this kind makes.
fn misread(job: &Job, error: serde_json::Error) -> PipelineError {
    PipelineError::Stored { slot: job.slot.clone(), error }
}

/// States what rows of one model are evidence of.
fn as_evidence(evidence: Evidence, rows: &mut [Measurement]) {
    rows.iter_mut().for_each(|row| row.evidence = evidence);
}

/// Lists a model in the table, once.
fn know(table: &mut EvidenceTable, subject: &Subject) {
    if !table.models.iter().any(|model| model.id == subject.id) {
        table.models.push(subject.info());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        Key::of_bytes(name.as_bytes())
    }

    fn answers(found: &[&str]) -> Answers<u32> {
        let found = found.iter().map(|name| (key(name), 1)).collect();
        Answers { found, damaged: Vec::new(), absent: Vec::new() }
    }

    #[test]
    fn what_is_judged_is_complete_or_an_error_that_names_what_is_lost() {
        let all = Complete::of(answers(&["a", "b"])).unwrap();
        assert!(all.get(&key("a")).is_ok());
        assert_eq!(all.get(&key("c")).unwrap_err().keys, [key("c")]);

        let absent = Answers { absent: vec![key("c")], ..answers(&["a"]) };
        assert_eq!(Complete::of(absent).unwrap_err().keys, [key("c")]);

        let damaged = Damaged {
            key: key("d"),
            slot: "observe/m/p".into(),
            object: "objects/d".into(),
            reason: "its 3 bytes do not match the digest in its name".into(),
            quarantined: true,
        };
        let damaged = Answers { damaged: vec![damaged], ..answers(&["a"]) };
        let lost = Complete::of(damaged).unwrap_err();
        assert_eq!(lost.keys, [key("d")]);
        let text = lost.to_string();
        assert!(text.contains("observe/m/p: objects/d is damaged") && text.contains("run again"), "{text}");
    }
}
