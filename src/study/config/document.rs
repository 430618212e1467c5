//! A TOML file with the place of every key and value.
//!
//! The typed values carry no spans. Checks that work on types find the place again by path: [`Document::place`].

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue};

use super::report::Diagnostic;
use super::source::Source;
pub(crate) use crate::judge::hypothesis::Step;
use crate::nesting::{DEEPEST, too_deep};
use base::foreign::{self, Kind};

/// A parsed file.
#[derive(Clone, Debug)]
pub struct Document {
    pub source: Arc<Source>,
    pub root: Node,
}

/// A value and its bytes in the file.
#[derive(Clone, Debug)]
pub struct Node {
    pub span: Range<usize>,
    pub value: Value,
}

#[derive(Clone, Debug)]
pub enum Value {
    Text(String),
    Integer(i64),
    Float(f64),
    Bool(bool),
    Datetime,
    Array(Vec<Node>),
    Table(Vec<Entry>),
}

#[derive(Clone, Debug)]
pub struct Entry {
    pub key: String,
    pub key_span: Range<usize>,
    pub node: Node,
}

/// A path into a file: `at!["prediction", 0, "rule"]`.
macro_rules! at {
    ($($step:expr),* $(,)?) => { &[$($crate::config::document::Step::from($step)),*] };
}
pub(crate) use at;

impl Document {
    /// Reads and parses a file. Every syntax error becomes a diagnostic.
    pub fn open(path: &Path) -> Result<Document, Vec<Diagnostic>> {
        let empty = Arc::new(Source { path: path.to_path_buf(), text: String::new() });
        let bytes = foreign::read(path, Kind::Text).map_err(|error| {
            let found = Diagnostic::of_file(&empty, format!("cannot read {}: {error}", path.display()));
            vec![if error.kind() == std::io::ErrorKind::NotFound {
                found.suggest("name a file that is there, or run where the folder `experiments` lies")
            } else {
                found
            }]
        })?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = 1 + valid.iter().filter(|byte| **byte == b'\n').count();
            let found =
                format!("{} is no UTF-8 text: see its line {line}, byte {}", path.display(), valid.len());
            vec![Diagnostic::of_file(&empty, found).suggest("save the file as UTF-8")]
        })?;
        Document::parse(path, text)
    }

    /// The same of a text. Line ends are those of Unix whatever an editor made of them, in texts of several lines too, and a
    /// mark of byte order in front is none of it: a file means the same wherever it was saved.
    pub fn parse(path: &Path, text: String) -> Result<Document, Vec<Diagnostic>> {
        let text = match text.strip_prefix('\u{feff}').unwrap_or(&text) {
            body if body.len() == text.len() && !text.contains("\r\n") => text,
            body => body.replace("\r\n", "\n"),
        };
        let source = Arc::new(Source { path: path.to_path_buf(), text });
        if let Some(place) = too_deep(&source.text) {
            let message = format!("tables and lists lie in each other more than {DEEPEST} deep");
            let advice = "close each bracket that is opened, and each text on its line";
            return Err(vec![Diagnostic::new(&source, place, message).suggest(advice)]);
        }
        let (table, errors) = DeTable::parse_recoverable(&source.text);
        if !errors.is_empty() {
            return Err(errors.iter().map(|error| of_toml(&source, error)).collect());
        }
        let span = table.span();
        let mut bad = Vec::new();
        let value = convert_table(table.get_ref(), &source, &mut bad);
        if bad.is_empty() { Ok(Document { source, root: Node { span, value } }) } else { Err(bad) }
    }

    /// The typed value. Errors keep their place.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, Diagnostic> {
        toml::from_str(&self.source.text).map_err(|error| of_toml(&self.source, &error))
    }

    /// Bytes of the value at a path, or of its nearest ancestor in the file.
    pub fn place(&self, path: &[Step]) -> Range<usize> {
        let mut node = &self.root;
        let mut span = 0..0;
        for step in path {
            let next = match (step, &node.value) {
                (Step::Key(key), Value::Table(entries)) => {
                    entries.iter().find(|entry| entry.key == *key).map(|entry| &entry.node)
                }
                (Step::Index(index), Value::Array(items)) => items.get(*index),
                _ => None,
            };
            let Some(next) = next else { break };
            node = next;
            span = node.span.clone();
        }
        span
    }

    /// A diagnostic about the value at a path.
    pub fn error(&self, path: &[Step], message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(&self.source, self.place(path), message)
    }
}

