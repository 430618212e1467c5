//! `explains`: does a fact tell models apart beyond what other facts do?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    judge::{
        context::TestContext,
        findings::{Findings, estimate},
        hypothesis::Quantity,
        kind::{Kind, Parts},
        shared::{
            levels::{Levels, smallest_arrangement_p},
            units::unit,
        },
        statistics::{Null, statistics},
    },
    stats::{explained_interval, mean, nested},
};

/// Nested linear models over lineages: partial R² of the fact `by` given the facts `beyond`; permutation p by whole clusters (those
/// of one `cluster` value move together).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Explains {
    pub of: Quantity,
    pub by: String,
    #[serde(default)]
    pub beyond: Vec<String>,
    #[serde(default = "family")]
    pub cluster: String,
}

fn family() -> String {
    "family".into()
}

statistics! {
    Explains {
        partial_r2,
        partial_r2_low,
        partial_r2_high,
        p,
        p_f,
        models,
        lineages,
        families,
        groups,
    }
    effect { partial_r2: Null::ByName(0.0), } of { low: partial_r2_low, high: partial_r2_high, p: p, units: lineages, }
}

impl Kind for Explains {
    fn parts(&self) -> Parts<'_> {
        let beyond =
            self.beyond.iter().enumerate().map(|(i, fact)| (vec!["beyond".into(), i.into()], &fact[..]));
        let parts = Parts::of([("of", &self.of)])
            .differing(["of"])
            .fact("by", &self.by)
            .fact("cluster", &self.cluster);
        Parts { facts: parts.facts.into_iter().chain(beyond).collect(), ..parts }
    }

    fn no_permutation_reason(&self) -> &'static str {
        "the fact can be dealt anew only where it has nothing to do with the facts beyond which it is tested"
    }

    /// The estimates are the means of the fact's values with bootstrap intervals over lineages, then the partial R².
    fn run(&self, context: &TestContext<'_>) -> Findings {
        let mut findings = Findings::new(unit(&self.of));
        let cells = context.enough(&self.of, &mut findings);
        findings.uses(cells.protocol);
        let mut facts = vec![self.by.as_str(), self.cluster.as_str()];
        facts.extend(self.beyond.iter().map(String::as_str));
        let levels = Levels::new(context, cells.models.keys().copied(), &facts, &mut findings);
        let values = levels.values(&cells);
        let (labels, clusters) = (&levels.of[0], &levels.of[1]);
        let mut sizes = Vec::new();
        for (level, name) in levels.names[0].iter().enumerate() {
            let own: Vec<usize> = (0..values.len()).filter(|&i| labels[i] == level).collect();
            let members: Vec<f64> = own.iter().map(|&i| values[i]).collect();
            let mut families: Vec<usize> = own.iter().map(|&i| clusters[i]).collect();
            families.sort_unstable();
            families.dedup();
            sizes.push(families.len());
            let interval = context.mean_interval(&members);
            let label = format!("{} = {name}", self.by);
            findings.estimates.push(estimate(label, mean(&members), interval, None, members.len()));
        }
        let seed = context.seed.derive("models");
        let found = nested(&values, &levels.of[2..], labels, Some(clusters), seed);
        if found.is_none() && !findings.lacks() {
            let beyond = if self.beyond.is_empty() { "nothing".to_string() } else { self.beyond.join(", ") };
            findings.missing.push(format!(
                "models that differ in {} where {beyond} is the same, and more of them than both have values; have {}",
                self.by,
                values.len()
            ));
        }
        let mut p = found.and_then(|f| f.permutation_p);
        if let (Some(_), None) = (found, p) {
            findings.notes.push(format!("no p by clusters: {} differs within a {}", self.by, self.cluster));
        } else if found.is_some() {
            let what = format!("dealing {} to {} clusters", self.by, sizes.iter().sum::<usize>());
            p = p.filter(|_| findings.reachable(context, &what, smallest_arrangement_p(&sizes)));
        }
        let r2 = found.map(|f| f.partial_r2);
        let limits =
            found.and_then(|f| explained_interval(f.partial_r2, f.freedom.0, f.freedom.1, context.alpha));
        let last = estimate("partial R2", r2, limits, p, values.len());
        findings.estimates.push(last);
        if found.is_some() {
            findings.notes.push(format!(
                "p is of {} dealt anew to whole values of {}; the F-test beside it takes lineages as unrelated",
                self.by, self.cluster
            ));
        }
        findings.offer(Statistics {
            partial_r2: r2,
            partial_r2_low: limits.map(|i| i.low),
            partial_r2_high: limits.map(|i| i.high),
            p,
            p_f: found.map(|f| f.p),
            models: Some(levels.lineages.models() as f64),
            lineages: findings.lineages(),
            families: findings.families(),
            groups: Some(levels.names[0].len() as f64),
        });
        findings
    }
}
