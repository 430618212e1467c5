//! All numbers of one observation: every metric under every protocol, as evidence rows.

use ndarray::ArrayView1;

use super::{Metric, derived, gains, reduce, weights::attention_trace};
use crate::{
    evidence::{Evidence, Measurement, PromptInfo},
    observation::{ATTENTION, MLP, PromptObservation},
    protocol::{Bos, Endpoint, Protocol, Reduction},
    text::Text,
};

/// The source name of measured rows.
pub(super) const SOURCE: &str = "streamgauge";
/// Compute is float32 whatever the checkpoint's dtype.
pub(super) const DTYPE: &str = "float32";

/// Rows for one (model, prompt): what cannot be computed has no row. Layers as in [`PromptObservation`]; the writes of
/// block l have layer l. Properties of the weights, and what takes several prompts, are not in an observation and not here.
pub fn measurements(
    model: &str,
    prompt: &PromptInfo,
    observation: &PromptObservation,
    bos: Bos,
) -> Vec<Measurement> {
    let mut rows = Rows::new(model, prompt);
    for &reduction in Reduction::ALL {
        for &endpoint in Endpoint::ALL {
            let gains = gains(observation, reduction, endpoint);
            let protocol = Protocol::new(reduction, endpoint, bos);
            rows.put(Metric::LastGain, None, protocol, gains.last);
            rows.put(Metric::CumulativeGain, None, protocol, gains.cumulative);
            rows.put(Metric::GainAfterFirstBlock, None, protocol, gains.after_first_block);
            if endpoint == Endpoint::LastBlock {
                rows.put_each(Metric::LayerGain, 1, protocol, gains.by_layer);
            }
        }
        let protocol = Protocol::new(reduction, Endpoint::LastBlock, bos);
        for (metric, norms) in [
            (Metric::ResidualNorm, observation.resid()),
            (Metric::AttentionWrite, observation.branch_out(ATTENTION)),
            (Metric::MlpWrite, observation.branch_out(MLP)),
            (Metric::WriteNorm, observation.write()),
        ] {
            rows.put_each(metric, 0, protocol, norms.rows().into_iter().map(|row| reduce(row, reduction)));
        }
        modules(&mut rows, observation, protocol);
        let embedding = observation.resid().rows().into_iter().next().and_then(|row| reduce(row, reduction));
        rows.put(Metric::EmbeddingNorm, None, protocol, embedding);
    }
    let any = Protocol::new(Reduction::Last, Endpoint::HfLast, bos);
    rows.put_each(
        Metric::FirstTokenShare,
        0,
        any,
        observation.resid().rows().into_iter().map(first_token_share),
    );
    rows.put_each(Metric::FirstTokenNorm, 0, any, derived::first_token_norms(observation));
    rows.put_each(Metric::FirstTokenGain, 1, any, derived::first_token_gains(observation));
    let jump = derived::jump(observation, Reduction::Frobenius);
    rows.put(Metric::JumpGainFirst, None, any, jump.and_then(|jump| jump.first));
    rows.put(Metric::JumpGainRest, None, any, jump.and_then(|jump| jump.rest));
    rows.put(Metric::PositionSlope, None, any, derived::position_slope(observation));
    rows.put_each(Metric::AttentionOffDiagonal, 0, any, derived::off_diagonal(observation.off_diagonal()));
    for branch in of_other_branches(observation) {
        let by_block = derived::off_diagonal(observation.tap(&format!("{branch}_off_diagonal")));
        rows.of(branch).put_each(Metric::BranchOffDiagonal, 0, any, by_block);
    }
    rows.put(Metric::LogitShift, None, any, observation.number("logit_shift").map(f64::from));
    rows.put(Metric::Loss, None, any, observation.number("loss_nats").map(f64::from));
    let lens = observation.tap("lens_entropy_nats").iter();
    rows.put_each(Metric::LensEntropy, 0, any, lens.map(|entropy| Some(f64::from(*entropy))));
    rows.put(Metric::OutputEntropy, None, any, observation.number("entropy_nats").map(f64::from));
    rows.put(Metric::TopProbability, None, any, observation.top.first().map(|t| f64::from(t.prob)));
    rows.put(Metric::TokenCount, None, any, Some(observation.tokens() as f64));
    rows.rows
}

