//! `matched-groups`: models of two groups, compared within their families.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    judge::{
        context::TestContext,
        findings::{Findings, estimate},
        hypothesis::Quantity,
        inputs::enough_of,
        kind::{Fault, Kind, Parts},
        shared::{by::By, units::unit},
        statistics::{Null, statistics},
    },
    stats::{Units, mean, paired_t, sign_flip_p, smallest_sign_p},
};

/// Models in two groups, but only of families that have both: the mean of group a less that of group b within each family,
/// and the mean of these differences with families as units; a lineage is one model. What a family has in common cannot make the difference.
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
    effect { difference: Null::InUnit(0.0), } of { low: low, high: high, p: p, }
}

impl Kind for MatchedGroups {
    fn null(&self, _: &str) -> Option<f64> {
        Some(0.0)
    }

    fn parts(&self) -> Parts<'_> {
        self.by.join(Parts::of([("of", &self.of)]).differing(["of"]).compared(self.across_protocols))
    }

    fn faults(&self) -> Vec<Fault> {
        self.by.faults()
    }

    /// The estimates are each family's difference, then their mean with Student's interval and the p of flipping the signs of
    /// families. `needs.pairs` is the fewest families.
    fn run(&self, context: &TestContext<'_>) -> Findings {
        let mut findings = Findings::new(format!("{}, within families", unit(&self.of)));
        let cells = context.enough(&self.of, &mut findings);
        findings.uses(cells.protocol);
        let Some(sides) = self.by.sides(context, &cells, &mut findings) else { return findings };
        let lineages = context.lineages(sides.iter().map(|(model, _)| *model), &mut findings);
        let group: BTreeMap<&str, usize> = sides.into_iter().collect();
        let mut members: BTreeMap<String, [Vec<f64>; 2]> = BTreeMap::new();
        for side in [0, 1] {
            let value =
                |model: &str| cells.models.get(model)?.mean().filter(|_| group.get(model) == Some(&side));
            for (lineage, mean) in lineages.means(value) {
                let family = lineages.families_of(&[lineage]).remove(0);
                members.entry(family).or_default()[side].push(mean);
            }
        }
        let mut matched: Vec<(String, f64)> = Vec::new();
        for (family, [a, b]) in members {
            if let (Some(of_a), Some(of_b)) = (mean(&a), mean(&b)) {
                let label = format!("{family} ({} and {} lineages)", a.len(), b.len());
                findings.estimates.push(estimate(label, Some(of_a - of_b), None, None, a.len() + b.len()));
                matched.push((family, of_a - of_b));
            }
        }
        let [a, b] = self.by.in_words();
        let what = format!("families with models of both {a} and {b}");
        enough_of(context.needs.pairs.max(1), &what, matched.iter().map(|(f, _)| f.as_str()), &mut findings);
        let differences: Vec<f64> = matched.iter().map(|(_, difference)| *difference).collect();
        let smallest = smallest_sign_p(differences.len());
        let flips = format!("flipping the signs of {} families", differences.len());
        let reachable = !differences.is_empty() && findings.reachable(context, &flips, smallest);
        let p = sign_flip_p(&differences, context.seed.derive("families")).filter(|_| reachable);
        let interval = paired_t(&differences, context.alpha).map(|t| t.interval);
        let difference = mean(&differences);
        findings.estimates.push(estimate("difference", difference, interval, p, differences.len()));
        findings.offer(Statistics {
            families: Some(differences.len() as f64),
            difference,
            low: interval.map(|i| i.low),
            high: interval.map(|i| i.high),
            p,
            smallest_p: (!differences.is_empty()).then_some(smallest),
        });
        findings.units = Some(Units::Signs { of: "families", deviations: matched });
        findings
    }
}
