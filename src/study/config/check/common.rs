//! Checks that files of several kinds share.

use crate::config::document::{Document, Step, at};
use crate::config::id;
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

/// Ids become parts of keys, names of files and addresses.
pub(super) fn identifier(document: &Document, path: &[Step], id: &str, found: &mut Found) {
    let Some(fault) = id::fault(id) else { return };
    // A long one is named by its beginning.
    let shown: String = id.chars().take(40).collect();
    let dots = if shown.len() < id.len() { "…" } else { "" };
    let error = document.error(path, format!("id {shown:?}{dots} {}; {}", fault.why, id::RULE));
    found.push(match fault.instead {
        Some(instead) => error.suggest(format!("write {instead:?}")),
        None => error.suggest("give it another id"),
    });
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
