//! The document as a whole: its pages, and the names under which its figures are kept.

use std::collections::BTreeSet;

use super::block::Block;
use super::line::Line;

/// A report in no form yet.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::report) struct Document {
    /// What every report of this program is called.
    pub title: &'static str,
    /// Title of the experiment.
    pub experiment: String,
    /// Version of the program that made it.
    pub program: String,
    /// The pages, the opening one first.
    pub pages: Vec<Page>,
}

/// Where the list of contents names a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::report) enum Group {
    /// Among the pages of the whole report.
    Report,
    /// Among the hypotheses.
    Hypotheses,
    /// Among the models as released.
    Models,
    /// Among stages of trainings and models changed here.
    Variants,
}

/// A page of the report.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::report) struct Page {
    /// Its address.
    pub id: String,
    /// Where the list of contents names it.
    pub group: Group,
    /// Its name in the list of contents: a short one, and a longer one where that says more.
    pub label: (String, String),
    /// What kind of page it is, in a few words.
    pub kicker: Line,
    /// Its title.
    pub title: Line,
    /// What it says.
    pub blocks: Vec<Block>,
}

impl Document {
    /// A document whose figures and pictures have names of their own: of equal names all but the first get a number.
    pub(in crate::report) fn new(experiment: &str, program: &str, pages: Vec<Page>) -> Document {
        let mut document = Document {
            title: "What the residual stream says",
            experiment: experiment.to_string(),
            program: program.to_string(),
            pages,
        };
        let mut taken: BTreeSet<String> = document.pages.iter().map(|page| page.id.clone()).collect();
        let mut pictures = BTreeSet::new();
        for page in &mut document.pages {
            rename(&mut page.blocks, &mut taken, &mut pictures);
        }
        document
    }
}

/// Figures share addresses with pages; pictures are files of their own.
fn rename(blocks: &mut [Block], taken: &mut BTreeSet<String>, pictures: &mut BTreeSet<String>) {
    for block in blocks {
        match block {
            Block::Figures(figures) => {
                for figure in figures {
                    figure.name = unique(&figure.name, taken);
                }
            }
            Block::Picture(picture) => picture.name = unique(&picture.name, pictures),
            Block::Fold { blocks, .. } => rename(blocks, taken, pictures),
            _ => {}
        }
    }
}

/// The wanted name, or with a number behind it if it is taken.
pub(in crate::report) fn unique(wanted: &str, taken: &mut BTreeSet<String>) -> String {
    let mut name = wanted.to_string();
    let mut next = 2;
    while taken.contains(&name) {
        name = format!("{wanted}-{next}");
        next += 1;
    }
    taken.insert(name.clone());
    name
}
