//! What a statistic can decide: an end of an interval knows its own sampling error, an estimate does not, and a test that is not
//! significant says nothing.

use super::hypothesis::{Condition, Holds, Way};

/// The nature of a statistic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nature {
    /// An end of an interval, or another number that weighs its own sampling error both ways.
    Limit,
    /// A p: a small one speaks for an effect, a large one for nothing.
    Chance,
    /// How many units are significant, or lie on one side with their whole interval: few of them say nothing.
    Significant,
    /// How many units there are, whatever they show.
    Count,
    /// An estimate without its error.
    Point,
    /// One computation against another: nothing is sampled.
    Exact,
}

use Nature::{Chance, Count, Exact, Limit, Point, Significant};

/// Every statistic of every kind of test; where a name means something else in one kind, `kind/name` comes first.
const NATURES: &[(Nature, &[&str])] = &[
    (
        Limit,
        &[
            "low",
            "high",
            "a-low",
            "a-high",
            "b-low",
            "b-high",
            "smallest-low",
            "smallest-high",
            "largest-low",
            "largest-high",
            "equivalence-low",
            "equivalence-high",
            "effect-low",
            "effect-high",
            "ratio-low",
            "ratio-high",
            "r-low",
            "r-high",
            "auc-low",
            "auc-high",
            "bootstrap-low",
            "bootstrap-high",
            "median-high",
            "delta-bic",
            "apart-low",
            "apart-high",
            "r2-low",
            "r2-high",
            "linear-low",
            "linear-high",
            "partial-r2-low",
            "partial-r2-high",
            "staying-low",
        ],
    ),
    (Chance, &["p", "p-t", "p-rank", "p-family", "p-f", "p-apart", "dip-p", "a-p", "b-p", "p-against"]),
    (
        Significant,
        &[
            "models-above",
            "models-below",
            "share-above",
            "share-below",
            "share-above-significant",
            "share-below-significant",
            "largest-k",
            "same-sign",
            "opposite",
            "joined",
            "differ",
            "positive",
            "negative",
            "contrast/inside",
            "outside",
            "share-lower-significant",
            "share-higher-significant",
            "share-significant",
            "share-sign-change",
            "share-falls-through",
            "share-cannot-fall-through",
            "share-positive-significant",
            "share-negative-significant",
            "two",
            "series-falling",
            "series-rising",
            "share-falling",
            "share-rising",
            "share-alike",
            "flipping",
            "staying",
        ],
    ),
    (
        Count,
        &[
            "models",
            "prompts",
            "pairs",
            "k",
            "unclear",
            "a-models",
            "b-models",
            "families",
            "groups",
            "cells",
            "orders",
            "series",
            "revisions",
            "smallest-p",
            "lineages",
        ],
    ),
    (
        Exact,
        &[
            "worst-relative-error",
            "median-relative-error",
            "method-share",
            "method-share-low",
            "prompt-share",
            "log-ratio",
            "single",
            "cells-flipping",
        ],
    ),
    (
        Point,
        &[
            "pooled",
            "share",
            "difference",
            "effect",
            "ratio",
            "inside",
            "loo-lowest",
            "loo-highest",
            "r",
            "smallest-ratio",
            "largest-ratio",
            "smallest-size",
            "largest-size",
            "auc",
            "epsilon2",
            "partial-r2",
            "rho",
            "absolute-rho",
            "smallest",
            "largest",
            "median",
            "share-inside",
            "r2",
            "crossing-tokens",
            "kappa",
            "share-on-side",
            "mean-share-on-side",
            "linear-r2",
            "affine-r2",
            "rank-r2",
            "linear-minus-best",
            "exponent",
            "coefficient",
            "share-within-factor",
            "worst",
            "mean-ratio",
            "mean-difference",
            "mean-share-of-depth",
            "share-apart",
            "share-within",
            "series-within",
            "factor",
            "a-step",
            "b-step",
        ],
    ),
];

/// The nature of a statistic that a kind of test offers.
pub(crate) fn nature(kind: &str, statistic: &str) -> Option<Nature> {
    let own = format!("{kind}/{statistic}");
    let of = |name: &str| NATURES.iter().find(|(_, names)| names.contains(&name)).map(|(nature, _)| *nature);
    of(&own).or_else(|| of(statistic))
}

/// Whether a condition bounds its statistic from below.
fn from_below(condition: &Condition) -> bool {
    condition.above.is_some() || condition.at_least.is_some()
}

/// Whether a condition bounds its statistic from above.
fn from_above(condition: &Condition) -> bool {
    condition.below.is_some() || condition.at_most.is_some()
}

/// Whether a condition is met by a lack of significance, which fewer data bring about.
pub(crate) fn is_absence(kind: &str, condition: &Condition) -> bool {
    match nature(kind, &condition.statistic) {
        Some(Chance) => from_below(condition),
        Some(Significant) => from_above(condition),
        _ => false,
    }
}

/// Whether a condition knows the sampling error of what it decides.
fn knows_its_error(kind: &str, condition: &Condition) -> bool {
    match nature(kind, &condition.statistic) {
        Some(Limit | Exact) => true,
        Some(Chance) => from_above(condition),
        Some(Significant) => from_below(condition),
        Some(Count | Point) | None => false,
    }
}

/// Whether a list can only be met where the sampling error allows it.
pub(crate) fn is_certain(kind: &str, way: &Way<'_>) -> bool {
    let mut each = way.conditions.iter().map(|condition| knows_its_error(kind, condition));
    match way.holds {
        Holds::All => each.any(|knows| knows),
        Holds::Any => each.all(|knows| knows),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::kinds::Test;

    #[test]
    fn every_statistic_of_every_kind_has_a_nature_and_one_only() {
        for name in Test::STATISTICS.iter().copied().flatten() {
            let found = NATURES.iter().filter(|(_, names)| names.contains(name)).count();
            assert_eq!(found, 1, "{name}: name it once in NATURES");
        }
    }

    #[test]
    fn the_same_name_may_be_of_another_nature_in_another_kind() {
        assert_eq!(
            (nature("contrast", "inside"), nature("ratio", "inside")),
            (Some(Significant), Some(Point))
        );
    }
}
