//! The LLaMA-3.1 case: three gains of one model, and what made them differ.

use super::super::text::{MISSING, cell, number, percent};
use super::Page;
use crate::evidence::{LlamaCase, llama::CaseRow, llama::Split};

pub(super) fn section(out: &mut Page, case: &LlamaCase) {
    out.line("## One model, two verdicts: the LLaMA-3.1 case");
    let [first, last] = [case.rows.first(), case.rows.last()];
    if let (Some(first), Some(last)) = (first, last) {
        out.line(&format!(
            "Earlier work published that the last block of `{}` shrinks the stream ({}) and that it expands it ({}), and put \
             the difference down to the prompts. Its own rows, with the protocol of each written beside it:",
            case.model,
            number(first.gain.value),
            number(last.gain.value)
        ));
    }
    let header = ["source", "prompt", "gain (ratio of norms)", "protocol", "dtype", "remarks of the source"];
    out.table(&header, case.rows.iter().chain([&case.last_token]).map(row));
    out.picture(
        "llama-case",
        "Four published last-block gains of LLaMA-3.1-8B on a logarithmic axis, and the split",
    );
    if let Some(method) = case.split.steps.last() {
        out.line(&format!(
            "The two numbers differ by a factor of {}, and along the chain that the rows allow **{} of its \
             logarithm is method**: the tokens are reduced another way, and the numerator is read after the final norm, so the \
             larger number is no block gain at all. No row of the second method exists for the first prompt, so there is no \
             second chain, and an interaction of prompt and method would sit in the method part.",
            number(case.split.log_ratio.exp()),
            percent(method.share)
        ));
    }
    let header = ["chain", "step", "ln of the ratio", "part of the whole", "from protocol", "to protocol"];
    let splits =
        [("first row of the table", &case.split), ("the value printed as 0.48", &case.split_with_dtype)];
    out.table(&header, splits.iter().flat_map(|(name, split)| steps(name, split)));
    out.line(&format!(
        "On the last token alone the published gain of the same model is {} (`{}`, arithmetic {}). A Frobenius norm \
         weighs tokens by their squares, so the token with the largest norm decides it.",
        number(case.last_token.gain.value),
        protocol(&case.last_token),
        case.last_token.prompt,
    ));
}

fn row(row: &CaseRow) -> Vec<String> {
    vec![
        cell(&row.gain.source),
        cell(&row.prompt),
        number(row.gain.value),
        format!("`{}`", protocol(row)),
        cell(&row.gain.dtype),
        cell(&row.gain.definition),
    ]
}

fn protocol(row: &CaseRow) -> String {
    row.gain.protocol.map_or_else(|| MISSING.to_string(), |p| p.to_string())
}

/// Only the method step changes the protocol; the chain's ends show it.
fn steps(name: &str, split: &Split) -> Vec<Vec<String>> {
    let ends = [&split.from, &split.to]
        .map(|gain| gain.protocol.map_or_else(|| MISSING.to_string(), |p| format!("`{p}`")));
    let chain = format!("from {name}, {}", number(split.from.value));
    split
        .steps
        .iter()
        .map(|step| {
            let to = if step.changes == "method" { &ends[1] } else { &ends[0] };
            vec![
                cell(&chain),
                step.changes.to_string(),
                number(step.log_ratio),
                percent(step.share),
                ends[0].clone(),
                to.clone(),
            ]
        })
        .collect()
}
