//! Gains: ratios of reduced norms of one prompt, for every token reduction and endpoint.
//!
//! With r_l the reduced norm of the stream entering block l (r_L: the last block's output) and f the reduced norm after
//! the final norm, over L blocks:
//!
//! | endpoint | last | cumulative | by_layer\[l-1\], l = 1..=L |
//! |---|---|---|---|
//! | last-block | r_L / r_{L-1} | r_L / r_0 | r_l / r_{l-1} |
//! | hf-last | f / r_{L-1} | f / r_0 | r_l / r_{l-1}, but f / r_{L-1} at l = L |
//! | hf-penultimate | r_{L-1} / r_{L-2} | r_{L-1} / r_0 | r_l / r_{l-1} |

use super::reduce;
use crate::{
    observation::PromptObservation,
    protocol::{Endpoint, Reduction},
};

/// The gains of one prompt under one reduction and endpoint. `None` where the reduction keeps no token, the model has
/// too few blocks, or the ratio is not finite.
#[derive(Clone, Debug, PartialEq)]
pub struct Gains {
    /// The last gain: the endpoint's norm over the norm one step below it.
    pub last: Option<f64>,
    /// The endpoint's norm over the norm entering block 0.
    pub cumulative: Option<f64>,
    /// The endpoint's numerator over the FIRST block's output r_1 (`None` for a numerator at or before r_1).
    pub after_first_block: Option<f64>,
    /// `[L]`.
    pub by_layer: Vec<Option<f64>>,
}

/// Gains of `observation`; see the table of this module.
pub fn gains(observation: &PromptObservation, reduction: Reduction, endpoint: Endpoint) -> Gains {
    let stream: Vec<Option<f64>> =
        observation.resid().rows().into_iter().map(|row| reduce(row, reduction)).collect();
    let blocks = stream.len().saturating_sub(1);
    let at = |layer: Option<usize>| layer.and_then(|l| stream.get(l).copied().flatten());
    let before_last = blocks.checked_sub(1);
    let (top, top_layer, below) = match endpoint {
        Endpoint::LastBlock => (at(Some(blocks)), Some(blocks), at(before_last)),
        Endpoint::HfLast => {
            (reduce(observation.final_norm().view(), reduction), Some(blocks), at(before_last))
        }
        Endpoint::HfPenultimate => (at(before_last), before_last, at(blocks.checked_sub(2))),
    };
    let mut by_layer: Vec<Option<f64>> = stream.windows(2).map(|w| ratio(w[1], w[0])).collect();
    if let (Endpoint::HfLast, Some(last)) = (endpoint, by_layer.last_mut()) {
        *last = ratio(top, below);
    }
    Gains {
        last: ratio(top, below),
        cumulative: if blocks == 0 { None } else { ratio(top, at(Some(0))) },
        after_first_block: if top_layer >= Some(2) { ratio(top, at(Some(1))) } else { None },
        by_layer,
    }
}

fn ratio(numerator: Option<f64>, denominator: Option<f64>) -> Option<f64> {
    Some(numerator? / denominator?).filter(|r| r.is_finite())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::observation::TopToken;
    use ndarray::array;

    /// Three blocks, two tokens; norms chosen so that every ratio is exact.
    pub(crate) fn observation() -> PromptObservation {
        let mut seen = PromptObservation::made([3, 2, 2], |tap, [layer, _]| match tap {
            "attn_out" | "max_abs" => 0.5,
            "mlp_out" => 0.25,
            "attn_module_out" => 1.0,
            "mlp_module_in" => 2.0,
            "mlp_module_out" => 8.0,
            "lens_entropy_nats" => [3.0, 2.0, 1.75, 1.5][layer],
            "entropy_nats" => 1.5,
            "logit_shift" => 0.125,
            "loss_nats" => 2.5,
            _ => f32::NAN, // set below
        });
        seen.token_ids = vec![1, 7];
        seen.top = vec![TopToken { id: 3, prob: 0.5 }];
        seen.put("resid", array![[1.0, 2.0], [16.0, 4.0], [16.0, 8.0], [8.0, 32.0]]);
        seen.put("attn_module_in", array![[2.0, 1.0], [1.0, 2.0], [1.0, 1.0]]);
        seen.put("write", array![[15.0, 6.0], [0.0, 4.0], [8.0, 24.0]]);
        seen.put("write_cosine", array![[1.0, -1.0], [0.0, 1.0], [-1.0, 1.0]]);
        seen.put("attn_off_diagonal", array![[0.5, 0.25], [0.0, 1.0], [0.75, 0.25]]);
        seen.put("final_norm", array![[2.0, 4.0]]);
        seen
    }

    #[test]
    fn the_last_gain_divides_what_its_endpoint_names() {
        let o = observation();
        let last = |e| gains(&o, Reduction::Last, e).last.unwrap();
        assert_eq!(last(Endpoint::LastBlock), 4.0);
        assert_eq!(last(Endpoint::HfLast), 0.5);
        assert_eq!(last(Endpoint::HfPenultimate), 2.0);
        assert_eq!(gains(&o, Reduction::Mean, Endpoint::LastBlock).last, Some(20.0 / 12.0));
        assert_eq!(gains(&o, Reduction::FrobeniusWithoutFirst, Endpoint::LastBlock).last, Some(4.0));
    }

    #[test]
    fn cumulative_gains_start_at_the_embedding_and_end_at_the_endpoint() {
        let o = observation();
        let cumulative = |e| gains(&o, Reduction::Last, e).cumulative.unwrap();
        assert_eq!(cumulative(Endpoint::LastBlock), 16.0);
        assert_eq!(cumulative(Endpoint::HfLast), 2.0);
        assert_eq!(cumulative(Endpoint::HfPenultimate), 4.0);
        assert_eq!(gains(&o, Reduction::Last, Endpoint::LastBlock).after_first_block, Some(8.0));
    }

    #[test]
    fn layer_gains_are_block_gains_except_the_framework_s_last() {
        let o = observation();
        let by_layer = |e| gains(&o, Reduction::Last, e).by_layer;
        assert_eq!(by_layer(Endpoint::LastBlock), [Some(2.0), Some(2.0), Some(4.0)]);
        assert_eq!(by_layer(Endpoint::HfPenultimate), [Some(2.0), Some(2.0), Some(4.0)]);
        assert_eq!(by_layer(Endpoint::HfLast), [Some(2.0), Some(2.0), Some(0.5)]);
    }

    #[test]
    fn one_block_has_no_penultimate_gain() {
        let mut o = observation();
        o.put("resid", array![[1.0, 2.0], [16.0, 4.0]]);
        let g = gains(&o, Reduction::Last, Endpoint::HfPenultimate);
        assert_eq!((g.last, g.by_layer), (None, vec![Some(2.0)]));
    }

    #[test]
    fn a_zero_norm_below_gives_no_gain_rather_than_infinity() {
        let mut o = observation();
        o.put("resid", array![[1.0, 2.0], [16.0, 4.0], [16.0, 0.0], [8.0, 32.0]]);
        assert_eq!(gains(&o, Reduction::Last, Endpoint::LastBlock).last, None);
    }
}
