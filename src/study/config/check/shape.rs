//! Compares a file with its schema: every unknown field, unknown word, missing field and wrong type at once.
//!
//! Covers what schemars writes for this crate's types: objects without further fields, enums of words, tables tagged
//! by `kind`, optional values, untagged choices, lists, patterns and bounds.

use serde_json::Value as Json;

use super::repair::Fix;
use crate::config::document::{Document, Entry, Node, Value};
use crate::config::report::Diagnostic;
use base::nearest::nearest;

/// Checks a whole file against a schema made by [`crate::config::schema::of`]; with the mistakes come the fixes it suggests.
pub(in crate::config) fn check(document: &Document, schema: &Json) -> (Vec<Diagnostic>, Vec<Fix>) {
    let mut walk = Walk { document, root: schema, found: Vec::new(), fixes: Vec::new() };
    walk.value(&document.root, schema, "the file");
    (walk.found.into_iter().map(Diagnostic::of_shape).collect(), walk.fixes)
}

struct Walk<'a> {
    document: &'a Document,
    root: &'a Json,
    found: Vec<Diagnostic>,
    fixes: Vec<Fix>,
}

impl<'a> Walk<'a> {
    fn error(&mut self, node: &Node, message: String) -> &mut Diagnostic {
        self.push(Diagnostic::new(&self.document.source, node.span.clone(), message))
    }

    fn push(&mut self, diagnostic: Diagnostic) -> &mut Diagnostic {
        self.found.push(diagnostic);
        let last = self.found.len() - 1;
        &mut self.found[last]
    }

