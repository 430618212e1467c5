//! What a report shows: outcomes, models, profiles and where they come from. The builders of pages read it, nobody else.

use super::document::slug;
use super::figures::Figure;
use super::lead::Lead;
use super::profile::LayerProfile;
use base::hash::Key;
use number::evidence::{Evidence, ModelInfo, PromptInfo};
use study::analysis::Analysis;
use study::judge::Calibration;
use study::judge::outcome::{FamilyMember, HypothesisOutcome, Listed, PredictionOutcome, Registration};
use study::published::claims::ClaimOutcome;
use study::published::llama::LlamaCase;

/// Everything a report shows. The default shows nothing: whoever makes a view names what there is.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// What made the report.
    pub provenance: Provenance,
    /// `None` where the published tables are not part of the experiment.
    pub llama: Option<LlamaCase>,
    /// What was printed beside what its rows give; empty without published tables.
    pub claims: Vec<ClaimOutcome>,
    /// The statistics that the research's files print beside what their rows give; likewise.
    pub statistics: Vec<ClaimOutcome>,
    /// The judged hypotheses, in the order of the experiment.
    pub hypotheses: Vec<HypothesisOutcome>,
    /// By hypothesis id, in the order of the experiment: how its rules fare in simulated worlds; those are missing of which that is
    /// not known.
    pub calibrations: Vec<(String, Vec<Calibration>)>,
    /// Hypotheses that the opening page tells first, in the order of the experiment.
    pub leads: Vec<Lead>,
    /// The sets of prompts, in the order of the experiment.
    pub prompts: Vec<Prompts>,
    /// By model id: where its checkpoint is from, and the hash of its weights as they are stored.
    pub weights: Vec<(String, Weights)>,
    /// Observed models with what they are evidence of and the facts of their configs.
    pub models: Vec<ModelInfo>,
    /// One for each observed model, in the order of `models`.
    pub profiles: Vec<LayerProfile>,
    /// How blocks are wired, each of one family, in the order of the families' names; and the ids of the observed models that
    /// have such a block, in the order of the run.
    pub wirings: Vec<(BlockWiring, Vec<String>)>,
    /// By hypothesis id, the predictions that need more than the models of the experiment, and which others of the model list would do:
    /// one sentence each.
    pub supplies: Vec<(String, Vec<String>)>,
    /// Figures read off evidence rows, in the order of the kinds of evidence.
    pub figures: Vec<Figure>,
    /// What was measured along trainings, for hypotheses about them; empty without stages.
    pub training: Vec<Figure>,
    /// Effect of the first token, spread of gains, replication of published means.
    pub analysis: Analysis,
    /// Every metric a number of the report may be.
    pub metrics: Vec<MetricDefinition>,
    /// The primary p of every hypothesis before and after Holm.
    pub family: Vec<FamilyMember>,
    /// Every other p, an exploratory list.
    pub listed: Vec<Listed>,
    /// By hypothesis id: the file against what it was when first judged.
    pub registrations: Vec<(String, Registration)>,
    /// What went wrong without stopping the run, e.g. a model whose checkpoint is not here. One sentence each.
    pub problems: Vec<String>,
}

/// What made the report. Nothing of it depends on the clock or the machine's paths.
#[derive(Clone, Debug, Default)]
pub struct Provenance {
    /// Version of this program.
    pub program: String,
    /// Id of the experiment.
    pub experiment: String,
    /// Title of the experiment.
    pub experiment_title: String,
    /// Version of the ONNX Runtime library, if anything was measured, and the device if it is not the processor.
    pub runtime: Option<String>,
    /// Jobs of the experiment by kind, e.g. `("observe", 50)`, in the order of the flow.
    pub jobs: Vec<(String, u64)>,
}

/// A set of prompts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prompts {
    /// Its id.
    pub id: String,
    /// What the prompts are, in a few words.
    pub title: String,
    /// Where they come from.
    pub source: String,
    /// Ids of the hypotheses that are judged on it.
    pub asked_by: Vec<String>,
    /// Every prompt, in the order of the set.
    pub prompts: Vec<PromptInfo>,
}

