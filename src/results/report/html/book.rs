//! What rendering collects: addresses of pages, protocols that were named, tables of the figures.

use std::collections::{BTreeMap, BTreeSet};

use crate::report::view::View;
use number::protocol::Protocol;

pub(super) struct Book<'a> {
    pub view: &'a View,
    pub data: Vec<(String, String)>,
    pub protocols: BTreeSet<Protocol>,
    hypotheses: BTreeMap<&'a str, String>,
    models: BTreeMap<&'a str, String>,
    taken: BTreeSet<String>,
}

impl<'a> Book<'a> {
    pub(super) fn new(view: &'a View) -> Book<'a> {
        let mut book = Book {
            view,
            data: Vec::new(),
            protocols: BTreeSet::new(),
            hypotheses: BTreeMap::new(),
            models: BTreeMap::new(),
            taken: BTreeSet::new(),
        };
        for hypothesis in &view.hypotheses {
            let anchor = book.unique(&slug(&hypothesis.id));
            book.hypotheses.insert(&hypothesis.id, anchor);
        }
        for model in view.models.iter().map(|model| &model.id).chain(view.profiles.iter().map(|p| &p.model)) {
            if !book.models.contains_key(model.as_str()) {
                let anchor = book.unique(&format!("model-{}", slug(model)));
                book.models.insert(model, anchor);
            }
        }
        book
    }

    /// Address of a hypothesis's page. Ids of hypotheses are unique in an experiment.
    pub(super) fn hypothesis(&self, id: &str) -> &str {
        self.hypotheses.get(id).map_or("report", String::as_str)
    }

    /// Address of a model's page, or of all models where it has none.
    pub(super) fn model(&self, id: &str) -> &str {
        self.models.get(id).map_or("models", String::as_str)
    }

    pub(super) fn has_page(&self, model: &str) -> bool {
        self.models.contains_key(model)
    }

    /// The wanted name, or with a number behind it if it is taken.
    pub(super) fn unique(&mut self, wanted: &str) -> String {
        let reserved =
            ["report", "figures", "analysis", "claims", "models", "methods", "all", "main", "theme"];
        let free = |name: &str| !self.taken.contains(name) && !reserved.contains(&name);
        let mut name = wanted.to_string();
        let mut next = 2;
        while !free(&name) {
            name = format!("{wanted}-{next}");
            next += 1;
        }
        self.taken.insert(name.clone());
        name
    }

    /// Address of a protocol's definition; the methods page will define it.
    pub(super) fn protocol(&mut self, protocol: &Protocol) -> String {
        self.protocols.insert(*protocol);
        protocol_anchor(protocol)
    }
}

pub(super) fn protocol_anchor(protocol: &Protocol) -> String {
    format!("p-{}", protocol.to_string().replace('/', "."))
}

pub(super) fn metric_anchor(metric: &str) -> String {
    format!("metric-{}", slug(metric))
}

/// Letters, digits, dots and dashes only.
pub(super) fn slug(text: &str) -> String {
    let kept = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c.to_ascii_lowercase() } else { '-' };
    let slug: String = text.chars().map(kept).collect();
    // No name of a file may start with a dot.
    let slug = slug.trim_matches(['-', '.']).to_string();
    if slug.is_empty() { "x".to_string() } else { slug }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_pages_and_files_hold_no_path() {
        assert_eq!(
            [slug("../../etc/passwd"), slug("Llama 3.1"), slug("ü")],
            ["etc-passwd", "llama-3.1", "x"]
        );
    }
}
