//! Diagnostics: every mistake with file, line, column, the text it is about, and what to write instead.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde_json::json;

use super::source::Source;
use base::nearest::nearest;
use base::terminal::visible;

/// One mistake.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    source: Arc<Source>,
    span: Range<usize>,
    /// Line, from 1; 0 when the mistake is about the file as a whole.
    pub line: usize,
    /// Column in characters, from 1; 0 when the mistake is about the file as a whole.
    pub column: usize,
    /// What is wrong, with what was expected and found.
    pub message: String,
    /// What to write instead, where that can be said.
    pub suggestion: Option<String>,
    /// A second place the message speaks of, e.g. the first use of a duplicate id.
    other: Option<Box<Place>>,
    /// Found by the shape check: what later checks say about the same place follows from it.
    shape: bool,
}

/// A place with what to say about it.
#[derive(Clone, Debug)]
struct Place {
    source: Arc<Source>,
    span: Range<usize>,
    label: String,
}

impl Diagnostic {
    /// A mistake at a place (bytes of the text) of a file.
    pub fn new(source: &Arc<Source>, span: Range<usize>, message: impl Into<String>) -> Diagnostic {
        let span = first_line(&source.text, span);
        let (line, column) = position(&source.text, span.start);
        let (message, source) = (message.into(), source.clone());
        Diagnostic { source, span, line, column, message, suggestion: None, other: None, shape: false }
    }

    /// About a file, not a place in it.
    pub fn of_file(source: &Arc<Source>, message: impl Into<String>) -> Diagnostic {
        Diagnostic { line: 0, column: 0, ..Diagnostic::new(source, 0..0, message) }
    }

    pub(super) fn of_shape(self) -> Diagnostic {
        Diagnostic { shape: true, ..self }
    }

    /// Adds what to write instead.
    #[must_use]
    pub fn suggest(mut self, suggestion: impl Into<String>) -> Diagnostic {
        self.suggestion = Some(suggestion.into());
        self
    }

    /// "did you mean", if one of the known words is near.
    #[must_use]
    pub fn suggest_nearest<'a>(self, found: &str, known: impl IntoIterator<Item = &'a str>) -> Diagnostic {
        match nearest(found, known) {
            Some(word) => self.suggest(format!("did you mean `{word}`?")),
            None => self,
        }
    }

    /// Adds a second place that the message speaks of.
    #[must_use]
    pub fn other(mut self, source: &Arc<Source>, span: Range<usize>, label: &str) -> Diagnostic {
        let (span, label) = (first_line(&source.text, span), label.to_string());
        self.other = Some(Box::new(Place { source: source.clone(), span, label }));
        self
    }

    /// The file that the mistake is in.
    pub fn file(&self) -> &Path {
        &self.source.path
    }

    /// The offending text.
    pub fn text(&self) -> &str {
        &self.source.text[self.span.clone()]
    }

    fn render(&self, renderer: &Renderer) -> String {
        // The renderer takes paths, and the text of a message, as they are; both may hold what others wrote.
        let shown = |source: &Source| visible(&source.path.to_string_lossy()).into_owned();
        let path = shown(&self.source);
        let mut group = Group::with_title(Level::ERROR.primary_title(self.message.as_str()));
        if self.line == 0 {
            group = group.element(annotate_snippets::Origin::path(path));
        } else {
            let mark = AnnotationKind::Primary.span(self.span.clone());
            group = group.element(Snippet::source(self.source.text.as_str()).path(path).annotation(mark));
        }
        if let Some(Place { source, span, label }) = self.other.as_deref() {
            let mark = AnnotationKind::Context.span(span.clone()).label(label.as_str());
            let path = shown(source);
            group = group.element(Snippet::source(source.text.as_str()).path(path).annotation(mark));
        }
        if let Some(suggestion) = &self.suggestion {
            group = group.element(Level::HELP.message(visible(suggestion)));
        }
        renderer.render(&[group])
    }
}

/// Mistakes that are shown with their lines: a file that is no TOML may have one at every character.
const MOST_SHOWN: usize = 200;

