//! results/report/report.md: the report in one text, for readers of files and for the web pages of repositories. Figures are drawn
//! in index.html and in picture files; here stand links to them, and their numbers where the page does not have them.

use std::collections::BTreeMap;

use super::markup::{code, escaped, escaped_html, fenced, opening};
use crate::report::document::{
    Basis, Block, Document, Fates, FigureBlock, Group, Line, MISSING, Page, Picture, Placement, Span, Table,
    beside,
};
use base::terminal::visible;
use number::protocol::Protocol;

/// Writes the document. The same document gives the same bytes.
pub(in crate::report) fn markdown(document: &Document) -> String {
    let mut writer = Writer { text: String::new(), anchors: anchors(document) };
    for (at, page) in document.pages.iter().enumerate() {
        let title = match at {
            0 => format!("{}: {}", document.title, writer.words(&page.title)),
            _ => writer.words(&page.title),
        };
        let level = level(at, page);
        writer.block(&format!("{} {title}", "#".repeat(level)));
        if !page.kicker.is_empty() {
            let kicker = writer.words(&page.kicker);
            writer.block(&format!("*{kicker}*"));
        }
        writer.blocks(&page.blocks, level);
    }
    visible(&writer.text).into_owned()
}

/// The opening page has the title of the whole; the pages of models lie below that of all models.
fn level(at: usize, page: &Page) -> usize {
    match page.group {
        _ if at == 0 => 1,
        Group::Models | Group::Variants => 3,
        Group::Report | Group::Hypotheses => 2,
    }
}

/// By address the anchor that readers of Markdown give its heading.
fn anchors(document: &Document) -> BTreeMap<String, String> {
    let mut anchors = BTreeMap::new();
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    let mut anchor = |heading: &str| {
        let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
        let slug: String = heading.chars().filter(kept).collect::<String>().to_lowercase().replace(' ', "-");
        let times = taken.entry(slug.clone()).or_default();
        *times += 1;
        if *times == 1 { slug } else { format!("{slug}-{}", *times - 1) }
    };
    for (at, page) in document.pages.iter().enumerate() {
        let title = match at {
            0 => format!("{}: {}", document.title, page.title.plain()),
            _ => page.title.plain(),
        };
        anchors.insert(page.id.clone(), anchor(&title));
        for block in &page.blocks {
            if let Block::Heading { id, line, .. } = block {
                let anchor = anchor(&line.plain());
                if let Some(id) = id {
                    anchors.insert((*id).to_string(), anchor);
                }
            }
        }
    }
    anchors
}

/// Markdown under construction: blocks separated by empty lines.
struct Writer {
    text: String,
    anchors: BTreeMap<String, String>,
}

impl Writer {
    fn block(&mut self, block: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text += block;
        self.text.push('\n');
    }

    fn blocks(&mut self, blocks: &[Block], level: usize) {
        for block in blocks {
            match block {
                Block::Heading { level: below, line, .. } => {
                    let depth = level + usize::from(*below) - 1;
                    let words = self.words(line);
                    self.block(&format!("{} {words}", "#".repeat(depth)));
                }
                Block::Paragraph { line, .. } => {
                    let text = self.running(line);
                    self.block(&opening(&text));
                }
                Block::Notes(notes) => self.list(notes.iter()),
                Block::Facts(facts) => self.facts(facts),
                Block::Table(table) => self.table(table),
                Block::Figures(figures) => figures.iter().for_each(|figure| self.figure(figure)),
                Block::Picture(picture) => self.picture(picture),
                Block::Fold { summary, blocks } => {
                    self.block(&format!("<details><summary>{}</summary>", escaped_html(&summary.plain())));
                    match blocks.as_slice() {
                        // The line above says what it shows.
                        [Block::Table(table)] if summary.plain().starts_with(&table.caption) => {
                            self.rows(table)
                        }
                        blocks => self.blocks(blocks, level),
                    }
                    self.block("</details>");
                }
                Block::Fates(fates) => self.fates(fates),
                Block::Diff(lines) => self.block(&fenced("diff", lines)),
            }
        }
    }

