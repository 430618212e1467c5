//! What a report shows: outcomes, models, profiles and where they come from. The builders of pages read it, nobody else.

use super::document::slug;
use super::figures::Figure;
use super::profile::LayerProfile;
use number::evidence::{Evidence, ModelInfo};
use study::analysis::Analysis;
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
    /// Measured models with the facts of their configs.
    pub models: Vec<ModelInfo>,
    /// One for each observed model, in the order of `models`.
    pub profiles: Vec<LayerProfile>,
    /// Figures read off evidence rows, published before measured.
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

/// Whether the checkpoint is as its makers released it: neither a stage of a training nor changed here.
pub(super) fn is_released(model: &ModelInfo) -> bool {
    model.facts.kind.as_deref().is_none_or(|kind| kind == "released")
}

/// A prediction on both kinds of evidence, side by side.
pub(super) struct Pair<'a> {
    pub id: &'a str,
    pub claim: &'a str,
    pub published: Option<&'a PredictionOutcome>,
    pub measured: Option<&'a PredictionOutcome>,
}

impl<'a> Pair<'a> {
    /// The predictions of a hypothesis in the order of the file.
    pub(super) fn all(hypothesis: &'a HypothesisOutcome) -> Vec<Pair<'a>> {
        let mut pairs: Vec<Pair> = Vec::new();
        for outcome in &hypothesis.predictions {
            let at = pairs.iter().position(|pair| pair.id == outcome.id).unwrap_or_else(|| {
                let (id, claim) = (outcome.id.as_str(), outcome.claim.as_str());
                pairs.push(Pair { id, claim, published: None, measured: None });
                pairs.len() - 1
            });
            match outcome.evidence {
                Evidence::Published => pairs[at].published = Some(outcome),
                Evidence::Measured => pairs[at].measured = Some(outcome),
            }
        }
        pairs
    }

    /// What there is, published first.
    pub(super) fn sides(&self) -> impl Iterator<Item = &'a PredictionOutcome> {
        self.published.into_iter().chain(self.measured)
    }

    /// Labels of all estimates in the order they first come, those on both sides (a pooled one, say) after the others.
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
