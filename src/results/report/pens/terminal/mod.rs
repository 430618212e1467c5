//! The report for a terminal of 100 columns: the opening page in short, as a run ends with it, and every page whole.

mod table;
mod words;

use crate::report::document::{Block, Document, Fates, FigureBlock, Line, Page, Role};
use base::terminal::visible;
use table::{Detail, table};
use words::{protocol_names, running, underlined, wrapped};

/// A page of the report as text.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TextPage {
    /// Its address, by which it is asked for.
    pub name: String,
    /// Its title.
    pub title: String,
    /// What it says, in lines of at most 100 columns. Ends with a line break.
    pub text: String,
}

/// The opening page in short: what is folded stays folded, explanations and columns of details are left out.
pub(in crate::report) fn summary(document: &Document) -> String {
    let mut writer = Writer { out: String::new(), whole: false };
    writer.text(&format!("{}: {}", document.title, document.experiment));
    writer.blocks(document.pages.first().map_or(&[][..], |page| page.blocks.as_slice()));
    visible(&writer.out).into_owned()
}

/// Every page whole, in the order of the report.
pub(in crate::report) fn pages(document: &Document) -> Vec<TextPage> {
    document.pages.iter().enumerate().map(|(at, page)| whole(document, at, page)).collect()
}

fn whole(document: &Document, at: usize, page: &Page) -> TextPage {
    let mut writer = Writer { out: String::new(), whole: true };
    if !page.kicker.is_empty() {
        writer.text(&page.kicker.plain());
    }
    let title = match at {
        0 => format!("{}: {}", document.title, page.title.plain()),
        _ => page.title.plain(),
    };
    writer.out += &underlined(&title, '═');
    writer.blocks(&page.blocks);
    let text = visible(&writer.out).into_owned();
    TextPage { name: page.id.clone(), title: visible(&title).into_owned(), text }
}

struct Writer {
    out: String,
    /// Whether everything is written.
    whole: bool,
}

impl Writer {
    fn text(&mut self, text: &str) {
        self.out += &wrapped(text, "");
    }

    /// An empty line before what begins anew, where everything is written.
    fn gap(&mut self) {
        if self.whole && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    fn blocks(&mut self, blocks: &[Block]) {
        blocks.iter().for_each(|block| self.block(block));
    }

    fn block(&mut self, block: &Block) {
        match block {
            Block::Heading { line, .. } if !self.whole => {
                self.out.push('\n');
                self.text(&line.plain());
            }
            Block::Heading { level, line, .. } => {
                self.gap();
                self.out += &underlined(&line.plain(), if *level == 2 { '─' } else { '╌' });
            }
            Block::Paragraph { role: Role::Minor, .. } if !self.whole => {}
            Block::Paragraph { line, .. } => {
                self.gap();
                self.text(&running(line));
            }
            Block::Notes(notes) => {
                self.gap();
                notes.iter().for_each(|note| self.out += &wrapped(&format!("- {}", running(note)), "  "));
            }
            Block::Facts(facts) => {
                self.gap();
                facts.iter().for_each(|fact| self.fact(fact));
            }
            Block::Table(inner) if !self.whole => self.out += &table(inner, Detail::Hidden),
            Block::Table(inner) if inner.rows.is_empty() => {}
            Block::Table(inner) => {
                self.gap();
                self.text(&inner.caption);
                self.out += &table(inner, Detail::Shown);
            }
            Block::Figures(figures) if !self.whole => {
                figures.iter().for_each(|figure| self.text(&figure.description));
            }
            Block::Figures(figures) => figures.iter().for_each(|figure| self.figure(figure)),
            Block::Picture(_) | Block::Fold { .. } | Block::Diff(_) if !self.whole => {}
            Block::Picture(picture) => {
                self.gap();
                self.text(&format!("Picture: {} ({}.png, {}.svg)", picture.says, picture.name, picture.name));
            }
            Block::Fold { summary, blocks } => {
                self.gap();
                self.text(&format!("▸ {}", summary.plain()));
                match blocks.as_slice() {
                    // The line above says what it shows.
                    [Block::Table(inner)] if summary.plain().starts_with(&inner.caption) => {
                        self.out += &table(inner, Detail::Shown);
                    }
                    blocks => self.blocks(blocks),
                }
            }
            Block::Fates(inner) => {
                self.gap();
                self.fates(inner);
            }
            Block::Diff(lines) => {
                self.gap();
                lines.iter().for_each(|line| self.out += &format!("    {line}\n"));
            }
        }
    }

    fn fact(&mut self, (name, values): &(Line, Vec<Line>)) {
        let values: Vec<String> = values.iter().map(running).collect();
        self.out += &wrapped(&format!("{}: {}", name.plain(), values.join("; ")), "  ");
    }

    /// Where the figure is drawn and where its data lie, and what it shows if the page does not say so anyway.
    fn figure(&mut self, figure: &FigureBlock) {
        self.gap();
        let mut text = format!(
            "Figure: {} (index.html#{}; data/{}.csv, {} rows of data). {}",
            figure.title,
            figure.name,
            figure.name,
            figure.csv.rows,
            figure.how.plain()
        );
        if !figure.metrics.is_empty() {
            let metrics: Vec<&str> = figure.metrics.iter().map(|metric| metric.as_str()).collect();
            text += &format!(" Metrics: {}.", metrics.join(", "));
        }
        text += &format!(" Protocols: {}.", protocol_names(&figure.protocols));
        if figure.described {
            text += &format!(" {}", figure.description);
        }
        self.text(&text);
    }

    /// Those that survive in one line where there is little room; of the others each with its reason.
    fn fates(&mut self, fates: &Fates) {
        for (title, members) in fates.lists.iter().filter(|(_, members)| !members.is_empty()) {
            if !self.whole && members.iter().all(|member| member.why.is_empty()) {
                let ids: Vec<&str> = members.iter().map(|member| member.id.as_str()).collect();
                self.out += &wrapped(&format!("{title} ({}): {}", members.len(), ids.join(", ")), "  ");
                continue;
            }
            self.out += &format!("{title} ({}):\n", members.len());
            for member in members {
                let title = if self.whole { format!("{}: ", member.title) } else { String::new() };
                let line = format!("  {} {title}{}", member.id, member.why.plain());
                self.out += &wrapped(line.trim_end_matches(": "), "    ");
            }
        }
    }
}
