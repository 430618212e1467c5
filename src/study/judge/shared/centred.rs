//! Values less the mean of their group: prompts within categories, lineages within the value of a fact.

use std::collections::BTreeMap;

use crate::judge::{cells::Cells, context::TestContext, findings::Findings, shared::lineages::Lineages};
use number::metric::Series;

/// Category index by prompt, for prompts whose category has at least two of them.
pub(crate) fn categories<'a>(cells: &Cells<'a>, model: &str) -> BTreeMap<&'a str, usize> {
    let mut members = BTreeMap::<&str, Vec<&'a str>>::new();
    for (prompt, cell) in cells.models.get(model).into_iter().flat_map(|m| &m.prompts) {
        if let Some(category) = cell.category.filter(|c| !c.is_empty()) {
            members.entry(category).or_default().push(*prompt);
        }
    }
    let large = members.into_values().filter(|prompts| prompts.len() > 1).enumerate();
    large.flat_map(|(i, prompts)| prompts.into_iter().map(move |p| (p, i))).collect()
}

/// Lineages of the same value of a fact, as group numbers; one alone with its value has nobody to be compared with.
pub(crate) fn relatives<'a>(
    context: &TestContext<'a>,
    lineages: &Lineages<'a>,
    fact: &str,
    findings: &mut Findings,
) -> BTreeMap<&'a str, usize> {
    let mut words = BTreeMap::<&str, String>::new();
    for model in lineages.all_models() {
        words.extend(context.model(model).and_then(|found| found.word(fact)).map(|word| (model, word)));
    }
    let mut names: Vec<&String> = words.values().collect();
    names.sort();
    names.dedup();
    let place = |word: &String| names.partition_point(|name| *name < word);
    let sides: BTreeMap<&str, usize> = words.iter().map(|(model, word)| (*model, place(word))).collect();
    let mut members = BTreeMap::<usize, Vec<&'a str>>::new();
    for (lineage, side) in lineages.sides(&sides, findings) {
        members.entry(side).or_default().push(lineage);
    }
    let large = members.into_values().filter(|own| own.len() > 1).enumerate();
    large.flat_map(|(i, own)| own.into_iter().map(move |lineage| (lineage, i))).collect()
}

/// Values less their group's mean, of the units that have a group.
pub(crate) fn within<'a>(series: &Series<&'a str>, groups: &BTreeMap<&'a str, usize>) -> Series<&'a str> {
    let mut sums = BTreeMap::<usize, (f64, f64)>::new();
    let known = || series.iter().filter_map(|(model, value)| Some((*model, *groups.get(model)?, value)));
    for (_, group, value) in known() {
        let sum = sums.entry(group).or_default();
        *sum = (sum.0 + value, sum.1 + 1.0);
    }
    series.with_values(known().map(|(m, group, v)| (m, v - sums[&group].0 / sums[&group].1)).collect())
}

/// Values minus their category's mean; prompts without a category are left out.
pub(crate) fn centred<'a>(
    series: &Series<&'a str>,
    cells: &Cells<'a>,
    model: &str,
    categories: &BTreeMap<&'a str, usize>,
) -> Series<&'a str> {
    let prompts = cells.models.get(model).into_iter().flat_map(|m| &m.prompts);
    let known: Vec<(&'a str, usize, f64)> =
        prompts.filter_map(|(p, cell)| Some((*p, *categories.get(p)?, cell.value))).collect();
    let mut sums = BTreeMap::<usize, (f64, f64)>::new();
    for (_, category, value) in &known {
        let sum = sums.entry(*category).or_default();
        *sum = (sum.0 + value, sum.1 + 1.0);
    }
    let values = known.into_iter().map(|(p, c, v)| (p, v - sums[&c].0 / sums[&c].1));
    series.with_values(values.collect())
}
