//! The experiment, model list and prompt set files.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::intervention::Intervention;
use base::named_enum;
use number::evidence::Evidence;
use number::observation::Extras;
use number::protocol::Bos;

/// `experiments/*.toml`: which hypotheses, on which models and prompts. Paths are relative to this file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Experiment {
    /// Version of this file format: 1.
    pub schema: u32,
    /// Id of the experiment; it enters no result.
    pub id: String,
    /// Title of the report.
    pub title: String,
    /// Model list file.
    pub models: String,
    /// Which profile of the model list to measure, e.g. `tiny`, or which ones: `["tiny", "real"]`.
    pub profile: Profiles,
    /// Prompt set files.
    pub prompts: Vec<String>,
    /// Hypothesis files.
    pub hypotheses: Vec<String>,
    /// Folder of published tables, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<String>,
    /// Ids of hypotheses that the report tells first, on its opening page, with a picture of the numbers behind them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lead: Vec<String>,
    /// Number of hypotheses in the family over which primary p values are corrected, where it is larger than the number
    /// judged here: judging some claims of a research alone makes them no fewer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<usize>,
    /// BOS policies to observe under.
    #[serde(default = "default_bos")]
    pub bos: Vec<Bos>,
    /// Day the experiment was fixed, ISO 8601 (`2026-01-31`): the date of its research object. No clock enters results.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// Licence of the results, an SPDX id or an address, for the research object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// Seed of every resampling.
    #[serde(default)]
    pub seed: u64,
}

/// One profile of the model list, or several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Profiles {
    /// One name.
    One(String),
    /// Several names: every model of any of them, in the order of the list.
    Several(Vec<String>),
}

impl Profiles {
    /// The names.
    pub fn names(&self) -> &[String] {
        match self {
            Profiles::One(name) => std::slice::from_ref(name),
            Profiles::Several(names) => names,
        }
    }
}

fn default_bos() -> Vec<Bos> {
    vec![Bos::Auto]
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// The model list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ModelList {
    /// Version of this file format: 1.
    pub schema: u32,
    /// The models, in the order of tables and reports.
    #[serde(rename = "model")]
    pub models: Vec<Model>,
}

named_enum! {
    /// What the numbers of a model of the list are evidence of.
    ModelEvidence, "evidence" {
        /// It was trained on natural data.
        Measured = "measured",
        /// It tests the instrument: a miniature, random weights, a stage or variant of these.
        Rehearsal = "rehearsal",
    }
}

impl From<ModelEvidence> for Evidence {
    fn from(kind: ModelEvidence) -> Evidence {
        match kind {
            ModelEvidence::Measured => Evidence::Measured,
            ModelEvidence::Rehearsal => Evidence::Rehearsal,
        }
    }
}

/// An id and where the checkpoint lies: `folder`, or `hub` with `revision`; or the `base` it is made from, and the
/// `intervention`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Model {
    /// Id of the model, as hypotheses, tables and reports name it.
    pub id: String,
    /// Write `evidence = "measured"` for a checkpoint that was trained on natural data, `evidence = "rehearsal"` for one that only
    /// tests the instrument (a miniature, random weights, a stage or variant of these). The two are judged apart.
    pub evidence: ModelEvidence,
    /// Folder in Hugging Face layout, or a GGUF file, relative to the model list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// Command that brings what `folder` names, where it does not come with the experiment. Until it has run, the
    /// experiment goes on without this model and says so with the command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fetch: Option<String>,
    /// Hub repository, e.g. `EleutherAI/pythia-6.9b`, or a GGUF file of one: `owner/name:FILE.gguf`, of parts the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hub: Option<String>,
    /// Branch, tag or commit of the hub repository; a commit cannot move.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// Id in this list of the model that this one was tuned from (then with `change`), or that it is made from here (then
    /// with `intervention`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// What tuning made of `base`, e.g. `instruct`; or how its weights are stored in fewer bits, e.g. `q4_1`: then it is a variant of
    /// `base`, and is measured where a hypothesis asks for this change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<String>,
    /// What is changed here in `base`, whose checkpoint is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intervention: Option<Intervention>,
    /// Id in this list of the model whose training this checkpoint is a stage of: its own id for the last stage; the others
    /// are revisions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub series: Option<String>,
    /// Training step of this stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<u64>,
    /// The lineage that it is of, where `base` and `series` do not say it: models of one lineage are one unit of inference, e.g. two
    /// versions of which the second was trained on from the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lineage: Option<String>,
    /// Profiles the model belongs to.
    pub profiles: Vec<String>,
    /// Its name in the published tables, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_as: Option<String>,
}

/// Ordered prompts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PromptSet {
    /// Version of this file format: 1.
    pub schema: u32,
    /// Id of the set, as hypotheses name it.
    pub id: String,
    /// What the prompts are, in a few words.
    pub title: String,
    /// Where the prompts come from.
    pub source: String,
    /// Measure how the token vectors of all its prompts together lie at each layer (anisotropy, effective rank).
    #[serde(default, skip_serializing_if = "is_false")]
    pub spectra: bool,
    /// What is observed of these prompts beside the usual, which takes more time: `loss` and `lens`.
    #[serde(default, skip_serializing_if = "Extras::is_empty")]
    pub extras: Extras,
    /// Tokens that a model must be able to run at least; one of a shorter context leaves the whole set out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<u32>,
    /// The prompts, in the order in which they are observed.
    #[serde(rename = "prompt")]
    pub prompts: Vec<Prompt>,
}

/// One prompt: a text with an id and a category.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Prompt {
    /// Id of the prompt; it stands for the same text in every set.
    pub id: String,
    /// What kind of text it is, e.g. `Factual`; tests can compare categories.
    pub category: String,
    /// The text that is tokenised.
    pub text: String,
}
