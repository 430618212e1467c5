//! What a prediction says about the numbers that its test reads, so that worlds can be made in which it is true or false.

use crate::judge::{
    hypothesis::{Prediction, Quantity, Rule, Scale, Test},
    kinds::{
        By, ChangePoints, Contrast, Correlation, LayerCorrelation, LayerLocation, LowestCategory, PowerLaw,
        Predicted, Proportional, SignFlip, SinkFit, Summary, Trend,
    },
};
use crate::stats::Method;

/// A correlation of 1 leaves nothing to chance.
const LARGEST_CORRELATION: f64 = 0.95;

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
    /// Changed models lie among each other as their bases do.
    Kept { of: &'a Quantity, change: &'a str },
    /// Lineages lie in two heaps of as many.
    Heaps { of: &'a Quantity },
    /// In more than this share of the lineages the protocols disagree about the side of a value, or agree.
    Sides { test: &'a SignFlip, flip: bool, share: f64 },
    /// In more than this share of the lineages one category is the lowest.
    Lowest { test: &'a LowestCategory, share: f64 },
    /// More than this share of the lineages lie near a law that is given.
    Near { test: &'a Predicted, share: f64 },
    /// Models lie along a power law whose exponent is in a band: its middle, and how far its ends lie from it.
    Law { test: &'a PowerLaw, band: [f64; 2] },
    /// Prompts with so many times the x have as many times the y; the effect is the share of the variance that this explains.
    Multiple { test: &'a Proportional },
    /// The gains are those of one heavy first token and ordinary others; the effect is the share of the variance that is not.
    Sink { test: &'a SinkFit },
    /// Layers with more of `x` have more of `y`.
    Layers { test: &'a LayerCorrelation },
    /// Something happens in two profiles near each other, at most this share of the depth apart on average.
    Close { test: &'a LayerLocation },
    /// In more than this share of the lineages it happens some layers apart.
    Apart { test: &'a LayerLocation, share: f64 },
    /// Two quantities change at the same steps of trainings.
    Together { test: &'a ChangePoints },
    /// Along a training a quantity rises; the effect is the correlation with the order of its steps.
    Along { test: &'a Trend },
}

impl<'a> Pattern<'a> {
    /// Whether it is about a correlation of ranks.
    pub(super) fn is_of_ranks(self) -> bool {
        match self {
            Pattern::Relation { asked } => asked.method.method() == Method::Spearman,
            Pattern::Layers { test } => test.method.method() == Method::Spearman,
            Pattern::Along { .. } => true,
            _ => false,
        }
    }

    /// Of a claim about so many of the lineages, their share.
    pub(super) fn share(self) -> Option<f64> {
        match self {
            Pattern::Inside { share, .. }
            | Pattern::Sides { share, .. }
            | Pattern::Lowest { share, .. }
            | Pattern::Apart { share, .. }
            | Pattern::Near { share, .. } => Some(share),
            _ => None,
        }
    }

    /// The effect of this size, or the largest one that worlds are drawn with where that is smaller.
    pub(super) fn possible(self, effect: f64) -> f64 {
        match self {
            Pattern::Relation { .. }
            | Pattern::Kept { .. }
            | Pattern::Multiple { .. }
            | Pattern::Layers { .. }
            | Pattern::Along { .. } => effect.clamp(-LARGEST_CORRELATION, LARGEST_CORRELATION),
            _ => effect,
        }
    }

    /// The effect that a world is drawn with for a claim of this size: normal variables with a correlation of ranks of rho have one of
    /// 2 sin(pi rho / 6) themselves (Pearson 1907).
    pub(super) fn drawn_with(self, effect: f64) -> f64 {
        let effect = self.possible(effect);
        if self.is_of_ranks() { 2.0 * (std::f64::consts::PI * effect / 6.0).sin() } else { effect }
    }
}

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
        Test::Pairs(test) if names(rule).any(|name| matches!(name, "r" | "r-low" | "r-high")) => {
            Ok(Pattern::Kept { of: &test.of, change: &test.change })
        }
        Test::Pairs(test) => {
            let smallest = Some(test.size).filter(|size| *size > 0.0);
            let through = names(rule).any(|name| name.ends_with("falls-through"));
            Ok(Pattern::Change { of: &test.of, change: &test.change, smallest, through })
        }
        Test::Ratio(_) | Test::Reproduce(_) | Test::Identity(_) | Test::LogRatioSplit(_) => {
            Err(NOTHING_SAMPLED)
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
        Test::Modality(test) => Ok(Pattern::Heaps { of: &test.of }),
        Test::SignFlip(test) => match (lowest(rule, "low"), lowest(rule, "staying-low")) {
            (Some(share), _) => Ok(Pattern::Sides { test, flip: true, share }),
            (None, Some(share)) => Ok(Pattern::Sides { test, flip: false, share }),
            (None, None) => Err(NOTHING_SAMPLED),
        },
        Test::LowestCategory(test) => {
            let share = lowest(rule, "low").ok_or("its rule asks for no share of the lineages")?;
            Ok(Pattern::Lowest { test, share })
        }
        Test::Predicted(test) => {
            let share = lowest(rule, "low").ok_or("its rule asks for no share of the lineages")?;
            Ok(Pattern::Near { test, share })
        }
        Test::PowerLaw(test) => {
            let high = rule.supported.iter().find(|c| c.statistic == "high");
            let band = lowest(rule, "low").zip(high.and_then(|c| c.at_most.or(c.below)));
            let [low, high] =
                band.map(|(low, high)| [low, high]).ok_or("its rule names no band of exponents")?;
            Ok(Pattern::Law { test, band: [f64::midpoint(low, high), (high - low) / 2.0] })
        }
        Test::Proportional(test) => Ok(Pattern::Multiple { test }),
        Test::SinkFit(test) => Ok(Pattern::Sink { test }),
        Test::LayerCorrelation(test) => Ok(Pattern::Layers { test }),
        Test::Trend(test) => Ok(Pattern::Along { test }),
        Test::LayerLocation(test) => match lowest(rule, "apart-low") {
            Some(share) => Ok(Pattern::Apart { test, share }),
            None => Ok(Pattern::Close { test }),
        },
        Test::ChangePoints(test) => Ok(Pattern::Together { test }),
        Test::SpreadChange(_) => Err("worlds in which prompts differ less after a step are not simulated"),
        Test::Agreement(_) => Err("worlds under several protocols are simulated of `sign-flip` alone"),
    }
}

const NOTHING_SAMPLED: &str = "it compares given numbers with each other: nothing is sampled";

/// The least that a rule wants of a statistic in order to support.
fn lowest(rule: &Rule, statistic: &str) -> Option<f64> {
    let condition = rule.supported.iter().find(|condition| condition.statistic == statistic)?;
    condition.at_least.or(condition.above)
}

/// The band in which a rule wants a contrast, on the scale of the quantities.
fn band(test: &Contrast, rule: &Rule) -> Option<[f64; 2]> {
    let [low, high] = test.band.filter(|_| names(rule).any(|name| name == "inside"))?;
    let log = test.a.scale == Scale::Log && test.b.scale == Scale::Log;
    let [low, high] = if log { [low.ln(), high.ln()] } else { [low, high] };
    Some([(low + high) / 2.0, (high - low) / 2.0])
}

fn names(rule: &Rule) -> impl Iterator<Item = &str> {
    rule.ways().into_iter().flat_map(|way| way.conditions).map(|condition| condition.statistic.as_str())
}
