//! The measured models: facts of their configs and how the stream grows through them.

use super::super::text::{MISSING, cell, optional};
use super::super::view::{Band, LayerProfile, View};
use super::Page;

pub(super) fn section(out: &mut Page, view: &View) {
    out.line("## Measured models");
    if view.models.is_empty() {
        out.line("None: no checkpoint of this experiment was observed.");
    }
    let header = [
        "model",
        "family",
        "norm",
        "MLP",
        "residual",
        "blocks",
        "width",
        "heads (kv)",
        "positions",
        "parameters",
        "dtype",
    ];
    out.table(
        &header,
        view.models.iter().map(|model| {
            let facts = &model.facts;
            let text = |value: &Option<String>| value.as_deref().map_or(MISSING.to_string(), cell);
            let count = |value: Option<u32>| value.map_or(MISSING.to_string(), |n| n.to_string());
            let positions = match (&facts.positions, &facts.rope_scaling) {
                (Some(scheme), Some(scaling)) if scaling != "default" => {
                    cell(&format!("{scheme} ({scaling})"))
                }
                (scheme, _) => text(scheme),
            };
            vec![
                cell(&model.id),
                text(&facts.family),
                text(&facts.norm),
                text(&facts.mlp),
                text(&facts.residual),
                count(facts.blocks),
                count(facts.width),
                format!("{} ({})", count(facts.heads), count(facts.kv_heads)),
                positions,
                facts.parameters.map_or(MISSING.to_string(), |n| n.to_string()),
                text(&facts.dtype),
            ]
        }),
    );
    profiles(out, view);
    if !view.problems.is_empty() {
        out.line("What could not be done:");
        out.list(view.problems.iter().map(|problem| cell(problem)));
    }
}

fn profiles(out: &mut Page, view: &View) {
    if view.profiles.is_empty() {
        return;
    }
    out.picture(
        "layer-profiles",
        "Norm of the residual stream by layer, the first token apart from the others",
    );
    let header = [
        "model",
        "tokens",
        "protocol",
        "prompts",
        "norm entering block 0",
        "entering the last block",
        "leaving it",
        "last-block gain (ratio)",
    ];
    let rows = view.profiles.iter().flat_map(|profile| {
        let others = format!("`{}`", profile.protocol);
        [
            ("the first alone", "norm of token 1".to_string(), &profile.first),
            ("all but the first", others, &profile.rest),
        ]
        .map(|(tokens, protocol, bands)| row(profile, tokens, protocol, bands))
    });
    out.table(&header, rows);
    out.line("Norms are geometric means over prompts; so is the gain, which divides them.");
}

fn row(profile: &LayerProfile, tokens: &str, protocol: String, bands: &[Option<Band>]) -> Vec<String> {
    let middle =
        |at: Option<usize>| at.and_then(|at| bands.get(at).copied().flatten()).map(|band| band.middle);
    let last = bands.len().checked_sub(1);
    let before = bands.len().checked_sub(2);
    let gain = middle(last).zip(middle(before)).map(|(out, into)| out / into);
    vec![
        cell(&profile.model),
        tokens.to_string(),
        protocol,
        profile.prompts.to_string(),
        optional(middle(Some(0))),
        optional(middle(before)),
        optional(middle(last)),
        optional(gain),
    ]
}
