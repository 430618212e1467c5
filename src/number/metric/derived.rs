//! Numbers of one prompt that are no plain reduction of one tap: gains of modules, the parts of a block's gain, where the
//! norm jumps, and how gains depend on the position.
//!
//! A ratio under a reduction is the ratio of two reduced norms, as for the gains of the stream. Layers as in
//! [`PromptObservation`]: what belongs to block l has layer l, a gain of the stream over block l the layer l + 1.

use ndarray::{Array2, ArrayView1};

use super::{gains, reduce};
use crate::{
    observation::PromptObservation,
    protocol::{Endpoint, Reduction},
};

/// Reduced `numerator` over reduced `denominator`, `[rows, T]` each, row by row; as many as the shorter has.
pub(super) fn ratios(
    numerator: &Array2<f32>,
    denominator: &Array2<f32>,
    reduction: Reduction,
) -> Vec<Option<f64>> {
    let pairs = numerator.rows().into_iter().zip(denominator.rows());
    pairs.map(|(a, b)| ratio(reduce(a, reduction), reduce(b, reduction))).collect()
}

/// Products of two lists of gains, block by block.
pub(super) fn products(a: &[Option<f64>], b: &[Option<f64>]) -> Vec<Option<f64>> {
    a.iter().zip(b).map(|(a, b)| Some((*a)? * (*b)?)).collect()
}

/// Share of the known gains that are below 1; `None` where none is known.
pub(super) fn contracting_share(gains: &[Option<f64>]) -> Option<f64> {
    let known: Vec<f64> = gains.iter().copied().flatten().collect();
    let contracting = known.iter().filter(|gain| **gain < 1.0).count();
    (!known.is_empty()).then(|| contracting as f64 / known.len() as f64)
}

/// Cosine of what each block keeps of the stream entering it and what it adds: of the last token; the mean over tokens; or
/// of the two `[T, D]` matrices, Σ c‖x‖‖w‖ / (‖X‖‖W‖).
pub(super) fn write_cosines(o: &PromptObservation, reduction: Reduction) -> Vec<Option<f64>> {
    let blocks = o.write_cosine().rows().into_iter().zip(o.kept().rows()).zip(o.write().rows());
    blocks
        .map(|((cosine, x), write)| match reduction {
            Reduction::Last | Reduction::Mean | Reduction::MeanWithoutFirst => reduce(cosine, reduction),
            Reduction::Frobenius | Reduction::FrobeniusWithoutFirst => {
                let skip = usize::from(reduction == Reduction::FrobeniusWithoutFirst);
                let terms = cosine.iter().zip(x).zip(write).skip(skip);
                let dot: f64 = terms.map(|((c, x), w)| f64::from(*c) * f64::from(*x) * f64::from(*w)).sum();
                ratio(Some(dot), Some(reduce(x, reduction)? * reduce(write, reduction)?))
            }
        })
        .collect()
}

/// The gain of each block that follows from the norm r of its write over that of the stream and their cosine c: for each
/// token ‖x + w‖ = ‖x‖ √(1 + 2rc + r²), reduced as the stream is. For the last token and for matrices that is
/// √(1 + 2rc + r²) of the reduced r and c themselves. Where a block does not keep all of the stream, x is in the sum what it
/// keeps.
pub fn reconstructed_gains(o: &PromptObservation, reduction: Reduction) -> Vec<Option<f64>> {
    let blocks = o.write_cosine().rows().into_iter().zip(o.kept().rows()).zip(o.write().rows());
    blocks
        .zip(o.resid().rows())
        .map(|(((cosine, kept), write), x)| {
            let tokens = cosine.iter().zip(kept).zip(write).map(|((c, kept), w)| after(*kept, *w, *c));
            let next: Vec<f32> = tokens.collect();
            ratio(reduce(ArrayView1::from(&next), reduction), reduce(x, reduction))
        })
        .collect()
}

/// ‖x + w‖ from both norms and the cosine.
fn after(x: f32, write: f32, cosine: f32) -> f32 {
    let (x, w, c) = (f64::from(x), f64::from(write), f64::from(cosine));
    // (x - w)² + 2xw(1 + c): no cancellation beyond that of the vectors themselves.
    ((x - w).powi(2) + 2.0 * x * w * (1.0 + c)).max(0.0).sqrt() as f32
}

