//! Stored values of reference libraries, and what "the same" means.

use serde_json::Value;

/// Relative, absolute below 1: what two evaluations of one formula may differ by.
pub(crate) const CLOSED_FORM: f64 = 1e-10;

pub(crate) fn goldens(file: &str) -> Value {
    let path = format!("{}/tests/goldens/{file}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

pub(crate) fn cases<'a>(goldens: &'a Value, name: &str) -> &'a Vec<Value> {
    let cases = goldens[name].as_array().unwrap_or_else(|| panic!("no cases of {name}"));
    assert!(!cases.is_empty());
    cases
}

pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

pub(crate) fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("no number: {value}"))
}

pub(crate) fn close(found: f64, expected: &Value, tolerance: f64, case: &Value) {
    let expected = number(expected);
    assert!(
        (found - expected).abs() <= tolerance * expected.abs().max(1.0),
        "{found} is not {expected} in {case}"
    );
}
