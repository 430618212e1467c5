//! Keys: which value enters the key of which job, and no other.
//!
//! | job | fields, in order |
//! |---|---|
//! | export | graph identity (blake3 of the ONNX bytes), builder version |
//! | observe | weights and what is changed in them; tokenizer, BOS tokens in front and prompt text, or the token ids alone; extras, graph identity, observation format, runtime version, execution provider, compute dtype |
//! | weigh | weights and what is changed in them, parts (which tensors are read, and how), weigh version |
//! | spectra | weights and what is changed in them, tokenizer, bos, prompts (their texts, in order), graph identity, spectra version, runtime version, execution provider, compute dtype |
//! | import | digest of the published tables, importer version |
//! | judge | hypothesis (meaning, not layout of the file), evidence, seed, statistics version |
//! | calibrate | key of the judgement, calibration version |
//! | report | outcomes, evidence, title, report version, metrics (names, units, definitions), the prompt sets, where models are from, the size of the family and the hypotheses told first, where the experiment states them; keys of calibrations that are known; recipes of claims; registrations, where one is not the first |
//!
//! What does not enter: the BOS policy (two that lead to the same tokens share an observation), paths, file times, the ids
//! of models, prompts and prompt sets (they enter *evidence*, whose rows carry them into a judgement), thread counts,
//! which card of CUDA's, which instructions of the processor's (vectors of another width, tile registers: they sum in another
//! order), comments in TOML. A version below is raised by whoever changes what the code computes from the same inputs.

use base::hash::{Fields, Key, KeyOf, Naming};
use number::{evidence::ModelInfo, observation::Extras, protocol::Bos};

/// What the ONNX builder writes beside the graphs' own bytes.
pub const BUILDER_VERSION: u32 = 1;
/// Which taps an observation has, how they are defined, and how rows are laid out for the runtime.
pub const OBSERVATION_FORMAT: u32 = 3;
/// What is taken from weights, and how.
pub const WEIGH_VERSION: u32 = 2;
/// What is taken from the token vectors of a prompt set, and how.
pub const SPECTRA_VERSION: u32 = 1;
/// How published tables become rows.
pub const IMPORT_VERSION: u32 = 4;
/// How rows become estimates and verdicts.
pub const STATISTICS_VERSION: u32 = 13;
/// How worlds are drawn in which the judge is tried.
pub const CALIBRATION_VERSION: u32 = 7;
/// How outcomes become a report.
pub const REPORT_VERSION: u32 = 25;

/// Fields that digest the outputs of other jobs: they change because those change.
pub(super) const DERIVED: [&str; 2] = ["evidence", "outcomes"];

/// What decides an export.
#[derive(Clone, Debug)]
pub struct Export {
    /// Identity of the ONNX graphs.
    pub graph: Key,
    /// [`BUILDER_VERSION`].
    pub builder_version: u32,
}

/// What decides an observation.
#[derive(Clone, Debug)]
pub struct Observe<'a> {
    /// Identity of the stored tensors, independent of sharding and paths.
    pub weights: Key,
    /// What is changed in the stored model, e.g. `rope-theta x10`.
    pub intervention: Option<&'a str>,
    /// What is run.
    pub prompt: Input<'a>,
    /// What is observed beside the usual.
    pub extras: &'a Extras,
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
    /// A text and what turns it into tokens.
    Text {
        /// The prompt.
        text: &'a str,
        /// Identity of the tokenizer.
        tokenizer: Key,
        /// BOS tokens in front of it.
        bos: usize,
    },
    /// As run, any BOS included: the tokenizer no longer matters.
    Tokens(&'a [u32]),
}

/// What decides a weighing.
#[derive(Clone, Debug)]
pub struct Weigh<'a> {
    /// Identity of the stored tensors.
    pub weights: Key,
    /// What is changed in the stored weights, e.g. `random init`.
    pub intervention: Option<&'a str>,
    /// Digest of which tensors are weighed and how they are read: what the config decides.
    pub parts: Key,
    /// [`WEIGH_VERSION`].
    pub version: u32,
}

