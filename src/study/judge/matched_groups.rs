//! `matched-groups`: models of two groups, compared within their families.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    bench::{Bench, Tested, enough_of, estimate},
    by::By,
    families::families,
    kind::{Fault, Kind, Parts},
    statistics::statistics,
    units::unit,
};
use crate::{
    config::hypothesis::Quantity,
    stats::{Units, mean, paired_t, sign_flip_p, smallest_sign_p},
};

/// Models in two groups, but only of families that have both: the mean of group a less that of group b within each family,
/// and the mean of these differences with families as units. What a family has in common cannot make the difference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MatchedGroups {
    pub of: Quantity,
    pub by: By,
    #[serde(default)]
    pub across_protocols: bool,
}

statistics! {
    MatchedGroups {
        families,
        difference,
        low,
        high,
        p,
        smallest_p,
    }
}

impl Kind for MatchedGroups {
    fn parts(&self) -> Parts<'_> {
        self.by.join(Parts::of([("of", &self.of)]).compared(self.across_protocols))
    }

    fn faults(&self) -> Vec<Fault> {
        self.by.faults()
    }

    /// The estimates are each family's difference, then their mean with Student's interval and the p of flipping the signs of
    /// families. `needs.pairs` is the fewest families.
    fn run(&self, bench: &Bench<'_>) -> Tested {
        let mut tested = Tested::new(format!("{}, within families", unit(&self.of)));
        let cells = bench.enough(&self.of, &mut tested);
        tested.uses(cells.protocol);
        let Some(sides) = self.by.sides(bench, &cells, &mut tested) else { return tested };
        let names: Vec<&str> = sides.iter().map(|(model, _)| *model).collect();
        let mut members: BTreeMap<String, [Vec<f64>; 2]> = BTreeMap::new();
        for (family, (model, group)) in families(bench, &names).into_iter().zip(sides) {
            let value = cells.models.get(model).and_then(|m| m.mean());
            members.entry(family).or_default()[group].extend(value);
        }
        let mut matched: Vec<(String, f64)> = Vec::new();
        for (family, [a, b]) in members {
            if let (Some(of_a), Some(of_b)) = (mean(&a), mean(&b)) {
                let label = format!("{family} ({} and {} models)", a.len(), b.len());
                tested.estimates.push(estimate(label, Some(of_a - of_b), None, None, a.len() + b.len()));
                matched.push((family, of_a - of_b));
            }
        }
        let [a, b] = self.by.in_words();
        let what = format!("families with models of both {a} and {b}");
        enough_of(bench.needs.pairs.max(1), &what, matched.iter().map(|(f, _)| f.as_str()), &mut tested);
        let differences: Vec<f64> = matched.iter().map(|(_, difference)| *difference).collect();
        let smallest = smallest_sign_p(differences.len());
        let flips = format!("flipping the signs of {} families", differences.len());
        let reachable = !differences.is_empty() && tested.reachable(bench, &flips, smallest);
        let p = sign_flip_p(&differences, bench.seed.derive("families")).filter(|_| reachable);
        let interval = paired_t(&differences, bench.alpha).map(|t| t.interval);
        let difference = mean(&differences);
        tested.estimates.push(estimate("difference", difference, interval, p, differences.len()));
        tested.offer(Statistics {
            families: Some(differences.len() as f64),
            difference,
            low: interval.map(|i| i.low),
            high: interval.map(|i| i.high),
            p,
            smallest_p: (!differences.is_empty()).then_some(smallest),
        });
        tested.units = Some(Units::Signs { of: "families", deviations: matched });
        tested
    }
}
