//! The forms of the report say the same: what the document says, page by page, is looked for in each of them, and of numbers
//! none has more. What a form may do in its own way is how words are set, and where it names protocols.

use std::collections::BTreeMap;

use results::report::{Part, Report, Said, View};

use crate::page::{Element, Node, parse};

/// A form of the report.
struct Form {
    name: &'static str,
    /// Whether figures are drawn in place, so that what they show is said there.
    draws: bool,
    /// The text of each page.
    pages: Vec<String>,
}

#[test]
fn every_form_says_what_the_document_says_and_no_other_number() {
    for (name, view) in views() {
        let report = Report::of(&view);
        let says = report.says();
        assert!(says.iter().map(|said| said.parts.len()).sum::<usize>() > 50, "{name} says something");
        for Form { name: form, draws, pages } in forms(&report, &says) {
            assert_eq!(pages.len(), says.len(), "{name}, {form}");
            let wrong: Vec<String> =
                says.iter().zip(&pages).flat_map(|(said, text)| differences(said, text, draws)).collect();
            assert!(wrong.is_empty(), "{name}, {form}: {}", wrong.join("\n"));
        }
    }
}

#[test]
fn what_a_form_leaves_out_or_adds_is_found() {
    let report = Report::of(&crate::snapshots::view());
    let says = report.says();
    let at = says.iter().position(|said| said.page == "h1").unwrap();
    for Form { name: form, draws, pages } in forms(&report, &says) {
        let text = &pages[at];
        assert_eq!(differences(&says[at], text, draws), [""; 0], "{form}");
        let without = |what: &str| {
            assert!(text.contains(what), "{form} has no {what}");
            differences(&says[at], &text.replacen(what, "", 1), draws)
        };
        // A heading, a caption, a number of a table, a word of a note.
        for what in ["Every way of measuring it", "Statistics of H1a", "0.6500", "bootstrap"] {
            assert!(!without(what).is_empty(), "{form} without {what}");
        }
        assert!(
            !differences(&says[at], &format!("{text} 0.1234"), draws).is_empty(),
            "{form} with a number of its own"
        );
    }
}

