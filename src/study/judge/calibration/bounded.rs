//! Models of which a quantity lies within bounds, or outside of them, in a world, as the rule measures where it lies.

use super::seen::SeenModel;
use crate::judge::{hypothesis::Quantity, kinds::Summary};
use crate::stats::{mean, quantile};

/// How far from 0 and from 1 a share is told apart: a share of all is no infinite number.
const MARGIN: f64 = 0.01;

/// One model: where it lies, and how its numbers are moved so that it does not.
pub(super) struct Bounded {
    scale: Scale,
    is_inside: bool,
    shift: f64,
}

/// The scale on which the numbers of a model are moved together.
#[derive(Clone, Copy)]
enum Scale {
    /// As they are.
    Plain,
    /// Log odds, so that shares stay shares.
    LogOdds,
}

impl Scale {
    fn of(quantity: &Quantity) -> Scale {
        let alone = quantity.times.is_none() && quantity.over.is_none();
        match quantity.metric.filter(|_| alone) {
            Some(metric) if metric.describe().unit == "share" => Scale::LogOdds,
            _ => Scale::Plain,
        }
    }

    fn moved(self, value: f64, shift: f64) -> f64 {
        match self {
            Scale::Plain => value + shift,
            Scale::LogOdds => {
                let share = value.clamp(0.0, 1.0);
                let odds = (share + MARGIN) / (1.0 - share + MARGIN) * shift.exp();
                (((1.0 + MARGIN) * odds - MARGIN) / (1.0 + odds)).clamp(0.0, 1.0)
            }
        }
    }
}

impl Bounded {
    pub(super) fn of(
        model: &SeenModel<'_>,
        quantity: &Quantity,
        within: [f64; 2],
        summary: Summary,
    ) -> Bounded {
        let scale = Scale::of(quantity);
        let values: Vec<f64> = match model.prompts.is_empty() {
            true => vec![model.mean],
            false => model.prompts.values().map(|cell| cell.value).collect(),
        };
        let measured = |shift: f64| {
            let moved: Vec<f64> = values.iter().map(|value| scale.moved(*value, shift)).collect();
            let found = match summary {
                Summary::Mean => mean(&moved),
                Summary::Median => quantile(&moved, 0.5),
            };
            found.unwrap_or(model.mean)
        };
        let seen = measured(0.0);
        let is_inside = within[0] <= seen && seen <= within[1];
        let wanted = elsewhere(within, is_inside);
        let shift = match scale {
            Scale::Plain => wanted - seen,
            Scale::LogOdds => {
                // What is measured grows with the shift.
                let (mut low, mut high) = (-20.0, 20.0);
                for _ in 0..60 {
                    let middle = (low + high) / 2.0;
                    if measured(middle) < wanted { low = middle } else { high = middle }
                }
                (low + high) / 2.0
            }
        };
        Bounded { scale, is_inside, shift }
    }

    /// A number of the model as it is in a world in which the model lies within the bounds, or not.
    pub(super) fn value(&self, seen: f64, inside: bool) -> f64 {
        self.scale.moved(seen, if inside == self.is_inside { 0.0 } else { self.shift })
    }
}

/// The middle between bounds, or of one that lies there half their width beyond one of them.
fn elsewhere([low, high]: [f64; 2], is_inside: bool) -> f64 {
    match is_inside {
        false => (low + high) / 2.0,
        // Below, unless a quantity that is never negative would be.
        true if low > (high - low) / 2.0 => low - (high - low) / 2.0,
        true => high + (high - low) / 2.0,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::judge::cells::Cell;

    #[test]
    fn shares_are_moved_to_where_they_are_meant_to_lie_and_stay_shares() {
        let quantity: Quantity = toml::from_str("metric = \"contracting-attention-share\"").unwrap();
        let values = [0.2, 0.5, 0.8, 1.0, 1.0];
        let cell = |value| Cell { value, category: None, set: None };
        let names = ["a", "b", "c", "d", "e"];
        let prompts: BTreeMap<&str, Cell<'_>> = names.into_iter().zip(values.map(cell)).collect();
        let model = SeenModel { id: "m", of: "m", mean: 0.7, left: BTreeMap::new(), prompts };
        for (summary, of) in [(Summary::Median, 0.8), (Summary::Mean, 0.7)] {
            let bounded = Bounded::of(&model, &quantity, [0.95, 1.0], summary);
            assert!(!bounded.is_inside);
            let (stays, moved) = ([0, 1, 2, 3, 4].map(|i| bounded.value(values[i], false)), {
                [0, 1, 2, 3, 4].map(|i| bounded.value(values[i], true))
            });
            let measured = |values: &[f64]| match summary {
                Summary::Median => quantile(values, 0.5).unwrap(),
                Summary::Mean => mean(values).unwrap(),
            };
            assert!((measured(&stays) - of).abs() < 1e-12 && (measured(&moved) - 0.975).abs() < 1e-9);
            assert!(moved.iter().all(|share| (0.0..=1.0).contains(share)), "{moved:?}");
        }
    }
}