/// All mistakes of all files.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The mistakes, file by file in the order in which files were read, then by place.
    pub diagnostics: Vec<Diagnostic>,
    /// How many files were read.
    pub files: usize,
}

impl std::error::Error for Report {}

impl Report {
    /// Text for a terminal: with colours if `styled`.
    pub fn render(&self, styled: bool) -> String {
        let renderer = if styled { Renderer::styled() } else { Renderer::plain() };
        let mut text = String::new();
        for diagnostic in self.diagnostics.iter().take(MOST_SHOWN) {
            text.push_str(&diagnostic.render(&renderer));
            text.push_str("\n\n");
        }
        if self.diagnostics.len() > MOST_SHOWN {
            text.push_str(&format!("The first {MOST_SHOWN} are shown; mend these, then look again.\n"));
        }
        text + &self.summary()
    }

    /// `{file, line, column, message, suggestion}` per mistake.
    pub fn to_json(&self) -> serde_json::Value {
        let one = |d: &Diagnostic| {
            json!({
                "file": d.source.path.to_string_lossy(),
                "line": d.line,
                "column": d.column,
                "message": d.message,
                "suggestion": d.suggestion,
            })
        };
        self.diagnostics.iter().map(one).collect()
    }

    /// Drops repeats (a file reached twice is reported once) and consequences of a wrong shape, and keeps the order
    /// files were read in, then places.
    pub(super) fn tidy(&mut self) {
        // By file the places of wrong shapes: where each begins, and the first end of those that begin there or later.
        let mut shapes: BTreeMap<&Path, Vec<(usize, usize)>> = BTreeMap::new();
        for d in self.diagnostics.iter().filter(|d| d.shape) {
            shapes.entry(&d.source.path).or_default().push((d.span.start, d.span.end));
        }
        for spans in shapes.values_mut() {
            spans.sort_unstable();
            for at in (1..spans.len()).rev() {
                spans[at - 1].1 = spans[at - 1].1.min(spans[at].1);
            }
        }
        // One that a wrong shape lies inside.
        let follows = |d: &Diagnostic| {
            let spans = shapes.get(d.source.path.as_path()).map_or(&[][..], Vec::as_slice);
            let later = spans.partition_point(|(start, _)| *start < d.span.start);
            !d.shape && spans.get(later).is_some_and(|(_, end)| *end <= d.span.end)
        };
        let kept: Vec<bool> = self.diagnostics.iter().map(|d| !follows(d)).collect();
        let mut kept = kept.into_iter();
        self.diagnostics.retain(|_| kept.next().unwrap_or(true));
        let mut order: Vec<PathBuf> = Vec::new();
        for diagnostic in &self.diagnostics {
            if !order.contains(&diagnostic.source.path) {
                order.push(diagnostic.source.path.clone());
            }
        }
        let rank = |d: &Diagnostic| order.iter().position(|path| *path == d.source.path);
        self.diagnostics.sort_by_key(|d| (rank(d), d.span.start));
        let mut seen: BTreeSet<(PathBuf, usize, usize, String)> = BTreeSet::new();
        self.diagnostics
            .retain(|d| seen.insert((d.source.path.clone(), d.span.start, d.span.end, d.message.clone())));
    }

    fn summary(&self) -> String {
        let mut bad: Vec<&Path> = self.diagnostics.iter().map(|d| d.source.path.as_path()).collect();
        bad.sort();
        bad.dedup();
        let count = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
        let (errors, files) = (count(self.diagnostics.len(), "error"), count(self.files, "file"));
        format!("{errors} in {} of {files}", bad.len())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

/// A span cut at the end of its first line, at character boundaries: long tables are named by their header.
fn first_line(text: &str, span: Range<usize>) -> Range<usize> {
    let clamp = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let (start, end) = (clamp(span.start), clamp(span.end.max(span.start)));
    let line_end = text[start..].find(['\r', '\n']).map_or(text.len(), |n| start + n);
    start..end.min(line_end)
}

fn position(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..at];
    let line_start = before.rfind('\n').map_or(0, |n| n + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        assert_eq!(position("a\nüb = 1", "a\nü".len()), (2, 2));
    }
}
