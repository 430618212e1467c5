//! A page of the prompts: every set with its source, and every text that was run.

use super::context::RenderContext;
use crate::report::document::{
    Block, Cell, Group, Line, Page, Role, Table, code, column, count, line, paragraph, row,
};

pub(super) fn pages(context: &RenderContext<'_>) -> Vec<Page> {
    let sets = &context.view.prompts;
    if sets.is_empty() {
        return Vec::new();
    }
    let all: usize = sets.iter().map(|set| set.prompts.len()).sum();
    let many = if sets.len() == 1 { " set" } else { " sets" };
    let lead = line![count(all), " prompts in ", count(sets.len()), many, ", with every text as it was run."];
    let mut blocks = vec![Block::text(Role::Lead, lead)];
    let columns = ["set", "what it is", "prompts", "categories", "asked by", "from"].map(column);
    let rows = sets.iter().map(|set| {
        let mut categories: Vec<&str> = Vec::new();
        for prompt in &set.prompts {
            if !categories.contains(&prompt.category.as_str()) {
                categories.push(&prompt.category);
            }
        }
        let asking = set.asked_by.iter().map(|id| Line::from(context.hypothesis_link(id)));
        row![
            Cell::head(code(&set.id)),
            &set.title,
            count(set.prompts.len()),
            count(categories.len()),
            Line::joined(asking, ", "),
            &set.source
        ]
    });
    blocks.push(Block::Table(Table::new("Sets of prompts", columns).with(rows)));
    for set in sets {
        blocks.push(Block::heading(line![code(&set.id), ": ", &set.title]));
        blocks.push(paragraph(set.source.trim()));
        let rows = set
            .prompts
            .iter()
            .map(|prompt| row![Cell::head(code(&prompt.id)), &prompt.category, &prompt.text]);
        let columns = ["prompt", "category", "text"].map(column);
        blocks.push(Block::folded(Table::new(format!("Texts of {}", set.id), columns).with(rows)));
    }
    vec![Page {
        id: "prompts".into(),
        group: Group::Report,
        label: ("Prompts".into(), String::new()),
        kicker: Line::default(),
        title: "Prompts".into(),
        blocks,
    }]
}
