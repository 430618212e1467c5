//! A plan as it is printed and run: counts by kind, and for each stale job why. The same as JSON.

use std::fmt;

use serde::Serialize;

use super::{Job, Why};

/// The jobs of an experiment: which have to run, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// Version of this JSON: 1.
    pub schema: u32,
    /// In the order of the kinds, those without jobs left out.
    pub counts: Vec<Count>,
    /// In the order in which they run.
    pub jobs: Vec<PlannedJob>,
}

/// Jobs of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Count {
    /// Name of the kind.
    pub kind: &'static str,
    /// Number of its jobs.
    pub jobs: usize,
    /// How many of them have to run.
    pub stale: usize,
}

/// One job and, if it is stale, why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlannedJob {
    /// What is to be done.
    #[serde(flatten)]
    pub job: Job,
    /// `null`: fresh.
    #[serde(rename = "stale")]
    pub why: Option<Why>,
}

/// A plan with one line for each stale job below the counts.
pub struct WithWhy<'a>(&'a Plan);

impl Plan {
    /// A plan of jobs of these kinds.
    pub(super) fn new(kinds: &[&'static str], jobs: Vec<PlannedJob>) -> Plan {
        let count = |&kind: &&'static str| {
            let mine = || jobs.iter().filter(|one| one.job.kind == kind);
            Count { kind, jobs: mine().count(), stale: mine().filter(|one| one.why.is_some()).count() }
        };
        let mut counts: Vec<Count> = kinds.iter().map(count).collect();
        counts.retain(|count| count.jobs > 0);
        Plan { schema: 1, counts, jobs }
    }

    /// The plan of some of its jobs, given by their places.
    #[must_use]
    pub fn only(&self, places: &[usize]) -> Plan {
        let kinds: Vec<&'static str> = self.counts.iter().map(|count| count.kind).collect();
        let mut places: Vec<usize> = places.to_vec();
        places.sort_unstable();
        Plan::new(&kinds, places.into_iter().map(|place| self.jobs[place].clone()).collect())
    }

    /// Number of jobs of a kind.
    pub fn count(&self, kind: &str) -> usize {
        self.counts.iter().find(|count| count.kind == kind).map_or(0, |count| count.jobs)
    }

    /// Number of stale jobs.
    pub fn stale(&self) -> usize {
        self.counts.iter().map(|c| c.stale).sum()
    }

    /// The plan to print with one line for each stale job.
    pub fn with_why(&self) -> WithWhy<'_> {
        WithWhy(self)
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Count { kind, jobs, stale } in &self.counts {
            match stale {
                0 => writeln!(f, "{kind:<8} {jobs:>6}  up to date")?,
                n => writeln!(f, "{kind:<8} {jobs:>6}  {n} to run")?,
            }
        }
        match self.stale() {
            0 => writeln!(f, "Nothing to do."),
            n => writeln!(f, "{n} of {} jobs to run.", self.jobs.len()),
        }
    }
}

impl fmt::Display for WithWhy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)?;
        for job in &self.0.jobs {
            if let Some(why) = &job.why {
                writeln!(f, "  {}: {why}", job.job.slot)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::hash::Key;

    const KINDS: [&str; 4] = ["export", "observe", "judge", "report"];

    fn plan() -> Plan {
        let job = |kind, slot: &str, why| {
            let key = Key::of_bytes(slot.as_bytes());
            PlannedJob { job: Job::new(kind, 0, slot.into(), slot.into(), key), why }
        };
        let changed =
            Why::Changed { field: "bos".into(), before: "auto".into(), after: "never".into(), also: vec![] };
        let jobs = vec![
            job("observe", "observe/a", None),
            job("observe", "observe/b", Some(changed)),
            job("export", "export/m", None),
            job("judge", "judge/H9", Some(Why::Needs { slot: "observe/b".into() })),
        ];
        Plan::new(&KINDS, jobs)
    }

    #[test]
    fn a_plan_counts_by_kind_and_explains_each_stale_job() {
        let expected = "export        1  up to date\n\
                        observe       2  1 to run\n\
                        judge         1  1 to run\n\
                        2 of 4 jobs to run.\n";
        assert_eq!(plan().to_string(), expected);
        let why = "  observe/b: bos changed: auto -> never\n  judge/H9: needs observe/b\n";
        assert_eq!(plan().with_why().to_string(), format!("{expected}{why}"));
        assert!(Plan::new(&KINDS, vec![]).to_string().contains("Nothing to do."));
    }

    #[test]
    fn a_plan_is_readable_by_programs() {
        let json = serde_json::to_value(plan()).unwrap();
        assert_eq!(json["schema"], 1);
        assert_eq!(json["counts"][1], serde_json::json!({"kind": "observe", "jobs": 2, "stale": 1}));
        assert_eq!(json["jobs"][0]["stale"], serde_json::Value::Null);
        assert_eq!(json["jobs"][1]["stale"]["field"], "bos");
        assert_eq!(json["jobs"][3]["stale"], serde_json::json!({"why": "needs", "slot": "observe/b"}));
    }
}
