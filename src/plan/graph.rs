//! The job graph: order, states, and what is wrong with a graph that has none.
//!
//! Everything here is linear in jobs and needs (times a logarithm for looking up names).

use std::collections::BTreeMap;

use super::{Job, Known, Plan, Why, print::Planned};
use crate::hash::Key;

/// Jobs in an order in which every job follows what it needs.
#[derive(Clone, Debug)]
pub struct JobGraph {
    jobs: Vec<Job>,
    keys: Vec<Key>,
    /// By job: indices of the jobs it needs.
    needs: Vec<Vec<usize>>,
}

/// Whether a job has to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    Fresh,
    Stale(Why),
}

/// Why jobs are no graph.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    #[error("two jobs have the slot {slot:?}; give one of the models, prompt sets or prompts another id")]
    Duplicate { slot: String },
    #[error("job {slot:?} needs {need:?}, and there is no such job")]
    Unknown { slot: String, need: String },
    #[error("jobs need each other in a circle: {}", slots.join(" -> "))]
    Cycle { slots: Vec<String> },
}

impl JobGraph {
    /// Orders the jobs: each after its needs, otherwise as given.
    pub fn new(jobs: Vec<Job>) -> Result<JobGraph, GraphError> {
        let mut index = BTreeMap::new();
        for (i, job) in jobs.iter().enumerate() {
            if index.insert(job.slot.as_str(), i).is_some() {
                return Err(GraphError::Duplicate { slot: job.slot.clone() });
            }
        }
        let mut needs = Vec::with_capacity(jobs.len());
        for job in &jobs {
            let found = job.needs.iter().map(|need| {
                let unknown = || GraphError::Unknown { slot: job.slot.clone(), need: need.clone() };
                index.get(need.as_str()).copied().ok_or_else(unknown)
            });
            needs.push(found.collect::<Result<Vec<usize>, _>>()?);
        }
        let order = order(&needs).map_err(|circle| GraphError::Cycle {
            slots: circle.into_iter().map(|i| jobs[i].slot.clone()).collect(),
        })?;

        let mut place = vec![0; jobs.len()];
        for (to, &from) in order.iter().enumerate() {
            place[from] = to;
        }
        let needs = order.iter().map(|&i| needs[i].iter().map(|&n| place[n]).collect()).collect();
        let mut jobs: Vec<Option<Job>> = jobs.into_iter().map(Some).collect();
        // `order` names every index once.
        let jobs: Vec<Job> = order.iter().filter_map(|&i| jobs[i].take()).collect();
        let keys = jobs.iter().map(Job::key).collect();
        Ok(JobGraph { jobs, keys, needs })
    }

    /// In order.
    pub fn jobs(&self) -> &[Job] {
        &self.jobs
    }

    /// Keys of the jobs, in order.
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// By job, in order: a job is fresh if the output of its key exists, whatever its needs are, since the key
    /// hashes everything that decides the output.
    pub fn states(&self, known: &dyn Known) -> Vec<State> {
        let mut states: Vec<State> = Vec::with_capacity(self.jobs.len());
        for (i, job) in self.jobs.iter().enumerate() {
            let key = &self.keys[i];
            let state = if known.has(key) {
                State::Fresh
            } else if known.quarantined(key) {
                State::Stale(Why::Damaged)
            } else if let Some(before) = known.last_fields(&job.slot) {
                let stale = self.needs[i].iter().find(|&&n| states[n] != State::Fresh);
                State::Stale(Why::between(&before, &job.fields, stale.map(|&n| self.jobs[n].slot.as_str())))
            } else {
                State::Stale(Why::New)
            };
            states.push(state);
        }
        states
    }

    /// The states as something to print.
    pub fn plan(&self, known: &dyn Known) -> Plan {
        let jobs =
            self.jobs.iter().zip(&self.keys).zip(self.states(known)).map(|((job, key), state)| Planned {
                kind: job.kind,
                slot: job.slot.clone(),
                label: job.label.clone(),
                key: *key,
                why: match state {
                    State::Fresh => None,
                    State::Stale(why) => Some(why),
                },
            });
        Plan::new(jobs.collect())
    }
}

