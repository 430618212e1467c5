//! The job graph: order, states, and what is wrong with a graph that has none.
//!
//! Everything here is linear in jobs and needs (times a logarithm for comparing names).

use rayon::prelude::*;

use super::{Job, Known, Plan, PlannedJob, Why};
use base::hash::Fields;

/// Jobs in an order in which every job follows what it needs.
#[derive(Clone, Debug)]
pub struct JobGraph {
    /// Their needs are places in this list.
    jobs: Vec<Job>,
}

/// Whether a job has to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Its output is stored.
    Fresh,
    /// It has to run, for this reason.
    Stale(Why),
}

/// Why jobs are no graph.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// Two jobs have one slot.
    #[error("two jobs have the slot {slot:?}; give one of the models, prompt sets or prompts another id")]
    Duplicate {
        /// The slot that both have.
        slot: String,
    },
    /// A job needs one that is not in the list.
    #[error("job {slot:?} needs job number {need}, and there are {jobs}")]
    Unknown {
        /// Slot of the job that needs it.
        slot: String,
        /// Place that no job has.
        need: usize,
        /// Number of jobs.
        jobs: usize,
    },
    /// Jobs need each other, so that none can be the first.
    #[error("jobs need each other in a circle: {}", slots.join(" -> "))]
    Cycle {
        /// Slots along the circle, the first one again at the end.
        slots: Vec<String>,
    },
}

impl JobGraph {
    /// Orders the jobs: each after its needs, otherwise by `turn`, and those of one turn as given.
    ///
    /// # Errors
    /// Two jobs of one slot, a need that is no job, a circle of needs.
    pub fn new<T: Ord>(jobs: Vec<Job>, turn: impl Fn(&Job) -> T) -> Result<JobGraph, GraphError> {
        if let Some(twice) = duplicate(&jobs) {
            return Err(GraphError::Duplicate { slot: jobs[twice].slot.clone() });
        }
        for job in &jobs {
            if let Some(&need) = job.needs.iter().find(|&&need| need >= jobs.len()) {
                return Err(GraphError::Unknown { slot: job.slot.clone(), need, jobs: jobs.len() });
            }
        }
        let mut wished: Vec<usize> = (0..jobs.len()).collect();
        wished.sort_by_key(|&job| turn(&jobs[job]));
        let order = order(&jobs, &wished).map_err(|circle| GraphError::Cycle {
            slots: circle.into_iter().map(|i| jobs[i].slot.clone()).collect(),
        })?;
        let mut place = vec![0; jobs.len()];
        for (to, &from) in order.iter().enumerate() {
            place[from] = to;
        }
        let mut jobs: Vec<Option<Job>> = jobs.into_iter().map(Some).collect();
        // `order` names every index once.
        let mut jobs: Vec<Job> = order.iter().filter_map(|&i| jobs[i].take()).collect();
        for need in jobs.iter_mut().flat_map(|job| &mut job.needs) {
            *need = place[*need];
        }
        Ok(JobGraph { jobs })
    }

    /// The jobs in order.
    pub fn jobs(&self) -> &[Job] {
        &self.jobs
    }

    /// By job, in order: a job is fresh if the output of its key exists, whatever its needs are, since the key
    /// hashes everything that decides the output. `fields` gives the fields of a job's key; only stale jobs with a past are
    /// asked for, since the fields of 100,000 fresh ones would be most of a plan's memory.
    pub fn states(&self, known: &dyn Known, fields: &dyn Fn(&Job) -> Fields) -> Vec<State> {
        let mut states: Vec<State> = Vec::with_capacity(self.jobs.len());
        for job in &self.jobs {
            let state = if known.has(&job.key) {
                State::Fresh
            } else if known.quarantined(&job.key) {
                State::Stale(Why::Damaged)
            } else if let Some(before) = known.last_fields(&job.slot) {
                let stale = job.needs.iter().find(|&&n| states[n] != State::Fresh);
                let stale = stale.map(|&n| self.jobs[n].slot.as_str());
                State::Stale(Why::between(&before, &fields(job), stale))
            } else {
                State::Stale(Why::New)
            };
            states.push(state);
        }
        states
    }

