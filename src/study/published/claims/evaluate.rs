//! Evaluating a recipe's expression over the rows it names.

use std::collections::BTreeMap;

use super::call::call;
use super::expression::{Binary, Expression, Node, Problem};
use super::outcome::Answer;
use super::selection::{Selected, Unit};

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

pub(super) fn evaluate<'a>(expression: &Expression, rows: &Rows<'a>) -> Result<Value<'a>, Problem> {
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

pub(super) fn map<'a>(
    value: Value<'a>,
    of: &Expression,
    f: impl Fn(f64) -> f64,
) -> Result<Value<'a>, Problem> {
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
pub(super) fn number(value: &Value, of: &Expression) -> Result<f64, Problem> {
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

pub(super) fn truth(value: &Value, of: &Expression) -> Result<bool, Problem> {
    match value {
        Value::Truth(truth) => Ok(*truth),
        Value::Truths(_) => {
            Err(Problem::new(of.span.clone(), "a comparison of several rows; take `all` or `any`"))
        }
        _ => Err(Problem::new(of.span.clone(), "expected a comparison, e.g. `gain > 1`")),
    }
}
