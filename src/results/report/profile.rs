//! Norms of the residual stream by layer, summarised over prompts.

use ndarray::Array2;

use number::metric::{first_token_gains, first_token_norms, gains, reduce};
use number::observation::{PromptObservation, branches_of};
use number::protocol::{Bos, Endpoint, Protocol, Reduction};

/// How the tokens after the first are reduced.
const REST: Reduction = Reduction::MeanWithoutFirst;

/// Norms of the residual stream by layer for one model, over several prompts.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerProfile {
    /// Id of the model.
    pub model: String,
    /// How `rest` is reduced over the tokens of a prompt.
    pub protocol: Protocol,
    /// How many prompts each number is over.
    pub prompts: usize,
    /// Norm of the first token at layers 0..=L. Empty bands where no prompt has a usable norm.
    pub first: Vec<Option<Band>>,
    /// Mean norm of the other tokens at layers 0..=L.
    pub rest: Vec<Option<Band>>,
    /// Norm of the first token after block l over before, blocks 0..L.
    pub first_gain: Vec<Option<Band>>,
    /// The same of the other tokens' mean norms.
    pub rest_gain: Vec<Option<Band>>,
    /// What each branch of the blocks adds, in the order of the branches.
    pub writes: Vec<BranchWrites>,
}

/// What one branch of the blocks adds to the stream of one model.
#[derive(Clone, Debug, PartialEq)]
pub struct BranchWrites {
    /// Name of the branch, as its taps have it.
    pub branch: String,
    /// Mean norm over all tokens but the first of what it adds in block l, blocks 0..L.
    pub bands: Vec<Option<Band>>,
}

/// Geometric mean over prompts, with the smallest and the largest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    /// The smallest of the prompts.
    pub low: f64,
    /// The geometric mean of the prompts.
    pub middle: f64,
    /// The largest of the prompts.
    pub high: f64,
}

impl LayerProfile {
    /// From the observations of one model, all under one BOS policy. Norms that are not positive and finite are left
    /// out, and so is a one-token prompt where the first token is left out.
    pub fn of(model: &str, observations: &[&PromptObservation], bos: Bos) -> LayerProfile {
        // Each gives the numbers of one prompt by layer.
        let over = |numbers: &dyn Fn(&PromptObservation) -> Vec<Option<f64>>| {
            let prompts: Vec<Vec<Option<f64>>> = observations.iter().map(|o| numbers(o)).collect();
            let layers = prompts.iter().map(Vec::len).max().unwrap_or(0);
            (0..layers)
                .map(|l| Band::of(prompts.iter().filter_map(|prompt| prompt.get(l).copied().flatten())))
                .collect()
        };
        LayerProfile {
            model: model.to_string(),
            protocol: Protocol::new(REST, Endpoint::LastBlock, bos),
            prompts: observations.len(),
            first: over(&first_token_norms),
            rest: over(&|o| reduced(o.resid())),
            first_gain: over(&first_token_gains),
            rest_gain: over(&|o| gains(o, REST, Endpoint::LastBlock).by_layer),
            writes: branches_of(observations.iter().copied())
                .into_iter()
                .map(|branch| BranchWrites {
                    branch: branch.to_string(),
                    bands: over(&|o| reduced(o.branch_out(branch))),
                })
                .collect(),
        }
    }
}

/// Norms `[layers, T]` reduced over tokens as the profile's protocol says.
fn reduced(norms: &Array2<f32>) -> Vec<Option<f64>> {
    norms.rows().into_iter().map(|row| reduce(row, REST)).collect()
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

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;

    fn observation(resid: Array2<f32>) -> PromptObservation {
        let (layers, tokens) = resid.dim();
        let mut made = PromptObservation::made([layers - 1, tokens, 1], |_, _| 0.0);
        made.put("resid", resid);
        made
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
