//! Assumes what was meant after a slip: the fixes that `shape` suggests are applied to the tree, so that later checks
//! still run and one report holds the mistakes of all stages. The file itself is never touched, and a repaired file
//! is never run.

use std::ops::Range;

use crate::config::document::{Document, Node, Value};

/// A correction that is assumed instead of what was written. Spans are those of the original text.
#[derive(Clone, Debug)]
pub(in crate::config) enum Fix {
    /// The key at this place was meant to be another.
    Rename(Range<usize>, String),
    /// The key at this place means nothing.
    Remove(Range<usize>),
    /// The value at this place was meant to be another.
    Replace(Range<usize>, Value),
}

/// The document with all fixes applied; places stay those of the original text.
pub(in crate::config) fn apply(document: &Document, fixes: &[Fix]) -> Document {
    let mut repaired = document.clone();
    node(&mut repaired.root, fixes);
    repaired
}

/// The typed value of a repaired tree, if it is one by now.
pub(in crate::config) fn decode<T: serde::de::DeserializeOwned>(document: &Document) -> Option<T> {
    plain(&document.root).try_into().ok()
}

fn node(node_: &mut Node, fixes: &[Fix]) {
    for fix in fixes {
        if let Fix::Replace(span, value) = fix
            && *span == node_.span
        {
            node_.value = value.clone();
        }
    }
    match &mut node_.value {
        Value::Table(entries) => {
            entries.retain(|entry| {
                !fixes.iter().any(|f| matches!(f, Fix::Remove(span) if *span == entry.key_span))
            });
            for entry in entries {
                for fix in fixes {
                    if let Fix::Rename(span, key) = fix
                        && *span == entry.key_span
                    {
                        entry.key.clone_from(key);
                    }
                }
                node(&mut entry.node, fixes);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| node(item, fixes)),
        _ => {}
    }
}

fn plain(node: &Node) -> toml::Value {
    match &node.value {
        Value::Text(text) => toml::Value::String(text.clone()),
        Value::Integer(integer) => toml::Value::Integer(*integer),
        Value::Float(float) => toml::Value::Float(*float),
        Value::Bool(boolean) => toml::Value::Boolean(*boolean),
        // No field of ours takes a date: decoding stops at any value of the wrong type.
        Value::Datetime => toml::Value::Array(Vec::new()),
        Value::Array(items) => toml::Value::Array(items.iter().map(plain).collect()),
        Value::Table(entries) => {
            toml::Value::Table(entries.iter().map(|entry| (entry.key.clone(), plain(&entry.node))).collect())
        }
    }
}
