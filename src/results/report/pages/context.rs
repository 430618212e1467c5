//! What page builders share: the view, the addresses of pages, and the pages that are built already.

use std::collections::{BTreeMap, BTreeSet};

use crate::report::document::{Line, Page, Span, hypothesis_address, link, model_address, unique};
use crate::report::view::View;

/// What a page is built from.
pub(in crate::report) struct RenderContext<'a> {
    pub view: &'a View,
    /// The pages before it in the list.
    pub pages: Vec<Page>,
    hypotheses: BTreeMap<&'a str, String>,
    models: BTreeMap<&'a str, String>,
}

impl<'a> RenderContext<'a> {
    pub(super) fn new(view: &'a View) -> RenderContext<'a> {
        let mut taken = BTreeSet::new();
        let mut hypotheses = BTreeMap::new();
        for hypothesis in &view.hypotheses {
            let address = unique(&hypothesis_address(&hypothesis.id), &mut taken);
            hypotheses.insert(hypothesis.id.as_str(), address);
        }
        let mut models = BTreeMap::new();
        for model in &view.models {
            let address = || unique(&model_address(&model.id), &mut taken);
            models.entry(model.id.as_str()).or_insert_with(address);
        }
        RenderContext { view, pages: Vec::new(), hypotheses, models }
    }

    /// Address of a hypothesis's page.
    pub(super) fn hypothesis(&self, id: &str) -> &str {
        self.hypotheses.get(id).map_or("report", String::as_str)
    }

    /// Address of a model's page, or of the page of all models where it has none.
    pub(super) fn model(&self, id: &str) -> &str {
        self.models.get(id).map_or("models", String::as_str)
    }

    /// The id of a model, which leads to its page if it has one.
    pub(super) fn model_link(&self, id: &str) -> Line {
        match self.models.get(id) {
            Some(address) => Line::from(link(address, id)),
            None => Line::from(id),
        }
    }

    /// The id of a hypothesis, which leads to its page.
    pub(super) fn hypothesis_link(&self, id: &str) -> Span {
        link(self.hypothesis(id), id)
    }
}
