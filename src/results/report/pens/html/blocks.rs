//! Blocks of a page as HTML.

use maud::{Markup, html};

use super::figure::figure;
use super::spans::line;
use super::table::table;
use crate::report::document::{Block, Fate, FigureBlock, Line, Role};

pub(super) fn all(blocks: &[Block]) -> Markup {
    html! { @for one in blocks { (block(one)) } }
}

fn block(block: &Block) -> Markup {
    match block {
        Block::Heading { level: 2, id, line: words } => html! { h2 id=[*id] { (line(words)) } },
        Block::Heading { id, line: words, .. } => html! { h3 id=[*id] { (line(words)) } },
        Block::Paragraph { role, line: words } => {
            let class = match role {
                Role::Headline => Some("headline"),
                Role::Lead => Some("lead"),
                Role::Text => None,
                Role::Minor => Some("minor"),
            };
            html! { p class=[class] { (line(words)) } }
        }
        Block::Notes(notes) => html! { ul.notes { @for note in notes { li { (line(note)) } } } },
        Block::Facts(facts) => facts_list(facts),
        Block::Table(inner) => table(inner),
        Block::Figures(figures) => side_by_side(figures),
        // The page draws its figures in place.
        Block::Picture(_) => html! {},
        Block::Fold { summary, blocks } => html! {
            details {
                summary { (line(summary)) }
                (all(blocks))
            }
        },
        Block::Fates(fates) => html! {
            div.fates {
                @for (title, members) in &fates.lists {
                    @if !members.is_empty() {
                        div {
                            h2 { (title) " " span.count { (members.len()) } }
                            ul { @for member in members { (fate(member)) } }
                        }
                    }
                }
            }
        },
        Block::Diff(lines) => html! {
            pre.diff tabindex="0" {
                @for text in lines {
                    @match text.as_bytes().first() {
                        Some(b'+') => ins { (text) },
                        Some(b'-') => del { (text) },
                        _ => span { (text) },
                    }
                    "\n"
                }
            }
        },
    }
}

fn facts_list(facts: &[(Line, Vec<Line>)]) -> Markup {
    html! {
        dl.facts {
            @for (name, values) in facts {
                dt { (line(name)) }
                dd {
                    @match values.as_slice() {
                        [only] => (line(only)),
                        many => { @for value in many { div { (line(value)) } } },
                    }
                }
            }
        }
    }
}

fn side_by_side(figures: &[FigureBlock]) -> Markup {
    html! {
        @match figures {
            [only] => (figure(only)),
            many => div.pair { @for one in many { (figure(one)) } },
        }
    }
}

fn fate(fate: &Fate) -> Markup {
    html! {
        li {
            a href={ "#" (fate.to) } { b { (fate.id) } " " (fate.title) }
            @if !fate.why.is_empty() { div.minor { (line(&fate.why)) } }
        }
    }
}
