//! `tap`: what was found and added, for people.

use std::collections::BTreeMap;

use crate::cli::tap::{Added, Tapped};
use model::tap::{Kind, Missing};

/// The terminal form of a tapped model.
pub(crate) fn tapped(found: &Tapped) -> String {
    let mut text = format!("{}  {}\n", found.model.display(), blocks(&found.blocks));
    text.push_str(&format!("{:<12}{}\n", "embedding", found.embedding));
    for (part, operators) in &found.operators {
        let counts: Vec<String> = operators.iter().map(|(op, count)| format!("{op} ×{count}")).collect();
        text.push_str(&format!("{part:<12}{}\n", counts.join(", ")));
    }
    text.push('\n');
    let width = found.taps.iter().map(|tap| tap.name.len()).max().unwrap_or(0);
    for Added { name, from } in &found.taps {
        let from: Vec<String> = from.iter().map(ToString::to_string).collect();
        text.push_str(&format!("{name:width$}  {}\n", from.join(" + ")));
    }
    for name in &found.present {
        text.push_str(&format!("{name:width$}  given out by the model already\n"));
    }
    text.push('\n');
    // The same is often missing in every block.
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for Missing { tap, reason } in &found.missing {
        reasons.entry(reason).or_default().push(tap);
    }
    for (reason, taps) in reasons {
        let more = if taps.len() > 1 { format!(" and {} more", taps.len() - 1) } else { String::new() };
        text.push_str(&format!("not added: {}{more}: {reason}\n", taps[0]));
    }
    text.push_str(&format!("wrote {}: {} outputs added\n", found.output.display(), found.taps.len()));
    text
}

/// `5 blocks: sequential`, or the kinds with their counts.
fn blocks(kinds: &[Kind]) -> String {
    let name = |kind: &Kind| match kind {
        Kind::Sequential => "sequential",
        Kind::Parallel => "parallel",
        Kind::AttentionOnly => "attention only",
        Kind::NoAttention => "no attention",
    };
    let mut counts: BTreeMap<Kind, usize> = BTreeMap::new();
    kinds.iter().for_each(|kind| *counts.entry(*kind).or_default() += 1);
    let kinds_of: Vec<String> = match counts.len() {
        1 => counts.keys().map(|kind| name(kind).to_string()).collect(),
        _ => counts.iter().map(|(kind, count)| format!("{count} {}", name(kind))).collect(),
    };
    format!("{} blocks: {}", kinds.len(), kinds_of.join(", "))
}
