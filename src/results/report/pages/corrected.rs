//! p-values corrected for how many there are: the family of hypotheses after Holm, all others after Benjamini and Hochberg.

use super::context::RenderContext;
use super::prose;
use crate::report::document::{
    Block, Cell, Role, Table, column, count, line, or_dash, paragraph, probability, prose, protocol_links,
    row,
};
use crate::report::text::evidence_phrase;
use crate::report::view::View;
use number::evidence::Evidence;
use number::protocol::Protocol;
use study::judge::outcome::{FamilyMember, HypothesisOutcome, PredictionOutcome, Verdict};

/// The protocols of a prediction whose p enters the family.
pub(super) fn protocols_behind(hypothesis: &HypothesisOutcome, member: &FamilyMember) -> Vec<Protocol> {
    let mut of = hypothesis.predictions.iter().filter(|p| p.evidence == member.evidence);
    let behind: Option<&PredictionOutcome> = of.find(|p| Some(&p.id) == member.prediction.as_ref());
    behind.map_or_else(Vec::new, |p| p.primary.protocols.clone())
}

/// The primary p of every hypothesis before and after Holm.
pub(super) fn family(context: &RenderContext<'_>) -> Option<Block> {
    let view = context.view;
    let size = view.family.first()?.of;
    let columns = [
        "hypothesis",
        "prediction",
        "evidence",
        "null hypothesis",
        "protocol",
        "p",
        "after Holm",
        "verdict by itself",
        "verdict as one of the family",
        "remark",
    ]
    .map(column);
    let rows = view.family.iter().filter(|member| member.p.is_some()).filter_map(|member| {
        let hypothesis = view.hypotheses.iter().find(|h| h.id == member.hypothesis)?;
        let protocols = protocols_behind(hypothesis, member);
        Some(row![
            Cell::head(context.hypothesis_link(&member.hypothesis)),
            or_dash(member.prediction.as_deref()),
            evidence_phrase(member.evidence),
            &member.null,
            protocol_links(&protocols),
            probability(member.p).under(&protocols),
            probability(member.holm).under(&protocols),
            or_dash(member.before.map(Verdict::as_str)),
            or_dash(member.after.map(Verdict::as_str)),
            &member.note
        ])
    });
    let table = Table::new("The primary p of every hypothesis that has one", columns).with(rows);
    Some(Block::Fold {
        summary: "The p of the family of hypotheses".into(),
        blocks: vec![
            paragraph(prose(&prose::family(size))),
            Block::Table(table),
            Block::text(Role::Minor, without_p(view)),
        ],
    })
}

/// How many of the family have a p on each kind of evidence: Holm counts the others as p = 1.
fn without_p(view: &View) -> String {
    let members = |evidence| view.family.iter().find(|member| member.evidence == evidence);
    let said = Evidence::ALL.iter().filter_map(|evidence| members(*evidence)).map(|member| {
        let (with, size) = (member.with_p, member.of);
        format!("{}: {with} of {size} have a p, {} are counted as p = 1", member.evidence, size - with)
    });
    said.collect::<Vec<_>>().join("; ") + "."
}

/// Every other p before and after Benjamini and Hochberg.
pub(super) fn listed(context: &RenderContext<'_>) -> Option<Block> {
    let view = context.view;
    if view.listed.is_empty() {
        return None;
    }
    let columns = ["hypothesis", "prediction", "evidence", "p", "after Benjamini and Hochberg"].map(column);
    let rows = view.listed.iter().map(|listed| {
        let protocols = listed_protocols(context, listed);
        row![
            Cell::head(context.hypothesis_link(&listed.hypothesis)),
            &listed.prediction,
            evidence_phrase(listed.evidence),
            probability(Some(listed.p)).under(&protocols),
            probability(Some(listed.adjusted)).under(&protocols)
        ]
    });
    let table = Table::new("Every other p of a testable prediction", columns).with(rows);
    Some(Block::Fold {
        summary: line!["Other p-values, an exploratory list (", count(view.listed.len()), ")"],
        blocks: vec![paragraph(prose(prose::LISTED)), Block::Table(table)],
    })
}

/// The protocols of a prediction on the exploratory list.
pub(super) fn listed_protocols(
    context: &RenderContext<'_>,
    listed: &study::judge::outcome::Listed,
) -> Vec<Protocol> {
    let of = context.view.hypotheses.iter().find(|h| h.id == listed.hypothesis);
    let mut of = of.into_iter().flat_map(|h| &h.predictions);
    let found = of.find(|p| p.id == listed.prediction && p.evidence == listed.evidence);
    found.map_or_else(Vec::new, |p| p.primary.protocols.clone())
}
