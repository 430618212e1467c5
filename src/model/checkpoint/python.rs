//! JSON as Python's `json` writes it, and editors save it.

/// The text as JSON: without the mark of byte order in front, and with `Infinity`, `-Infinity` and `NaN`, which no JSON has, as
/// texts of these names. Whoever reads such a value finds no number there.
pub(super) fn as_json(text: &[u8]) -> Vec<u8> {
    const NAMES: [&[u8]; 3] = [b"-Infinity", b"Infinity", b"NaN"];
    let mut rest = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut json = Vec::with_capacity(rest.len());
    let mut quoted = false;
    while let Some(&byte) = rest.first() {
        let name = NAMES.into_iter().find(|name| !quoted && rest.starts_with(name));
        let taken = match (name, byte) {
            (Some(name), _) => {
                json.push(b'"');
                json.extend_from_slice(name);
                json.push(b'"');
                rest = &rest[name.len()..];
                continue;
            }
            (None, b'\\') if quoted => 2.min(rest.len()),
            (None, b'"') => {
                quoted = !quoted;
                1
            }
            _ => 1,
        };
        json.extend_from_slice(&rest[..taken]);
        rest = &rest[taken..];
    }
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_only_python_writes_become_texts_and_texts_stay() {
        let python =
            "\u{feff}{\"a\": [0.0, Infinity, -Infinity], \"NaN \\\" Infinity\": NaN, \"b\": \"\\\\\"}";
        let json: serde_json::Value = serde_json::from_slice(&as_json(python.as_bytes())).unwrap();
        let expected =
            serde_json::json!({"a": [0.0, "Infinity", "-Infinity"], "NaN \" Infinity": "NaN", "b": "\\"});
        assert_eq!(json, expected);
        assert_eq!(as_json(b"\"\\"), b"\"\\");
    }
}
