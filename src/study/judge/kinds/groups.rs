//! `groups`: models of two groups.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    judge::{
        context::TestContext,
        findings::{Findings, estimate, point},
        hypothesis::Quantity,
        inputs::enough_of,
        kind::{Fault, Kind, Parts},
        shared::{by::By, families::leave_one_out, units::unit},
        statistics::{Null, statistics},
    },
    stats::{
        Pairs, Units, auc, hedges_g, mann_whitney, mean, relabel_clusters_p, smallest_relabel_p, welch_t,
    },
};

/// Lineages of models in two groups, by a fact or by the side of a quantity: difference of means (a less b), exact Mann-Whitney p,
/// AUC, and a permutation p that relabels whole families.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Groups {
    pub of: Quantity,
    pub by: By,
    #[serde(default)]
    pub across_protocols: bool,
}

statistics! {
    Groups {
        a_models,
        b_models,
        difference,
        low,
        high,
        p,
        smallest_p,
        p_family,
        auc,
        auc_low,
        auc_high,
        effect,
        effect_low,
        effect_high,
        loo_lowest,
        loo_highest,
    }
    effect { difference: Null::InUnit(0.0), effect: Null::InUnit(0.0), } of { low: low, high: high, p: p, }
}

impl Kind for Groups {
    fn null(&self, statistic: &str) -> Option<f64> {
        Some(if statistic.starts_with("auc") { 0.5 } else { 0.0 })
    }

    fn parts(&self) -> Parts<'_> {
        self.by.join(Parts::of([("of", &self.of)]).differing(["of"]).compared(self.across_protocols))
    }

    fn faults(&self) -> Vec<Fault> {
        self.by.faults()
    }

    /// The estimates are the groups' means with bootstrap intervals over lineages, their difference with Welch's interval and
    /// the Mann-Whitney p, and each lineage's mean.
    fn run(&self, context: &TestContext<'_>) -> Findings {
        let mut findings = Findings::new(unit(&self.of));
        let cells = context.enough(&self.of, &mut findings);
        findings.uses(cells.protocol);
        let Some(sides) = self.by.sides(context, &cells, &mut findings) else {
            return findings;
        };
        let lineages = context.lineages(sides.iter().map(|(model, _)| *model), &mut findings);
        let means: BTreeMap<&str, f64> =
            lineages.series(&cells.by_model()).iter().map(|(l, v)| (*l, v)).collect();
        let mut groups: [Vec<(&str, f64)>; 2] = Default::default();
        for (lineage, group) in lineages.sides(&sides.into_iter().collect(), &mut findings) {
            groups[group].extend(means.get(lineage).map(|mean| (lineage, *mean)));
        }
        let words = self.by.in_words();
        for (group, words) in groups.iter().zip(&words) {
            let names = group.iter().map(|(lineage, _)| *lineage);
            let what = format!("lineages of models of {words}");
            enough_of(context.needs.per_group.max(1), &what, names, &mut findings);
        }
        let [a, b] = groups;
        let all = [&a[..], &b[..]].concat();
        let names: Vec<&str> = all.iter().map(|(lineage, _)| *lineage).collect();
        let values = |group: &[(&str, f64)]| group.iter().map(|(_, value)| *value).collect::<Vec<f64>>();
        let (x, y) = (values(&a), values(&b));
        let t = welch_t(&x, &y, context.alpha);
        let ranks = mann_whitney(&x, &y);
        let sizes = format!("Mann-Whitney of {} and {} lineages", x.len(), y.len());
        let reachable = ranks.is_some_and(|m| findings.reachable(context, &sizes, m.smallest_p));
        let p = ranks.filter(|_| reachable).map(|m| m.p);
        let p_family = by_family(context, &mut findings, &lineages.families_of(&names), &all, x.len());
        let difference = mean(&x).zip(mean(&y)).map(|(x, y)| x - y);
        let (area, effect) = (auc(&x, &y, context.alpha), hedges_g(&x, &y, context.alpha));
        for (values, words) in [(&x, &words[0]), (&y, &words[1])] {
            let interval = context.mean_interval(values);
            findings.estimates.push(estimate(words, mean(values), interval, None, values.len()));
        }
        let interval = t.map(|t| t.interval);
        findings.estimates.push(estimate("difference", difference, interval, p, all.len()));
        let joined = lineages.cells(&cells);
        for (lineage, value) in &all {
            let prompts = joined.models.get(lineage).map_or(1, |own| own.values().len());
            findings.estimates.push(point(lineage, Some(*value), prompts));
        }
        if p.is_some() {
            findings.notes.push("p: Mann-Whitney, two-sided, exact where counted, lineages as units".into());
        }
        let without_families =
            leave_one_out(&mut findings, "the difference", &lineages.families_of(&names), |stay| {
                let side = |of_a: bool| {
                    let own = stay.iter().filter(|&&i| (i < x.len()) == of_a).map(|&i| all[i].1);
                    mean(&own.collect::<Vec<_>>())
                };
                Some(side(true)? - side(false)?)
            });
        findings.offer(Statistics {
            a_models: Some(x.len() as f64),
            b_models: Some(y.len() as f64),
            difference,
            low: interval.map(|i| i.low),
            high: interval.map(|i| i.high),
            p,
            smallest_p: ranks.map(|m| m.smallest_p),
            p_family,
            auc: ranks.map(|m| m.auc),
            auc_low: area.map(|a| a.low),
            auc_high: area.map(|a| a.high),
            effect: effect.map(|e| e.value),
            effect_low: effect.map(|e| e.low),
            effect_high: effect.map(|e| e.high),
            loo_lowest: without_families.lowest,
            loo_highest: without_families.highest,
        });
        findings.units = Pairs::of_groups(&a, &b).map(|pairs| Units::Pairs(vec![pairs]));
        findings
    }
}

/// p of the difference when whole families change sides; none where a family is on both.
fn by_family(
    context: &TestContext<'_>,
    findings: &mut Findings,
    of: &[String],
    all: &[(&str, f64)],
    of_a: usize,
) -> Option<f64> {
    let mut known = of.to_vec();
    known.sort();
    known.dedup();
    let cluster: Vec<usize> = of.iter().map(|family| known.partition_point(|k| k < family)).collect();
    let mut group = vec![None; known.len()];
    for (i, &cluster) in cluster.iter().enumerate() {
        let own = usize::from(i >= of_a);
        if *group[cluster].get_or_insert(own) != own {
            findings.notes.push(format!("family {} is in both groups: no p by families", known[cluster]));
            return None;
        }
    }
    let group: Vec<usize> = group.into_iter().flatten().collect();
    let in_a = group.iter().filter(|g| **g == 0).count();
    let what = format!("relabelling {in_a} and {} families", group.len() - in_a);
    if in_a == 0 || in_a == group.len() || !context.reads(&["p-family"]) {
        return None;
    }
    if !findings.reachable(context, &what, smallest_relabel_p(in_a, group.len() - in_a)) {
        return None;
    }
    let values: Vec<f64> = all.iter().map(|(_, value)| *value).collect();
    relabel_clusters_p(&values, &cluster, &group, context.seed.derive("families"))
}
