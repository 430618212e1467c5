//! How large an effect a prediction claims, and in which direction, read from its rule.

use super::truth::Pattern;
use crate::judge::hypothesis::{Condition, Rule};
use crate::stats::normal_quantile;

/// How far from none the effect must be for the claim to be true, and in which direction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Aim {
    /// The smallest effect of interest.
    pub smallest: Size,
    /// Whether the rule states it.
    pub stated: bool,
    /// 1 where the claim is an effect above the null, -1 below.
    pub sign: f64,
    /// Whether the claim is that no effect is as large as `smallest`.
    pub absent: bool,
    /// Whether the claim is of an effect in either direction.
    pub either_way: bool,
}

/// The size of an effect.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Size {
    /// In the unit of the quantity; of a correlation, the correlation.
    Plain(f64),
    /// In standard deviations of the units that are compared.
    Deviations(f64),
}

/// The size that is taken where a rule states none: half a standard deviation, which Cohen (1988) calls medium; of a
/// correlation 0.3, likewise.
const MEDIUM: (f64, f64) = (0.5, 0.3);

/// How many of their standard deviations the middles of two heaps lie from the middle between them, at least. Two normal distributions
/// that lie twice one deviation apart just have one peak (Ashman, Bird and Zepf 1994): these lie half as far again.
const APART: f64 = 1.5;

/// Statistics that say nothing of the direction of an effect.
const WITHOUT_DIRECTION: [&str; 10] = [
    "p",
    "p-f",
    "p-family",
    "partial-r2",
    "partial-r2-low",
    "share-significant",
    "absolute-rho",
    "models",
    "lineages",
    "families",
];

/// The aim of a rule, read from its conditions on the effect itself, on the interval of the effect, or on the area under the
/// curve. `null` is the effect where there is none; `correlation` says that the effect is one.
fn aim(rule: &Rule, null: f64, correlation: bool) -> Aim {
    let (mut lower, mut upper) = (None::<Size>, None::<Size>);
    for condition in &rule.supported {
        let size = |bound: f64| size(&condition.statistic, bound, null);
        lower = condition.above.or(condition.at_least).and_then(size).or(lower);
        upper = condition.below.or(condition.at_most).and_then(size).or(upper);
    }
    let (sign, smallest) = match (lower, upper) {
        (Some(low), Some(high)) if low.value() < 0.0 && high.value() > 0.0 => {
            let smallest = if -low.value() < high.value() { low } else { high };
            return Aim::stated(smallest.of_size(), true);
        }
        (None, Some(high)) => (-1.0, Some(high)),
        (Some(low), _) => (1.0, Some(low)),
        (None, None) => {
            let falls = |c: &Condition| {
                let name = &c.statistic;
                ["lower", "negative", "falling"].iter().any(|word| name.contains(word))
            };
            (if rule.supported.iter().any(falls) { -1.0 } else { 1.0 }, None)
        }
    };
    let stated = smallest.map(Size::of_size).filter(|size| size.value() > 0.0);
    let medium = if correlation { Size::Plain(MEDIUM.1) } else { Size::Deviations(MEDIUM.0) };
    let mut supported = rule.supported.iter();
    let either_way = supported.all(|condition| WITHOUT_DIRECTION.contains(&condition.statistic.as_str()));
    Aim { smallest: stated.unwrap_or(medium), stated: stated.is_some(), sign, absent: false, either_way }
}

impl Aim {
    /// That an effect is as large as this, or `absent`, that none is.
    fn stated(smallest: Size, absent: bool) -> Aim {
        Aim { smallest, stated: true, sign: 1.0, absent, either_way: false }
    }

