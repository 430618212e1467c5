//! A comparison in a few lines: what moved together is told together, by the worst of it.

use std::collections::{BTreeMap, BTreeSet};

use super::compare::{Comparison, NumberChange, TOLERANCE, WordChange};
use super::run_numbers::Kind;
use base::hash::Key;

/// A heading and what is under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// What the lines have in common, and how many there are.
    pub title: String,
    /// What differs, the worst first.
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
        let mut sections = vec![
            section("made otherwise".to_string(), word_lines(&self.made_with), most),
            section(
                format!("{} of {} verdicts moved", self.verdicts.len(), self.verdicts_compared),
                word_lines(&self.verdicts),
                most,
            ),
        ];
        // What is on both sides apart from what is on one: a new model must not hide what it moved in the others.
        let of_both = |change: &&NumberChange| change.before.is_some() && change.now.is_some();
        let (both, one): (Vec<&NumberChange>, Vec<&NumberChange>) = self.numbers.iter().partition(of_both);
        for &kind in Kind::ALL {
            let changes: Vec<&NumberChange> =
                both.iter().copied().filter(|change| change.place.kind == kind).collect();
            let all = self.numbers_compared.get(&kind).copied().unwrap_or_default();
            let title =
                format!("{} of {all} {kind}s moved{}, worst of each first", changes.len(), models(&changes));
            sections.push(section(title, groups(&changes), most));
        }
        let (gone, new): (Vec<&NumberChange>, Vec<&NumberChange>) =
            one.iter().partition(|change| change.now.is_none());
        for (changes, are) in [(gone, "gone"), (new, "new")] {
            sections.push(section(format!("{} numbers are {are}", changes.len()), sources(&changes), most));
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

/// What changed from word to word first, then what is on one side only.
fn word_lines(changes: &[WordChange]) -> Vec<String> {
    let mut sorted: Vec<&WordChange> = changes.iter().collect();
    sorted.sort_by_key(|change| change.before.is_none() || change.now.is_none());
    sorted.into_iter().map(word_line).collect()
}

fn word_line(change: &WordChange) -> String {
    let word = |word: &Option<String>| match word {
        None => "nothing".to_string(),
        // A content hash says only that it is another.
        Some(text) => text.parse::<Key>().map_or_else(|_| text.clone(), |key| key.short()),
    };
    format!("{}: {} -> {}", change.what, word(&change.before), word(&change.now))
}

/// Whose numbers these are, e.g. ` in gemma2-tiny` or ` in 9 models`; nothing for estimates, which are no model's.
fn models(changes: &[&NumberChange]) -> String {
    let of: BTreeSet<&str> = changes
        .iter()
        .filter(|change| change.place.kind != Kind::Estimate)
        .map(|change| change.place.of.as_str())
        .collect();
    match of.len() {
        0 => String::new(),
        1..=3 => format!(" in {}", of.into_iter().collect::<Vec<_>>().join(", ")),
        n => format!(" in {n} models"),
    }
}

/// One line for all numbers of one model or prediction that are on one side only.
fn sources(changes: &[&NumberChange]) -> Vec<String> {
    let mut found: BTreeMap<_, Vec<&NumberChange>> = BTreeMap::new();
    for change in changes {
        let place = &change.place;
        found.entry((place.kind == Kind::Estimate, &place.of)).or_default().push(change);
    }
    let line = |of: &str, changes: Vec<&NumberChange>| {
        let count = |kind: Kind| changes.iter().filter(|change| change.place.kind == kind).count();
        let counts: Vec<String> = Kind::ALL
            .iter()
            .filter(|&&kind| count(kind) > 0)
            .map(|&kind| format!("{} {kind}s", count(kind)))
            .collect();
        format!("{of}: {}; the first: {}", counts.join(", "), changes[0].place)
    };
    found.into_iter().map(|((_, of), changes)| line(of, changes)).collect()
}

/// One line for all changes of one name under one protocol of one model or prediction, by the worst of them.
fn groups(changes: &[&NumberChange]) -> Vec<String> {
    let mut found: BTreeMap<_, usize> = BTreeMap::new();
    let mut groups: Vec<Vec<&NumberChange>> = Vec::new();
    for change in changes {
        let place = &change.place;
        let at = *found.entry((&place.of, &place.name, &place.protocol)).or_insert(groups.len());
        match groups.get_mut(at) {
            Some(group) => group.push(change),
            None => groups.push(vec![change]),
        }
    }
    groups.iter().map(|group| number_line(group)).collect()
}

/// The first of a group is its worst.
fn number_line(group: &[&NumberChange]) -> String {
    let worst = group[0];
    // `{:?}`: as many digits as tell the number from its neighbours, so that a small move can be seen.
    let number = |value: Option<f32>| value.map_or("nothing".to_string(), |value| format!("{value:?}"));
    let by = worst.relative.map(|by| format!(", by {by:.1e} of its size")).unwrap_or_default();
    let others = match (group.len() - 1, group.iter().filter_map(|change| change.place.layer).min()) {
        (0, _) => String::new(),
        (others, None) => format!("; {others} more of it"),
        (others, Some(layer)) => format!("; {others} more of it, from layer {layer} on"),
    };
    format!("{}: {} -> {}{by}{others}", worst.place, number(worst.before), number(worst.now))
}

#[cfg(test)]
mod tests {
    use super::super::{Place, RunNumbers, compare};
    use super::*;

    fn place() -> Place {
        Place {
            kind: Kind::Measurement,
            of: "llama3-tiny".into(),
            item: String::new(),
            name: "last-gain".into(),
            protocol: String::new(),
            layer: None,
            position: None,
        }
    }

    fn shown(gain: f32, prompts: usize, verdict: &str) -> RunNumbers {
        let place = |prompt: usize, protocol: &str| Place {
            item: format!("prompt-{prompt}"),
            protocol: protocol.into(),
            ..place()
        };
        let mut shown = RunNumbers::default();
        for prompt in 0..prompts {
            let value = gain + (gain - 1.0) * prompt as f32;
            shown.numbers.insert(place(prompt, "last/last-block/auto"), value);
            shown.numbers.insert(place(prompt, "mean/last-block/auto"), 1.0);
        }
        shown.verdicts.insert("H13 (measured)".into(), verdict.into());
        shown
    }

    #[test]
    fn what_moved_together_is_one_line_with_protocol_model_prompt_and_size() {
        let comparison = compare(&shown(1.0, 3, "supported"), &shown(1.25, 3, "fragile"));
        let sections = comparison.sections(10);
        assert_eq!(sections.len(), 2, "{sections:?}");
        assert_eq!(sections[0].title, "1 of 1 verdicts moved");
        assert_eq!(sections[0].lines, ["H13 (measured): supported -> fragile"]);
        assert_eq!(sections[1].title, "3 of 6 measurements moved in llama3-tiny, worst of each first");
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
    fn a_group_says_where_it_begins() {
        let at = |value: f32| RunNumbers {
            numbers: (1..4)
                .map(|layer| {
                    let (of, name) = ("llama3-tiny".to_string(), "resid".to_string());
                    let place = Place { kind: Kind::Observation, of, name, layer: Some(layer), ..place() };
                    (place, 1.0 + value * layer as f32)
                })
                .collect(),
            ..RunNumbers::default()
        };
        let lines = &compare(&at(0.0), &at(1.0)).sections(9)[0].lines;
        assert!(
            lines[0].contains("layer 3: 1.0 -> 4.0") && lines[0].ends_with("from layer 1 on"),
            "{lines:?}"
        );
    }

    #[test]
    fn a_new_model_is_one_line_and_hides_no_move() {
        let (before, mut now) = (shown(1.0, 3, "supported"), shown(1.25, 3, "fragile"));
        let other = |place: &Place| Place { of: "apertus-tiny".into(), ..place.clone() };
        now.numbers.extend(before.numbers.iter().map(|(place, &value)| (other(place), value)));
        now.verdicts.insert("H1 (measured)".into(), "supported".into());
        let titles = |sections: Vec<Section>| sections.into_iter().map(|s| s.title).collect::<Vec<_>>();
        let sections = compare(&before, &now).sections(1);
        assert_eq!(sections[0].lines[0], "H13 (measured): supported -> fragile", "what is new comes last");
        let new = "apertus-tiny: 6 measurements; the first: last-gain under last/last-block/auto of apertus-tiny on \
                   prompt-0";
        assert_eq!(sections[2].lines, [new]);
        let moved = "3 of 12 measurements moved in llama3-tiny, worst of each first";
        assert_eq!(titles(sections), ["2 of 2 verdicts moved", moved, "6 numbers are new"]);
        assert_eq!(titles(compare(&now, &before).sections(1))[2], "6 numbers are gone");
    }

    #[test]
    fn a_long_list_says_how_much_it_leaves_out() {
        let comparison = compare(&shown(1.0, 2, "supported"), &shown(1.25, 2, "supported"));
        let mut changes = comparison.clone();
        changes.numbers.iter_mut().skip(1).for_each(|change| change.place.protocol = "mean/hf-last".into());
        let sections = changes.sections(1);
        assert_eq!(sections[0].lines.len(), 2);
        assert!(sections[0].lines[1].contains("1 lines like these"), "{sections:?}");
        assert!(compare(&RunNumbers::default(), &RunNumbers::default()).sections(1).is_empty());
    }

    #[test]
    fn content_hashes_are_shortened_and_versions_are_not() {
        let made = |text: &str| RunNumbers {
            made_with: [("x".to_string(), text.to_string())].into(),
            ..RunNumbers::default()
        };
        let (a, b) = (Key::of_bytes(b"a"), Key::of_bytes(b"b"));
        let lines = |one: &str, two: &str| compare(&made(one), &made(two)).sections(9)[0].lines[0].clone();
        assert_eq!(lines(&a.to_string(), &b.to_string()), format!("x: {} -> {}", a.short(), b.short()));
        assert_eq!(lines("1.23.2", "1.24.0"), "x: 1.23.2 -> 1.24.0");
    }
}