/// Where the norm jumps: at the layer l = 1..L with the largest gain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Jump {
    pub layer: usize,
    /// Gain of the first token there.
    pub first: Option<f64>,
    /// Mean norm of the other tokens there over that one layer below.
    pub rest: Option<f64>,
    /// Largest over smallest reduced norm from there to layer L-1; `None` where the jump is at L.
    pub plateau: Option<f64>,
}

/// `None` where no gain is known. Of equal gains the first is the jump.
pub(super) fn jump(o: &PromptObservation, reduction: Reduction) -> Option<Jump> {
    let by_layer = gains(o, reduction, Endpoint::LastBlock).by_layer;
    let known = by_layer.iter().enumerate().filter_map(|(block, gain)| Some((block, (*gain)?)));
    let (block, _) = known.reduce(|best, next| if next.1 > best.1 { next } else { best })?;
    let layer = block + 1;
    let mean_rest = |layer: usize| reduce(o.resid().row(layer), Reduction::MeanWithoutFirst);
    Some(Jump {
        layer,
        first: first_token_gains(o)[block],
        rest: ratio(mean_rest(layer), mean_rest(layer - 1)),
        plateau: range(o, layer..o.blocks(), reduction),
    })
}

/// Gain of the first token over each block, `[L]`; that of block l has layer l + 1.
pub fn first_token_gains(o: &PromptObservation) -> Vec<Option<f64>> {
    let norms: Vec<Option<f64>> = first_token_norms(o);
    norms.windows(2).map(|pair| ratio(pair[1], pair[0])).collect()
}

/// Norm of the first token at every layer, `[L+1]`.
pub fn first_token_norms(o: &PromptObservation) -> Vec<Option<f64>> {
    o.resid().rows().into_iter().map(|row| row.first().map(|norm| f64::from(*norm))).collect()
}

/// Largest over smallest reduced norm of the stream at the layers 1..L.
pub(super) fn norm_range(o: &PromptObservation, reduction: Reduction) -> Option<f64> {
    range(o, 1..o.blocks() + 1, reduction)
}

fn range(o: &PromptObservation, layers: std::ops::Range<usize>, reduction: Reduction) -> Option<f64> {
    let norms = layers.map(|layer| reduce(o.resid().row(layer), reduction)).collect::<Option<Vec<f64>>>()?;
    let largest = norms.iter().copied().reduce(f64::max)?;
    ratio(Some(largest), norms.iter().copied().reduce(f64::min))
}

/// Least-squares slope of the log gain of the last block on the log position, over the tokens at positions 1, 2, …;
/// `None` with fewer than two of them.
pub(super) fn position_slope(o: &PromptObservation) -> Option<f64> {
    let (last, before) = (o.resid().row(o.blocks()), o.resid().row(o.blocks().checked_sub(1)?));
    let points = last.iter().zip(before).enumerate().skip(1);
    let points: Vec<(f64, f64)> =
        points.map(|(t, (a, b))| ((t as f64).ln(), (f64::from(*a) / f64::from(*b)).ln())).collect();
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / points.len() as f64;
    let (x, y) = (mean(|p| p.0), mean(|p| p.1));
    let spread: f64 = points.iter().map(|p| (p.0 - x).powi(2)).sum();
    let together: f64 = points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum();
    ratio(Some(together), Some(spread))
}

/// Attention off the diagonal of each block, `[L, H]`, mean over its heads; `None` where no heads are known.
pub(super) fn off_diagonal(by_head: &Array2<f32>) -> Vec<Option<f64>> {
    // Rows of blocks with fewer heads than others end with not-a-number.
    let mean = |heads: ArrayView1<'_, f32>| {
        let known: Vec<f32> = heads.iter().copied().filter(|given| !given.is_nan()).collect();
        reduce(ArrayView1::from(&known), Reduction::Mean)
    };
    by_head.rows().into_iter().map(mean).collect()
}

fn ratio(numerator: Option<f64>, denominator: Option<f64>) -> Option<f64> {
    Some(numerator? / denominator?).filter(|ratio| ratio.is_finite())
}

#[cfg(test)]
mod tests {
    use super::super::gains::tests::observation;
    use super::*;
    use crate::observation::ATTENTION;
    use ndarray::array;

