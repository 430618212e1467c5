//! Claims about every model: they stand with all of them and fall with one, so what is tested are the extremes, not the mean.
//!
//! That every model lies on one side is supported where each does by itself: the largest p of the models, uncorrected, is a p of
//! "some model does not" (an intersection-union test, Berger 1982). It is refuted where one model lies on the other side, which
//! among many one does by chance: the smallest p, after Holm, is a p of "every model does".

use crate::{
    judge::{
        cache::MeanAgainst, context::TestContext, digits::digits, effect::Effect, hypothesis::Condition,
        statistics::finite,
    },
    stats::{EveryUnits, Interval, Units, holm, mean, median_interval, quantile, sign_test},
};

/// On which side of a value every model is to lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Every {
    Above,
    Below,
}

impl Every {
    /// The side that a prediction is about, if its support rests on an extreme: `smallest-low` above a bound says that every
    /// model lies above it.
    pub(crate) fn of(supported: &[Condition]) -> Option<(Every, &Condition)> {
        let side = |condition: &Condition| match condition.statistic.as_str() {
            "smallest-low" | "smallest" if condition.above.or(condition.at_least).is_some() => {
                Some(Every::Above)
            }
            "largest-high" | "largest" if condition.below.or(condition.at_most).is_some() => {
                Some(Every::Below)
            }
            _ => None,
        };
        supported.iter().find_map(|condition| Some((side(condition)?, condition)))
    }

    /// The bound of a condition that a side is about.
    pub(crate) fn bound(self, condition: &Condition) -> Option<f64> {
        match self {
            Every::Above => condition.above.or(condition.at_least),
            Every::Below => condition.below.or(condition.at_most),
        }
    }

    /// 1 for above, -1 for below: what lies on the side is positive times this.
    pub(crate) fn sign(self) -> f64 {
        match self {
            Every::Above => 1.0,
            Every::Below => -1.0,
        }
    }
}

/// A model of a claim about every one.
pub(crate) struct One<'a> {
    pub model: &'a str,
    /// The mean of its prompts, or their median.
    pub mean: f64,
    /// `None` with fewer than two prompts.
    pub found: Option<MeanAgainst>,
    /// By prompt, the value less the null.
    pub deviations: Vec<(String, f64)>,
}

impl<'a> One<'a> {
    /// One of `among` models, against a null.
    pub(crate) fn new(
        context: &TestContext<'_>,
        model: &'a str,
        values: Vec<(String, f64)>,
        null: f64,
        among: usize,
    ) -> Option<One<'a>> {
        let numbers: Vec<f64> = values.iter().map(|(_, value)| *value).collect();
        Some(One {
            model,
            mean: mean(&numbers)?,
            found: context.cache.mean_against(&numbers, context.alpha, null, among),
            deviations: values.into_iter().map(|(prompt, value)| (prompt, value - null)).collect(),
        })
    }

    /// One of `among` models by its median: intervals between order statistics, the sign test's p, and its signs as units.
    pub(crate) fn by_median(
        context: &TestContext<'_>,
        model: &'a str,
        values: Vec<(String, f64)>,
        null: f64,
        among: usize,
    ) -> Option<One<'a>> {
        let numbers: Vec<f64> = values.iter().map(|(_, value)| *value).collect();
        let levels = [context.alpha, 2.0 * context.alpha, context.alpha / among.max(1) as f64];
        let found = match levels.map(|level| median_interval(&numbers, level)) {
            [Some(alone), Some(narrow), among] => Some(MeanAgainst {
                alone,
                narrow,
                // Too few prompts for that level: nothing is excluded.
                among: among.unwrap_or(Interval { low: f64::NEG_INFINITY, high: f64::INFINITY }),
                p: sign_test(&numbers, null).unwrap_or(1.0),
            }),
            _ => None,
        };
        let sign = |value: f64| if value == null { 0.0 } else { (value - null).signum() };
        Some(One {
            model,
            mean: quantile(&numbers, 0.5)?,
            found,
            deviations: values.into_iter().map(|(prompt, value)| (prompt, sign(value))).collect(),
        })
    }
}

impl Every {
    /// The extreme model as the effect: what the side says of it, with the interval that holds for all models at once where it
    /// speaks against the claim, and the units of the joint inference.
    pub(crate) fn effect(self, models: &[One<'_>], null: f64, unit: &str) -> Option<(Effect, Units)> {
        let sign = self.sign();
        let extreme = models.iter().min_by(|a, b| (sign * a.mean).total_cmp(&(sign * b.mean)))?;
        let all: Option<Vec<&MeanAgainst>> = models.iter().map(|one| one.found.as_ref()).collect();
        let beyond = |one: &One<'_>| sign * (one.mean - null) < 0.0;
        // A model on the claim's side says nothing against it, however small its p.
        let against_claim = models.iter().map(|one| one.found.filter(|_| beyond(one)).map_or(1.0, |f| f.p));
        let adjusted = holm(&against_claim.collect::<Vec<_>>());
        let stands = models.iter().all(|one| sign * (one.mean - null) > 0.0);
        let n = models.len();
        let (words, null_words) = match self {
            Every::Above => ("smallest", ["not above", "at least"]),
            Every::Below => ("largest", ["not below", "at most"]),
        };
        let value = digits(null);
        let (p, hypothesis) = if stands {
            let largest = all.as_ref().and_then(|all| all.iter().map(|f| f.p).reduce(f64::max));
            (largest, format!("some model is {} {value} (largest p of {n} models)", null_words[0]))
        } else {
            let against = models.iter().zip(&adjusted).filter(|(one, _)| one.found.is_some() && beyond(one));
            let smallest = against.map(|(_, p)| *p).reduce(f64::min);
            (
                smallest,
                format!("every model is {} {value} (smallest p of {n} models, after Holm)", null_words[1]),
            )
        };
        // Towards the claim each model has its own interval; against it all have one at once.
        let toward = all.as_ref().and_then(|all| {
            all.iter().map(|f| if sign > 0.0 { f.alone.low } else { -f.alone.high }).reduce(f64::min)
        });
        let against = models.iter().filter_map(|one| one.found);
        let against = against.map(|f| if sign > 0.0 { f.among.high } else { -f.among.low }).reduce(f64::min);
        let (low, high) = match self {
            Every::Above => (toward, against),
            Every::Below => (against.map(|x| -x), toward.map(|x| -x)),
        };
        let effect = Effect {
            value: extreme.mean,
            low: finite(low),
            high: finite(high),
            p,
            n: n as u64,
            null,
            what: format!("{words} {unit} of a model"),
            hypothesis: Some(hypothesis),
        };
        let own = models.iter().map(|one| (one.model.to_string(), one.deviations.clone()));
        let side = if sign > 0.0 { "above" } else { "below" };
        Some((effect, Units::Every(EveryUnits { side, models: own.collect() })))
    }
}
