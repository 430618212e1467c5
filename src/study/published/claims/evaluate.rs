//! Evaluating a recipe's expression over the rows it names.

use std::collections::BTreeMap;

use half::bf16;

use super::expression::{Binary, Expression, Node, Problem};
use super::operation::Operation;
use super::outcome::Answer;
use super::selection::{Selected, Unit};
use super::statistic;

/// What an expression may give.
#[derive(Clone, Debug)]
pub(super) enum Value<'a> {
    Number(f64),
    Truth(bool),
    Text(String),
    Numbers(Vec<(Unit<'a>, f64)>),
    Words(Vec<(Unit<'a>, String)>),
    /// A comparison of rows, row by row.
    Truths(Vec<bool>),
}

/// The selections by name.
pub(super) type Rows<'a> = BTreeMap<String, Selected<'a>>;

/// Evaluates to one number or word.
pub(super) fn answer(expression: &Expression, rows: &Rows) -> Result<Answer, Problem> {
    match evaluate(expression, rows)? {
        Value::Truth(truth) => Ok(Answer::Words(if truth { "yes" } else { "no" }.to_string())),
        Value::Text(text) => Ok(Answer::Words(text)),
        value => number(&value, expression).map(Answer::Number),
    }
}

fn evaluate<'a>(expression: &Expression, rows: &Rows<'a>) -> Result<Value<'a>, Problem> {
    Ok(match &expression.node {
        Node::Number(number) => Value::Number(*number),
        Node::Text(text) => Value::Text(text.clone()),
        Node::Rows(name) => match rows.get(name) {
            Some(Selected::Numbers(all)) => Value::Numbers(all.clone()),
            Some(Selected::Words(all)) => Value::Words(all.clone()),
            None => return Err(Problem::new(expression.span.clone(), format!("no rows are called {name}"))),
        },
        Node::Negative(inner) => map(evaluate(inner, rows)?, inner, |x| -x)?,
        Node::Not(inner) => Value::Truth(!truth(&evaluate(inner, rows)?, inner)?),
        Node::Binary(operator, left, right) => binary(*operator, left, right, rows)?,
        Node::Call(operation, arguments) => call(*operation, expression, arguments, rows)?,
    })
}

fn binary<'a>(
    operator: Binary,
    left: &Expression,
    right: &Expression,
    rows: &Rows<'a>,
) -> Result<Value<'a>, Problem> {
    let (a, b) = (evaluate(left, rows)?, evaluate(right, rows)?);
    let compare = |holds: fn(f64, f64) -> bool| -> Result<Value<'a>, Problem> {
        Ok(match broadcast(&a, &b, left, right, |x, y| if holds(x, y) { 1.0 } else { 0.0 })? {
            Value::Numbers(all) => Value::Truths(all.iter().map(|(_, x)| *x > 0.0).collect()),
            single => Value::Truth(number(&single, left)? > 0.0),
        })
    };
    if let (Binary::Equal | Binary::Unequal, Value::Text(a), Value::Text(b)) = (operator, &a, &b) {
        return Ok(Value::Truth((a == b) == (operator == Binary::Equal)));
    }
    if let (Binary::Equal | Binary::Unequal, Value::Truth(a), Value::Truth(b)) = (operator, &a, &b) {
        return Ok(Value::Truth((a == b) == (operator == Binary::Equal)));
    }
    match operator {
        Binary::Add => broadcast(&a, &b, left, right, |x, y| x + y),
        Binary::Subtract => broadcast(&a, &b, left, right, |x, y| x - y),
        Binary::Multiply => broadcast(&a, &b, left, right, |x, y| x * y),
        Binary::Divide => broadcast(&a, &b, left, right, |x, y| x / y),
        Binary::Less => compare(|x, y| x < y),
        Binary::Greater => compare(|x, y| x > y),
        Binary::AtMost => compare(|x, y| x <= y),
        Binary::AtLeast => compare(|x, y| x >= y),
        Binary::Equal => compare(|x, y| x == y),
        Binary::Unequal => compare(|x, y| x != y),
        Binary::And | Binary::Or => {
            let join = |a: bool, b: bool| if operator == Binary::And { a && b } else { a || b };
            match (&a, &b) {
                (Value::Truths(a), Value::Truths(b)) if a.len() == b.len() => {
                    Ok(Value::Truths(a.iter().zip(b).map(|(a, b)| join(*a, *b)).collect()))
                }
                _ => Ok(Value::Truth(join(truth(&a, left)?, truth(&b, right)?))),
            }
        }
    }
}

/// Row by row: one number against each, or rows joined by what tells them apart.
fn broadcast<'a>(
    a: &Value<'a>,
    b: &Value<'a>,
    left: &Expression,
    right: &Expression,
    f: impl Fn(f64, f64) -> f64,
) -> Result<Value<'a>, Problem> {
    match (several(a), several(b)) {
        (Some(a), Some(b)) => {
            let joined = join(a, b, left.span.start..right.span.end)?;
            Ok(Value::Numbers(joined.into_iter().map(|(unit, x, y)| (unit, f(x, y))).collect()))
        }
        (Some(_), None) => {
            let y = number(b, right)?;
            map(a.clone(), left, |x| f(x, y))
        }
        (None, Some(_)) => {
            let x = number(a, left)?;
            map(b.clone(), right, |y| f(x, y))
        }
        (None, None) => Ok(Value::Number(f(number(a, left)?, number(b, right)?))),
    }
}

fn several<'v, 'a>(value: &'v Value<'a>) -> Option<&'v [(Unit<'a>, f64)]> {
    match value {
        Value::Numbers(all) if all.len() > 1 => Some(all),
        _ => None,
    }
}

