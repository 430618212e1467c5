//! How published conclusions fare on one kind of evidence: counted, and hypothesis by hypothesis with what was found instead.

use super::context::RenderContext;
use crate::report::document::{Fate, Fates, Line, count, line, strong};
use crate::report::text::overall;
use number::evidence::Evidence;
use study::judge::outcome::{HypothesisOutcome, Verdict};
use study::judge::summary::{Fallen, Survival};

/// Choices named per hypothesis.
const NAMED: usize = 3;

/// For how many hypotheses the published conclusion survives, which they are in words, and what of the others.
pub(super) fn counted(survival: &Survival, which: &str) -> Line {
    let (fallen, open) = (survival.fallen.len(), survival.open.len());
    let (fragile, reversed) = (survival.fragile.len(), survival.reversed.len());
    let survives = line![
        "survives for ",
        count(survival.survives.len()),
        " of ",
        count(survival.concluded),
        " hypotheses"
    ];
    let verb = if fallen == 1 { " falls, " } else { " fall, " };
    let mut line = line![strong(survives), which, " (", count(fallen), verb];
    if reversed > 0 {
        line.push(line![count(reversed), " from another finding than the published one, "]);
    }
    if fragile > 0 {
        line.push(line![count(fragile), " fragile, "]);
    }
    line.push(line![count(open), " left open)"]);
    line
}

/// What is said of a conclusion that stands on the opposite of what was published.
const REVERSED: &str = "the verdict is the published one, but what was found in print does not hold here";

/// The lists that are shown though they be empty.
const ALWAYS: [&str; 3] =
    ["The published conclusion survives", "The published conclusion falls", "Left open"];

/// How the published conclusions fare on one kind of evidence, in lists.
pub(super) fn lists(context: &RenderContext<'_>, survival: &Survival) -> Fates {
    let fate = |id: &str, why: Line| {
        let hypothesis = context.view.hypotheses.iter().find(|hypothesis| hypothesis.id == id)?;
        let (to, title) = (context.hypothesis(id).to_string(), hypothesis.title.clone());
        Some(Fate { to, id: id.to_string(), title, why })
    };
    let survives = survival.survives.iter().filter_map(|id| fate(id, survived(context, id)));
    let reversed = survival.reversed.iter().filter_map(|id| fate(id, Line::from(REVERSED)));
    let fragile = survival.fragile.iter().filter_map(|fallen| fate(&fallen.hypothesis, fell(fallen)));
    let falls = survival.fallen.iter().filter_map(|fallen| fate(&fallen.hypothesis, fell(fallen)));
    let open = survival.open.iter().filter_map(|id| {
        let hypothesis = context.view.hypotheses.iter().find(|hypothesis| hypothesis.id == *id)?;
        fate(id, left_open(hypothesis, survival.evidence))
    });
    Fates {
        lists: vec![
            ("The published conclusion survives", survives.collect()),
            ("The published conclusion falls", falls.collect()),
            ("The same conclusion from another finding", reversed.collect()),
            ("Fragile: equally defensible ways of measuring disagree", fragile.collect()),
            ("Left open", open.collect()),
        ]
        .into_iter()
        .filter(|(what, list): &(&str, Vec<Fate>)| ALWAYS.contains(what) || !list.is_empty())
        .collect(),
    }
}

/// What was said and found again: a conclusion that survives may be that the claim does not hold.
fn survived(context: &RenderContext<'_>, id: &str) -> Line {
    let hypothesis = context.view.hypotheses.iter().find(|hypothesis| hypothesis.id == id);
    match hypothesis.and_then(|hypothesis| hypothesis.published_conclusion) {
        Some(Verdict::Contradicted) => {
            Line::from("said contradicted, found contradicted: the claim is refuted again")
        }
        Some(Verdict::Supported) => Line::from("said supported, found supported: the claim holds again"),
        Some(said) => Line::from(format!("said {said}, found {said}")),
        None => Line::default(),
    }
}

fn fell(fallen: &Fallen) -> Line {
    let Fallen { said, found, choices, .. } = fallen;
    let mut why = line![format!("said {said}, found {found}: ")];
    match choices.as_slice() {
        [] => why.push("no single choice gives the published one"),
        choices => {
            why.push(choices.iter().take(NAMED).cloned().collect::<Vec<_>>().join("; "));
            if choices.len() > NAMED {
                why.push(line!["; and ", count(choices.len() - NAMED), " more"]);
            }
        }
    }
    why
}

/// What was found instead, and what is missing where that is why.
fn left_open(hypothesis: &HypothesisOutcome, evidence: Evidence) -> Line {
    let Some(found) = overall(hypothesis, evidence) else { return Line::from("not judged") };
    let core = hypothesis.predictions.iter().filter(|p| p.core && p.evidence == evidence);
    let missing = core.flat_map(|p| p.primary.missing.first()).next();
    match (found, missing) {
        (Verdict::Untestable, Some(missing)) => line![format!("found {found}: "), missing],
        _ => line![format!("found {found}")],
    }
}