impl Node {
    /// The kind of value, in words.
    pub fn describe(&self) -> &'static str {
        match self.value {
            Value::Text(_) => "text",
            Value::Integer(_) => "an integer",
            Value::Float(_) => "a number",
            Value::Bool(_) => "true/false",
            Value::Datetime => "a date",
            Value::Array(_) => "a list",
            Value::Table(_) => "a table",
        }
    }
}

fn of_toml(source: &Arc<Source>, error: &toml::de::Error) -> Diagnostic {
    let span = error.span().unwrap_or(0..0);
    Diagnostic::new(source, span, error.message().trim().replace('\n', "; "))
}

fn convert(value: &DeValue, span: Range<usize>, source: &Arc<Source>, bad: &mut Vec<Diagnostic>) -> Node {
    let mut number_error = |what: &str, expected: String| {
        let message = format!("{what} out of range: expected {expected}");
        bad.push(Diagnostic::new(source, span.clone(), message));
    };
    let value = match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(integer) => {
            let parsed = i64::from_str_radix(integer.as_str(), integer.radix());
            if parsed.is_err() {
                number_error("integer", format!("{} to {}", i64::MIN, i64::MAX));
            }
            Value::Integer(parsed.unwrap_or(0))
        }
        DeValue::Float(float) => {
            let parsed: Result<f64, _> = float.as_str().parse();
            // Too large a number becomes infinite without an error; `inf` written out is one.
            let written = float.as_str().trim_start_matches(['+', '-']);
            if !parsed.as_ref().is_ok_and(|x| x.is_finite() || matches!(written, "inf" | "nan")) {
                number_error("number", format!("at most {:e} in size", f64::MAX));
            }
            Value::Float(parsed.unwrap_or(0.0))
        }
        DeValue::Boolean(boolean) => Value::Bool(*boolean),
        DeValue::Datetime(_) => Value::Datetime,
        DeValue::Array(items) => {
            Value::Array(items.iter().map(|item| convert(item.get_ref(), item.span(), source, bad)).collect())
        }
        DeValue::Table(table) => convert_table(table, source, bad),
    };
    Node { span, value }
}

fn convert_table(table: &DeTable, source: &Arc<Source>, bad: &mut Vec<Diagnostic>) -> Value {
    let entry = |(key, value): (&toml::Spanned<_>, &toml::Spanned<DeValue>)| {
        let key: &toml::Spanned<toml::de::DeString> = key;
        Entry {
            key: key.get_ref().to_string(),
            key_span: key.span(),
            node: convert(value.get_ref(), value.span(), source, bad),
        }
    };
    Value::Table(table.iter().map(entry).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_by_path_and_fall_back_to_the_nearest_ancestor() {
        let text = "a = 1\n[[b]]\nc = { d = \"x\" }\n".to_string();
        let document = Document::parse(Path::new("t.toml"), text).unwrap();
        let text = |path: &[Step]| &document.source.text[document.place(path)];
        assert_eq!(text(at!["b", 0, "c", "d"]), "\"x\"");
        assert_eq!(text(at!["b", 0, "c", "e"]), "{ d = \"x\" }");
        assert_eq!(text(at!["a"]), "1");
    }

    #[test]
    fn every_syntax_error_has_its_place() {
        let errors = Document::parse(Path::new("t.toml"), "a = \nb = 1\nc = [1,\n".into()).unwrap_err();
        let at = |line| errors.iter().any(|error| error.line == line);
        assert!(at(1) && at(3), "{errors:?}");
    }

    #[test]
    fn a_text_that_would_overflow_the_parser_is_refused_at_its_place() {
        for text in ["y = { metric = \"\n".repeat(100_000), format!("a{} = 1", ".a".repeat(100_000))] {
            let errors = Document::parse(Path::new("t.toml"), text).unwrap_err();
            assert!(errors.len() == 1 && errors[0].message.contains("64 deep"), "{errors:?}");
        }
    }
}
