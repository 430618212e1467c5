//! The operations of recipes on evaluated arguments.

use std::collections::BTreeMap;

use half::bf16;

use super::evaluate::{Rows, Value, evaluate, join, map, number, truth};
use super::expression::{Expression, Node, Problem};
use super::operation::Operation;
use super::selection::Unit;
use super::statistic;

/// One operation.
pub(super) fn call<'a>(
    operation: Operation,
    whole: &Expression,
    arguments: &[Expression],
    rows: &Rows<'a>,
) -> Result<Value<'a>, Problem> {
    let at = |index: usize| evaluate(&arguments[index], rows);
    let fail = |message: &str| Err(Problem::new(whole.span.clone(), message));
    let computed = |found: Option<f64>| found.map(Value::Number).map_or_else(|| fail(TOO_FEW), Ok);
    match operation {
        Operation::If => match truth(&at(0)?, &arguments[0])? {
            true => at(1),
            false => at(2),
        },
        Operation::Text => text(arguments, rows).map(Value::Text),
        Operation::Round
        | Operation::Abs
        | Operation::Log
        | Operation::Log10
        | Operation::Exp
        | Operation::Sqrt
        | Operation::Bf16 => {
            let decimals = match arguments.get(1) {
                Some(decimals) => 10_f64.powf(number(&at(1)?, decimals)?),
                None => 1.0,
            };
            map(at(0)?, &arguments[0], |x| match operation {
                Operation::Round => (x * decimals).round() / decimals,
                Operation::Abs => x.abs(),
                Operation::Log => x.ln(),
                Operation::Log10 => x.log10(),
                Operation::Exp => x.exp(),
                Operation::Sqrt => x.sqrt(),
                _ => bf16::from_f64(x).to_f64(),
            })
        }
        Operation::All | Operation::Any | Operation::Share => match one_row(at(0)?) {
            Value::Truths(all) if operation == Operation::All => Ok(Value::Truth(all.iter().all(|x| *x))),
            Value::Truths(all) if operation == Operation::Any => Ok(Value::Truth(all.iter().any(|x| *x))),
            Value::Truths(all) => {
                Ok(Value::Number(all.iter().filter(|x| **x).count() as f64 / all.len() as f64))
            }
            _ => fail("expected a comparison of several rows, e.g. `gains > 1`"),
        },
        Operation::Count => Ok(Value::Number(match one_row(at(0)?) {
            Value::Truths(all) => all.iter().filter(|x| **x).count(),
            Value::Numbers(all) => all.len(),
            Value::Words(all) => all.len(),
            _ => return fail("expected rows, or a comparison of several rows"),
        } as f64)),
        Operation::Distinct | Operation::Same => {
            let mut words: Vec<String> = match at(0)? {
                Value::Words(all) => all.into_iter().map(|(_, word)| word).collect(),
                Value::Numbers(all) => all.into_iter().map(|(_, number)| number.to_string()).collect(),
                _ => return fail("expected rows"),
            };
            words.sort();
            words.dedup();
            match (&words[..], operation) {
                (all, Operation::Distinct) => Ok(Value::Number(all.len() as f64)),
                ([one], _) => Ok(one.parse().map_or(Value::Text(one.clone()), Value::Number)),
                (all, _) => Ok(Value::Text(all.join(", "))),
            }
        }
        Operation::Endpoint => {
            let units = rows_of(at(0)?, &arguments[0])?;
            let mut all: Vec<&str> = units
                .iter()
                .filter_map(|(unit, _)| unit.row().and_then(|row| row.protocol))
                .map(|protocol| protocol.endpoint.as_str())
                .collect();
            all.sort_unstable();
            all.dedup();
            Ok(Value::Text(all.join(", ")))
        }
        Operation::MeanT | Operation::MeanBelowP => {
            let (units, null) = (rows_of(at(0)?, &arguments[0])?, number(&at(1)?, &arguments[1])?);
            computed(statistic::of_mean(operation, &units, null))
        }
        Operation::GroupsT | Operation::GroupsP | Operation::CohenD => {
            let (x, y) = (rows_of(at(0)?, &arguments[0])?, rows_of(at(1)?, &arguments[1])?);
            computed(statistic::of_groups(operation, &x, &y))
        }
        Operation::FisherP | Operation::TQuantile | Operation::PearsonOfPairs => {
            let numbers = arguments.iter().map(|argument| number(&evaluate(argument, rows)?, argument));
            computed(statistic::of_numbers(operation, &numbers.collect::<Result<Vec<f64>, _>>()?))
        }
        Operation::CategoryOfMax => {
            let units = rows_of(at(0)?, &arguments[0])?;
            category_of_max(&units).map(Value::Text).map_or_else(|| fail(TOO_FEW), Ok)
        }
        Operation::CategoryNumber => category_numbers(rows_of(at(0)?, &arguments[0])?, &arguments[1..]),
        Operation::KruskalP => {
            let units = rows_of(at(0)?, &arguments[0])?;
            computed(statistic::kruskal_p(&units))
        }
        Operation::Pearson
        | Operation::PearsonP
        | Operation::Spearman
        | Operation::SpearmanP
        | Operation::PairedTP
        | Operation::WilcoxonP
        | Operation::Exponent
        | Operation::Coefficient
        | Operation::Slope
        | Operation::SlopeSe
        | Operation::SlopeP
        | Operation::Intercept
        | Operation::RSquared => {
            let (x, y) = (rows_of(at(0)?, &arguments[0])?, rows_of(at(1)?, &arguments[1])?);
            let pairs = join(&x, &y, whole.span.clone())?;
            computed(statistic::of_pairs(operation, &pairs))
        }
        Operation::Mean
        | Operation::Median
        | Operation::Sd
        | Operation::PopulationSd
        | Operation::Min
        | Operation::Max
        | Operation::Product
        | Operation::Models
        | Operation::ModelMeans
        | Operation::LayerOfMax
        | Operation::LayerOfMin => {
            let units = rows_of(at(0)?, &arguments[0])?;
            summary(operation, units).map_or_else(|| fail(TOO_FEW), Ok)
        }
    }
}

