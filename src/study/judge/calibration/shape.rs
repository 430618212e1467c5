//! What a world makes of the numbers of a model, beyond setting its mean.

use std::collections::BTreeMap;

use rand::rngs::ChaCha12Rng;

use super::{
    bounded::Bounded,
    moved::{Distance, Moved},
    normal,
    profile::{Apart, Profiles},
    seen::{Seen, SeenModel, between, inside},
    truth::Pattern,
};
use crate::judge::{
    cells::Cell,
    context::TestContext,
    hypothesis::Quantity,
    kinds::{Predicted, SinkFit},
};
use crate::stats::{line, mean, power_law, sink_fit, sink_gain, standard_deviation};
use number::metric::Paired;

/// How a pattern changes numbers.
pub(super) enum Shape<'a> {
    /// Not at all.
    Free,
    /// Of a claim about bounds, each model.
    Bounded(Vec<Bounded>),
    /// Protocols lie so far from a value, its logarithm, that their side is clear; or just at the smallest size of interest.
    Sides { against: f64, clear: f64, edge: f64, flip: bool },
    /// One category lies so far below its model's mean, or above.
    Lowest { category: &'a str, by: f64 },
    /// Of each model the number that a law gives it, and a factor that is far from it.
    Near { predicted: Vec<Option<f64>>, off: f64 },
    /// Of each model how far its log x lies from the mean; the mean of log y, and the spread of lineages and models around the law.
    Law { along: Vec<Option<f64>>, centre: f64, exponent: f64, between: f64, inside: f64 },
    /// Of each model x by prompt.
    Multiple(Vec<Line<'a>>),
    /// Of each model the gain that its fits predict, by prompt, and the deviation of these.
    Sink(Vec<(BTreeMap<&'a str, f64>, f64)>),
    /// Bases lie around a mean with this deviation, and so do changed models, as far as these have it from their bases.
    Kept { is_changed: Vec<bool>, centre: f64, deviation: f64 },
    /// Numbers in an order.
    Profiles(Profiles<'a>),
    /// Profiles in which something happens elsewhere.
    Moved(Moved<'a>, How),
}

/// What decides how far apart two things happen.
pub(super) enum How {
    /// The effect, a share of the depth.
    Depth,
    /// Whether the lineage has what so many must have: that they are so many layers apart.
    Share { apart: usize },
    /// Whether they go together, are unrelated, or far from each other.
    Together,
}

/// y as a multiple of x, by prompt.
pub(super) struct Line<'a> {
    multiples: BTreeMap<&'a str, Multiple>,
}

/// One prompt of a line.
#[derive(Clone, Copy)]
struct Multiple {
    value: f64,
    /// The deviation of such values within the prompt's set, and how many these are.
    deviation: f64,
    n: f64,
}

impl Multiple {
    /// The deviation of what lies around the line where this share of the variance is predicted of a prompt that is left out: of n
    /// prompts, (n + 1) / (n - 1) of the variance around the line is missed on average, of their own around their mean.
    fn around(self, predicted: f64) -> f64 {
        let left = (1.0 - predicted) * (self.n - 1.0) / (self.n + 1.0);
        self.deviation * (left / (1.0 - left)).max(0.0).sqrt()
    }
}

/// Whose number is made.
#[derive(Clone, Copy)]
pub(super) struct Whose<'s, 'a> {
    /// The number of the drawn quantity, and of the model in it.
    pub number: usize,
    pub i: usize,
    pub model: &'s SeenModel<'a>,
    pub lineage: usize,
    pub apart: Apart,
    /// What no other model has, a standard normal draw; 0 where the shape needs none.
    pub own: f64,
    /// The effect.
    pub effect: f64,
    /// Whether the lineage has what so many must have.
    pub has: bool,
}

impl<'a> Shape<'a> {
    pub(super) fn new(
        pattern: Pattern<'a>,
        drawn: &[Seen<'a>],
        fixed: &[Seen<'a>],
        lineages: &[Vec<usize>],
        along: &[f64],
        context: &TestContext<'_>,
    ) -> Shape<'a> {
        let models = &drawn[0].models;
        let within = drawn[0].within().unwrap_or(0.0);
        match pattern {
            Pattern::Inside { of, within, summary, .. } => {
                Shape::Bounded(models.iter().map(|model| Bounded::of(model, of, within, summary)).collect())
            }
            Pattern::Sides { test, flip, .. } => {
                let clear = if test.size > 0.0 { 2.0 * test.size } else { within / 2.0 };
                Shape::Sides { against: test.against.ln(), clear, edge: test.size, flip }
            }
            Pattern::Lowest { test, .. } => Shape::Lowest { category: &test.category, by: within / 2.0 },
            Pattern::Near { test, .. } => {
                let x = of_models(models, fixed, &test.against);
                Shape::Near { predicted: predicted(test, models, &x, context), off: test.factor.powi(2) }
            }
            Pattern::Law { test, band: [middle, _] } => {
                law(models, &lineages[0], &of_models(models, fixed, &test.x), middle)
            }
            Pattern::Multiple { test } => {
                let of = |model| multiples(model, seen_of(fixed, &test.x));
                Shape::Multiple(models.iter().map(of).collect())
            }
            Pattern::Sink { test } => {
                Shape::Sink(models.iter().map(|model| sink(test, model, fixed, context)).collect())
            }
            Pattern::Kept { .. } => kept(models, &lineages[0], along),
            Pattern::Close { test } => {
                Shape::Moved(Moved::of_layers(test, drawn, fixed, context), How::Depth)
            }
            Pattern::Apart { test, .. } => {
                let apart = test.apart.ceil() as usize;
                Shape::Moved(Moved::of_layers(test, drawn, fixed, context), How::Share { apart })
            }
            Pattern::Together { test } => {
                let other = seen_of(fixed, &test.b).unwrap_or(&drawn[0]);
                Shape::Moved(Moved::of_trainings(test, &drawn[0], &other.cells, context), How::Together)
            }
            Pattern::Layers { .. } => {
                Shape::Profiles(Profiles::of_layers(drawn, fixed, lineages, pattern.is_of_ranks()))
            }
            Pattern::Along { .. } => {
                Shape::Profiles(Profiles::of_trainings(&drawn[0], &lineages[0], context))
            }
            _ => Shape::Free,
        }
    }

    /// What there is none of, where nothing could be drawn.
    pub(super) fn lacking(&self) -> Option<String> {
        let lacking = match self {
            Shape::Profiles(profiles) if profiles.is_empty() => {
                Some("no model has numbers in an order, of layers or of a training's steps, that differ")
            }
            Shape::Moved(moved, _) if moved.is_empty() => return Some(moved.lacking()),
            Shape::Kept { deviation, .. } if *deviation <= 0.0 => Some("the bases do not differ"),
            Shape::Sink(models) if models.iter().all(|(gains, _)| gains.is_empty()) => {
                Some("no model has norms to which the gain of a heavy first token can be fitted")
            }
            Shape::Multiple(lines) if lines.iter().all(|line| line.multiples.is_empty()) => {
                Some("no model has both quantities")
            }
            _ => None,
        };
        lacking.map(str::to_string)
    }

    /// Whether a world needs a turn of each lineage.
    pub(super) fn turns(&self) -> bool {
        matches!(self, Shape::Profiles(_) | Shape::Moved(..))
    }

    /// Whether a model needs a draw of its own.
    pub(super) fn draws(&self) -> bool {
        matches!(self, Shape::Law { .. } | Shape::Kept { .. })
    }

    /// A number of a model, of a prompt or (`None`) of the whole, as it is in a world; `drawn` is the number with nothing set.
    pub(super) fn value(
        &self,
        whose: Whose<'_, 'a>,
        prompt: Option<(&str, &Cell<'a>)>,
        drawn: f64,
        rng: &mut ChaCha12Rng,
    ) -> f64 {
        let Whose { number, i, model, lineage, apart, own, effect, has } = whose;
        let moved_to = |mean: f64| drawn - model.mean + mean;
        // A scale keeps what is positive so.
        let scaled_to = |mean: f64| (drawn / model.mean).max(f64::MIN_POSITIVE) * mean;
        match self {
            Shape::Free => drawn,
            Shape::Bounded(models) if number == 0 => models[i].value(drawn, has),
            Shape::Bounded(_) => drawn,
            Shape::Sides { against, clear, edge, flip } => {
                // Those that do not have what is claimed nearly do.
                let below = match (flip, has) {
                    (true, true) => -clear,
                    (false, true) => *clear,
                    (_, false) => -edge,
                };
                moved_to(against + if number == 0 { *clear } else { below })
            }
            Shape::Lowest { category, by } => match prompt.and_then(|(_, cell)| cell.category) {
                Some(of) if of == *category => drawn + if has { -by } else { *by },
                _ => drawn,
            },
            Shape::Near { predicted, off } => {
                let off = if lineage.is_multiple_of(2) { *off } else { 1.0 / off };
                predicted[i].map_or(drawn, |mean| scaled_to(mean * if has { 1.0 } else { off }))
            }
            Shape::Law { along, centre, exponent, between, inside } => along[i].map_or(drawn, |along| {
                let apart = apart.normal * between + own * inside;
                scaled_to((centre + (exponent + effect) * along + apart).exp())
            }),
            Shape::Multiple(lines) => match prompt.and_then(|(prompt, _)| lines[i].multiples.get(prompt)) {
                Some(multiple) if effect > 0.0 => multiple.value + multiple.around(effect) * normal(rng),
                _ => drawn,
            },
            Shape::Sink(models) => {
                let (gains, deviation) = &models[i];
                match prompt.and_then(|(prompt, _)| gains.get(prompt)) {
                    Some(gain) if effect < 1.0 => {
                        gain + deviation * (effect / (1.0 - effect)).max(0.0).sqrt() * normal(rng)
                    }
                    _ => drawn,
                }
            }
            Shape::Kept { is_changed, centre, deviation } => {
                let rest = (1.0 - effect * effect).max(0.0).sqrt() * own;
                let lies = if is_changed[i] { effect * apart.normal + rest } else { apart.normal };
                moved_to(centre + deviation * lies)
            }
            Shape::Moved(moved, how) => {
                let distance = match how {
                    How::Depth => Distance::OfDepth(effect),
                    How::Share { apart } => Distance::Places(apart - usize::from(!has)),
                    How::Together if effect > 0.0 => Distance::Places(0),
                    How::Together if effect < 0.0 => Distance::Places(moved.far()),
                    How::Together => Distance::Any,
                };
                moved.value(number, model.of, distance, apart).map_or(drawn, moved_to)
            }
            Shape::Profiles(profiles) => {
                profiles.value(number, model.of, effect, apart).map_or(drawn, moved_to)
            }
        }
    }
}

/// What was seen of another quantity.
fn seen_of<'s, 'a>(fixed: &'s [Seen<'a>], quantity: &Quantity) -> Option<&'s Seen<'a>> {
    fixed.iter().find(|seen| *seen.quantity == *quantity)
}

/// Of each model its number of another quantity.
fn of_models(models: &[SeenModel<'_>], fixed: &[Seen<'_>], quantity: &Quantity) -> Vec<Option<f64>> {
    let seen = seen_of(fixed, quantity);
    let of = |id: &str| seen?.models.iter().find(|model| model.id == id).map(|model| model.mean);
    models.iter().map(|model| of(model.id).filter(|x| *x > 0.0)).collect()
}

/// What the law gives each model; the models that it was fitted to, and what stems from them, are held against it as it is.
fn predicted(
    test: &Predicted,
    models: &[SeenModel<'_>],
    x: &[Option<f64>],
    context: &TestContext<'_>,
) -> Vec<Option<f64>> {
    let lineage = |id: &str| context.model(id).map_or("", |known| known.lineage);
    let fitted = |model: &SeenModel<'_>| test.fitted_to.iter().any(|id| lineage(id) == lineage(model.of));
    let points = models.iter().zip(x).filter(|(model, _)| model.id == model.of && fitted(model));
    let (x_fitted, y): (Vec<f64>, Vec<f64>) =
        points.filter_map(|(model, x)| Some(((*x)?, model.mean))).unzip();
    // The points that a law was fitted to, each held against the others, lie along their own law.
    let own = power_law(&x_fitted, &y, 0.05).map(|law| (law.coefficient, law.exponent));
    let given = (test.coefficient, test.exponent);
    let of = |(model, x): (&SeenModel<'_>, &Option<f64>)| {
        let (coefficient, exponent) = own.filter(|_| model.id == model.of && fitted(model)).unwrap_or(given);
        x.map(|x| coefficient * x.powf(exponent))
    };
    models.iter().zip(x).map(of).collect()
}

/// A power law with this exponent, and what lies around the one that was seen.
fn law<'a>(models: &[SeenModel<'a>], lineages: &[usize], x: &[Option<f64>], exponent: f64) -> Shape<'a> {
    let logs: Vec<Option<f64>> = x.iter().map(|x| x.map(f64::ln)).collect();
    let known: Vec<usize> = (0..models.len())
        .filter(|&i| logs[i].is_some() && models[i].mean > 0.0 && models[i].id == models[i].of)
        .collect();
    let pick = |of: &dyn Fn(usize) -> Option<f64>| known.iter().filter_map(|&i| of(i)).collect::<Vec<f64>>();
    let (xs, ys) = (pick(&|i| logs[i]), pick(&|i| Some(models[i].mean.ln())));
    let (middle, centre) = (mean(&xs).unwrap_or(0.0), mean(&ys).unwrap_or(0.0));
    let slope = line(&xs, &ys).map_or(0.0, |fit| fit.slope);
    let of: Vec<usize> = known.iter().map(|&i| lineages[i]).collect();
    let own: Vec<SeenModel<'_>> =
        known.iter().zip(&ys).map(|(&i, y)| SeenModel { mean: *y, ..models[i].clone() }).collect();
    let around = between(&own, &of, 2, |n| centre + slope * (xs[n] - middle)).unwrap_or(0.0);
    let along = logs.iter().map(|log| log.map(|log| log - middle)).collect();
    Shape::Law { along, centre, exponent, between: around, inside: inside(&own, &of) }
}

/// Where bases lie; `along` says of each model where its base stands, and less than 0 of a base.
fn kept<'a>(models: &[SeenModel<'a>], lineages: &[usize], along: &[f64]) -> Shape<'a> {
    let is_changed: Vec<bool> = along.iter().map(|base| *base >= 0.0).collect();
    let (bases, of): (Vec<SeenModel<'_>>, Vec<usize>) = models
        .iter()
        .zip(lineages)
        .zip(&is_changed)
        .filter(|((model, _), changed)| !**changed && model.id == model.of)
        .map(|((model, lineage), _)| (model.clone(), *lineage))
        .unzip();
    let centre = mean(&bases.iter().map(|model| model.mean).collect::<Vec<_>>()).unwrap_or(0.0);
    let deviation = between(&bases, &of, 1, |_| centre).unwrap_or(0.0);
    Shape::Kept { is_changed, centre, deviation }
}

/// y of a model as so many times its x, prompt by prompt.
fn multiples<'a>(model: &SeenModel<'a>, x: Option<&Seen<'a>>) -> Line<'a> {
    let x = x.and_then(|seen| seen.models.iter().find(|other| other.id == model.id));
    // Prompts that have both, by set: (prompt, x, y).
    let mut sets = BTreeMap::<Option<&str>, Vec<(&str, f64, f64)>>::new();
    for (prompt, x) in x.into_iter().flat_map(|x| &x.prompts) {
        if let Some(y) = model.prompts.get(prompt) {
            sets.entry(y.set).or_default().push((prompt, x.value, y.value));
        }
    }
    let all = || sets.values().flatten();
    let (x, y) = (all().map(|(_, x, _)| x).sum::<f64>(), all().map(|(.., y)| y).sum::<f64>());
    let slope = Some(y / x).filter(|slope| slope.is_finite()).unwrap_or(0.0);
    let of = |own: &Vec<(&'a str, f64, f64)>| {
        let values: Vec<f64> = own.iter().map(|(_, x, _)| slope * x).collect();
        let (deviation, n) = (standard_deviation(&values).unwrap_or(0.0), own.len() as f64);
        let one =
            |((prompt, ..), value): (&(&'a str, f64, f64), f64)| (*prompt, Multiple { value, deviation, n });
        own.iter().zip(values).map(one).collect::<Vec<_>>()
    };
    Line { multiples: sets.values().flat_map(of).collect() }
}

/// The gain of each prompt by the fits to the norms of its model, and the deviation of these; none where they cannot be fitted.
fn sink<'a>(
    test: &SinkFit,
    model: &SeenModel<'a>,
    fixed: &[Seen<'a>],
    context: &TestContext<'_>,
) -> (BTreeMap<&'a str, f64>, f64) {
    let read = test.quantities(context.protocol);
    let of = |quantity: &Quantity| Some(seen_of(fixed, quantity)?.cells.by_prompt(model.of));
    let fits = || {
        let tokens = of(&read.tokens)?;
        let fit = |norms: &Quantity| sink_fit(&Paired::across_protocols(&tokens, &of(norms)?));
        let (below, above) = (fit(&read.below)?, fit(&read.above)?);
        let all = tokens.iter().filter(|(prompt, _)| model.prompts.contains_key(*prompt));
        Some(all.filter_map(|(prompt, n)| Some((*prompt, sink_gain(&below, &above, n)?))).collect())
    };
    let gains: BTreeMap<&str, f64> = fits().unwrap_or_default();
    let deviation = standard_deviation(&gains.values().copied().collect::<Vec<_>>());
    (gains, deviation.unwrap_or(0.0))
}
