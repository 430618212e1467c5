//! Jobs: what is to be done, under which key, and after which others.

use std::collections::BTreeMap;

use serde::Serialize;

use base::hash::Key;
use number::protocol::Bos;

/// A node of the job graph.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Job {
    /// Name of its kind, e.g. `observe`.
    pub kind: &'static str,
    /// Identity for people, unique, e.g. `observe/zoo-llama/grand25/france/auto`: finds the previous key.
    pub slot: String,
    /// Shown in progress and plans, e.g. `zoo-llama: The capital of France is`.
    pub label: String,
    /// Hash of everything that decides the output.
    pub key: Key,
    /// Place among the jobs of its kind: by it the kind finds what it knows of the job.
    #[serde(skip)]
    pub index: usize,
    /// The model it is about, by its place in the list of models; `None`: it is about no single one.
    #[serde(skip)]
    pub model: Option<usize>,
    /// What its output adds to the evidence of judgements; `None`: no judgement reads it.
    #[serde(skip)]
    pub evidence: Option<Evidence>,
    /// Jobs whose outputs this one reads, by their places in the list of jobs.
    #[serde(skip)]
    pub needs: Vec<usize>,
}

/// What a measured output adds to the evidence of judgements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The prompt set it belongs to, by its place in the experiment; `None`: it depends on no prompt.
    pub set: Option<usize>,
    /// The BOS policy it was measured under; `None`: it depends on none.
    pub bos: Option<Bos>,
    /// Digest of its key and of the names under which its numbers enter the tables.
    pub part: Key,
}

impl Job {
    /// A job about no single model that needs nothing.
    pub fn new(kind: &'static str, index: usize, slot: String, label: String, key: Key) -> Job {
        Job { kind, slot, label, key, index, model: None, evidence: None, needs: Vec::new() }
    }

    /// The same job, about this model.
    #[must_use]
    pub fn about(mut self, model: usize) -> Job {
        self.model = Some(model);
        self
    }

    /// The same job, whose output judgements read: measured on a prompt set under a BOS policy, or on no prompt.
    #[must_use]
    pub fn measuring(mut self, prompts: Option<(usize, Bos)>, part: Key) -> Job {
        let (set, bos) = prompts.unzip();
        self.evidence = Some(Evidence { set, bos, part });
        self
    }

    /// The same job, which also needs these.
    #[must_use]
    pub fn needing(mut self, jobs: impl IntoIterator<Item = usize>) -> Job {
        self.needs.extend(jobs);
        self
    }
}

/// Places of the jobs of a kind that has one job a model, by model.
pub fn places_by_model(jobs: &[Job], kind: &str) -> BTreeMap<usize, usize> {
    let mine = jobs.iter().enumerate().filter(|(_, job)| job.kind == kind);
    mine.filter_map(|(place, job)| Some((job.model?, place))).collect()
}
