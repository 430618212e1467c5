//! Figures of the paper, published beside measured.

use crate::report::document::{Block, Group, Line, Page, Role};
use crate::report::figures::Figure;
use crate::report::pages::context::RenderContext;
use crate::report::pages::marks;

pub(in crate::report::pages) fn pages(context: &RenderContext<'_>) -> Vec<Page> {
    let figures = &context.view.figures;
    if figures.is_empty() {
        return Vec::new();
    }
    let mut keys: Vec<&str> = Vec::new();
    for figure in figures {
        if !keys.contains(&figure.key) {
            keys.push(figure.key);
        }
    }
    let mut lead = Line::from(
        "Each from published rows and, where there are any, from rows measured here and from rehearsal, which says nothing about \
         language models. All are drawn alike and never mixed.",
    );
    if context.view.models.iter().any(|model| !model.facts.is_original()) {
        lead.push(" Stages of a training and variants are left out; they have pages of their own.");
    }
    let mut blocks = vec![Block::text(Role::Lead, lead)];
    for key in keys {
        let both: Vec<&Figure> = figures.iter().filter(|figure| figure.key == key).collect();
        blocks.push(Block::heading(both.first().map_or("", |figure| figure.title)));
        blocks.push(Block::Figures(both.into_iter().map(marks::figure).collect()));
    }
    vec![Page {
        id: "figures".into(),
        group: Group::Report,
        label: ("Figures".into(), String::new()),
        kicker: Line::default(),
        title: "The research's figures, remade".into(),
        blocks,
    }]
}