    fn resolve(&self, mut schema: &'a Json) -> &'a Json {
        while let Some(target) = schema["$ref"].as_str() {
            match self.root.pointer(target.trim_start_matches('#')) {
                Some(next) => schema = next,
                None => break,
            }
        }
        schema
    }

    /// `name` says what the value is, for messages: `` `rule` `` or `the file`.
    fn value(&mut self, node: &Node, schema: &'a Json, name: &str) {
        let schema = self.resolve(schema);
        if let Some(words) = words(schema) {
            return self.word(node, &words, name);
        }
        if let Some(choices) = schema["oneOf"].as_array().or(schema["anyOf"].as_array()) {
            return self.choice(node, choices, name);
        }
        let types = types(schema);
        if !types.is_empty() && !types.iter().any(|kind| is(node, kind)) {
            let expected = types.iter().map(|kind| in_words(kind)).collect::<Vec<_>>().join(" or ");
            let hint = as_text(node, &types, self.document);
            let error = self.error(node, format!("{name} is {expected}, found {}", node.describe()));
            error.suggestion = hint;
            return;
        }
        match &node.value {
            Value::Table(entries) => self.table(node, entries, schema, name),
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.value(item, &schema["items"], &format!("{name}[{index}]"));
                }
            }
            Value::Text(text) => self.text(node, text, schema, name),
            Value::Integer(integer) => {
                let least = schema["minimum"].as_f64();
                if least.is_some_and(|least| (*integer as f64) < least) {
                    self.error(
                        node,
                        format!("{name} is {integer}, it must be at least {}", least.unwrap_or(0.0)),
                    );
                }
            }
            Value::Float(float) if !float.is_finite() => {
                self.error(node, format!("{name} must be a finite number, found {float}"));
            }
            _ => {}
        }
    }

    fn table(&mut self, node: &Node, entries: &[Entry], schema: &'a Json, name: &str) {
        let none = serde_json::Map::new();
        let properties = schema["properties"].as_object();
        let known: Vec<&str> = properties.unwrap_or(&none).keys().map(String::as_str).collect();
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
        let present = |key: &str| entries.iter().any(|entry| entry.key == key);
        let mut meant = Vec::new();
        for entry in entries {
            match properties.and_then(|all| all.get(&entry.key)) {
                Some(property) => self.value(&entry.node, property, &format!("`{}`", entry.key)),
                None if schema["additionalProperties"] == Json::Bool(false) => {
                    let free = known.iter().copied().filter(|key| !present(key));
                    let near = nearest(&entry.key, free);
                    meant.extend(near);
                    let span = entry.key_span.clone();
                    self.fixes.push(match near {
                        Some(near) => Fix::Rename(span, near.to_string()),
                        None => Fix::Remove(span),
                    });
                    let message = format!("unknown field `{}` in {name}", entry.key);
                    let error = Diagnostic::new(&self.document.source, entry.key_span.clone(), message);
                    let known = known.join(", ");
                    self.push(match near {
                        Some(near) => error.suggest(format!("did you mean `{near}`?")),
                        None => error.suggest(format!("known fields: {known}")),
                    });
                }
                None => {}
            }
        }
        for key in required {
            if !present(key) && !meant.contains(&key) {
                let about = properties.and_then(|all| all[key]["description"].as_str()).map(first_sentence);
                let error = self.error(node, format!("missing field `{key}` in {name}"));
                error.suggestion = about.map(|about| format!("`{key}`: {about}"));
            }
        }
    }

    fn word(&mut self, node: &Node, words: &[&str], name: &str) {
        let list = words.join(", ");
        match &node.value {
            Value::Text(text) if words.contains(&text.as_str()) => {}
            Value::Text(text) => {
                let near = nearest(text, words.iter().copied());
                self.fixes.extend(near.map(|near| Fix::Replace(node.span.clone(), Value::Text(near.into()))));
                let error = self.error(node, format!("{name} is no {text:?}; it is one of {list}"));
                error.suggestion = near.map(|near| format!("did you mean {near:?}?"));
            }
            _ => {
                self.error(node, format!("{name} is one of {list}, found {}", node.describe()));
            }
        }
    }

    fn choice(&mut self, node: &Node, choices: &'a [Json], name: &str) {
        let choices: Vec<&Json> =
            choices.iter().map(|c| self.resolve(c)).filter(|c| c["type"] != "null").collect();
        let tagged = |choice: &&&'a Json| choice["properties"]["kind"]["const"].is_string();
        if !choices.is_empty() && choices.iter().all(|choice| tagged(&choice)) {
            return self.tagged(node, &choices, name);
        }
        // Alternatives here differ in type, so the first that fits by type is the one that was meant.
        let fits = |choice: &&&'a Json| {
            let types = types(choice);
            types.is_empty() || types.iter().any(|kind| is(node, kind))
        };
        match (choices.iter().find(fits), choices[..].first()) {
            (Some(choice), _) => self.value(node, choice, name),
            (None, Some(only)) if choices.len() == 1 => self.value(node, only, name),
            _ => {
                let expected: Vec<&str> = choices.iter().flat_map(|c| types(c)).map(in_words).collect();
                self.error(node, format!("{name} is {}, found {}", expected.join(" or "), node.describe()));
            }
        }
    }

    fn tagged(&mut self, node: &Node, choices: &[&'a Json], name: &str) {
        let Value::Table(entries) = &node.value else {
            self.error(node, format!("{name} is a table with `kind`, found {}", node.describe()));
            return;
        };
        let kinds: Vec<&str> =
            choices.iter().filter_map(|c| c["properties"]["kind"]["const"].as_str()).collect();
        let Some(kind) = entries.iter().find(|entry| entry.key == "kind") else {
            let error = self.error(node, format!("missing field `kind` in {name}"));
            error.suggestion = Some(format!("kinds: {}", kinds.join(", ")));
            return;
        };
        let chosen = match &kind.node.value {
            Value::Text(text) => choices.iter().find(|c| c["properties"]["kind"]["const"] == text.as_str()),
            _ => None,
        };
        match chosen {
            Some(choice) => {
                let kind = choice["properties"]["kind"]["const"].as_str().unwrap_or_default();
                self.table(node, entries, choice, &format!("{name} of kind {kind}"));
            }
            None => {
                self.word(&kind.node, &kinds, "`kind`");
                // Read the rest as the kind that was meant.
                let Value::Text(text) = &kind.node.value else { return };
                let meant = nearest(text, kinds.iter().copied());
                let choice = choices.iter().find(|c| c["properties"]["kind"]["const"].as_str() == meant);
                if let (Some(choice), Some(kind)) = (choice, meant) {
                    let others: Vec<Entry> =
                        entries.iter().filter(|entry| entry.key != "kind").cloned().collect();
                    let mut schema_kind =
                        entries.iter().filter(|entry| entry.key == "kind").cloned().collect::<Vec<_>>();
                    schema_kind.iter_mut().for_each(|entry| entry.node.value = Value::Text(kind.to_string()));
                    let all = [schema_kind, others].concat();
                    self.table(node, &all, choice, &format!("{name} of kind {kind}"));
                }
            }
        }
    }

    fn text(&mut self, node: &Node, text: &str, schema: &'a Json, name: &str) {
        // The only pattern in these schemas is that of a protocol; its parser says which part is wrong.
        if schema["pattern"].is_string()
            && let Err(error) = text.parse::<number::protocol::Protocol>()
        {
            let fixed = nearest_protocol(text);
            self.fixes.extend(fixed.clone().map(|fixed| Fix::Replace(node.span.clone(), Value::Text(fixed))));
            let error = self.error(node, format!("{name} is no protocol: {error}"));
            error.suggestion = fixed.map(|fixed| format!("did you mean {fixed:?}?"));
        }
        if text.trim().is_empty() {
            self.error(node, format!("{name} is empty"));
        }
    }
}

