//! `kruskal-groups`: models of several groups.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    judge::{
        context::TestContext,
        findings::{Findings, estimate, point},
        hypothesis::Quantity,
        kind::{Kind, Parts},
        shared::{
            levels::{Levels, smallest_arrangement_p},
            units::unit,
        },
        statistics::{Null, statistics},
    },
    stats::{self, Units, kruskal_wallis, mean},
};

/// Lineages of models grouped by a fact: Kruskal–Wallis with permutation p; epsilon squared is H over the most it can be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct KruskalGroups {
    pub of: Quantity,
    /// A fact of the model, e.g. `positions`.
    pub by: String,
}

statistics! {
    KruskalGroups {
        p,
        epsilon2,
        groups,
        models,
        lineages,
        families,
    }
    effect { epsilon2: Null::ByName(0.0), } of { p: p, units: lineages, }
}

impl Kind for KruskalGroups {
    fn parts(&self) -> Parts<'_> {
        Parts::of([("of", &self.of)]).differing(["of"]).fact("by", &self.by)
    }

    /// The estimates are the groups' means with bootstrap intervals over lineages, then epsilon squared.
    fn run(&self, context: &TestContext<'_>) -> Findings {
        let mut findings = Findings::new(unit(&self.of));
        let cells = context.enough(&self.of, &mut findings);
        findings.uses(cells.protocol);
        let levels = Levels::new(context, cells.models.keys().copied(), &[&self.by], &mut findings);
        let values = levels.values(&cells);
        let (labels, names) = (&levels.of[0], &levels.names[0]);
        let groups: Vec<Vec<f64>> = (0..names.len())
            .map(|group| values.iter().zip(labels).filter(|(_, l)| **l == group).map(|(v, _)| *v).collect())
            .collect();
        if names.len() < 2 && !findings.lacks() {
            findings.missing.push(format!(
                "needs models of at least two values of {}, have {}",
                self.by,
                names.join(", ")
            ));
        }
        for (name, values) in names.iter().zip(&groups) {
            let interval = context.mean_interval(values);
            let label = format!("{} = {name}", self.by);
            findings.estimates.push(estimate(label, mean(values), interval, None, values.len()));
        }
        let units = levels.units.iter().map(|unit| unit.to_string()).collect();
        findings.units = stats::Groups::new(units, labels, &values).map(Units::Groups);
        let sizes: Vec<usize> = groups.iter().map(Vec::len).collect();
        let found = kruskal_wallis(&values, labels);
        let smallest = smallest_arrangement_p(&sizes);
        let what = format!("Kruskal-Wallis of {} lineages in {} groups", values.len(), names.len());
        let reachable = found.is_some() && findings.reachable(context, &what, smallest);
        let p = context.cache.kruskal_ps(&[(&values, labels, None)]).pop().flatten().filter(|_| reachable);
        // H over the most it can be: the share of the variance of ranks that lies between groups.
        let epsilon = found.map(|f| f.h / (values.len() - 1) as f64);
        let mut last = point("epsilon squared", epsilon, values.len());
        last.p = p;
        findings.estimates.push(last);
        if p.is_some() {
            findings.notes.push("p: permutation of lineages between groups".into());
        }
        findings.offer(Statistics {
            p,
            epsilon2: epsilon,
            groups: Some(names.len() as f64),
            models: Some(levels.lineages.models() as f64),
            lineages: findings.lineages(),
            families: findings.families(),
        });
        findings
    }
}