    /// The aim of a pattern, which may say what the rule does not.
    pub(super) fn of(pattern: Pattern<'_>, rule: &Rule) -> Aim {
        let (null, correlation) = match pattern {
            Pattern::Level { against, .. } | Pattern::Some { against, .. } => (against, false),
            Pattern::Relation { .. }
            | Pattern::Kept { .. }
            | Pattern::Layers { .. }
            | Pattern::Along { .. } => (0.0, true),
            _ => (0.0, false),
        };
        let mut aim = aim(rule, null, correlation);
        // Shares of models, and of those that must have something, are of one side.
        aim.either_way &= matches!(
            pattern,
            Pattern::Difference { .. }
                | Pattern::Fact { .. }
                | Pattern::Categories { .. }
                | Pattern::Relation { .. }
                | Pattern::Change { through: false, .. }
                | Pattern::Layers { .. }
        );
        match pattern {
            Pattern::Change { smallest: Some(size), .. } if !aim.stated => {
                (aim.smallest, aim.stated) = (Size::Plain(size), true);
            }
            Pattern::Shift { band: Some([_, half]), .. } | Pattern::Law { band: [_, half], .. } => {
                aim = Aim::stated(Size::Plain(half), true);
            }
            Pattern::Heaps { .. } => {
                aim = Aim { either_way: true, ..Aim::stated(Size::Deviations(APART), false) };
            }
            Pattern::Along { test } if test.size > 0.0 => {
                (aim.smallest, aim.stated) = (Size::Plain(test.size), true);
            }
            Pattern::Kept { .. } => {
                let asked = rule.supported.iter().filter(|c| matches!(c.statistic.as_str(), "r" | "r-low"));
                let asked = asked.filter_map(|c| c.above.or(c.at_least)).reduce(f64::max);
                if let Some(asked) = asked {
                    aim = Aim::stated(Size::Plain(asked), false);
                }
            }
            Pattern::Close { .. } => aim = Aim::stated(aim.smallest, true),
            Pattern::Together { .. } => aim = Aim::stated(Size::Plain(1.0), false),
            // No share of the variance is below none.
            Pattern::Multiple { .. } => aim.either_way = true,
            Pattern::Sink { .. } => {
                let explained = rule.supported.iter().find_map(|c| c.at_least.or(c.above));
                aim = Aim::stated(Size::Plain(1.0 - explained.unwrap_or(0.0)), true);
            }
            _ => {
                if let Some(share) = pattern.share() {
                    aim = Aim::stated(Size::Plain(1.0 - share), false);
                }
            }
        }
        aim
    }

    /// Effects in multiples of the smallest one of interest, and whether the claim is true with them.
    pub(super) fn effects(self, pattern: Pattern<'_>) -> &'static [(f64, bool)] {
        match self {
            // No share is larger than that of all.
            // Of what is always at one layer no interval is made.
            _ if matches!(pattern, Pattern::Close { .. }) => &[(1.0, false), (2.0, false), (0.5, true)],
            _ if pattern.share().is_some() || matches!(pattern, Pattern::Together { .. }) => {
                &[(0.0, false), (-1.0, false), (1.0, true)]
            }
            Aim { absent: true, .. } => &[(1.0, false), (2.0, false), (0.0, true)],
            // There is no other way.
            Aim { either_way: true, .. } => &[(0.0, false), (1.0, true), (2.0, true)],
            _ => &[(0.0, false), (-1.0, false), (1.0, true), (2.0, true)],
        }
    }

    /// The multiple with which a true claim should be found. Where a rule asks an estimate or its interval to reach the smallest effect
    /// itself, one of just that is found in half of the worlds at most, however large they are.
    pub(super) fn wanted(self, pattern: Pattern<'_>) -> f64 {
        match self {
            _ if matches!(pattern, Pattern::Close { .. }) => 0.5,
            _ if pattern.share().is_some() || matches!(pattern, Pattern::Together { .. }) => 1.0,
            Aim { absent: true, .. } => 0.0,
            Aim { stated: true, .. } => 2.0,
            _ => 1.0,
        }
    }
}

impl Size {
    fn value(self) -> f64 {
        match self {
            Size::Plain(value) | Size::Deviations(value) => value,
        }
    }

    fn of_size(self) -> Size {
        match self {
            Size::Plain(value) => Size::Plain(value.abs()),
            Size::Deviations(value) => Size::Deviations(value.abs()),
        }
    }
}

/// How far from none a bound on a statistic is; `None` of a statistic that is no effect, such as a p or a count.
fn size(statistic: &str, bound: f64, null: f64) -> Option<Size> {
    match statistic {
        // Two normal distributions d deviations apart have the area Phi(d / sqrt 2).
        "auc" => Some(Size::Deviations(std::f64::consts::SQRT_2 * normal_quantile(bound)?)),
        "effect" => Some(Size::Deviations(bound)),
        // A share of the variance.
        "partial-r2" => Some(Size::Deviations((bound / (1.0 - bound)).max(0.0).sqrt())),
        "difference" | "pooled" | "rho" | "linear-low" | "absolute-rho" | "low" | "high" | "smallest-low"
        | "largest-high" | "equivalence-low" | "equivalence-high" | "bootstrap-low" | "bootstrap-high" => {
            Some(Size::Plain(bound - null))
        }
        _ => None,
    }
}
