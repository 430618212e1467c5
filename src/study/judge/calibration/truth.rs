//! What a prediction says about the numbers that its test reads, so that worlds can be made in which it is true or false.

use crate::judge::{
    hypothesis::{Condition, Prediction, Quantity, Rule, Test},
    kinds::{By, Unit},
};
use crate::stats::normal_quantile;

/// The pattern that a prediction claims, in the quantities of its test.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pattern<'a> {
    /// A quantity lies on one side of a value: in every model, or on average over models.
    Level { of: &'a Quantity, against: f64, every: bool },
    /// A quantity lies above a value, or below, in so many of the models.
    Some { of: &'a Quantity, against: f64, k: Option<u32>, share: Option<f64> },
    /// Two quantities lie on sides of 0 of their own.
    Levels { a: &'a Quantity, b: &'a Quantity, signs: [f64; 2] },
    /// One quantity is larger than another.
    Shift { a: &'a Quantity, b: &'a Quantity },
    /// Models of one group have more than models of the other.
    Difference { of: &'a Quantity, by: &'a By },
    /// Models differ by a fact.
    Fact { of: &'a Quantity, fact: &'a str },
    /// Prompts differ by category.
    Categories { of: &'a Quantity },
    /// Prompts, or models, with more of `x` have more of `y`.
    Relation { x: &'a Quantity, y: &'a Quantity, unit: Unit },
    /// A changed model differs from its base.
    Change { of: &'a Quantity, change: &'a str, smallest: Option<f64> },
}

impl<'a> Pattern<'a> {
    /// The quantities that are drawn anew in each world; the first carries the effect.
    pub(super) fn drawn(self) -> Vec<&'a Quantity> {
        match self {
            Pattern::Levels { a, b, .. } | Pattern::Shift { a, b } => vec![a, b],
            Pattern::Relation { y, .. } => vec![y],
            Pattern::Level { of, .. }
            | Pattern::Some { of, .. }
            | Pattern::Difference { of, .. }
            | Pattern::Fact { of, .. }
            | Pattern::Categories { of }
            | Pattern::Change { of, .. } => vec![of],
        }
    }
}

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

/// The pattern of a prediction; in words why none can be drawn.
pub(super) fn pattern(prediction: &Prediction) -> Result<Pattern<'_>, &'static str> {
    let rule = &prediction.rule;
    match &prediction.test {
        Test::MeanByModel(test) => {
            let every = names(rule).any(|name| name.starts_with("smallest-") || name.starts_with("largest-"));
            Ok(Pattern::Level { of: &test.of, against: test.against, every })
        }
        Test::ShareOfModels(test) => Ok(Pattern::Level { of: &test.of, against: test.above, every: false }),
        Test::KOfN(test) => {
            Ok(Pattern::Some { of: &test.of, against: test.against, k: test.k, share: test.share })
        }
        Test::Contrast(test) => {
            let of = |letter: &str| {
                let mut own = rule.supported.iter().filter(|c| c.statistic.starts_with(letter));
                own.next().map(|c| if c.above.or(c.at_least).is_some() { 1.0 } else { -1.0 })
            };
            match (of("a-"), of("b-")) {
                (Some(a), Some(b)) => Ok(Pattern::Levels { a: &test.a, b: &test.b, signs: [a, b] }),
                _ => Ok(Pattern::Shift { a: &test.a, b: &test.b }),
            }
        }
        Test::Groups(test) => Ok(Pattern::Difference { of: &test.of, by: &test.by }),
        Test::MatchedGroups(test) => Ok(Pattern::Difference { of: &test.of, by: &test.by }),
        Test::KruskalGroups(test) => Ok(Pattern::Fact { of: &test.of, fact: &test.by }),
        Test::Explains(test) => Ok(Pattern::Fact { of: &test.of, fact: &test.by }),
        Test::Categories(test) => Ok(Pattern::Categories { of: &test.of }),
        Test::Correlation(test) => Ok(Pattern::Relation { x: &test.x, y: &test.y, unit: test.unit }),
        Test::Pairs(test) => {
            let smallest = Some(test.size).filter(|size| *size > 0.0);
            Ok(Pattern::Change { of: &test.of, change: &test.change, smallest })
        }
        Test::Ratio(_) | Test::Reproduce(_) | Test::Identity(_) | Test::LogRatioSplit(_) => {
            Err("it compares given numbers with each other: nothing is sampled")
        }
        Test::Extremes(_) | Test::SignPattern(_) => Err("it reads single numbers, not a sample of them"),
        Test::LayerLocation(_) | Test::LayerCorrelation(_) | Test::Predicted(_) | Test::PowerLaw(_) => {
            Err("worlds of profiles over layers are not simulated")
        }
        Test::Trend(_) | Test::ChangePoints(_) | Test::SpreadChange(_) => {
            Err("worlds of trainings are not simulated")
        }
        Test::SignFlip(_) | Test::Agreement(_) => Err("worlds under several protocols are not simulated"),
        Test::SinkFit(_) | Test::Proportional(_) | Test::Modality(_) | Test::LowestCategory(_) => {
            Err("it compares shapes: there is no one effect to set")
        }
    }
}

fn names(rule: &Rule) -> impl Iterator<Item = &str> {
    rule.ways().into_iter().flat_map(|way| way.conditions).map(|condition| condition.statistic.as_str())
}

/// The aim of a rule, read from its conditions on the effect itself, on the interval of the effect, or on the area under the
/// curve. `null` is the effect where there is none; `correlation` says that the effect is one.
pub(super) fn aim(rule: &Rule, null: f64, correlation: bool) -> Aim {
    let (mut lower, mut upper) = (None::<Size>, None::<Size>);
    for condition in &rule.supported {
        let size = |bound: f64| size(&condition.statistic, bound, null);
        lower = condition.above.or(condition.at_least).and_then(size).or(lower);
        upper = condition.below.or(condition.at_most).and_then(size).or(upper);
    }
    let (sign, smallest) = match (lower, upper) {
        (Some(low), Some(high)) if low.value() < 0.0 && high.value() > 0.0 => {
            let smallest = if -low.value() < high.value() { low } else { high };
            return Aim { smallest: smallest.of_size(), stated: true, sign: 1.0, absent: true };
        }
        (None, Some(high)) => (-1.0, Some(high)),
        (Some(low), _) => (1.0, Some(low)),
        (None, None) => {
            let falls = |c: &Condition| c.statistic.contains("lower") || c.statistic.contains("negative");
            (if rule.supported.iter().any(falls) { -1.0 } else { 1.0 }, None)
        }
    };
    let stated = smallest.map(Size::of_size).filter(|size| size.value() > 0.0);
    let medium = if correlation { Size::Plain(MEDIUM.1) } else { Size::Deviations(MEDIUM.0) };
    Aim { smallest: stated.unwrap_or(medium), stated: stated.is_some(), sign, absent: false }
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
        "difference" | "pooled" | "rho" | "absolute-rho" | "low" | "high" | "smallest-low"
        | "largest-high" | "equivalence-low" | "equivalence-high" | "bootstrap-low" | "bootstrap-high" => {
            Some(Size::Plain(bound - null))
        }
        _ => None,
    }
}