/// How a block of a family is wired, read off its graph.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BlockWiring {
    /// `model_type`.
    pub family: String,
    /// Names of its branches, in the order of their writes.
    pub branches: Vec<String>,
    /// Branches read the stream that enters, instead of one after another.
    pub parallel: bool,
    /// A norm stands on what a branch reads.
    pub norm_before: bool,
    /// A norm stands on what a branch gives, before it is written.
    pub norm_after: bool,
    /// A norm stands on the stream after each write.
    pub norm_on_stream: bool,
    /// Experts that a router chooses stand in place of its MLP.
    pub experts: bool,
    /// Names of the taps that its graph gives, in the order of tables.
    pub taps: Vec<String>,
}

impl BlockWiring {
    /// Whether what enters the block is multiplied by something.
    pub(super) fn kept(&self) -> bool {
        self.taps.iter().any(|tap| tap == "kept")
    }
}

/// Which weights a model has.
#[derive(Clone, Debug, PartialEq)]
pub struct Weights {
    /// Its repository and revision, or the command that brings it; empty where it lies beside the experiment.
    pub origin: String,
    /// Hash of the weights as they are stored: those of its base, where it is made from one by an intervention.
    pub hash: Key,
}

/// A line of the metrics table.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricDefinition {
    /// Name of the metric.
    pub name: String,
    /// Its unit.
    pub unit: String,
    /// How it is computed, in a sentence.
    pub definition: String,
}

impl View {
    pub(super) fn has_analysis(&self) -> bool {
        let Analysis { sinks, spreads, replications } = &self.analysis;
        !(sinks.is_empty() && spreads.is_empty() && replications.is_empty())
    }
}

/// A prediction on every kind of evidence that it is judged on, side by side.
pub(super) struct Pair<'a> {
    pub id: &'a str,
    pub claim: &'a str,
    sides: Vec<&'a PredictionOutcome>,
}

impl<'a> Pair<'a> {
    /// The predictions of a hypothesis in the order of the file.
    pub(super) fn all(hypothesis: &'a HypothesisOutcome) -> Vec<Pair<'a>> {
        let mut pairs: Vec<Pair> = Vec::new();
        for outcome in &hypothesis.predictions {
            match pairs.iter_mut().find(|pair| pair.id == outcome.id) {
                Some(pair) => pair.sides.push(outcome),
                None => pairs.push(Pair { id: &outcome.id, claim: &outcome.claim, sides: vec![outcome] }),
            }
        }
        pairs.iter_mut().for_each(|pair| pair.sides.sort_by_key(|side| side.evidence));
        pairs
    }

    /// What there is, in the order of the kinds of evidence.
    pub(super) fn sides(&self) -> impl Iterator<Item = &'a PredictionOutcome> {
        self.sides.iter().copied()
    }

    /// Labels of all estimates in the order they first come, those on several sides (a pooled one, say) after the others.
    pub(super) fn labels(&self) -> Vec<&'a str> {
        let mut labels: Vec<&str> = Vec::new();
        for estimate in self.sides().flat_map(|side| &side.primary.estimates) {
            if !labels.contains(&estimate.label.as_str()) {
                labels.push(&estimate.label);
            }
        }
        let has = |side: &PredictionOutcome, label| side.primary.estimates.iter().any(|e| e.label == label);
        labels.sort_by_key(|&label| self.sides().filter(|side| has(side, label)).count());
        labels
    }
}

/// Notes that more than one prediction carries, in the order they come; they are printed once.
pub(super) fn shared_notes<'a>(pairs: &[Pair<'a>]) -> Vec<(Evidence, &'a str)> {
    let all: Vec<(Evidence, &str)> = pairs
        .iter()
        .flat_map(Pair::sides)
        .flat_map(|side| side.primary.notes.iter().map(|note| (side.evidence, note.as_str())))
        .collect();
    let mut shared = Vec::new();
    for note in &all {
        if !shared.contains(note) && all.iter().filter(|other| *other == note).count() > 1 {
            shared.push(*note);
        }
    }
    shared
}

/// File stem of a hypothesis's plot.
pub(super) fn plot_name(id: &str) -> String {
    format!("verdict-{}", slug(id))
}