/// The comparison of a single row as a comparison of rows.
fn one_row(value: Value) -> Value {
    match value {
        Value::Truth(truth) => Value::Truths(vec![truth]),
        other => other,
    }
}

const TOO_FEW: &str = "cannot be computed of these rows: too few, or no spread";

/// One value of many rows.
fn summary<'a>(operation: Operation, units: Vec<(Unit<'a>, f64)>) -> Option<Value<'a>> {
    let values: Vec<f64> = units.iter().map(|(_, x)| *x).collect();
    let largest = || units.iter().max_by(|a, b| a.1.total_cmp(&b.1));
    let smallest = || units.iter().min_by(|a, b| a.1.total_cmp(&b.1));
    let layer = |unit: &(Unit, f64)| unit.0.row().and_then(|row| row.layer).map(f64::from);
    Some(match operation {
        Operation::Mean => Value::Number(crate::stats::mean(&values)?),
        Operation::Median => Value::Number(crate::stats::quantile(&values, 0.5)?),
        Operation::Sd => Value::Number(crate::stats::standard_deviation(&values)?),
        Operation::PopulationSd => Value::Number(crate::stats::population_deviation(&values)?),
        Operation::Min => Value::Number(smallest()?.1),
        Operation::Max => Value::Number(largest()?.1),
        Operation::Product => Value::Number(values.iter().product()),
        Operation::LayerOfMax => Value::Number(layer(largest()?)?),
        Operation::LayerOfMin => Value::Number(layer(smallest()?)?),
        _ => {
            let mut by_model: BTreeMap<&str, (Unit, Vec<f64>)> = BTreeMap::new();
            for (unit, value) in units {
                by_model.entry(unit.model).or_insert((unit, Vec::new())).1.push(value);
            }
            if operation == Operation::Models {
                return Some(Value::Number(by_model.len() as f64));
            }
            let means = by_model.into_values().map(|(unit, all)| Some((unit, crate::stats::mean(&all)?)));
            Value::Numbers(means.collect::<Option<_>>()?)
        }
    })
}

/// Name of the category of prompts whose rows have the largest mean.
fn category_of_max(units: &[(Unit, f64)]) -> Option<String> {
    let mut by_category: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for (unit, value) in units {
        by_category.entry(unit.row()?.category.as_deref()?).or_default().push(*value);
    }
    let means = by_category.into_iter().map(|(name, all)| Some((name, crate::stats::mean(&all)?)));
    let means: Vec<(&str, f64)> = means.collect::<Option<_>>()?;
    means.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).map(|(name, _)| name.to_string())
}

/// Each row as the place of its category among the names, from 1.
fn category_numbers<'a>(units: Vec<(Unit<'a>, f64)>, names: &[Expression]) -> Result<Value<'a>, Problem> {
    let mut known: Vec<&str> = Vec::new();
    for name in names {
        match &name.node {
            Node::Text(text) => known.push(text),
            _ => {
                return Err(Problem::new(
                    name.span.clone(),
                    "expected the name of a category, e.g. 'Factual'",
                ));
            }
        }
    }
    let mut numbers = Vec::new();
    for (unit, _) in units {
        let category = unit.row().and_then(|row| row.category.as_deref()).unwrap_or("");
        let Some(place) = known.iter().position(|name| *name == category) else {
            let span = names.first().map_or(0..0, |first| first.span.clone());
            return Err(Problem::new(
                span,
                format!("the rows have the category {category:?}, which is not named"),
            ));
        };
        numbers.push((unit, (place + 1) as f64));
    }
    Ok(Value::Numbers(numbers))
}

fn rows_of<'a>(value: Value<'a>, of: &Expression) -> Result<Vec<(Unit<'a>, f64)>, Problem> {
    match value {
        Value::Numbers(all) => Ok(all),
        _ => Err(Problem::new(of.span.clone(), "expected rows with numbers")),
    }
}

/// Fills the numbers into a text: `%` and a digit, which says how many decimals.
fn text(arguments: &[Expression], rows: &Rows) -> Result<String, Problem> {
    let Node::Text(pattern) = &arguments[0].node else {
        return Err(Problem::new(arguments[0].span.clone(), "expected a text such as '%0 of %0'"));
    };
    let mut parts = pattern.split('%');
    let mut filled = parts.next().unwrap_or_default().to_string();
    let mut numbers = arguments[1..].iter();
    for part in parts {
        let wrong = || {
            Problem::new(
                arguments[0].span.clone(),
                "every % of the text needs a digit (its decimals) and an argument of its own",
            )
        };
        let decimals = part.chars().next().and_then(|c| c.to_digit(10)).ok_or_else(wrong)? as usize;
        let argument = numbers.next().ok_or_else(wrong)?;
        let value = number(&evaluate(argument, rows)?, argument)?;
        filled += &format!("{value:.decimals$}{}", &part[1..]);
    }
    match numbers.next() {
        Some(extra) => Err(Problem::new(extra.span.clone(), "the text has no % for this")),
        None => Ok(filled),
    }
}
