//! Statistics of joined rows, under the conventions the publication used: two-sided p of SciPy's defaults.

use std::collections::BTreeMap;

use super::operation::Operation;
use super::selection::Unit;
use crate::stats;
use number::metric::{Metric, Paired, Series};

/// Only the widths of intervals depend on it, and none is asked for.
const ALPHA: f64 = 0.05;

/// A statistic of two joined sides; `None` where it cannot be computed.
pub(super) fn of_pairs(operation: Operation, pairs: &[(Unit, f64, f64)]) -> Option<f64> {
    let x: Vec<f64> = pairs.iter().map(|(_, x, _)| *x).collect();
    let y: Vec<f64> = pairs.iter().map(|(_, _, y)| *y).collect();
    let differences = || x.iter().zip(&y).map(|(x, y)| y - x).collect::<Vec<f64>>();
    let pair = || paired(&x, &y);
    match operation {
        Operation::Pearson => stats::pearson(&pair()),
        Operation::Spearman => stats::spearman(&pair()),
        Operation::PearsonP => stats::correlation_t_p(stats::pearson(&pair())?, pairs.len()),
        Operation::SpearmanP => stats::correlation_t_p(stats::spearman(&pair())?, pairs.len()),
        Operation::PairedTP => Some(stats::paired_t(&differences(), ALPHA)?.p),
        Operation::WilcoxonP => Some(stats::wilcoxon(&differences())?.p),
        Operation::Exponent => Some(stats::power_law(&x, &y, ALPHA)?.exponent),
        Operation::Coefficient => Some(stats::power_law(&x, &y, ALPHA)?.coefficient),
        Operation::Slope => Some(stats::line(&x, &y)?.slope),
        Operation::SlopeSe => Some(stats::line(&x, &y)?.standard_error),
        Operation::SlopeP => Some(stats::line(&x, &y)?.p),
        Operation::Intercept => Some(stats::line(&x, &y)?.intercept),
        Operation::RSquared => Some(stats::line(&x, &y)?.r_squared),
        _ => None,
    }
}

/// A statistic of one sample's mean against a number.
pub(super) fn of_mean(operation: Operation, units: &[(Unit, f64)], null: f64) -> Option<f64> {
    let shifted: Vec<f64> = units.iter().map(|(_, value)| value - null).collect();
    let test = stats::paired_t(&shifted, ALPHA)?;
    match operation {
        Operation::MeanT => Some(test.t),
        // The two-sided p is twice the smaller tail.
        Operation::MeanBelowP if test.t > 0.0 => Some(1.0 - test.p / 2.0),
        Operation::MeanBelowP => Some(test.p / 2.0),
        _ => None,
    }
}

/// A statistic of two groups of different units.
pub(super) fn of_groups(operation: Operation, x: &[(Unit, f64)], y: &[(Unit, f64)]) -> Option<f64> {
    let values = |units: &[(Unit, f64)]| units.iter().map(|(_, value)| *value).collect::<Vec<f64>>();
    let (x, y) = (values(x), values(y));
    match operation {
        Operation::GroupsT => Some(stats::student_t(&x, &y, ALPHA)?.t),
        Operation::GroupsP => Some(stats::student_t(&x, &y, ALPHA)?.p),
        Operation::CohenD => Some(stats::cohen_d(&x, &y, ALPHA)?.value),
        _ => None,
    }
}

/// A statistic of numbers.
pub(super) fn of_numbers(operation: Operation, numbers: &[f64]) -> Option<f64> {
    match (operation, numbers) {
        (Operation::TQuantile, [share, freedom]) => stats::t_quantile(*freedom, *share),
        (Operation::PearsonOfPairs, pairs) => {
            let (pairs, left) = pairs.as_chunks::<2>();
            let side = |at: usize| pairs.iter().map(|pair| pair[at]).collect::<Vec<f64>>();
            left.is_empty().then(|| stats::pearson(&paired(&side(0), &side(1))))?
        }
        (Operation::FisherP, [a, b, c, d]) => {
            let count = |x: f64| (x >= 0.0 && x.fract() == 0.0 && x < 1e6).then_some(x as u64);
            stats::fisher_exact_p([[count(*a)?, count(*b)?], [count(*c)?, count(*d)?]])
        }
        _ => None,
    }
}

/// p of Kruskal-Wallis (chi square) over the categories of the rows' prompts.
pub(super) fn kruskal_p(units: &[(Unit, f64)]) -> Option<f64> {
    let categories: Vec<&str> =
        units.iter().map(|(unit, _)| unit.row()?.category.as_deref()).collect::<Option<_>>()?;
    let mut known = categories.clone();
    known.sort_unstable();
    known.dedup();
    let labels: Vec<usize> =
        categories.iter().filter_map(|category| known.iter().position(|k| k == category)).collect();
    let values: Vec<f64> = units.iter().map(|(_, value)| *value).collect();
    stats::kruskal_wallis(&values, &labels).map(|kruskal| kruskal.chi_squared_p)
}

/// Two sides that were joined by their own keys; which metric and protocol each has stands in the recipe's rows.
fn paired(x: &[f64], y: &[f64]) -> Paired<usize> {
    let side = |values: &[f64]| {
        let values: BTreeMap<usize, f64> = values.iter().copied().enumerate().collect();
        Series::new(Metric::LastGain, None, values)
    };
    Paired::across_protocols(&side(x), &side(y))
}
