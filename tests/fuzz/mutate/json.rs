//! Mutations of JSON: another value in some place, a key or an element more or less, nesting.

use rand::{RngExt, rngs::ChaCha8Rng};
use serde_json::{Map, Value, json};

use super::{bytes, number};

/// Texts that mean something to a reader of checkpoints, or to nobody.
const TEXTS: [&str; 24] = [
    "",
    " ",
    "a",
    "\u{0}",
    "\u{1b}[2J",
    "ß",
    "▁",
    "Ġ",
    "🙂",
    "a\u{301}",
    "../../x",
    "model.safetensors",
    "F32",
    "BF16",
    "I64",
    "Sequence",
    "(?:a|b)*c",
    "\\w{60}",
    "(?=.*a)(.*)\\1",
    "[^\\s]+(?!\\S)|(((",
    "<0x41>",
    "////fw==",
    "NaN",
    "1e999",
];
/// Parts of a document of which copies are kept to be put elsewhere.
const MOST_PARTS: usize = 4000;

/// The parts of a value, except what lies in long lists.
pub(super) fn parts(value: &Value, into: &mut Vec<Value>) {
    if into.len() > MOST_PARTS {
        return;
    }
    let of: Vec<&Value> = match value {
        Value::Array(list) => list.iter().take(20).collect(),
        Value::Object(map) => map.values().take(40).collect(),
        _ => Vec::new(),
    };
    for part in of {
        if size(part) < 200 {
            into.push(part.clone());
        }
        parts(part, into);
    }
}

/// Values in a value.
fn size(value: &Value) -> usize {
    1 + match value {
        Value::Array(list) => list.iter().map(size).sum(),
        Value::Object(map) => map.values().map(size).sum(),
        _ => 0,
    }
}

/// A document with a few changes.
pub(super) fn mutate(document: &Value, values: &[Value], rng: &mut ChaCha8Rng) -> Value {
    let mut mutated = document.clone();
    for _ in 0..1 << rng.random_range(0..3) {
        let at = somewhere(&mut mutated, rng);
        change(at, values, rng);
    }
    mutated
}

/// A value of the document: each step goes to some part, or stays.
fn somewhere<'a>(value: &'a mut Value, rng: &mut ChaCha8Rng) -> &'a mut Value {
    let parts = match value {
        Value::Array(list) => list.len(),
        Value::Object(map) => map.len(),
        _ => 0,
    };
    if parts == 0 || rng.random_range(0..6) == 0 {
        return value;
    }
    let at = rng.random_range(0..parts);
    match value {
        Value::Array(list) => somewhere(&mut list[at], rng),
        Value::Object(map) => somewhere(map.values_mut().nth(at).unwrap(), rng),
        other => other,
    }
}

fn change(value: &mut Value, values: &[Value], rng: &mut ChaCha8Rng) {
    if rng.random_range(0..4) > 0 {
        match value {
            Value::Object(map) if !map.is_empty() => return change_map(map, values, rng),
            Value::Array(list) if !list.is_empty() => return change_list(list, values, rng),
            Value::String(text) => return *text = changed(text, rng),
            Value::Number(old) => {
                *value = another(old.as_f64().unwrap_or_default(), rng);
                return;
            }
            Value::Bool(old) => return *old = !*old,
            _ => {}
        }
    }
    *value = match rng.random_range(0..8) {
        0 => Value::Null,
        1 => json!({}),
        2 => json!([]),
        3 => json!(number(rng)),
        4 => json!(TEXTS[rng.random_range(0..TEXTS.len())]),
        5 => {
            let mut nested = value.take();
            for _ in 0..rng.random_range(1..130) {
                nested = if rng.random() {
                    json!([nested])
                } else {
                    json!({"type": "Sequence", "normalizers": [nested]})
                };
            }
            nested
        }
        _ if !values.is_empty() => values[rng.random_range(0..values.len())].clone(),
        _ => json!(-1),
    };
}

fn change_map(map: &mut Map<String, Value>, values: &[Value], rng: &mut ChaCha8Rng) {
    let key = map.keys().nth(rng.random_range(0..map.len())).unwrap().clone();
    match rng.random_range(0..5) {
        0 | 1 => drop(map.remove(&key)),
        2 => {
            let value = map.remove(&key).unwrap_or_default();
            map.insert(changed(&key, rng), value);
        }
        3 => {
            let to = map.keys().nth(rng.random_range(0..map.len())).unwrap().clone();
            let value = map[&key].clone();
            map.insert(to, value);
        }
        _ if !values.is_empty() => drop(map.insert(key, values[rng.random_range(0..values.len())].clone())),
        _ => {}
    }
}

fn change_list(list: &mut Vec<Value>, values: &[Value], rng: &mut ChaCha8Rng) {
    let at = rng.random_range(0..list.len());
    match rng.random_range(0..5) {
        0 => drop(list.remove(at)),
        1 => {
            let copy = list[at].clone();
            list.extend(std::iter::repeat_n(copy, rng.random_range(1..70)));
        }
        2 => {
            let to = rng.random_range(0..list.len());
            list.swap(at, to);
        }
        3 if !values.is_empty() => list.insert(at, values[rng.random_range(0..values.len())].clone()),
        _ => list.truncate(at),
    }
}

/// A number near this one, or one at an edge.
fn another(old: f64, rng: &mut ChaCha8Rng) -> Value {
    match rng.random_range(0..7) {
        0 => json!(old + 1.0),
        1 => json!(old as i64 - 1),
        2 => json!(old as i64 * 2),
        3 => json!(-(number(rng) as i128) as i64),
        4 => json!([1e308, -1e308, 1e-308, 0.5, -0.0][rng.random_range(0..5)]),
        _ => json!(number(rng)),
    }
}

/// A text with some change; bytes in base64 are changed as bytes.
fn changed(text: &str, rng: &mut ChaCha8Rng) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    if text.len() > 40
        && rng.random_range(0..8) > 0
        && let Ok(coded) = STANDARD.decode(text)
    {
        return STANDARD.encode(bytes::mutate(&coded, &coded, rng));
    }
    match rng.random_range(0..5) {
        0 => TEXTS[rng.random_range(0..TEXTS.len())].to_string(),
        // A text of a million bytes is long enough: changes follow each other.
        1 if text.len() < 1 << 20 => text.repeat(rng.random_range(0..9)) + text,
        2 => TEXTS[rng.random_range(0..TEXTS.len())].repeat(rng.random_range(0..3000)),
        _ => String::from_utf8_lossy(&bytes::mutate(text.as_bytes(), TEXTS[0].as_bytes(), rng)).into_owned(),
    }
}
