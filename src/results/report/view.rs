//! What a report shows: outcomes, models, profiles and where they come from. Renderers read it, nobody else.

use ndarray::Array2;

use super::figures::Figure;
use number::evidence::{Evidence, ModelInfo};
use number::observation::PromptObservation;
use number::protocol::{Bos, Endpoint, Protocol, Reduction};
use study::analysis::Analysis;
use study::claims::ClaimOutcome;
use study::judge::outcome::{FamilyMember, HypothesisOutcome, Listed, PredictionOutcome, Registration};
use study::llama::LlamaCase;

/// Everything a report shows.
#[derive(Clone, Debug)]
pub struct View {
    pub provenance: Provenance,
    /// `None` where the published tables are not part of the experiment.
    pub llama: Option<LlamaCase>,
    /// What was printed beside what its rows give; empty without published tables.
    pub claims: Vec<ClaimOutcome>,
    pub hypotheses: Vec<HypothesisOutcome>,
    /// Measured models with the facts of their configs.
    pub models: Vec<ModelInfo>,
    pub profiles: Vec<LayerProfile>,
    /// Figures read off evidence rows, published before measured.
    pub figures: Vec<Figure>,
    /// What was measured along trainings, for hypotheses about them; empty without stages.
    pub training: Vec<Figure>,
    /// First-token physics, spread of gains, replication of published means.
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
    pub experiment: String,
    pub experiment_title: String,
    /// Version of the ONNX Runtime library, if anything was measured, and the device if it is not the processor.
    pub runtime: Option<String>,
    /// Jobs of the experiment by kind, e.g. `("observe", 50)`, in the order of the flow.
    pub jobs: Vec<(String, u64)>,
}

/// A line of the metrics table.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricDefinition {
    pub name: String,
    pub unit: String,
    pub definition: String,
}

/// Norms of the residual stream by layer for one model, over several prompts.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerProfile {
    pub model: String,
    /// How `rest` is reduced over the tokens of a prompt.
    pub protocol: Protocol,
    pub prompts: usize,
    /// Norm of the first token at layers 0..=L. Empty bands where no prompt has a usable norm.
    pub first: Vec<Option<Band>>,
    /// Mean norm of the other tokens at layers 0..=L.
    pub rest: Vec<Option<Band>>,
    /// Norm of the first token after block l over before, blocks 0..L.
    pub first_gain: Vec<Option<Band>>,
    /// The same of the other tokens' mean norms.
    pub rest_gain: Vec<Option<Band>>,
    /// Mean norm over the other tokens of what attention adds in block l, blocks 0..L.
    pub attention: Vec<Option<Band>>,
    /// The same of what the MLP adds.
    pub mlp: Vec<Option<Band>>,
}

/// Geometric mean over prompts, with the smallest and the largest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    pub low: f64,
    pub middle: f64,
    pub high: f64,
}

impl View {
    pub(super) fn has_analysis(&self) -> bool {
        let Analysis { sinks, spreads, replications } = &self.analysis;
        !(sinks.is_empty() && spreads.is_empty() && replications.is_empty())
    }
}

impl LayerProfile {
    /// From the observations of one model, all under one BOS policy. Norms that are not positive and finite are left
    /// out, and so is a one-token prompt where the first token is left out.
    pub fn of(model: &str, observations: &[&PromptObservation], bos: Bos) -> LayerProfile {
        let over = |layers: usize, norm: &dyn Fn(&PromptObservation, usize) -> Option<f64>| {
            (0..layers).map(|l| Band::of(observations.iter().filter_map(|o| norm(o, l)))).collect()
        };
        let layers = observations.iter().map(|o| o.resid.nrows()).max().unwrap_or(0);
        let blocks = layers.saturating_sub(1);
        let first = |o: &PromptObservation, l: usize| o.resid.get((l, 0)).map(|norm| f64::from(*norm));
        let rest = |o: &PromptObservation, l: usize| mean_without_first(&o.resid, l);
        LayerProfile {
            model: model.to_string(),
            protocol: Protocol::new(Reduction::MeanWithoutFirst, Endpoint::LastBlock, bos),
            prompts: observations.len(),
            first: over(layers, &first),
            rest: over(layers, &rest),
            first_gain: over(blocks, &|o, l| Some(first(o, l + 1)? / first(o, l)?)),
            rest_gain: over(blocks, &|o, l| Some(rest(o, l + 1)? / rest(o, l)?)),
            attention: over(blocks, &|o, l| mean_without_first(&o.attn_out, l)),
            mlp: over(blocks, &|o, l| mean_without_first(&o.mlp_out, l)),
        }
    }
}

