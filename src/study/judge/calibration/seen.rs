//! What was seen of a quantity, taken apart: the mean of each model, and how its prompts lie around it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::judge::{
    cells::{Cell, Cells},
    hypothesis::Quantity,
};
use crate::stats::{Method, correlation_of, mean, normal_quantile, standard_deviation};

/// A quantity of every model that has it.
pub(super) struct Seen<'a> {
    pub quantity: Arc<Quantity>,
    /// As they were looked up: worlds have the same metric and protocol.
    pub cells: Cells<'a>,
    pub models: Vec<SeenModel<'a>>,
}

/// One model.
#[derive(Clone)]
pub(super) struct SeenModel<'a> {
    pub id: &'a str,
    /// The model that it is of, or that it is a copy of.
    pub of: &'a str,
    pub mean: f64,
    /// What is left of each prompt without the mean; empty of a model that has one number.
    pub left: BTreeMap<&'a str, f64>,
    /// Its prompts as they were looked up: worlds have the same categories and sets.
    pub prompts: BTreeMap<&'a str, Cell<'a>>,
}

impl<'a> Seen<'a> {
    pub(super) fn of(quantity: Arc<Quantity>, cells: Cells<'a>) -> Seen<'a> {
        let models = cells.models.iter().filter_map(|(id, own)| {
            let mean = own.mean()?;
            let n = own.prompts.len() as f64;
            // Deviations from a mean of the same numbers are too small by this.
            let widen = if n > 1.0 { (n / (n - 1.0)).sqrt() } else { 1.0 };
            let left = own.prompts.iter().map(|(p, cell)| (*p, (cell.value - mean) * widen)).collect();
            Some(SeenModel { id, of: id, mean, left, prompts: own.prompts.clone() })
        });
        Seen { quantity, models: models.collect(), cells }
    }

    /// The root of the mean variance of prompts within a model; `None` where no model has two.
    pub(super) fn within(&self) -> Option<f64> {
        let spread = self.models.iter().filter_map(SeenModel::deviation).map(|s| s * s);
        mean(&spread.collect::<Vec<_>>()).map(f64::sqrt)
    }
}

impl SeenModel<'_> {
    /// The standard deviation over prompts.
    pub(super) fn deviation(&self) -> Option<f64> {
        standard_deviation(&self.left.values().copied().collect::<Vec<_>>())
    }
}

/// Prompts of one set that the same models have: one may stand for another.
pub(super) fn exchangeable<'a>(seen: &[Seen<'a>]) -> Vec<Vec<&'a str>> {
    let mut owners = BTreeMap::<&'a str, BTreeSet<(usize, &'a str, Option<&'a str>)>>::new();
    for (number, one) in seen.iter().enumerate() {
        for model in &one.models {
            for (prompt, cell) in &model.prompts {
                owners.entry(prompt).or_default().insert((number, model.of, cell.set));
            }
        }
    }
    let mut alike = BTreeMap::<BTreeSet<(usize, &'a str, Option<&'a str>)>, Vec<&'a str>>::new();
    for (prompt, owners) in owners {
        alike.entry(owners).or_default().push(prompt);
    }
    alike.into_values().collect()
}

