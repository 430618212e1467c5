//! Checks that files of several kinds share.

use crate::config::document::{Document, Step, at};
use crate::config::report::Diagnostic;

/// Mistakes found so far.
pub(super) type Found = Vec<Diagnostic>;

/// The format version that this program reads.
pub(super) fn version(document: &Document, schema: u32, found: &mut Found) {
    if schema != 1 {
        let message = format!("schema version {schema} is unknown; this program reads version 1");
        found.push(document.error(at!["schema"], message).suggest("write schema = 1"));
    }
}

/// Ids become parts of keys and file names.
pub(super) fn identifier(document: &Document, path: &[Step], id: &str, found: &mut Found) {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if let Some(bad) = id.chars().find(|c| !allowed(*c)) {
        let fixed: String = id.chars().map(|c| if allowed(c) { c } else { '-' }).collect();
        let message =
            format!("id {id:?} contains {bad:?}; ids are made of letters, digits, `-`, `_` and `.`");
        found.push(document.error(path, message).suggest(format!("write {fixed:?}")));
    }
}

/// A list that must have an entry; `what` names one.
pub(super) fn not_empty<T>(document: &Document, path: &[Step], list: &[T], what: &str, found: &mut Found) {
    if list.is_empty() {
        let key = match path.last() {
            Some(Step::Key(key)) => key,
            _ => "list",
        };
        found.push(document.error(path, format!("`{key}` is empty: it needs at least one {what}")));
    }
}
