//! A comparison in a few lines: what moved together is told together, by the worst of it.

use std::collections::BTreeMap;

use super::compare::{Comparison, NumberChange, TOLERANCE, WordChange};
use super::picture::Kind;
use crate::hash::Key;

/// A heading and what is under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    pub title: String,
    pub lines: Vec<String>,
}

impl Comparison {
    /// How much was compared, e.g. `31464 observations, 21090 measurements, 4412 estimates, 310 verdicts`.
    pub fn compared(&self) -> String {
        let count = |kind: Kind| self.numbers_compared.get(&kind).copied().unwrap_or_default();
        let numbers = Kind::ALL.iter().map(|&kind| format!("{} {kind}s", count(kind)));
        numbers.chain([format!("{} verdicts", self.verdicts_compared)]).collect::<Vec<_>>().join(", ")
    }

    /// The tolerance in words.
    pub fn tolerance() -> String {
        format!("{TOLERANCE:e} of the value; entropies, probabilities and estimates also {TOLERANCE:e}")
    }

    /// What differs, each section cut after `most` lines. No section: nothing does.
    pub fn sections(&self, most: usize) -> Vec<Section> {
        let words = |changes: &[WordChange]| changes.iter().map(word_line).collect::<Vec<_>>();
        let mut sections = vec![
            section("made otherwise".to_string(), words(&self.made_with), most),
            section(
                format!("{} of {} verdicts moved", self.verdicts.len(), self.verdicts_compared),
                words(&self.verdicts),
                most,
            ),
        ];
        for &kind in Kind::ALL {
            let changes: Vec<&NumberChange> =
                self.numbers.iter().filter(|change| change.place.kind == kind).collect();
            let all = self.numbers_compared.get(&kind).copied().unwrap_or_default();
            let title = format!("{} of {all} {kind}s moved, worst of each first", changes.len());
            sections.push(section(title, groups(&changes), most));
        }
        sections.retain(|section| !section.lines.is_empty());
        sections
    }
}

fn section(title: String, mut lines: Vec<String>, most: usize) -> Section {
    let more = lines.len().saturating_sub(most);
    lines.truncate(most);
    if more > 0 {
        lines.push(format!("… and {more} lines like these (--json has all)"));
    }
    Section { title, lines }
}

fn word_line(change: &WordChange) -> String {
    let word = |word: &Option<String>| match word {
        None => "nothing".to_string(),
        // A content hash says only that it is another.
        Some(text) => text.parse::<Key>().map_or_else(|_| text.clone(), |key| key.short()),
    };
    format!("{}: {} -> {}", change.what, word(&change.before), word(&change.now))
}

/// One line for all changes of one name under one protocol of one model or prediction, by the worst of them.
fn groups(changes: &[&NumberChange]) -> Vec<String> {
    let mut found: BTreeMap<_, usize> = BTreeMap::new();
    let mut groups: Vec<(&NumberChange, usize)> = Vec::new();
    for change in changes {
        let place = &change.place;
        let at = *found.entry((&place.of, &place.name, &place.protocol)).or_insert(groups.len());
        match groups.get_mut(at) {
            Some((_, others)) => *others += 1,
            None => groups.push((change, 0)),
        }
    }
    groups.into_iter().map(|(worst, others)| number_line(worst, others)).collect()
}

fn number_line(worst: &NumberChange, others: usize) -> String {
    // `{:?}`: as many digits as tell the number from its neighbours, so that a small move can be seen.
    let number = |value: Option<f32>| value.map_or("nothing".to_string(), |value| format!("{value:?}"));
    let by = worst.relative.map(|by| format!(", by {by:.1e} of its size")).unwrap_or_default();
    let others = if others > 0 { format!("; {others} more of it") } else { String::new() };
    format!("{}: {} -> {}{by}{others}", worst.place, number(worst.before), number(worst.now))
}

#[cfg(test)]
mod tests {
    use super::super::{Picture, Place, compare};
    use super::*;

    fn picture(gain: f32, prompts: usize, verdict: &str) -> Picture {
        let place = |prompt: usize, protocol: &str| Place {
            kind: Kind::Measurement,
            of: "llama3-tiny".into(),
            item: format!("prompt-{prompt}"),
            name: "last-gain".into(),
            protocol: protocol.into(),
            layer: None,
            position: None,
        };
        let mut picture = Picture::default();
        for prompt in 0..prompts {
            let value = gain + (gain - 1.0) * prompt as f32;
            picture.numbers.insert(place(prompt, "last/last-block/auto"), value);
            picture.numbers.insert(place(prompt, "mean/last-block/auto"), 1.0);
        }
        picture.verdicts.insert("H13 (measured)".into(), verdict.into());
        picture
    }

    #[test]
    fn what_moved_together_is_one_line_with_protocol_model_prompt_and_size() {
        let comparison = compare(&picture(1.0, 3, "supported"), &picture(1.25, 3, "fragile"));
        let sections = comparison.sections(10);
        assert_eq!(sections.len(), 2, "{sections:?}");
        assert_eq!(sections[0].title, "1 of 1 verdicts moved");
        assert_eq!(sections[0].lines, ["H13 (measured): supported -> fragile"]);
        assert_eq!(sections[1].title, "3 of 6 measurements moved, worst of each first");
        assert_eq!(
            sections[1].lines,
            [
                "last-gain under last/last-block/auto of llama3-tiny on prompt-2: 1.0 -> 1.75, by 4.3e-1 of its size; \
              2 more of it"
            ]
        );
        assert_eq!(comparison.compared(), "0 observations, 6 measurements, 0 estimates, 1 verdicts");
    }

    #[test]
    fn a_long_list_says_how_much_it_leaves_out() {
        let comparison = compare(&Picture::default(), &picture(1.0, 2, "supported"));
        let sections = comparison.sections(1);
        assert_eq!(sections[1].lines.len(), 2);
        assert!(sections[1].lines[0].contains("nothing -> 1.0; 1 more of it"), "{sections:?}");
        assert!(sections[1].lines[1].contains("1 lines like these"), "{sections:?}");
        assert!(compare(&Picture::default(), &Picture::default()).sections(1).is_empty());
    }

    #[test]
    fn content_hashes_are_shortened_and_versions_are_not() {
        let made = |text: &str| Picture {
            made_with: [("x".to_string(), text.to_string())].into(),
            ..Picture::default()
        };
        let (a, b) = (Key::of_bytes(b"a"), Key::of_bytes(b"b"));
        let lines = |one: &str, two: &str| compare(&made(one), &made(two)).sections(9)[0].lines[0].clone();
        assert_eq!(lines(&a.to_string(), &b.to_string()), format!("x: {} -> {}", a.short(), b.short()));
        assert_eq!(lines("1.23.2", "1.24.0"), "x: 1.23.2 -> 1.24.0");
    }
}
