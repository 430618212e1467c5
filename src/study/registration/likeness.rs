//! Likeness: a claim under a new id whose predictions test what those of a registered one test is shown as derived from it. A copy
//! with another smallest effect of interest would otherwise look like a claim of its own, registered before its verdict.

use serde_json::Value;

use crate::judge::hypothesis::{Hypothesis, ModelFilter, Prediction};

/// Share of equal lines, numbers apart, from which two predictions are alike. Of the pairs among H1 to H18 and Q1 that read
/// the same quantities by the same kinds of test, the nearest share 0.75 for all core predictions of one.
const ALIKE: f32 = 0.8;
/// Keys whose values say what is measured, and how.
const WHAT: [&str; 5] = ["kind", "metric", "fact", "change", "by"];

/// Whether every core prediction of one hypothesis is like some prediction of another: the same quantities by the same kind of
/// test, and alike but for numbers in models, test and rule.
pub(super) fn is_derived(one: &Hypothesis, other: &Hypothesis) -> bool {
    let core: Vec<&Prediction> = one.predictions.iter().filter(|prediction| prediction.core).collect();
    let theirs: Vec<Described> =
        other.predictions.iter().map(|prediction| described(&other.models, prediction)).collect();
    !core.is_empty()
        && core.iter().all(|prediction| {
            let mine = described(&one.models, prediction);
            theirs.iter().any(|theirs| mine.is_like(theirs))
        })
}

struct Described {
    /// Values of the keys that say what is measured, sorted.
    what: Vec<String>,
    /// Models, test and rule, a value a line, without numbers.
    lines: String,
}

impl Described {
    fn is_like(&self, other: &Described) -> bool {
        self.what == other.what && similar::TextDiff::from_lines(&self.lines, &other.lines).ratio() >= ALIKE
    }
}

fn described(models: &ModelFilter, prediction: &Prediction) -> Described {
    let test = serde_json::to_value(&prediction.test).unwrap_or_default();
    let mut what = Vec::new();
    collect(&test, "", &mut what);
    what.sort_unstable();
    let mut all = serde_json::json!([models, prediction.models, test, prediction.rule]);
    without_numbers(&mut all);
    Described { what, lines: serde_json::to_string_pretty(&all).unwrap_or_default() }
}

fn collect(value: &Value, key: &str, what: &mut Vec<String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| collect(value, key, what)),
        Value::Array(items) => items.iter().for_each(|item| collect(item, key, what)),
        Value::String(text) if WHAT.contains(&key) => what.push(format!("{key}={text}")),
        _ => {}
    }
}

fn without_numbers(value: &mut Value) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(without_numbers),
        Value::Array(items) => items.iter_mut().for_each(without_numbers),
        Value::Number(_) => *value = Value::Null,
        _ => {}
    }
}
