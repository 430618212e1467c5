//! The first page: which published conclusions survive here, what undoes the others, and what chance would show.

use super::super::text::{cell, evidence_phrase, probability};
use super::super::view::View;
use super::Page;
use number::evidence::Evidence;
use study::judge::outcome::{FamilyMember, HypothesisOutcome, Registration};
use study::judge::summary::{Fallen, Survival, survival};

/// Choices named per hypothesis.
const NAMED: usize = 3;

/// A sentence per kind of evidence, and a line per conclusion that fell. Nothing where nothing was concluded.
pub(super) fn section(out: &mut Page, view: &View) {
    let counted: Vec<Survival> =
        Evidence::ALL.iter().map(|evidence| survival(&view.hypotheses, *evidence)).collect();
    if counted.iter().all(|survival| survival.concluded == 0) {
        return;
    }
    out.line("## What survives");
    for survival in &counted {
        out.line(&sentence(survival));
        out.list(survival.fallen.iter().map(fallen));
    }
}

fn sentence(survival: &Survival) -> String {
    let Survival { concluded, survives, fallen, open, .. } = survival;
    let ids =
        |ids: &[String]| if ids.is_empty() { String::new() } else { format!(" ({})", cell(&ids.join(", "))) };
    format!(
        "**{}**: the published conclusion survives for {} of {concluded} hypotheses that had a definite one{}; {} {}; {} left \
         open, by what is here or by what is missing{}.",
        capital(survival.evidence),
        survives.len(),
        ids(survives),
        fallen.len(),
        if fallen.len() == 1 { "falls" } else { "fall" },
        open.len(),
        ids(open),
    )
}

fn fallen(fallen: &Fallen) -> String {
    let Fallen { hypothesis, said, found, choices } = fallen;
    let more = choices.len().saturating_sub(NAMED);
    let mut named = choices.iter().take(NAMED).cloned().collect::<Vec<_>>().join("; ");
    if more > 0 {
        named += &format!("; and {more} more");
    }
    let why = if choices.is_empty() { "no single choice gives the published one".to_string() } else { named };
    cell(&format!("{hypothesis}: {said}, it was said; {found} here: {why}"))
}

fn capital(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::Published => "On published rows",
        Evidence::Measured => "Measured here",
    }
}

/// The primary p of every hypothesis before and after Holm, with the protocols they are under.
pub(super) fn family(out: &mut Page, view: &View) {
    let protocols = |member: &FamilyMember| {
        let of = view.hypotheses.iter().find(|h| h.id == member.hypothesis);
        let prediction = of.into_iter().flat_map(|h| &h.predictions);
        let found = prediction
            .filter(|p| p.evidence == member.evidence)
            .find(|p| Some(&p.id) == member.prediction.as_ref());
        found.map_or_else(String::new, |p| format!("`{}`", super::super::text::protocols(&p.primary)))
    };
    let with = view.family.iter().filter(|member| member.p.is_some());
    let rows = with.map(|member| {
        vec![
            cell(member.prediction.as_deref().unwrap_or_default()),
            evidence_phrase(member.evidence).to_string(),
            protocols(member),
            probability(member.p),
            probability(member.holm),
            cell(&member.note),
        ]
    });
    let rows: Vec<Vec<String>> = rows.collect();
    if view.family.is_empty() {
        return;
    }
    out.line(
        "One primary p per hypothesis, that of its first core prediction that has one, after Holm over the family of 18 on each \
         kind of evidence; a hypothesis without a p counts as p = 1. The correction changes no verdict, since a verdict follows \
         from its own file; where a support would not outlast it, the remark says so.",
    );
    out.table(&["prediction", "evidence", "protocol", "p", "after Holm", "remark"], rows);
}

/// Every other p before and after Benjamini and Hochberg.
pub(super) fn listed(out: &mut Page, view: &View) {
    if view.listed.is_empty() {
        return;
    }
    out.line(
        "Every other p of a testable prediction: an exploratory list, in which a share of at most q is false among those below q \
         after Benjamini and Hochberg's correction over the list, on each kind of evidence.",
    );
    let rows = view.listed.iter().map(|listed| {
        vec![
            cell(&listed.prediction),
            evidence_phrase(listed.evidence).to_string(),
            probability(Some(listed.p)),
            probability(Some(listed.adjusted)),
        ]
    });
    out.table(&["prediction", "evidence", "p", "after Benjamini and Hochberg"], rows.collect::<Vec<_>>());
}

/// Whether verdicts are of what was first registered, and what changed if not.
pub(super) fn registration(out: &mut Page, view: &View, hypothesis: &HypothesisOutcome) {
    let Some((_, found)) = view.registrations.iter().find(|(id, _)| *id == hypothesis.id) else { return };
    let Registration { registered: Some(first), exploratory, diff, later } = found else { return };
    let seen = match hypothesis.status.as_str() {
        "re-analysis" => ", after its data had been seen",
        _ => "",
    };
    if !exploratory {
        out.line(&format!("Registered as `{}`{seen}.", first.short()));
    } else {
        out.line(&format!(
            "**Exploratory**: registered as `{}`{seen}, changed since. What changed:",
            first.short()
        ));
        let fence = if diff.iter().any(|line| line.contains("```")) { "````" } else { "```" };
        out.line(&format!("{fence}diff\n{}\n{fence}", diff.join("\n")));
    }
    out.list(later.iter().map(|line| format!("registration {}", cell(line))));
}
