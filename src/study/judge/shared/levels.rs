//! Models grouped by the values of facts, as numbered levels that statistics take.

use crate::judge::{context::TestContext, findings::Findings};

/// Models that have every fact, and per fact the level of each.
pub(crate) struct Levels<'a> {
    pub models: Vec<&'a str>,
    /// By fact, then model.
    pub of: Vec<Vec<usize>>,
    /// By fact: what each level is.
    pub names: Vec<Vec<String>>,
}

impl<'a> Levels<'a> {
    /// Models that lack one of the facts are left out, and a note says so.
    pub(crate) fn new(
        context: &TestContext<'_>,
        models: impl IntoIterator<Item = &'a str>,
        facts: &[&str],
        findings: &mut Findings,
    ) -> Levels<'a> {
        let (mut kept, mut words) = (Vec::new(), Vec::<Vec<String>>::new());
        for id in models {
            let Some(model) = context.model(id) else { continue };
            match facts.iter().map(|fact| model.word(fact).ok_or(*fact)).collect::<Result<Vec<_>, _>>() {
                Ok(own) => {
                    kept.push(id);
                    words.push(own);
                }
                Err(fact) => findings.notes.push(format!("{id} left out: its {fact} is not known")),
            }
        }
        let mut levels = Levels { models: kept, of: Vec::new(), names: Vec::new() };
        for fact in 0..facts.len() {
            let own: Vec<&String> = words.iter().map(|words| &words[fact]).collect();
            let mut names: Vec<String> = own.iter().map(|word| (*word).clone()).collect();
            names.sort();
            names.dedup();
            levels.of.push(own.iter().map(|word| names.partition_point(|name| name < *word)).collect());
            levels.names.push(names);
        }
        levels
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