    /// The jobs with their states, which is what is printed and run. `kinds` are the names of all kinds, in the order in
    /// which their jobs are counted.
    pub fn plan(self, known: &dyn Known, kinds: &[&'static str], fields: &dyn Fn(&Job) -> Fields) -> Plan {
        let states = self.states(known, fields);
        let jobs = self.jobs.into_iter().zip(states).map(|(job, state)| PlannedJob {
            job,
            why: match state {
                State::Fresh => None,
                State::Stale(why) => Some(why),
            },
        });
        Plan::new(kinds, jobs.collect())
    }
}

/// The first job whose slot an earlier one has.
fn duplicate(jobs: &[Job]) -> Option<usize> {
    let mut by_slot: Vec<(&str, usize)> = jobs.iter().map(|job| job.slot.as_str()).zip(0..).collect();
    by_slot.par_sort_unstable();
    by_slot.windows(2).filter(|two| two[0].0 == two[1].0).map(|two| two[1].1).min()
}

/// Depth first from the jobs as wished, by an explicit stack: a long chain must not overflow the thread's. The error is a
/// circle, its first member repeated at the end.
fn order(jobs: &[Job], wished: &[usize]) -> Result<Vec<usize>, Vec<usize>> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        Unseen,
        Open,
        Done,
    }
    let mut marks = vec![Mark::Unseen; jobs.len()];
    let mut order = Vec::with_capacity(jobs.len());
    for &root in wished {
        if marks[root] != Mark::Unseen {
            continue;
        }
        marks[root] = Mark::Open;
        // Job, and how many of its needs are dealt with.
        let mut path = vec![(root, 0)];
        while let Some((job, dealt)) = path.last_mut() {
            let job = *job;
            let Some(&need) = jobs[job].needs.get(*dealt) else {
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
    use base::hash::{Fields, Key};

    /// A job, the fields of its key, and the slots of those it needs.
    #[derive(Clone)]
    struct Named<'a> {
        job: Job,
        fields: Fields,
        needs: &'a [&'a str],
    }

    fn plain(slot: &str, key: Key) -> Job {
        Job::new("observe", 0, slot.into(), slot.into(), key)
    }

    fn of<'a>(slot: &str, fields: Fields, needs: &'a [&'a str]) -> Named<'a> {
        Named { job: plain(slot, fields.key()), fields, needs }
    }

    fn job<'a>(slot: &str, needs: &'a [&'a str]) -> Named<'a> {
        of(slot, Fields::new("observe").with("slot", slot), needs)
    }

    /// Slots to places; one that nobody has is past the end.
    fn graph(named: &[Named]) -> Result<JobGraph, GraphError> {
        let place = |slot: &&str| named.iter().position(|one| one.job.slot == **slot);
        let jobs = named.iter().map(|Named { job, needs, .. }| {
            job.clone().needing(needs.iter().map(|slot| place(slot).unwrap_or(named.len())))
        });
        JobGraph::new(jobs.collect(), |_| 0)
    }

    fn states(named: &[Named], known: &Memory) -> Vec<State> {
        let fields = |job: &Job| named.iter().find(|one| one.job.slot == job.slot).unwrap().fields.clone();
        graph(named).unwrap().states(known, &fields)
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
        fn of(jobs: &[Named]) -> Memory {
            let last = jobs.iter().map(|one| (one.job.slot.clone(), one.fields.clone())).collect();
            Memory { has: jobs.iter().map(|one| one.job.key).collect(), gone: BTreeSet::new(), last }
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
        let graph = graph(&[
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
        let error = |jobs: &[Named]| graph(jobs).err().unwrap().to_string();
        let twice = [job("b", &[]), job("a", &[]), job("c", &[]), job("b", &[]), job("a", &[])];
        assert!(error(&twice).contains("\"b\""));
        assert_eq!(error(&[job("a", &["x"])]), "job \"a\" needs job number 1, and there are 1");
        let circle = error(&[job("in", &["a"]), job("a", &["b"]), job("b", &["c"]), job("c", &["a"])]);
        assert_eq!(circle, "jobs need each other in a circle: a -> b -> c -> a");
        assert!(error(&[job("a", &["a"])]).ends_with("a -> a"));
    }

    #[test]
    fn states_say_what_is_new_changed_damaged_and_waiting() {
        let judge = |evidence: &str| {
            let needs: &[&str] = &["a", "b", "c", "d"];
            of("judge/H9", Fields::new("judge").with("evidence", evidence), needs)
        };
        let before = vec![job("a", &[]), job("b", &[]), job("d", &[]), Named { needs: &[], ..judge("old") }];
        let mut known = Memory::of(&before);
        known.has.remove(&before[1].job.key);
        known.gone.insert(before[1].job.key);
        let changed = of("d", before[2].fields.clone().with("bos", "never"), &[]);
        let now = [job("a", &[]), job("b", &[]), job("c", &[]), changed, judge("new")];
        let stale = |why| State::Stale(why);
        let (absent, never) = ("(absent)".to_string(), "never".to_string());
        assert_eq!(
            states(&now, &known),
            [
                State::Fresh,
                stale(Why::Damaged),
                stale(Why::New),
                stale(Why::Changed { field: "bos".into(), before: absent, after: never, also: vec![] }),
                stale(Why::Needs { slot: "b".into() }),
            ]
        );
        // Recomputing a damaged observation gives the same observation: what was made from it stands.
        let unchanged = [job("a", &[]), job("b", &[]), job("c", &[]), job("d", &[]), judge("old")];
        assert_eq!(states(&unchanged, &known)[4], State::Fresh);
    }

    #[test]
    fn turns_decide_between_jobs_that_do_not_need_each_other() {
        let of = |slot: &str| plain(slot, Key::of_bytes(slot.as_bytes()));
        let jobs =
            vec![of("b/observe"), of("a/observe").needing([3]), of("judge").needing([0]), of("a/weigh")];
        let graph = JobGraph::new(jobs, |job| job.slot[..1].to_string()).unwrap();
        assert_eq!(slots(&graph), ["a/weigh", "a/observe", "b/observe", "judge"]);
        assert_eq!(graph.jobs()[3].needs, [2], "needs follow the jobs to their new places");
    }

    #[test]
    fn only_a_stale_job_with_a_past_is_asked_for_its_fields() {
        let known = Memory::of(&[job("a", &[])]);
        let [fresh, new] = [known.last["a"].key(), Key::of_bytes(b"new")];
        let graph = JobGraph::new(vec![plain("a", fresh), plain("b", new)], |_| 0).unwrap();
        let states = graph.states(&known, &|job| panic!("{} was asked", job.slot));
        assert_eq!(states, [State::Fresh, State::Stale(Why::New)]);
    }

    #[test]
    fn a_chain_of_100_000_jobs_is_ordered() {
        let jobs = (0..100_000usize).map(|i| {
            let slot = i.to_string();
            let key = Key::of_bytes(slot.as_bytes());
            plain(&slot, key).needing((i < 99_999).then_some(i + 1))
        });
        let graph = JobGraph::new(jobs.collect(), |_| 0).unwrap();
        assert_eq!((slots(&graph)[0], slots(&graph)[99_999]), ("99999", "0"));
        let states = graph.states(&Memory::default(), &|_| Fields::new("observe"));
        assert_eq!(states.len(), 100_000);
    }
}