fn map<'a>(value: Value<'a>, of: &Expression, f: impl Fn(f64) -> f64) -> Result<Value<'a>, Problem> {
    match value {
        Value::Numbers(all) => Ok(Value::Numbers(all.into_iter().map(|(unit, x)| (unit, f(x))).collect())),
        single => Ok(Value::Number(f(number(&single, of)?))),
    }
}

/// What tells one row from another: source, model, prompt, layer.
type Key<'a> = (Option<&'a str>, Option<&'a str>, Option<&'a str>, Option<u32>);

/// Joins two sides by whatever varies within both: prompts of two models by prompt, models of two metrics by model.
pub(super) fn join<'a>(
    a: &[(Unit<'a>, f64)],
    b: &[(Unit<'a>, f64)],
    span: std::ops::Range<usize>,
) -> Result<Vec<(Unit<'a>, f64, f64)>, Problem> {
    let whole = |unit: &Unit<'a>| -> Key<'a> {
        let row = unit.row();
        (
            row.map(|r| r.source.as_str()),
            Some(unit.model),
            row.and_then(|r| r.prompt.as_deref()),
            row.and_then(|r| r.layer),
        )
    };
    let varies = |side: &[(Unit<'a>, f64)]| {
        let first = side.first().map(|(unit, _)| whole(unit)).unwrap_or_default();
        side.iter().map(|(unit, _)| whole(unit)).fold([false; 4], |seen, key| {
            [
                seen[0] || key.0 != first.0,
                seen[1] || key.1 != first.1,
                seen[2] || key.2 != first.2,
                seen[3] || key.3 != first.3,
            ]
        })
    };
    let (in_a, in_b) = (varies(a), varies(b));
    let by: Vec<bool> = in_a.iter().zip(in_b).map(|(a, b)| *a && b).collect();
    let key = |unit: &Unit<'a>| -> Key<'a> {
        let all = whole(unit);
        (all.0.filter(|_| by[0]), all.1.filter(|_| by[1]), all.2.filter(|_| by[2]), all.3.filter(|_| by[3]))
    };
    let mut others = BTreeMap::new();
    for (unit, value) in b {
        if others.insert(key(unit), *value).is_some() {
            return Err(Problem::new(span, "two rows of the second side belong to one of the first"));
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    let mut joined = Vec::new();
    for (unit, value) in a {
        if !seen.insert(key(unit)) {
            return Err(Problem::new(span, "two rows of the first side belong to one of the second"));
        }
        joined.extend(others.get(&key(unit)).map(|other| (*unit, *value, *other)));
    }
    Ok(joined)
}

/// The one number of a value.
fn number(value: &Value, of: &Expression) -> Result<f64, Problem> {
    let wrong = |message: String| Err(Problem::new(of.span.clone(), message));
    match value {
        Value::Number(number) => Ok(*number),
        Value::Numbers(all) => match all[..] {
            [(_, number)] => Ok(number),
            _ => wrong(format!(
                "{} rows where one number is needed; ask for fewer or take e.g. their mean",
                all.len()
            )),
        },
        Value::Truth(_) | Value::Truths(_) => {
            wrong("a comparison where a number is needed; take `count` or `share`".into())
        }
        Value::Text(_) | Value::Words(_) => wrong("words where a number is needed".into()),
    }
}

fn truth(value: &Value, of: &Expression) -> Result<bool, Problem> {
    match value {
        Value::Truth(truth) => Ok(*truth),
        Value::Truths(_) => {
            Err(Problem::new(of.span.clone(), "a comparison of several rows; take `all` or `any`"))
        }
        _ => Err(Problem::new(of.span.clone(), "expected a comparison, e.g. `gain > 1`")),
    }
}

fn call<'a>(
    operation: Operation,
    whole: &Expression,
    arguments: &[Expression],
    rows: &Rows<'a>,
) -> Result<Value<'a>, Problem> {
    let at = |index: usize| evaluate(&arguments[index], rows);
    let fail = |message: &str| Err(Problem::new(whole.span.clone(), message));
    match operation {
        Operation::If => match truth(&at(0)?, &arguments[0])? {
            true => at(1),
            false => at(2),
        },
        Operation::Text => text(arguments, rows).map(Value::Text),
        Operation::Round | Operation::Abs | Operation::Log | Operation::Sqrt | Operation::Bf16 => {
            let decimals = match arguments.get(1) {
                Some(decimals) => 10_f64.powf(number(&at(1)?, decimals)?),
                None => 1.0,
            };
            map(at(0)?, &arguments[0], |x| match operation {
                Operation::Round => (x * decimals).round() / decimals,
                Operation::Abs => x.abs(),
                Operation::Log => x.ln(),
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
        Operation::KruskalP => {
            let units = rows_of(at(0)?, &arguments[0])?;
            statistic::kruskal_p(&units).map(Value::Number).map_or_else(|| fail(TOO_FEW), Ok)
        }
        Operation::Pearson
        | Operation::PearsonP
        | Operation::Spearman
        | Operation::SpearmanP
        | Operation::PairedTP
        | Operation::WilcoxonP
        | Operation::Exponent
        | Operation::Coefficient => {
            let (x, y) = (rows_of(at(0)?, &arguments[0])?, rows_of(at(1)?, &arguments[1])?);
            let pairs = join(&x, &y, whole.span.clone())?;
            statistic::of_pairs(operation, &pairs).map(Value::Number).map_or_else(|| fail(TOO_FEW), Ok)
        }
        Operation::Mean
        | Operation::Median
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