/// The spread of lineages around what they have in common: of the means of the models in each, less what `fitted` says of a
/// model by so many parameters. None with no more lineages than these.
pub(super) fn between(
    models: &[SeenModel<'_>],
    lineage: &[usize],
    parameters: usize,
    fitted: impl Fn(usize) -> f64,
) -> Option<f64> {
    let mut left = BTreeMap::<usize, Vec<f64>>::new();
    for (number, model) in models.iter().enumerate() {
        left.entry(lineage[number]).or_default().push(model.mean - fitted(number));
    }
    let means: Vec<f64> = left.values().filter_map(|own| mean(own)).collect();
    let (n, free) = (means.len(), means.len().checked_sub(parameters).filter(|free| *free > 0)?);
    Some(standard_deviation(&means)? * ((n - 1) as f64 / free as f64).sqrt())
}

/// The spread of models of one lineage around its mean; 0 where no lineage has two.
pub(super) fn inside(models: &[SeenModel<'_>], lineage: &[usize]) -> f64 {
    let mut of = BTreeMap::<usize, Vec<f64>>::new();
    for (number, model) in models.iter().enumerate() {
        of.entry(lineage[number]).or_default().push(model.mean);
    }
    let squares: Vec<f64> =
        of.values().filter_map(|own| standard_deviation(own)).map(|deviation| deviation.powi(2)).collect();
    mean(&squares).map_or(0.0, f64::sqrt)
}

/// The standard deviation of lineages' correlations of their prompts with where these lie, on Fisher's scale, less what so few prompts
/// make of it; 0 with fewer than two lineages.
pub(super) fn relations_differ(
    models: &[SeenModel<'_>],
    lineage: &[usize],
    along: &[BTreeMap<&str, f64>],
) -> f64 {
    let mut of = BTreeMap::<usize, Vec<(f64, f64)>>::new();
    for ((model, lineage), along) in models.iter().zip(lineage).zip(along) {
        let both = along.iter().filter_map(|(prompt, z)| Some((*z, *model.left.get(prompt)?)));
        let (x, y): (Vec<f64>, Vec<f64>) = both.unzip();
        let found = correlation_of(&x, &y, Method::Pearson).map(f64::atanh).filter(|z| z.is_finite());
        if let Some(found) = found.filter(|_| x.len() > 3) {
            of.entry(*lineage).or_default().push((found, 1.0 / (x.len() as f64 - 3.0)));
        }
    }
    beyond_chance(&of)
}

/// The standard deviation of lineages in what was found of each of their models, with its variance by chance, less that.
pub(super) fn beyond_chance(of: &BTreeMap<usize, Vec<(f64, f64)>>) -> f64 {
    let each = |pick: fn(&(f64, f64)) -> f64| -> Vec<f64> {
        of.values().filter_map(|own| mean(&own.iter().map(pick).collect::<Vec<_>>())).collect()
    };
    let variance = standard_deviation(&each(|one| one.0)).map(|deviation| deviation.powi(2));
    let by_chance = mean(&each(|one| one.1));
    variance.zip(by_chance).map_or(0.0, |(all, by_chance)| (all - by_chance).max(0.0).sqrt())
}

/// Of each model the mean of those that lie where it does; and how many places there are.
pub(super) fn group_means(models: &[SeenModel<'_>], along: &[f64]) -> (Vec<f64>, usize) {
    let of = |place: f64| {
        let alike =
            models.iter().zip(along).filter(|(_, other)| **other == place).map(|(model, _)| model.mean);
        mean(&alike.collect::<Vec<_>>()).unwrap_or(0.0)
    };
    let mut places = along.to_vec();
    places.sort_by(f64::total_cmp);
    places.dedup();
    (along.iter().map(|&place| of(place)).collect(), places.len())
}

/// The mean over models of how they lie around their means on each prompt.
pub(super) fn in_common<'a>(models: &[SeenModel<'a>]) -> BTreeMap<&'a str, f64> {
    let mut of = BTreeMap::<&str, Vec<f64>>::new();
    for (prompt, left) in models.iter().flat_map(|model| &model.left) {
        of.entry(prompt).or_default().push(*left);
    }
    of.into_iter().filter_map(|(prompt, left)| Some((prompt, mean(&left)?))).collect()
}

/// The standard error of a model's mean over so many copies of its prompts, as a root of mean squares over models.
pub(super) fn of_mean(models: &[SeenModel<'_>], copies: usize) -> f64 {
    let squares = models
        .iter()
        .filter_map(|model| Some(model.deviation()?.powi(2) / (model.left.len() * copies) as f64));
    mean(&squares.collect::<Vec<_>>()).map_or(0.0, f64::sqrt)
}

/// What is left of values within groups, after what other values of the same units say of them linearly.
pub(super) fn left_of<G: Ord>(values: &[f64], controls: &[Vec<f64>], groups: &[G]) -> Vec<f64> {
    let centred = |values: &[f64]| {
        let mut of = BTreeMap::<&G, Vec<f64>>::new();
        groups.iter().zip(values).for_each(|(group, value)| of.entry(group).or_default().push(*value));
        let means: BTreeMap<&G, f64> =
            of.into_iter().filter_map(|(group, own)| Some((group, mean(&own)?))).collect();
        groups.iter().zip(values).map(|(group, value)| value - means[group]).collect::<Vec<f64>>()
    };
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let without = |values: Vec<f64>, others: &[Vec<f64>]| {
        others.iter().fold(values, |left, other| {
            let slope = product(&left, other) / product(other, other);
            left.iter().zip(other).map(|(value, other)| value - slope * other).collect()
        })
    };
    // Controls at right angles to each other.
    let mut axes: Vec<Vec<f64>> = Vec::new();
    for control in controls {
        let axis = without(centred(control), &axes);
        if product(&axis, &axis) > 1e-12 * product(control, control) {
            axes.push(axis);
        }
    }
    without(centred(values), &axes)
}

/// Where values of the same order lie in a normal distribution (Blom 1958), ties at the mean of their places: a rank correlation with
/// them does not hang on the shape of the values.
pub(super) fn normal_scores(values: &[f64]) -> Vec<f64> {
    let n = values.len() as f64;
    let place = |value: &f64| {
        let below = values.iter().filter(|other| *other < value).count() as f64;
        let ties = values.iter().filter(|other| *other == value).count() as f64;
        below + (ties + 1.0) / 2.0
    };
    values.iter().map(|value| normal_quantile((place(value) - 0.375) / (n + 0.25)).unwrap_or(0.0)).collect()
}

/// Values less their mean, over their standard deviation; `None` where they do not differ.
pub(super) fn standardised(values: &[f64]) -> Option<Vec<f64>> {
    let (mean, deviation) = (mean(values)?, standard_deviation(values)?);
    (deviation > 0.0).then(|| values.iter().map(|value| (value - mean) / deviation).collect())
}