/// Depth first, by an explicit stack: a long chain must not overflow the thread's. The error is a circle, its first
/// member repeated at the end.
fn order(needs: &[Vec<usize>]) -> Result<Vec<usize>, Vec<usize>> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        Unseen,
        Open,
        Done,
    }
    let mut marks = vec![Mark::Unseen; needs.len()];
    let mut order = Vec::with_capacity(needs.len());
    for root in 0..needs.len() {
        if marks[root] != Mark::Unseen {
            continue;
        }
        marks[root] = Mark::Open;
        // Job, and how many of its needs are dealt with.
        let mut path = vec![(root, 0)];
        while let Some((job, dealt)) = path.last_mut() {
            let job = *job;
            let Some(&need) = needs[job].get(*dealt) else {
                marks[job] = Mark::Done;
                order.push(job);
                path.pop();
                continue;
            };
            *dealt += 1;
            match marks[need] {
                Mark::Done => {}
                Mark::Unseen => {
                    marks[need] = Mark::Open;
                    path.push((need, 0));
                }
                Mark::Open => {
                    let mut circle: Vec<usize> =
                        path.iter().map(|(j, _)| *j).skip_while(|&j| j != need).collect();
                    circle.push(need);
                    return Err(circle);
                }
            }
        }
    }
    Ok(order)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::{hash::Fields, plan::JobKind};

    fn job(slot: &str, needs: &[&str]) -> Job {
        Job::new(JobKind::Observe, slot, slot, Fields::new("observe").with("slot", slot))
            .needing(needs.iter().copied())
    }

    fn slots(graph: &JobGraph) -> Vec<&str> {
        graph.jobs().iter().map(|j| j.slot.as_str()).collect()
    }

    #[derive(Default)]
    struct Memory {
        has: BTreeSet<Key>,
        gone: BTreeSet<Key>,
        last: BTreeMap<String, Fields>,
    }

    impl Memory {
        fn of(jobs: &[Job]) -> Memory {
            let last = jobs.iter().map(|j| (j.slot.clone(), j.fields.clone())).collect();
            Memory { has: jobs.iter().map(Job::key).collect(), gone: BTreeSet::new(), last }
        }
    }

    impl Known for Memory {
        fn has(&self, key: &Key) -> bool {
            self.has.contains(key)
        }
        fn last_fields(&self, slot: &str) -> Option<Fields> {
            self.last.get(slot).cloned()
        }
        fn quarantined(&self, key: &Key) -> bool {
            self.gone.contains(key)
        }
    }

    #[test]
    fn jobs_follow_what_they_need_and_otherwise_keep_their_order() {
        let graph = JobGraph::new(vec![
            job("report", &["judge"]),
            job("b", &["export"]),
            job("judge", &["b", "a"]),
            job("a", &["export"]),
            job("export", &[]),
            job("last", &[]),
        ]);
        assert_eq!(slots(&graph.unwrap()), ["export", "b", "a", "judge", "report", "last"]);
    }

    #[test]
    fn a_wrong_graph_is_named() {
        let error = |jobs| JobGraph::new(jobs).unwrap_err().to_string();
        assert!(error(vec![job("a", &[]), job("a", &[])]).contains("\"a\""));
        assert_eq!(error(vec![job("a", &["x"])]), "job \"a\" needs \"x\", and there is no such job");
        let circle = error(vec![job("in", &["a"]), job("a", &["b"]), job("b", &["c"]), job("c", &["a"])]);
        assert_eq!(circle, "jobs need each other in a circle: a -> b -> c -> a");
        assert!(error(vec![job("a", &["a"])]).ends_with("a -> a"));
    }

    #[test]
    fn states_say_what_is_new_changed_damaged_and_waiting() {
        let judge = |evidence: &str| {
            let fields = Fields::new("judge").with("evidence", evidence);
            Job::new(JobKind::Judge, "judge/H9", "H9", fields).needing(["a", "b", "c", "d"])
        };
        let before = vec![job("a", &[]), job("b", &[]), job("d", &[]), judge("old")];
        let mut known = Memory::of(&before);
        known.has.remove(&before[1].key());
        known.gone.insert(before[1].key());
        let mut changed = job("d", &[]);
        changed.fields = changed.fields.with("bos", "never");
        let graph =
            JobGraph::new(vec![job("a", &[]), job("b", &[]), job("c", &[]), changed, judge("new")]).unwrap();
        let stale = |why| State::Stale(why);
        let (absent, never) = ("(absent)".to_string(), "never".to_string());
        assert_eq!(
            graph.states(&known),
            [
                State::Fresh,
                stale(Why::Damaged),
                stale(Why::New),
                stale(Why::Changed { field: "bos".into(), before: absent, after: never, also: vec![] }),
                stale(Why::Needs { slot: "b".into() }),
            ]
        );
        // Recomputing a damaged observation gives the same observation: what was made from it stands.
        let unchanged = JobGraph::new(vec![
            before[0].clone(),
            before[1].clone(),
            job("c", &[]),
            before[2].clone(),
            judge("old"),
        ]);
        assert_eq!(unchanged.unwrap().states(&known)[4], State::Fresh);
    }

    #[test]
    fn a_chain_of_100_000_jobs_is_ordered() {
        let jobs = (0..100_000u32).map(|i| {
            let needs = if i == 99_999 { vec![] } else { vec![(i + 1).to_string()] };
            Job::new(JobKind::Observe, i.to_string(), "", Fields::new("observe").with("i", i)).needing(needs)
        });
        let graph = JobGraph::new(jobs.collect()).unwrap();
        assert_eq!((slots(&graph)[0], slots(&graph)[99_999]), ("99999", "0"));
        assert_eq!(graph.states(&Memory::default()).len(), 100_000);
    }
}