/// What decides the spectra of a prompt set.
#[derive(Clone, Debug)]
pub struct Spectra<'a> {
    /// Identity of the stored tensors.
    pub weights: Key,
    /// What is changed in the stored model.
    pub intervention: Option<&'a str>,
    /// Identity of the tokenizer.
    pub tokenizer: Key,
    /// BOS policy.
    pub bos: Bos,
    /// Digest of the prompts' texts, in order, see [`digest_texts`].
    pub prompts: Key,
    /// Identity of the ONNX graphs.
    pub graph: Key,
    /// [`SPECTRA_VERSION`].
    pub version: u32,
    /// Version of ONNX Runtime.
    pub runtime: &'a str,
    /// Execution provider.
    pub provider: &'a str,
    /// Compute dtype.
    pub dtype: &'a str,
}

/// What decides the rows imported from published tables.
#[derive(Clone, Debug)]
pub struct Import {
    /// Digest of the tables' names and bytes, see [`digest_files`].
    pub tables: Key,
    /// [`IMPORT_VERSION`].
    pub importer_version: u32,
}

/// What decides a judgement.
#[derive(Clone, Debug)]
pub struct Judge {
    /// Content hash of the hypothesis.
    pub hypothesis: Key,
    /// From [`EvidenceDigest`].
    pub evidence: Key,
    /// Seed of the experiment, for resampling.
    pub seed: u64,
    /// [`STATISTICS_VERSION`].
    pub statistics_version: u32,
}

/// What decides a report.
#[derive(Clone, Debug)]
pub struct Report<'a> {
    /// Digest of the keys of all judgements, in order, see [`digest_keys`].
    pub outcomes: Key,
    /// From [`EvidenceDigest`].
    pub evidence: Key,
    /// Title of the experiment.
    pub title: &'a str,
    /// [`REPORT_VERSION`].
    pub report_version: u32,
}

impl Export {
    /// The named values that decide the output, in the order of the key.
    pub fn fields(&self) -> Fields {
        Fields::new("export").with("graph", self.graph).with("builder version", self.builder_version)
    }
}

/// A model as it is stored has no field of this name.
fn intervened<N: Naming>(fields: N, change: Option<&str>) -> N {
    match change {
        Some(change) => fields.with("intervention", change),
        None => fields,
    }
}

impl Observe<'_> {
    /// The named values that decide the output, in the order of the key.
    pub fn fields(&self) -> Fields {
        self.name(Fields::new("observe"))
    }

    /// The key of the fields.
    pub fn key(&self) -> Key {
        self.name(KeyOf::new("observe")).key()
    }

    fn name<N: Naming>(&self, fields: N) -> N {
        let fields = intervened(fields.with("weights", self.weights), self.intervention);
        let fields = match &self.prompt {
            Input::Text { text, tokenizer, bos } => {
                fields.with("tokenizer", tokenizer).with("bos", bos).with("prompt", text)
            }
            Input::Tokens(ids) => {
                let ids: Vec<String> = ids.iter().map(u32::to_string).collect();
                fields.with("tokens", ids.join(" "))
            }
        };
        let extras: Vec<&str> = self.extras.iter().map(|extra| extra.as_str()).collect();
        fields
            .with("extras", extras.join(" "))
            .with("graph", self.graph)
            .with("observation format", self.format)
            .with("runtime", self.runtime)
            .with("provider", self.provider)
            .with("dtype", self.dtype)
    }
}

impl Weigh<'_> {
    /// The named values that decide the output, in the order of the key.
    pub fn fields(&self) -> Fields {
        intervened(Fields::new("weigh").with("weights", self.weights), self.intervention)
            .with("parts", self.parts)
            .with("weigh version", self.version)
    }
}