/// What the branches of the blocks do, and where the norm jumps, under one reduction.
fn modules(rows: &mut Rows, observation: &PromptObservation, protocol: Protocol) {
    let reduction = protocol.reduction;
    let ratios = |a, b| derived::ratios(a, b, reduction);
    let attention = ratios(observation.module_out(ATTENTION), observation.module_in(ATTENTION));
    let mlp = ratios(observation.module_out(MLP), observation.module_in(MLP));
    rows.put(Metric::ContractingAttentionShare, None, protocol, derived::contracting_share(&attention));
    let attention_over = ratios(observation.branch_out(ATTENTION), observation.resid());
    let mlp_over = ratios(observation.branch_out(MLP), observation.resid());
    for (metric, by_block) in [
        (Metric::ModuleGainProduct, derived::products(&attention, &mlp)),
        (Metric::AttentionGain, attention),
        (Metric::MlpGain, mlp),
        (Metric::AttentionOverResidual, attention_over),
        (Metric::MlpOverResidual, mlp_over),
        (Metric::WriteCosine, derived::write_cosines(observation, reduction)),
        (Metric::ReconstructedGain, derived::reconstructed_gains(observation, reduction)),
    ] {
        rows.put_each(metric, 0, protocol, by_block);
    }
    for branch in of_other_branches(observation) {
        let write = observation.branch_out(branch);
        let norms = write.rows().into_iter().map(|row| reduce(row, reduction)).collect();
        for (metric, by_block) in [
            (Metric::BranchWrite, norms),
            (Metric::BranchGain, ratios(observation.module_out(branch), observation.module_in(branch))),
            (Metric::BranchOverResidual, ratios(write, observation.resid())),
        ] {
            rows.of(branch).put_each(metric, 0, protocol, by_block);
        }
    }
    let jump = derived::jump(observation, reduction);
    rows.put(Metric::JumpLayer, None, protocol, jump.map(|jump| jump.layer as f64));
    rows.put(Metric::PlateauRatio, None, protocol, jump.and_then(|jump| jump.plateau));
    rows.put(Metric::NormRange, None, protocol, derived::norm_range(observation, reduction));
}

/// The branches whose numbers no metric names: all but attention and the MLP.
fn of_other_branches(observation: &PromptObservation) -> impl Iterator<Item = &str> {
    observation.branches().iter().map(String::as_str).filter(|branch| ![ATTENTION, MLP].contains(branch))
}

/// Rows of what attention on one prompt does through the value weights of its heads: `squares [L][H]`. None where the
/// observation does not hold the attention of every head.
pub fn attention_traces(
    model: &str,
    prompt: &PromptInfo,
    observation: &PromptObservation,
    squares: &[Vec<f64>],
    bos: Bos,
) -> Vec<Measurement> {
    let mut rows = Rows::new(model, prompt);
    let any = Protocol::new(Reduction::Last, Endpoint::HfLast, bos);
    let traces = attention_trace(observation.off_diagonal().view(), squares);
    let known: Vec<f64> = traces.iter().copied().flatten().collect();
    rows.put(Metric::MeanAttentionTrace, None, any, crate::mean::mean(&known));
    rows.put_each(Metric::AttentionTrace, 0, any, traces);
    rows.rows
}

struct Rows {
    /// What all rows have in common.
    blank: Measurement,
    rows: Vec<Measurement>,
}

/// Rows of one branch.
struct RowsOfBranch<'r> {
    rows: &'r mut Rows,
    branch: Text,
}

impl RowsOfBranch<'_> {
    /// As [`Rows::put_each`], each with the name of the branch.
    fn put_each(
        &mut self,
        metric: Metric,
        first: usize,
        protocol: Protocol,
        values: impl IntoIterator<Item = Option<f64>>,
    ) {
        let before = self.rows.rows.len();
        self.rows.put_each(metric, first, protocol, values);
        for row in &mut self.rows.rows[before..] {
            row.branch = Some(self.branch.clone());
        }
    }
}

impl Rows {
    fn new(model: &str, prompt: &PromptInfo) -> Rows {
        let blank = Measurement {
            evidence: Evidence::Measured,
            source: SOURCE.into(),
            model: model.into(),
            prompt: Some(prompt.id.as_str().into()),
            category: Some(prompt.category.as_str().into()),
            metric: Metric::LastGain,
            branch: None,
            layer: None,
            protocol: None,
            dtype: DTYPE.into(),
            value: 0.0,
            definition: "".into(),
        };
        Rows { blank, rows: Vec::new() }
    }