    fn list<'a>(&mut self, items: impl Iterator<Item = &'a Line>) {
        let items: Vec<String> = items.map(|item| format!("- {}", opening(&self.running(item)))).collect();
        if !items.is_empty() {
            self.block(&items.join("\n"));
        }
    }

    fn facts(&mut self, facts: &[(Line, Vec<Line>)]) {
        let items = facts.iter().map(|(name, values)| {
            let values: Vec<String> = values.iter().map(|value| self.running(value)).collect();
            format!("- **{}**: {}", self.words(name), values.join("; "))
        });
        let items: Vec<String> = items.collect();
        self.block(&items.join("\n"));
    }

    /// A table under its caption; protocols that its numbers need stand in its headings or cells.
    fn table(&mut self, table: &Table) {
        if table.rows.is_empty() {
            return;
        }
        self.block(&format!("*{}*", escaped(&table.caption)));
        self.rows(table);
    }

    fn rows(&mut self, table: &Table) {
        let placement = Placement::of(table);
        let heads = table.columns.iter().zip(&placement.heads).map(|(column, basis)| {
            let under = basis.as_ref().map_or_else(String::new, |basis| match basis {
                Basis::Under(_) => format!(" under {}", named(basis)),
                _ => format!(" ({})", named(basis)),
            });
            cell(&format!("{}{under}", self.words(&column.head)))
        });
        let heads: Vec<String> = heads.collect();
        let mut block = format!("| {} |\n|{}", heads.join(" | "), "---|".repeat(heads.len()));
        for (row, bases) in table.rows.iter().zip(&placement.cells) {
            let cells = row.iter().zip(bases).map(|(one, basis)| {
                let mut text = self.words(&one.line);
                if let Some(basis) = basis {
                    text += &format!(" ({})", named(basis));
                }
                if !one.items.is_empty() {
                    let items: Vec<String> = one.items.iter().map(|item| self.words(item)).collect();
                    text += &format!(" **{}.**", items.join("; "));
                }
                if !one.minor.is_empty() {
                    text += &format!(" ({})", self.words(&one.minor));
                }
                cell(&text)
            });
            block += &format!("\n| {} |", cells.collect::<Vec<_>>().join(" | "));
        }
        self.block(&block);
    }

    /// Where the figure is drawn and where its data lie, and what it shows if the page does not say so anyway.
    fn figure(&mut self, figure: &FigureBlock) {
        let name = &figure.name;
        let mut text = format!(
            "Figure: [{}](index.html#{name}), [{} rows of data](data/{name}.csv). {}",
            escaped(&figure.title),
            figure.csv.rows,
            self.words(&figure.how)
        );
        if !figure.metrics.is_empty() {
            let metrics: Vec<String> = figure.metrics.iter().map(|metric| format!("`{metric}`")).collect();
            text += &format!(" Metrics: {}.", metrics.join(", "));
        }
        text += &format!(" Protocols: {}.", protocol_names(&figure.protocols));
        if figure.described {
            text += &format!(" {}", escaped(&figure.description));
        }
        self.block(&text);
    }

    /// A picture that links to its scalable twin.
    fn picture(&mut self, picture: &Picture) {
        let Picture { name, says, .. } = picture;
        self.block(&format!("[![{}]({name}.png)]({name}.svg)", escaped(says)));
    }

    fn fates(&mut self, fates: &Fates) {
        for (title, members) in fates.lists.iter().filter(|(_, members)| !members.is_empty()) {
            self.block(&format!("**{title}: {}**", members.len()));
            let items = members.iter().map(|member| {
                let id = self.linked(&member.to, &escaped(&member.id));
                let why = self.words(&member.why);
                let why = if why.is_empty() { why } else { format!(": {why}") };
                format!("- {id} {}{why}", escaped(&member.title))
            });
            let items: Vec<String> = items.collect();
            self.block(&items.join("\n"));
        }
    }

    /// A line of running text, with the protocols that its numbers need.
    fn running(&self, line: &Line) -> String {
        let bases = beside(line);
        match bases.as_slice() {
            [] => self.words(line),
            [only] => format!("{} [{}]", self.words(line), named(only)),
            _ => self.spans(line, true),
        }
    }

    fn words(&self, line: &Line) -> String {
        self.spans(line, false)
    }

    /// `each`: whether every number says what it was computed under.
    fn spans(&self, line: &Line, each: bool) -> String {
        line.0.iter().map(|span| self.span(span, each)).collect()
    }

    fn span(&self, span: &Span, each: bool) -> String {
        match span {
            Span::Text(text) => escaped(text),
            Span::Code(text) => code(text),
            Span::Strong(line) => format!("**{}**", self.spans(line, each)),
            Span::Emphasis(line) => format!("*{}*", self.spans(line, each)),
            Span::Minor(line) => self.spans(line, each),
            Span::Tag(tag) => format!("({tag})"),
            Span::Hash(key) => format!("`{}`", key.short()),
            Span::Number { text, basis: basis @ (Basis::Under(_) | Basis::Weights) } if each => {
                format!("{} ({})", number(text), named(basis))
            }
            Span::Number { text, .. } => number(text),
            Span::Protocols(protocols) => protocol_names(protocols),
            Span::Verdict(verdict) => format!("**{verdict}**"),
            Span::Outcome(outcome) => outcome.to_string(),
            Span::Link { to, line } => self.linked(to, &self.spans(line, each)),
            Span::LegendEntry { .. } => escaped(&span.plain()),
        }
    }

    /// A link where the place has a heading, else the words alone.
    fn linked(&self, to: &str, words: &str) -> String {
        match self.anchors.get(to) {
            Some(anchor) => format!("[{words}](#{anchor})"),
            None => words.to_string(),
        }
    }
}

fn named(basis: &Basis) -> String {
    match basis {
        Basis::Under(protocols) => protocol_names(protocols),
        Basis::Weights | Basis::Count | Basis::Row => protocol_names(&[]),
    }
}

fn protocol_names(protocols: &[Protocol]) -> String {
    let names: Vec<String> = protocols.iter().map(|protocol| format!("`{protocol}`")).collect();
    if names.is_empty() { "of the weights".to_string() } else { names.join(", ") }
}

/// A number as this program formats it: nothing of it is markup but the sign of what is very small.
fn number(text: &str) -> String {
    text.replace('<', "&lt;")
}

/// Written text as one cell of a table.
fn cell(text: &str) -> String {
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if one_line.is_empty() { MISSING.to_string() } else { one_line.replace('|', "\\|") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_cannot_break_a_table() {
        assert_eq!(cell(&escaped("a|b\n\\|<c>")), "a\\|b \\\\\\|&lt;c>");
        assert_eq!(cell(" \n"), MISSING);
    }
}
