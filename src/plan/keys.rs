//! Keys: which value enters the key of which job, and no other.
//!
//! | job | fields, in order |
//! |---|---|
//! | export | graph identity (blake3 of the ONNX bytes), builder version |
//! | observe | weights, tokenizer, bos and prompt text, or the token ids alone; graph identity, observation format, runtime version, execution provider, compute dtype |
//! | import | digest of the published tables, importer version |
//! | judge | hypothesis (meaning, not layout of the file), evidence, seed, statistics version |
//! | report | outcomes, evidence, title, report version |
//!
//! What does not enter: paths, file times, the ids of models, prompts and prompt sets (they enter *evidence*, whose
//! rows carry them into a judgement), thread counts, comments in TOML. A version below is raised by whoever
//! changes what the code computes from the same inputs.

use crate::{
    facts::ModelFacts,
    hash::{Fields, Key},
    protocol::Bos,
};

/// What the ONNX builder writes beside the graphs' own bytes.
pub const BUILDER_VERSION: u32 = 1;
/// Which taps an observation has and how they are defined.
pub const OBSERVATION_FORMAT: u32 = 1;
/// How published tables become rows.
pub const IMPORT_VERSION: u32 = 3;
/// How rows become estimates and verdicts.
pub const STATISTICS_VERSION: u32 = 2;
/// How outcomes become a report.
pub const REPORT_VERSION: u32 = 2;

/// Fields that digest the outputs of other jobs: they change because those change.
pub(super) const DERIVED: [&str; 2] = ["evidence", "outcomes"];

/// What decides an export.
#[derive(Clone, Debug)]
pub struct Export {
    pub graph: Key,
    pub builder_version: u32,
}

/// What decides an observation.
#[derive(Clone, Debug)]
pub struct Observe<'a> {
    /// Identity of the tensors, independent of sharding and paths.
    pub weights: Key,
    pub prompt: Input<'a>,
    /// Identity of the ONNX graphs.
    pub graph: Key,
    /// [`OBSERVATION_FORMAT`].
    pub format: u32,
    /// Version of ONNX Runtime, e.g. `1.23.2`.
    pub runtime: &'a str,
    /// Execution provider, e.g. `cpu`.
    pub provider: &'a str,
    /// Compute dtype, e.g. `float32`.
    pub dtype: &'a str,
}

/// The tokens that are run, as far as known before tokenising.
#[derive(Clone, Debug)]
pub enum Input<'a> {
    Text {
        text: &'a str,
        tokenizer: Key,
        bos: Bos,
    },
    /// As run, any BOS included: tokenizer and BOS policy no longer matter.
    Tokens(&'a [u32]),
}

/// What decides the rows imported from published tables.
#[derive(Clone, Debug)]
pub struct Import {
    /// Digest of the tables' names and bytes, see [`digest_files`].
    pub tables: Key,
    pub importer_version: u32,
}

/// What decides a judgement.
#[derive(Clone, Debug)]
pub struct Judge {
    /// Content hash of the hypothesis.
    pub hypothesis: Key,
    /// From [`EvidenceDigest`].
    pub evidence: Key,
    pub seed: u64,
    pub statistics_version: u32,
}

/// What decides a report.
#[derive(Clone, Debug)]
pub struct Report<'a> {
    /// Digest of the keys of all judgements, in order, see [`digest_keys`].
    pub outcomes: Key,
    pub evidence: Key,
    pub title: &'a str,
    pub report_version: u32,
}

impl Export {
    pub fn fields(&self) -> Fields {
        Fields::new("export").with("graph", self.graph).with("builder version", self.builder_version)
    }
}

impl Observe<'_> {
    pub fn fields(&self) -> Fields {
        let fields = Fields::new("observe").with("weights", self.weights);
        let fields = match &self.prompt {
            Input::Text { text, tokenizer, bos } => {
                fields.with("tokenizer", tokenizer).with("bos", bos).with("prompt", text)
            }
            Input::Tokens(ids) => {
                let ids: Vec<String> = ids.iter().map(u32::to_string).collect();
                fields.with("tokens", ids.join(" "))
            }
        };
        fields
            .with("graph", self.graph)
            .with("observation format", self.format)
            .with("runtime", self.runtime)
            .with("provider", self.provider)
            .with("dtype", self.dtype)
    }
}

impl Import {
    pub fn fields(&self) -> Fields {
        Fields::new("import").with("tables", self.tables).with("importer version", self.importer_version)
    }
}

impl Judge {
    pub fn fields(&self) -> Fields {
        Fields::new("judge")
            .with("hypothesis", self.hypothesis)
            .with("evidence", self.evidence)
            .with("seed", self.seed)
            .with("statistics version", self.statistics_version)
    }
}

impl Report<'_> {
    pub fn fields(&self) -> Fields {
        Fields::new("report")
            .with("outcomes", self.outcomes)
            .with("evidence", self.evidence)
            .with("title", self.title)
            .with("report version", self.report_version)
    }
}

/// Digest of everything a judgement may read, independent of the order in which it is added.
#[derive(Clone, Debug, Default)]
pub struct EvidenceDigest {
    parts: Vec<Fields>,
}

impl EvidenceDigest {
    /// One measured prompt: the names under which its numbers enter the tables, and the observation's key.
    pub fn observation(&mut self, model: &str, prompt: &str, category: &str, bos: Bos, key: &Key) {
        let part =
            Fields::new("observation").with("model", model).with("prompt", prompt).with("category", category);
        self.parts.push(part.with("bos", bos).with("key", key));
    }

    /// A measured model: its facts decide filters and tests.
    pub fn model(&mut self, id: &str, facts: &ModelFacts) {
        // Plain numbers and strings: serialising them to memory cannot fail.
        let facts = serde_json::to_string(facts).expect("facts serialise");
        self.parts.push(Fields::new("model").with("id", id).with("facts", facts));
    }

    /// Imported tables, by the key of their import.
    pub fn import(&mut self, key: &Key) {
        self.parts.push(Fields::new("import").with("key", key));
    }

    pub fn finish(&self) -> Key {
        let mut keys: Vec<Key> = self.parts.iter().map(Fields::key).collect();
        keys.sort();
        keys.dedup();
        digest_keys(&keys)
    }
}

/// Digest of a list of keys; the order matters.
pub fn digest_keys<'a>(keys: impl IntoIterator<Item = &'a Key>) -> Key {
    keys.into_iter().fold(Fields::new("keys"), |fields, key| fields.with("key", key)).key()
}

/// Digest of files by name (not path) and content, in any order.
pub fn digest_files<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Key {
    let mut parts: Vec<(&str, Key)> =
        files.into_iter().map(|(name, bytes)| (name, Key::of_bytes(bytes))).collect();
    parts.sort();
    parts.into_iter().fold(Fields::new("files"), |fields, (name, digest)| fields.with(name, digest)).key()
}

/// Slot of an observation: human identity, which finds its previous key.
pub fn observe_slot(model: &str, prompt_set: &str, prompt: &str, bos: Bos) -> String {
    format!("observe/{model}/{prompt_set}/{prompt}/{bos}")
}
