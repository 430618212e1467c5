//! The units that joint inference flips in one specification, and the effect after a flip.

use super::{
    correlation::{Method, raw, residuals},
    describe::{average_ranks, centred, dot},
};
use number::metric::Paired;

/// The units that can be flipped in one specification, and the effect after a flip.
#[derive(Clone, Debug, PartialEq)]
pub enum Units {
    /// Each unit's deviation from the null; the effect is their mean, a flip turns a unit's sign.
    Signs {
        /// What the units are, e.g. `models`; units of two sorts have no flip in common.
        of: &'static str,
        /// Each unit with its deviation from the null.
        deviations: Vec<(String, f64)>,
    },
    /// Units of each model, for a claim about every one.
    Every(EveryUnits),
    /// One correlation per group (model); the effect is their mean, a flip gives units other units' y.
    Pairs(Vec<Pairs>),
    /// Units in groups; the effect is epsilon squared, the share of the variance of ranks that lies between groups, and a
    /// flip gives units other units' ranks.
    Groups(Groups),
}

impl Units {
    /// Whether one flip goes through both.
    pub fn alike(&self, other: &Units) -> bool {
        match (self, other) {
            (Units::Signs { of, .. }, Units::Signs { of: other, .. }) => of == other,
            (Units::Every(own), Units::Every(other)) => own.side == other.side,
            (Units::Pairs(_), Units::Pairs(_)) | (Units::Groups(_), Units::Groups(_)) => true,
            _ => false,
        }
    }
}

/// The units of a claim that every model lies on one side of the null.
#[derive(Clone, Debug, PartialEq)]
pub struct EveryUnits {
    /// `above` or `below`.
    pub side: &'static str,
    /// Each model with its units' deviations from the null; a flip turns a unit's sign.
    pub models: Vec<(String, Vec<(String, f64)>)>,
}

/// Units with their group and their rank, centred and over the root of the sum of squares of all ranks.
#[derive(Clone, Debug, PartialEq)]
pub struct Groups {
    pub(super) units: Vec<String>,
    labels: Vec<usize>,
    sizes: Vec<f64>,
    ranks: Vec<f64>,
}

impl Groups {
    /// `labels[i]` is the group of `values[i]`. `None` with fewer than two groups, when all values are equal, or where
    /// lengths differ.
    pub fn new(units: Vec<String>, labels: &[usize], values: &[f64]) -> Option<Groups> {
        let mut known = labels.to_vec();
        known.sort_unstable();
        known.dedup();
        let labels: Vec<usize> = labels.iter().map(|l| known.partition_point(|k| k < l)).collect();
        let mut sizes = vec![0.0; known.len()];
        labels.iter().for_each(|&label| sizes[label] += 1.0);
        let ranks = centred(&average_ranks(values));
        let good = units.len() == values.len() && labels.len() == values.len() && known.len() > 1;
        (good && dot(&ranks, &ranks) > 0.0).then(|| Groups {
            units,
            labels,
            sizes,
            ranks: of_length_one(ranks),
        })
    }

    /// Epsilon squared where unit i has the rank of unit `given(i)`.
    pub(super) fn effect(&self, given: impl Fn(usize) -> usize, sums: &mut Vec<f64>) -> f64 {
        sums.clear();
        sums.resize(self.sizes.len(), 0.0);
        self.labels.iter().enumerate().for_each(|(i, &label)| sums[label] += self.ranks[given(i)]);
        sums.iter().zip(&self.sizes).map(|(sum, size)| sum * sum / size).sum()
    }
}

/// Two sides of the units of one group, each ranked or not, without what controls explain, and of length 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Pairs {
    pub(super) units: Vec<String>,
    pub(super) x: Vec<f64>,
    pub(super) y: Vec<f64>,
    /// Units are exchangeable within their block only, e.g. their category.
    pub(super) blocks: Option<Vec<String>>,
}

impl Pairs {
    /// The correlation of which group a unit is in and its rank, which orders arrangements as the rank sum of the first
    /// group does. `None` with an empty group, or when all values are equal.
    pub fn of_groups(first: &[(&str, f64)], second: &[(&str, f64)]) -> Option<Pairs> {
        let all = || first.iter().chain(second);
        let side = [vec![1.0; first.len()], vec![0.0; second.len()]].concat();
        let ranks = average_ranks(&all().map(|(_, value)| *value).collect::<Vec<_>>());
        raw(&side, &ranks)?;
        let units = all().map(|(unit, _)| unit.to_string()).collect();
        Some(Pairs {
            units,
            x: of_length_one(centred(&side)),
            y: of_length_one(centred(&ranks)),
            blocks: None,
        })
    }

    /// The correlation that [`partial`](super::partial) takes. `None` where there is none.
    pub fn new<K: Ord + Clone + AsRef<str>>(
        pair: &Paired<K>,
        method: Method,
        blocks: Option<Vec<String>>,
    ) -> Option<Pairs> {
        let (x, y) = residuals(pair, method);
        raw(&x, &y)?;
        Some(Pairs {
            units: pair.keys().iter().map(|unit| unit.as_ref().to_string()).collect(),
            x: of_length_one(x),
            y: of_length_one(y),
            blocks,
        })
    }
}

fn of_length_one(v: Vec<f64>) -> Vec<f64> {
    let length = dot(&v, &v).sqrt();
    v.into_iter().map(|d| d / length).collect()
}