    /// The same rows, to add some of a branch.
    fn of(&mut self, branch: &str) -> RowsOfBranch<'_> {
        RowsOfBranch { rows: self, branch: branch.into() }
    }

    /// One value per layer, from `first` on.
    fn put_each(
        &mut self,
        metric: Metric,
        first: usize,
        protocol: Protocol,
        values: impl IntoIterator<Item = Option<f64>>,
    ) {
        for (layer, value) in values.into_iter().enumerate() {
            self.put(metric, Some(first + layer), protocol, value);
        }
    }

    fn put(&mut self, metric: Metric, layer: Option<usize>, protocol: Protocol, value: Option<f64>) {
        let Some(value) = value.filter(|v| v.is_finite()) else { return };
        self.rows.push(Measurement {
            metric,
            layer: layer.map(|l| l as u32),
            protocol: metric.filed_under(protocol),
            value,
            ..self.blank.clone()
        });
    }
}

fn first_token_share(norms: ArrayView1<'_, f32>) -> Option<f64> {
    Some(f64::from(*norms.first()?) / reduce(norms, Reduction::MeanWithoutFirst)?)
}

#[cfg(test)]
mod tests {
    use super::super::gains::tests::observation;
    use super::*;
    use std::collections::BTreeSet;

    fn measure(observation: &PromptObservation) -> Vec<Measurement> {
        let prompt =
            PromptInfo { id: "p".into(), category: "Factual".into(), text: "x".into(), sets: Vec::new() };
        measurements("m", &prompt, observation, Bos::Auto)
    }

    fn rows() -> Vec<Measurement> {
        measure(&observation())
    }

    #[test]
    fn no_two_rows_claim_the_same_cell() {
        let rows = rows();
        let cells: BTreeSet<_> = rows.iter().map(|r| (r.metric, r.layer, r.protocol)).collect();
        assert_eq!(cells.len(), rows.len());
    }

    /// What an observation gives: rows of the one here, of three blocks. A metric without a line needs more than one
    /// prompt, or the weights.
    const GIVEN: &[(Metric, usize)] = &[
        (Metric::LastGain, 15),
        (Metric::CumulativeGain, 15),
        (Metric::GainAfterFirstBlock, 15),
        (Metric::ResidualNorm, 5 * 4),
        (Metric::LayerGain, 5 * 3),
        (Metric::EmbeddingNorm, 5),
        (Metric::AttentionWrite, 5 * 3),
        (Metric::MlpWrite, 5 * 3),
        (Metric::FirstTokenShare, 4),
        (Metric::OutputEntropy, 1),
        (Metric::TopProbability, 1),
        (Metric::TokenCount, 1),
        (Metric::AttentionGain, 5 * 3),
        (Metric::MlpGain, 5 * 3),
        (Metric::ModuleGainProduct, 5 * 3),
        (Metric::WriteNorm, 5 * 3),
        (Metric::WriteCosine, 5 * 3),
        (Metric::ReconstructedGain, 5 * 3),
        (Metric::AttentionOverResidual, 5 * 3),
        (Metric::MlpOverResidual, 5 * 3),
        (Metric::ContractingAttentionShare, 5),
        (Metric::FirstTokenNorm, 4),
        (Metric::FirstTokenGain, 3),
        (Metric::JumpLayer, 5),
        (Metric::JumpGainFirst, 1),
        (Metric::JumpGainRest, 1),
        // Where the jump is the last layer nothing follows it.
        (Metric::PlateauRatio, 2),
        (Metric::NormRange, 5),
        // One token beside the first is no line.
        (Metric::PositionSlope, 0),
        (Metric::AttentionOffDiagonal, 3),
        (Metric::LogitShift, 1),
        (Metric::Loss, 1),
        (Metric::LensEntropy, 4),
    ];

    #[test]
    fn an_observation_gives_exactly_the_metrics_that_are_listed() {
        let rows = rows();
        for &metric in Metric::ALL {
            let found: Vec<_> = rows.iter().filter(|r| r.metric == metric).collect();
            let listed = GIVEN.iter().find(|(given, _)| *given == metric).map_or(0, |(_, count)| *count);
            assert_eq!(found.len(), listed, "{metric}");
            assert!(found.iter().all(|r| r.layer.is_some() == metric.describe().per_layer), "{metric}");
        }
    }