impl Spectra<'_> {
    /// The named values that decide the output, in the order of the key.
    pub fn fields(&self) -> Fields {
        intervened(Fields::new("spectra").with("weights", self.weights), self.intervention)
            .with("tokenizer", self.tokenizer)
            .with("bos", self.bos)
            .with("prompts", self.prompts)
            .with("graph", self.graph)
            .with("spectra version", self.version)
            .with("runtime", self.runtime)
            .with("provider", self.provider)
            .with("dtype", self.dtype)
    }
}

impl Import {
    /// The named values that decide the output, in the order of the key.
    pub fn fields(&self) -> Fields {
        Fields::new("import").with("tables", self.tables).with("importer version", self.importer_version)
    }
}

impl Judge {
    /// The named values that decide the output, in the order of the key.
    pub fn fields(&self) -> Fields {
        Fields::new("judge")
            .with("hypothesis", self.hypothesis)
            .with("evidence", self.evidence)
            .with("seed", self.seed)
            .with("statistics version", self.statistics_version)
    }
}

impl Report<'_> {
    /// The named values that decide the output, in the order of the key.
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
    parts: Vec<Key>,
}

/// One measured prompt of a set in an [`EvidenceDigest`]: the names under which its numbers enter the tables, and the observation's
/// key.
pub fn evidence_part(model: &str, set: &str, prompt: &str, category: &str, bos: Bos, key: &Key) -> Key {
    let part = KeyOf::new("observation").with("model", model).with("set", set).with("prompt", prompt);
    part.with("category", category).with("bos", bos).with("key", key).key()
}

/// One weighed model in an [`EvidenceDigest`].
pub fn weighing_part(model: &str, key: &Key) -> Key {
    KeyOf::new("weighing").with("model", model).with("key", key).key()
}

/// The spectra of a prompt set on a model in an [`EvidenceDigest`].
pub fn spectra_part(model: &str, set: &str, bos: Bos, key: &Key) -> Key {
    let part = KeyOf::new("spectra").with("model", model).with("set", set);
    part.with("bos", bos).with("key", key).key()
}

impl EvidenceDigest {
    /// Adds something measured: a hash of its key and of the names under which its numbers enter the tables.
    pub fn part(&mut self, part: Key) {
        self.parts.push(part);
    }

    /// Adds a measured model: its facts decide filters and tests, what it is evidence of the table that it is judged in.
    pub fn model(&mut self, model: &ModelInfo) {
        let ModelInfo { id, evidence, facts } = model;
        // Plain numbers and strings: serialising them to memory cannot fail.
        let facts = serde_json::to_string(facts).expect("facts serialise");
        let part = Fields::new("model").with("id", id).with("evidence", evidence).with("facts", facts);
        self.parts.push(part.key());
    }

    /// Adds imported tables, by the key of their import.
    pub fn import(&mut self, key: &Key) {
        self.parts.push(Fields::new("import").with("key", key).key());
    }

    /// The digest of all that was added.
    pub fn finish(mut self) -> Key {
        self.parts.sort_unstable();
        self.parts.dedup();
        digest_keys(&self.parts)
    }
}

/// Digest of a list of keys; the order matters.
pub fn digest_keys<'a>(keys: impl IntoIterator<Item = &'a Key>) -> Key {
    keys.into_iter().fold(KeyOf::new("keys"), |all, key| all.with("key", key)).key()
}

/// Digest of a list of texts; the order matters.
pub fn digest_texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> Key {
    texts.into_iter().fold(KeyOf::new("texts"), |all, text| all.with("text", text)).key()
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

/// Slot of a weighing.
pub fn weigh_slot(model: &str) -> String {
    format!("weigh/{model}")
}

/// Slot of the spectra of a prompt set.
pub fn spectra_slot(model: &str, prompt_set: &str, bos: Bos) -> String {
    format!("spectra/{model}/{prompt_set}/{bos}")
}
