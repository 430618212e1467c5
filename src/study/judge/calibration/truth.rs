//! What a prediction says about the numbers that its test reads, so that worlds can be made in which it is true or false.

use crate::judge::{
    hypothesis::{Condition, Prediction, Quantity, Rule, Scale, Test},
    kinds::{By, Contrast, Correlation, Summary},
};
use crate::stats::{Method, normal_quantile};

/// The pattern that a prediction claims, in the quantities of its test.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pattern<'a> {
    /// A quantity lies on one side of a value: in every model, or on average over models.
    Level { of: &'a Quantity, against: f64, every: bool },
    /// A quantity lies above a value, or below, in so many of the models.
    Some { of: &'a Quantity, against: f64, k: Option<u32>, share: Option<f64> },
    /// A quantity lies within bounds in more than this share of the lineages.
    Inside { of: &'a Quantity, within: [f64; 2], summary: Summary, share: f64 },
    /// Two quantities lie on sides of 0 of their own.
    Levels { a: &'a Quantity, b: &'a Quantity, signs: [f64; 2] },
    /// One quantity is larger than another; or by so much, within a band: its middle, and how far its ends lie from it.
    Shift { a: &'a Quantity, b: &'a Quantity, band: Option<[f64; 2]> },
    /// Models of one group have more than models of the other.
    Difference { of: &'a Quantity, by: &'a By },
    /// Models differ by a fact, beyond what they differ by in others.
    Fact { of: &'a Quantity, fact: &'a str, beyond: &'a [String] },
    /// Prompts differ by category.
    Categories { of: &'a Quantity },
    /// Prompts, or models, with more of `x` have more of `y`, as far as the controls leave `x` to differ.
    Relation { asked: &'a Correlation },
    /// A changed model differs from its base; or `through` 0, base and changed model lie on sides of their own.
    Change { of: &'a Quantity, change: &'a str, smallest: Option<f64>, through: bool },
}

impl<'a> Pattern<'a> {
    /// Whether it is about a correlation of ranks.
    pub(super) fn is_of_ranks(self) -> bool {
        matches!(self, Pattern::Relation { asked } if asked.method.method() == Method::Spearman)
    }

    /// The effect of this size, or the largest one that worlds are drawn with where that is smaller.
    pub(super) fn possible(self, effect: f64) -> f64 {
        match self {
            Pattern::Relation { .. } => effect.clamp(-LARGEST_CORRELATION, LARGEST_CORRELATION),
            _ => effect,
        }
    }

    /// The effect that a world is drawn with for a claim of this size: normal variables with a correlation of ranks of rho have one of
    /// 2 sin(pi rho / 6) themselves (Pearson 1907).
    pub(super) fn drawn_with(self, effect: f64) -> f64 {
        let effect = self.possible(effect);
        if self.is_of_ranks() { 2.0 * (std::f64::consts::PI * effect / 6.0).sin() } else { effect }
    }

    /// The quantities that are drawn anew in each world; the first carries the effect.
    pub(super) fn drawn(self) -> Vec<&'a Quantity> {
        match self {
            Pattern::Levels { a, b, .. } | Pattern::Shift { a, b, .. } => vec![a, b],
            Pattern::Relation { asked } => vec![&asked.y],
            Pattern::Level { of, .. }
            | Pattern::Some { of, .. }
            | Pattern::Inside { of, .. }
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

/// A correlation of 1 leaves nothing to chance.
const LARGEST_CORRELATION: f64 = 0.95;

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
                _ => Ok(Pattern::Shift { a: &test.a, b: &test.b, band: band(test, rule) }),
            }
        }
        Test::Groups(test) => Ok(Pattern::Difference { of: &test.of, by: &test.by }),
        Test::MatchedGroups(test) => Ok(Pattern::Difference { of: &test.of, by: &test.by }),
        Test::KruskalGroups(test) => Ok(Pattern::Fact { of: &test.of, fact: &test.by, beyond: &[] }),
        Test::Explains(test) => Ok(Pattern::Fact { of: &test.of, fact: &test.by, beyond: &test.beyond }),
        Test::Categories(test) => Ok(Pattern::Categories { of: &test.of }),
        Test::Correlation(asked) => Ok(Pattern::Relation { asked }),
        Test::Pairs(_) if names(rule).any(|name| matches!(name, "r" | "r-low" | "r-high")) => {
            Err("worlds in which bases tell how their changed models lie are not simulated")
        }
        Test::Pairs(test) => {
            let smallest = Some(test.size).filter(|size| *size > 0.0);
            let through = names(rule).any(|name| name.ends_with("falls-through"));
            Ok(Pattern::Change { of: &test.of, change: &test.change, smallest, through })
        }
        Test::Ratio(_) | Test::Reproduce(_) | Test::Identity(_) | Test::LogRatioSplit(_) => {
            Err("it compares given numbers with each other: nothing is sampled")
        }
        Test::Extremes(test) => {
            let low = rule.supported.iter().find(|condition| condition.statistic == "low");
            let share = low.and_then(|condition| condition.at_least.or(condition.above));
            match (test.within(), share) {
                (Some(within), Some(share)) if share < 1.0 => {
                    Ok(Pattern::Inside { of: &test.of, within, summary: test.summary, share })
                }
                _ => Err(
                    "it reads single numbers, or numbers relative to others: no sample with one effect to set",
                ),
            }
        }
        Test::SignPattern(_) => Err("it reads single numbers, not a sample of them"),
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

/// The band in which a rule wants a contrast, on the scale of the quantities.
fn band(test: &Contrast, rule: &Rule) -> Option<[f64; 2]> {
    let [low, high] = test.band.filter(|_| names(rule).any(|name| name == "inside"))?;
    let log = test.a.scale == Scale::Log && test.b.scale == Scale::Log;
    let [low, high] = if log { [low.ln(), high.ln()] } else { [low, high] };
    Some([(low + high) / 2.0, (high - low) / 2.0])
}

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

fn names(rule: &Rule) -> impl Iterator<Item = &str> {
    rule.ways().into_iter().flat_map(|way| way.conditions).map(|condition| condition.statistic.as_str())
}

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
            let falls = |c: &Condition| c.statistic.contains("lower") || c.statistic.contains("negative");
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
            Pattern::Relation { .. } => (0.0, true),
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
        );
        match pattern {
            Pattern::Change { smallest: Some(size), .. } if !aim.stated => {
                (aim.smallest, aim.stated) = (Size::Plain(size), true);
            }
            Pattern::Inside { share, .. } => aim = Aim::stated(Size::Plain(1.0 - share), false),
            Pattern::Shift { band: Some([_, half]), .. } => aim = Aim::stated(Size::Plain(half), true),
            _ => {}
        }
        aim
    }

    /// Effects in multiples of the smallest one of interest, and whether the claim is true with them.
    pub(super) fn effects(self, pattern: Pattern<'_>) -> &'static [(f64, bool)] {
        match self {
            // No share is larger than that of all.
            _ if matches!(pattern, Pattern::Inside { .. }) => &[(0.0, false), (-1.0, false), (1.0, true)],
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
            _ if matches!(pattern, Pattern::Inside { .. }) => 1.0,
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
        "difference" | "pooled" | "rho" | "absolute-rho" | "low" | "high" | "smallest-low"
        | "largest-high" | "equivalence-low" | "equivalence-high" | "bootstrap-low" | "bootstrap-high" => {
            Some(Size::Plain(bound - null))
        }
        _ => None,
    }
}
