//! Lineages grouped by the values of facts, as numbered levels that statistics take.

use std::collections::BTreeMap;

use crate::judge::{cells::Cells, context::TestContext, findings::Findings, shared::lineages::Lineages};

/// Lineages whose models have every fact, and per fact the level of each.
pub(crate) struct Levels<'a> {
    /// The lineages of the models that have every fact.
    pub lineages: Lineages<'a>,
    /// Those of them whose models share every fact.
    pub units: Vec<&'a str>,
    /// By fact, then unit.
    pub of: Vec<Vec<usize>>,
    /// By fact: what each level is.
    pub names: Vec<Vec<String>>,
}

impl<'a> Levels<'a> {
    /// Models that lack one of the facts are left out, and lineages whose models differ in one; a note says so.
    pub(crate) fn new(
        context: &TestContext<'a>,
        models: impl IntoIterator<Item = &'a str>,
        facts: &[&str],
        findings: &mut Findings,
    ) -> Levels<'a> {
        let mut words = BTreeMap::<&str, Vec<String>>::new();
        for id in models {
            let Some(model) = context.model(id) else { continue };
            match facts.iter().map(|fact| model.word(fact).ok_or(*fact)).collect::<Result<Vec<_>, _>>() {
                Ok(own) => {
                    words.insert(id, own);
                }
                Err(fact) => findings.notes.push(format!("{id} left out: its {fact} is not known")),
            }
        }
        let lineages = context.lineages(words.keys(), findings);
        let mut kinds: Vec<&Vec<String>> = words.values().collect();
        kinds.sort();
        kinds.dedup();
        let kind = |own: &Vec<String>| kinds.partition_point(|kind| *kind < own);
        let sides: BTreeMap<&str, usize> = words.iter().map(|(id, own)| (*id, kind(own))).collect();
        let (units, kept): (Vec<&str>, Vec<usize>) = lineages.sides(&sides, findings).into_iter().unzip();
        let mut levels = Levels { lineages, units, of: Vec::new(), names: Vec::new() };
        for (fact, _) in facts.iter().enumerate() {
            let own: Vec<&String> = kept.iter().map(|kind| &kinds[*kind][fact]).collect();
            let mut names: Vec<String> = own.iter().map(|word| (*word).clone()).collect();
            names.sort();
            names.dedup();
            levels.of.push(own.iter().map(|word| names.partition_point(|name| name < *word)).collect());
            levels.names.push(names);
        }
        levels
    }

    /// The number of each unit: the mean of its models'.
    pub(crate) fn values(&self, of: &Cells<'a>) -> Vec<f64> {
        let means = self.lineages.series(&of.by_model());
        let means: BTreeMap<&str, f64> = means.iter().map(|(lineage, value)| (*lineage, value)).collect();
        self.units.iter().filter_map(|unit| means.get(unit).copied()).collect()
    }
}

/// The smallest p of rearranging units between groups of these sizes: one over the ways to fill them, groups of equal
/// size being alike to a statistic that does not know their names.
pub(crate) fn smallest_arrangement_p(sizes: &[usize]) -> f64 {
    let log_factorial = |n: usize| (1..=n).map(|i| (i as f64).ln()).sum::<f64>();
    let mut sorted = sizes.to_vec();
    sorted.sort_unstable();
    let alike: f64 = sorted.chunk_by(|a, b| a == b).map(|equal| log_factorial(equal.len())).sum();
    let ways = log_factorial(sizes.iter().sum()) - sizes.iter().map(|n| log_factorial(*n)).sum::<f64>();
    (alike - ways).exp().min(1.0)
}

#[cfg(test)]
mod tests {
    use super::smallest_arrangement_p;

    #[test]
    fn arrangements_are_counted_without_the_names_of_equal_groups() {
        let near =
            |sizes: &[usize], p: f64| assert!((smallest_arrangement_p(sizes) - p).abs() < 1e-12, "{sizes:?}");
        near(&[3, 3], 2.0 / 20.0);
        near(&[2, 3], 1.0 / 10.0);
        near(&[2, 2, 2], 6.0 / 90.0);
        near(&[4], 1.0);
    }
}
