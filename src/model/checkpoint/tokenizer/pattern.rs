//! The patterns of a `tokenizer.json`: texts, and regular expressions whose automaton must not outgrow memory.

use serde_json::Value;

/// Bytes of a pattern; the longest in use have some 500.
const LONGEST: usize = 1 << 13;
/// Sum of all counts as in `a{3}` of one expression: each multiplies the automaton of what it repeats.
const MOST_REPEATED: u64 = 64;

/// The bytes that a pattern replaces at least.
///
/// # Errors
/// What is wrong with it.
pub(super) fn shortest_match(pattern: &Value) -> Result<u64, String> {
    let text = |kind: &str| pattern.get(kind).and_then(Value::as_str);
    let (text, shortest) = match (text("String"), text("Regex"), pattern.as_str()) {
        (Some(text), ..) | (.., Some(text)) => (text, text.len() as u64),
        (_, Some(regex), _) => (regex, 0),
        _ => return Ok(0), // the crate says what is wrong
    };
    if text.len() > LONGEST {
        return Err(format!("a pattern of {} bytes, where {LONGEST} is the most", text.len()));
    }
    let repeated = if shortest == 0 { repeated(text) } else { 0 };
    if repeated > MOST_REPEATED {
        return Err(format!("a pattern that counts to {repeated}, where {MOST_REPEATED} is the most"));
    }
    Ok(shortest)
}

/// Sum of the largest number in each pair of braces.
fn repeated(regex: &str) -> u64 {
    let counts = regex.split('{').skip(1).filter_map(|rest| {
        let count = rest.split('}').next()?;
        let numbers = count.split(',').map(|number| number.trim().parse::<u64>());
        numbers.filter_map(Result::ok).max()
    });
    counts.fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn patterns_in_use_are_allowed_and_large_automata_are_not() {
        // Those of Llama 3 and Qwen 2.
        let split = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
        assert_eq!(shortest_match(&json!({"Regex": split})), Ok(0));
        assert_eq!(shortest_match(&json!({"Regex": " {2,}"})), Ok(0));
        assert_eq!(shortest_match(&json!({"String": "{99}"})), Ok(4));
        assert_eq!(shortest_match(&json!({"String": ""})), Ok(0));
        for regex in ["a{65}", "(a{40}){25}", "a{99999999999999999}", "a{0,65}", r"(?=\w{30})(?=\w{ 40 })"] {
            assert!(shortest_match(&json!({"Regex": regex})).unwrap_err().contains("counts to"), "{regex}");
        }
        assert!(
            shortest_match(&json!({"Regex": "a".repeat(LONGEST + 1)})).unwrap_err().contains("8193 bytes")
        );
    }
}