/// The text with each part replaced by the nearest known word, if that yields a protocol.
fn nearest_protocol(text: &str) -> Option<String> {
    use number::protocol::{Bos, Endpoint, Protocol, Reduction};
    let words: [Vec<&str>; 3] = [
        Reduction::ALL.iter().map(|word| word.as_str()).collect(),
        Endpoint::ALL.iter().map(|word| word.as_str()).collect(),
        Bos::ALL.iter().map(|word| word.as_str()).collect(),
    ];
    let parts: Option<Vec<&str>> = text
        .split('/')
        .zip(&words)
        .map(|(part, words)| nearest(part.trim(), words.iter().copied()))
        .collect();
    let fixed = parts?.join("/");
    fixed.parse::<Protocol>().ok().map(|_| fixed)
}

/// The words of an enum, if the schema is one.
fn words(schema: &Json) -> Option<Vec<&str>> {
    if let Some(list) = schema["enum"].as_array() {
        return list.iter().map(Json::as_str).collect();
    }
    if let Some(word) = schema["const"].as_str() {
        return Some(vec![word]);
    }
    let choices = schema["oneOf"].as_array()?;
    let nested: Option<Vec<Vec<&str>>> = choices.iter().map(words).collect();
    nested.map(|lists| lists.concat())
}

fn types(schema: &Json) -> Vec<&str> {
    match &schema["type"] {
        Json::String(kind) => vec![kind],
        Json::Array(kinds) => kinds.iter().filter_map(Json::as_str).filter(|kind| *kind != "null").collect(),
        _ => Vec::new(),
    }
}

fn is(node: &Node, kind: &str) -> bool {
    match node.value {
        Value::Text(_) => kind == "string",
        Value::Integer(_) => kind == "integer" || kind == "number",
        Value::Float(_) => kind == "number",
        Value::Bool(_) => kind == "boolean",
        Value::Datetime => false,
        Value::Array(_) => kind == "array",
        Value::Table(_) => kind == "object",
    }
}

fn in_words(kind: &str) -> &str {
    match kind {
        "string" => "text",
        "integer" => "an integer",
        "number" => "a number",
        "boolean" => "true or false",
        "array" => "a list",
        "object" => "a table",
        other => other,
    }
}

/// The value as it should be written, where its type is a simple slip.
fn as_text(node: &Node, types: &[&str], document: &Document) -> Option<String> {
    let raw = document.source.text.get(node.span.clone())?;
    match (&node.value, types.first()?) {
        (Value::Text(text), &"number" | &"integer") if text.parse::<f64>().is_ok() => {
            Some(format!("write {text} without quotes"))
        }
        (Value::Text(text), &"boolean") if text == "true" || text == "false" => {
            Some(format!("write {text} without quotes"))
        }
        (Value::Text(_), &"array") => Some(format!("write [{raw}]")),
        (Value::Integer(_) | Value::Float(_) | Value::Bool(_), &"string") => Some(format!("write \"{raw}\"")),
        _ => None,
    }
}

fn first_sentence(text: &str) -> String {
    let line = text.split("\n\n").next().unwrap_or(text).replace('\n', " ");
    // "e.g. `tiny`" goes on; the next sentence begins with a capital.
    let end =
        line.match_indices(". ").map(|(at, _)| at).find(|at| line[at + 2..].starts_with(char::is_uppercase));
    line[..end.unwrap_or(line.len())].trim_end_matches('.').to_string()
}
