//! The LLaMA-3.1 case: three gains of one model, and what made them differ.

use super::super::prose;
use super::super::text::{MISSING, cell, number, percent};
use super::Page;
use study::{llama::CaseRow, llama::LlamaCase, llama::Split};

pub(super) fn section(out: &mut Page, case: &LlamaCase) {
    out.line("## One model, two verdicts: the LLaMA-3.1 case");
    if let Some(opening) = prose::case_opening(case) {
        out.line(&opening);
    }
    let header = ["source", "prompt", "gain (ratio of norms)", "protocol", "dtype", "remarks of the source"];
    out.table(&header, case.rows.iter().chain([&case.last_token]).map(row));
    out.picture(
        "llama-case",
        "Four published last-block gains of LLaMA-3.1-8B on a logarithmic axis, and the split",
    );
    if let Some(split) = prose::case_split(case) {
        out.line(&split);
    }
    let header = ["chain", "step", "ln of the ratio", "part of the whole", "from protocol", "to protocol"];
    let splits = prose::case_splits(case);
    out.table(&header, splits.iter().flat_map(|(chain, split)| steps(chain, split)));
    out.line(&prose::case_last_token(case));
}

fn row(row: &CaseRow) -> Vec<String> {
    vec![
        cell(&row.gain.source),
        cell(&row.prompt),
        number(row.gain.value),
        format!("`{}`", prose::row_protocol(row)),
        cell(&row.gain.dtype),
        cell(&row.gain.definition),
    ]
}

/// Only the method step changes the protocol; the chain's ends show it.
fn steps(chain: &str, split: &Split) -> Vec<Vec<String>> {
    let ends = [&split.from, &split.to]
        .map(|gain| gain.protocol.map_or_else(|| MISSING.to_string(), |p| format!("`{p}`")));
    split
        .steps
        .iter()
        .map(|step| {
            let to = if step.changes == "method" { &ends[1] } else { &ends[0] };
            vec![
                cell(chain),
                step.changes.to_string(),
                number(step.log_ratio),
                percent(step.share),
                ends[0].clone(),
                to.clone(),
            ]
        })
        .collect()
}
