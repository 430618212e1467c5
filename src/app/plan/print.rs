//! A plan to look at: counts by kind, and for each stale job why. The same as JSON.

use std::fmt;

use serde::Serialize;

use super::{JobKind, Why};
use base::hash::Key;

/// What would run, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// Version of this JSON: 1.
    pub schema: u32,
    /// In the order of [`JobKind::ALL`], kinds without jobs left out.
    pub counts: Vec<Count>,
    /// In the order in which they would run.
    pub jobs: Vec<Planned>,
}

/// Jobs of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Count {
    pub kind: JobKind,
    pub jobs: usize,
    pub stale: usize,
}

/// One job and, if it is stale, why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Planned {
    pub kind: JobKind,
    pub slot: String,
    pub label: String,
    pub key: Key,
    /// `null`: fresh.
    #[serde(rename = "stale")]
    pub why: Option<Why>,
}

/// A plan with one line for each stale job below the counts.
pub struct WithWhy<'a>(&'a Plan);

impl Plan {
    pub(super) fn new(jobs: Vec<Planned>) -> Plan {
        let mut counts: Vec<Count> =
            JobKind::ALL.iter().map(|&kind| Count { kind, jobs: 0, stale: 0 }).collect();
        for job in &jobs {
            // The enum's values are numbered in the order of `ALL`.
            let count = &mut counts[job.kind as usize];
            count.jobs += 1;
            count.stale += usize::from(job.why.is_some());
        }
        counts.retain(|c| c.jobs > 0);
        Plan { schema: 1, counts, jobs }
    }

    /// Number of stale jobs.
    pub fn stale(&self) -> usize {
        self.counts.iter().map(|c| c.stale).sum()
    }

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
                writeln!(f, "  {}: {why}", job.slot)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        let job = |kind, slot: &str, why| Planned {
            kind,
            slot: slot.into(),
            label: slot.into(),
            key: Key::of_bytes(slot.as_bytes()),
            why,
        };
        let changed =
            Why::Changed { field: "bos".into(), before: "auto".into(), after: "never".into(), also: vec![] };
        Plan::new(vec![
            job(JobKind::Observe, "observe/a", None),
            job(JobKind::Observe, "observe/b", Some(changed)),
            job(JobKind::Export, "export/m", None),
            job(JobKind::Judge, "judge/H9", Some(Why::Needs { slot: "observe/b".into() })),
        ])
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
        assert!(Plan::new(vec![]).to_string().contains("Nothing to do."));
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