    #[test]
    fn modules_are_measured_against_what_they_receive() {
        let o = observation();
        let of = |reduction| ratios(o.module_out(ATTENTION), o.module_in(ATTENTION), reduction);
        assert_eq!(of(Reduction::Last), [Some(1.0), Some(0.5), Some(1.0)]);
        assert_eq!(of(Reduction::Mean), [Some(2.0 / 3.0), Some(2.0 / 3.0), Some(1.0)]);
        assert_eq!(contracting_share(&of(Reduction::Last)), Some(1.0 / 3.0));
        assert_eq!(contracting_share(&[None]), None);
        assert_eq!(
            products(&of(Reduction::Last), &[Some(4.0), Some(4.0), None]),
            [Some(4.0), Some(2.0), None]
        );
        assert_eq!(
            ratios(o.branch_out(ATTENTION), o.resid(), Reduction::Last),
            [Some(0.25), Some(0.125), Some(0.0625)]
        );
    }

    #[test]
    fn the_cosine_of_matrices_weighs_tokens_by_their_norms() {
        let o = observation();
        let of = |reduction| write_cosines(&o, reduction)[0];
        assert_eq!((of(Reduction::Last), of(Reduction::Mean)), (Some(-1.0), Some(0.0)));
        // x = 1, 2 along, w = 15 along and 6 against.
        let expected = (15.0 - 12.0) / (5f64.sqrt() * 261f64.sqrt());
        assert!((of(Reduction::Frobenius).unwrap() - expected).abs() < 1e-12);
        assert_eq!(of(Reduction::FrobeniusWithoutFirst), Some(-1.0));
    }

    #[test]
    fn stream_write_and_cosine_give_the_gain_back_under_every_reduction() {
        let o = observation();
        for &reduction in Reduction::ALL {
            let expected = gains(&o, reduction, Endpoint::LastBlock).by_layer;
            assert_eq!(reconstructed_gains(&o, reduction), expected, "{reduction}");
        }
        let (r, c) = (Some(0.75), 0.3);
        let mut skew = o.clone();
        skew.put("resid", array![[4.0], [0.0]]);
        skew.put("write", array![[3.0]]);
        skew.put("write_cosine", array![[0.3]]);
        let direct = (1.0 + 2.0 * r.unwrap() * c + 0.5625f64).sqrt();
        let found = reconstructed_gains(&skew, Reduction::Frobenius)[0].unwrap();
        assert!((found - direct).abs() < 1e-6);
    }

    #[test]
    fn the_jump_is_the_layer_with_the_largest_gain_and_the_plateau_what_follows() {
        let o = observation();
        // Frobenius norms: √5, √272, √320, √1088.
        let jump = jump(&o, Reduction::Frobenius).unwrap();
        assert_eq!((jump.layer, jump.first, jump.rest), (1, Some(16.0), Some(2.0)));
        assert!((jump.plateau.unwrap() - (320f64 / 272.0).sqrt()).abs() < 1e-12);
        let last = super::jump(&o, Reduction::Last).unwrap();
        assert_eq!((last.layer, last.first, last.plateau), (3, Some(0.5), None));
        assert_eq!(norm_range(&o, Reduction::Last), Some(8.0));
        assert_eq!(first_token_norms(&o)[1], Some(16.0));
    }

    #[test]
    fn the_slope_over_positions_leaves_the_first_token_out() {
        let mut o = observation();
        assert_eq!(position_slope(&o), None, "one token is no line");
        // Gains 9 (first token), then position^-2.
        o.put("resid", array![[1.0, 1.0, 1.0, 1.0], [1.0, 4.0, 8.0, 16.0], [9.0, 4.0, 2.0, 1.0]]);
        let slope = position_slope(&o).unwrap();
        // Points (0, 0), (ln 2, -2 ln 2), (ln 3, -4 ln 2).
        let (x, y) = ([0.0, 2f64.ln(), 3f64.ln()], [0.0, -2.0 * 2f64.ln(), -4.0 * 2f64.ln()]);
        let (mx, my) = (x.iter().sum::<f64>() / 3.0, y.iter().sum::<f64>() / 3.0);
        let top: f64 = x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).sum();
        let bottom: f64 = x.iter().map(|x| (x - mx).powi(2)).sum();
        assert!((slope - top / bottom).abs() < 1e-12 && slope < -1.0);
    }

    #[test]
    fn heads_are_averaged_where_they_are_known() {
        let mut o = observation();
        assert_eq!(off_diagonal(o.off_diagonal()), [Some(0.375), Some(0.5), Some(0.5)]);
        o.put("attn_off_diagonal", ndarray::Array2::zeros((3, 0)));
        assert_eq!(off_diagonal(o.off_diagonal()), [None, None, None]);
    }
}