/// Mean of a row of norms `[layers, T]` without its first token; `None` where there is no other.
fn mean_without_first(norms: &Array2<f32>, layer: usize) -> Option<f64> {
    let rest = norms.ncols().checked_sub(1).filter(|n| *n > 0 && layer < norms.nrows())?;
    Some(norms.row(layer).iter().skip(1).map(|norm| f64::from(*norm)).sum::<f64>() / rest as f64)
}

impl Band {
    fn of(values: impl Iterator<Item = f64>) -> Option<Band> {
        let values: Vec<f64> = values.filter(|x| x.is_finite() && *x > 0.0).collect();
        let middle = (values.iter().map(|x| x.ln()).sum::<f64>() / values.len() as f64).exp();
        let low = values.iter().copied().reduce(f64::min)?;
        let high = values.iter().copied().reduce(f64::max)?;
        Some(Band { low, middle, high })
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
    let safe: String =
        id.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    format!("verdict-{safe}")
}

#[cfg(test)]
mod tests {
    use ndarray::{Array1, Array2, array};

    use super::*;

    fn observation(resid: Array2<f32>) -> PromptObservation {
        let (layers, tokens) = resid.dim();
        PromptObservation {
            token_ids: vec![0; tokens],
            attn_out: Array2::zeros((layers - 1, tokens)),
            mlp_out: Array2::zeros((layers - 1, tokens)),
            attn_module_in: Array2::zeros((layers - 1, tokens)),
            attn_module_out: Array2::zeros((layers - 1, tokens)),
            mlp_module_in: Array2::zeros((layers - 1, tokens)),
            mlp_module_out: Array2::zeros((layers - 1, tokens)),
            write: Array2::zeros((layers - 1, tokens)),
            write_cosine: Array2::zeros((layers - 1, tokens)),
            max_abs: Array2::zeros((layers, tokens)),
            attn_off_diagonal: Array2::zeros((layers - 1, 1)),
            final_norm: Array1::zeros(tokens),
            resid,
            entropy_nats: 0.0,
            logit_shift: None,
            top: Vec::new(),
            loss_nats: None,
            lens_entropy_nats: None,
        }
    }

    #[test]
    fn the_first_token_stays_apart_from_the_rest() {
        let a = observation(array![[8.0, 1.0, 3.0], [32.0, 4.0, 4.0]]);
        let b = observation(array![[2.0], [8.0]]);
        let profile = LayerProfile::of("m", &[&a, &b], Bos::Auto);
        assert_eq!(profile.rest[0], Some(Band { low: 2.0, middle: 2.0, high: 2.0 }));
        let first = profile.first[1].expect("both prompts have a first token");
        assert!((first.middle - 16.0).abs() < 1e-9 && first.low == 8.0 && first.high == 32.0);
    }

    #[test]
    fn unusable_norms_leave_a_gap_instead_of_a_number() {
        let profile =
            LayerProfile::of("m", &[&observation(array![[f32::NAN, 1.0], [0.0, f32::INFINITY]])], Bos::Auto);
        assert_eq!(profile.first, [None, None]);
        assert!(profile.rest[0].is_some() && profile.rest[1].is_none());
    }
}
