//! Numbers in an order: of a model's layers, or of a training's revisions. What is left of them beside the claim resembles its
//! neighbours, and so it is turned as a whole, not drawn one by one.

use std::collections::BTreeMap;

use super::seen::{Seen, beyond_chance, left_of, normal_scores, standardised};
use crate::judge::context::TestContext;
use crate::stats::{Method, correlation_of, mean, standard_deviation};

/// Profiles, by the numbers that stand in them.
pub(super) struct Profiles<'a> {
    all: Vec<Profile>,
    /// Of a drawn quantity, by its number, and a model: the profile and the place in it.
    of: BTreeMap<(usize, &'a str), (usize, usize)>,
    /// How far lineages differ in the correlation, on Fisher's scale.
    differ: f64,
}

struct Profile {
    centre: f64,
    deviation: f64,
    /// Where each number lies along the claim, in standard deviations.
    along: Vec<f64>,
    /// What is left of each beside that, in standard deviations.
    left: Vec<f64>,
}

/// What a world sets apart in a lineage.
#[derive(Clone, Copy)]
pub(super) struct Apart {
    /// A standard normal draw.
    pub normal: f64,
    /// A uniform draw from 0 to 1.
    pub turn: f64,
}

/// One number of a profile: where it stands, x and y.
type Point<'a> = ((usize, &'a str), f64, f64);

impl<'a> Profiles<'a> {
    /// Of `y` at layer after layer, along `x` at the same ones.
    pub(super) fn of_layers(
        y: &[Seen<'a>],
        x: &[Seen<'a>],
        lineages: &[Vec<usize>],
        ranks: bool,
    ) -> Profiles<'a> {
        let mut points = BTreeMap::<&str, (usize, Vec<Point<'_>>)>::new();
        for (number, at) in y.iter().enumerate() {
            let Some(beside) = x.iter().find(|x| x.quantity.select.layer == at.quantity.select.layer) else {
                continue;
            };
            for (i, model) in at.models.iter().enumerate() {
                // A copy has the profile of its model.
                let own = beside.models.iter().find(|x| x.id == model.id && model.id == model.of);
                if let Some(own) = own {
                    let entry = points.entry(model.id).or_insert((lineages[number][i], Vec::new()));
                    entry.1.push(((number, model.id), own.mean, model.mean));
                }
            }
        }
        Profiles::of(points.into_values(), ranks)
    }

    /// Of each training's revisions, along the order of their steps.
    pub(super) fn of_trainings(
        seen: &Seen<'a>,
        lineages: &[usize],
        context: &TestContext<'_>,
    ) -> Profiles<'a> {
        let mut points = BTreeMap::<String, (usize, Vec<Point<'_>>)>::new();
        for (model, lineage) in seen.models.iter().zip(lineages).filter(|(model, _)| model.id == model.of) {
            let known = context.model(model.id);
            let series = known.and_then(|known| known.word("series"));
            let step = known.and_then(|known| known.fact("step")?.as_f64());
            if let Some((series, step)) = series.zip(step) {
                points.entry(series).or_insert((*lineage, Vec::new())).1.push((
                    (0, model.id),
                    step,
                    model.mean,
                ));
            }
        }
        Profiles::of(points.into_values(), true)
    }

    fn of(points: impl Iterator<Item = (usize, Vec<Point<'a>>)>, ranks: bool) -> Profiles<'a> {
        let mut profiles = Profiles { all: Vec::new(), of: BTreeMap::new(), differ: 0.0 };
        let mut relations = BTreeMap::<usize, Vec<(f64, f64)>>::new();
        for (lineage, points) in points {
            let pick = |of: fn(&Point<'_>) -> f64| points.iter().map(of).collect::<Vec<f64>>();
            let (x, y) = (pick(|point| point.1), pick(|point| point.2));
            let scores = |values: &[f64]| if ranks { normal_scores(values) } else { values.to_vec() };
            let (Some(centre), Some(deviation)) = (mean(&y), standard_deviation(&y)) else { continue };
            let (Some(along), Some(own)) = (standardised(&scores(&x)), standardised(&y)) else { continue };
            let left = left_of(&own, std::slice::from_ref(&along), &vec![(); own.len()]);
            let left = standardised(&left).unwrap_or_else(|| vec![0.0; own.len()]);
            let found = correlation_of(&along, &scores(&y), Method::Pearson).map(f64::atanh);
            if let Some(found) = found.filter(|found| found.is_finite() && y.len() > 3) {
                relations.entry(lineage).or_default().push((found, 1.0 / (y.len() as f64 - 3.0)));
            }
            let places =
                points.iter().enumerate().map(|(place, (key, ..))| (*key, (profiles.all.len(), place)));
            profiles.of.extend(places);
            profiles.all.push(Profile { centre, deviation, along, left });
        }
        profiles.differ = beyond_chance(&relations);
        profiles
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The number of a model at a drawn quantity, in a world with this correlation; `None` of one that stands in no profile.
    pub(super) fn value(&self, number: usize, model: &str, correlation: f64, apart: Apart) -> Option<f64> {
        let (profile, place) = *self.of.get(&(number, model))?;
        let Profile { centre, deviation, along, left } = &self.all[profile];
        let rho = (correlation.atanh() + apart.normal * self.differ).tanh();
        // Turned by any number of places, and upside down or not.
        let turns = (apart.turn * 2.0 * left.len() as f64) as usize;
        let sign = if turns.is_multiple_of(2) { 1.0 } else { -1.0 };
        let left = sign * left[(place + turns / 2) % left.len()];
        Some(centre + deviation * (rho * along[place] + (1.0 - rho * rho).max(0.0).sqrt() * left))
    }
}