    #[test]
    fn a_branch_of_any_name_has_the_numbers_that_attention_has_under_its_name() {
        let seen = observation();
        let mut third = PromptObservation::new(seen.token_ids.clone(), ["attn", "cross", "mlp"]);
        third.top = seen.top.clone();
        for tap in seen.named() {
            third.put(&tap.name, seen.tap(&tap.name).clone());
        }
        for tap in ["module_in", "module_out", "out", "off_diagonal"] {
            third.put(&format!("cross_{tap}"), seen.tap(&format!("attn_{tap}")).clone());
        }
        // What tells the two writes of a block apart by their sum cannot where there are three.
        let of_two =
            |row: &Measurement| matches!(row.metric, Metric::WriteCosine | Metric::ReconstructedGain);
        let (mut before, rows) = (measure(&seen), measure(&third));
        assert!(before.iter().any(of_two) && !rows.iter().any(of_two));
        before.retain(|row| !of_two(row));
        let (of_cross, others): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.branch.is_some());
        assert_eq!(others, before, "no number of another branch is another one");
        for (metric, of_attention) in [
            (Metric::BranchWrite, Metric::AttentionWrite),
            (Metric::BranchGain, Metric::AttentionGain),
            (Metric::BranchOverResidual, Metric::AttentionOverResidual),
            (Metric::BranchOffDiagonal, Metric::AttentionOffDiagonal),
        ] {
            let numbers = |rows: &[Measurement], metric| -> Vec<_> {
                let rows = rows.iter().filter(|row| row.metric == metric);
                rows.map(|row| (row.layer, row.protocol, row.value.to_bits())).collect()
            };
            assert_eq!(numbers(&of_cross, metric), numbers(&before, of_attention), "{metric}");
        }
        assert!(of_cross.iter().all(|row| row.metric.is_of_branch()));
        assert_eq!(of_cross[0].name(), "branch-write(cross)");
    }

    #[test]
    fn traces_join_attention_with_the_value_weights_of_its_heads() {
        let prompt =
            PromptInfo { id: "p".into(), category: "Factual".into(), text: "x".into(), sets: Vec::new() };
        // [L, H] of off-diagonal attention: (0.5, 0.25), (0, 1), (0.75, 0.25).
        let squares = [vec![2.0, 8.0], vec![5.0, 6.0], vec![4.0, 4.0]];
        let rows = attention_traces("m", &prompt, &observation(), &squares, Bos::Never);
        let of = |metric, layer| {
            let mut found = rows.iter().filter(|row| row.metric == metric && row.layer == layer);
            found.next().map(|row| row.value)
        };
        let layers = [0, 1, 2].map(|layer| of(Metric::AttentionTrace, Some(layer)));
        assert_eq!(layers, [Some(1.5), Some(3.0), Some(2.0)]);
        assert_eq!(of(Metric::MeanAttentionTrace, None), Some(6.5 / 3.0));
        assert!(rows.iter().all(|row| row.protocol.is_some_and(|protocol| protocol.bos == Bos::Never)));
        let mut fused = observation();
        fused.put("attn_off_diagonal", ndarray::Array2::zeros((3, 0)));
        assert!(attention_traces("m", &prompt, &fused, &squares, Bos::Never).is_empty());
    }

    #[test]
    fn what_was_not_observed_has_no_rows() {
        let mut seen = observation();
        for tap in ["logit_shift", "loss_nats", "lens_entropy_nats"] {
            seen.take(tap);
        }
        seen.put("attn_off_diagonal", ndarray::Array2::zeros((3, 0)));
        seen.put("attn_module_in", ndarray::Array2::from_elem((3, 2), f32::NAN));
        let without = measure(&seen);
        for metric in [
            Metric::LogitShift,
            Metric::Loss,
            Metric::LensEntropy,
            Metric::AttentionOffDiagonal,
            Metric::AttentionGain,
            Metric::ModuleGainProduct,
            Metric::ContractingAttentionShare,
        ] {
            assert!(!without.iter().any(|row| row.metric == metric), "{metric}");
        }
    }

    #[test]
    fn a_cell_holds_the_number_of_its_own_protocol() {
        let rows = rows();
        let value = |metric, protocol: &str, layer| {
            let protocol = protocol.parse().ok();
            rows.iter()
                .find(|r| r.metric == metric && r.protocol == protocol && r.layer == layer)
                .unwrap()
                .value
        };
        assert_eq!(value(Metric::LastGain, "last/hf-last", None), 0.5);
        assert_eq!(value(Metric::LayerGain, "last/last-block", Some(3)), 4.0);
        assert_eq!(value(Metric::FirstTokenShare, "mean-without-first/last-block", Some(1)), 4.0);
        assert_eq!(value(Metric::OutputEntropy, "last/hf-last", None), 1.5);
        assert_eq!(value(Metric::AttentionGain, "last/last-block", Some(1)), 0.5);
        assert_eq!(value(Metric::ReconstructedGain, "last/last-block", Some(2)), 4.0);
        assert_eq!(value(Metric::FirstTokenGain, "last/hf-last", Some(3)), 0.5);
    }
}