fn views() -> [(&'static str, View); 3] {
    [("small", crate::snapshots::view()), ("report", crate::report::view()), ("html", crate::html::view())]
}

fn forms(report: &Report, says: &[Said]) -> [Form; 3] {
    let page = parse(&report.html().page).unwrap();
    let html = says.iter().map(|said| {
        let mut text = String::new();
        text_of(page.id(&said.page), &mut text);
        text
    });
    let terminal = report.terminal_pages().into_iter().map(|page| page.text);
    [
        Form { name: "HTML", draws: true, pages: html.collect() },
        Form { name: "Markdown", draws: false, pages: chapters(&report.markdown(), says) },
        Form { name: "terminal", draws: false, pages: terminal.collect() },
    ]
}

/// The words of an element; drawings stand for themselves, and a place where a line may break is none.
fn text_of(element: &Element, out: &mut String) {
    const INLINE: [&str; 9] = ["a", "b", "strong", "em", "code", "span", "wbr", "ins", "del"];
    for node in element.nodes() {
        match node {
            Node::Text(text) => *out += text,
            Node::Element(inner) if matches!(inner.name.as_str(), "svg" | "script" | "style") => {
                // A description is for those who do not see the drawing.
                inner.named("desc").iter().for_each(|words| *out += &format!(" {} ", words.text()));
            }
            Node::Element(inner) => {
                let gap = if INLINE.contains(&inner.name.as_str()) { "" } else { " " };
                *out += gap;
                text_of(inner, out);
                *out += gap;
            }
        }
    }
}

/// Markdown cut where the pages begin, without its signs.
fn chapters(markdown: &str, says: &[Said]) -> Vec<String> {
    let mut chapters: Vec<String> = Vec::new();
    for line in markdown.lines() {
        let words = plain(line.trim_start_matches('#'));
        let next = says.get(chapters.len()).filter(|_| line.starts_with('#'));
        if next.is_some_and(|said| atoms(&words).ends_with(&atoms(&said.title))) {
            chapters.push(String::new());
        }
        if let Some(last) = chapters.last_mut() {
            *last += &format!("{words}\n");
        }
    }
    chapters
}

/// A line of Markdown as a reader sees it.
fn plain(line: &str) -> String {
    const TAGS: [&str; 5] = ["<details>", "</details>", "<summary>", "</summary>", "<!--"];
    const ENTITIES: [(&str, char); 3] = [("&lt;", '<'), ("&gt;", '>'), ("&amp;", '&')];
    let mut out = String::new();
    let mut rest = line;
    let mut in_code = false;
    while let Some(c) = rest.chars().next() {
        let entity = ENTITIES.iter().find(|(written, _)| rest.starts_with(written));
        let length = match (c, entity) {
            ('`', _) => {
                in_code = !in_code;
                1
            }
            // The target of a link.
            (']', _) if !in_code && rest.starts_with("](") => rest.find(')').map_or(1, |end| end + 1),
            ('<', _) if !in_code && TAGS.iter().any(|tag| rest.starts_with(tag)) => {
                rest.find('>').map_or(1, |end| end + 1)
            }
            ('\\', _) if !in_code && rest[1..].starts_with(|c: char| c.is_ascii_punctuation()) => {
                out.extend(rest[1..].chars().next());
                2
            }
            ('*', _) if !in_code => 1,
            (_, Some((written, sign))) if !in_code => {
                out.push(*sign);
                written.len()
            }
            _ => {
                out.push(c);
                c.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    out
}

/// What the page says and the text does not, and numbers of the text that the page does not say.
fn differences(said: &Said, text: &str, draws: bool) -> Vec<String> {
    // What a form may say besides: what others draw, and headings of columns once a row.
    let (mut wanted, mut besides) = (BTreeMap::new(), BTreeMap::new());
    let mut wrong = Vec::new();
    let shown = atoms(text);
    let has = |words: &str| {
        let words: Vec<String> = atoms(words);
        words.is_empty() || shown.windows(words.len()).any(|some| some == words)
    };
    for part in &said.parts {
        match part {
            Part::Heading(words) if !has(words) => wrong.push(format!("{}: no heading {words:?}", said.page)),
            Part::Heading(words) => count(words, &mut wanted),
            Part::Words(words) => count(words, &mut wanted),
            Part::Table { caption, rows } => {
                if !has(caption) {
                    wrong.push(format!("{}: no table {caption:?}", said.page));
                }
                count(caption, &mut besides);
                let heads = rows.first().into_iter().flatten();
                heads.for_each(|head| rows.iter().for_each(|_| count(head, &mut besides)));
                rows.iter().flatten().for_each(|words| count(words, &mut wanted));
            }
            Part::Drawn(words) if draws => count(words, &mut wanted),
            Part::Drawn(words) | Part::Picture(words) => count(words, &mut besides),
        }
    }
    count(&said.title, &mut besides);
    let mut left = BTreeMap::new();
    count(text, &mut left);
    for (atom, times) in &wanted {
        let found = left.get(atom).copied().unwrap_or(0);
        if found < *times {
            wrong.push(format!("{}: {atom:?} is said {times} times, written {found} times", said.page));
        }
    }
    for (atom, times) in
        left.iter().filter(|(atom, _)| atom.starts_with(|c: char| c.is_ascii_digit() || c == '-'))
    {
        let most = wanted.get(atom).copied().unwrap_or(0) + besides.get(atom).copied().unwrap_or(0);
        if *times > most && atom.contains(|c: char| c.is_ascii_digit()) {
            wrong.push(format!("{}: {atom:?} is written {times} times, said {most} times", said.page));
        }
    }
    wrong
}

fn count(words: &str, counts: &mut BTreeMap<String, usize>) {
    atoms(words).into_iter().for_each(|atom| *counts.entry(atom).or_default() += 1);
}

/// Words and numbers, without the signs between them.
fn atoms(text: &str) -> Vec<String> {
    let within = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '/' | '\u{b2}');
    // A sign that turns the direction of writing is shown as its escape.
    let text = text.replace("\\u{202e}", " ");
    let atoms = text.split(|c| !within(c)).map(|atom| atom.trim_end_matches(['.', '/', '-']).to_string());
    atoms.filter(|atom| atom.contains(char::is_alphanumeric)).collect()
}
