//! Definitions of every protocol and rule, and what made the report.

use super::super::prose;
use super::super::text::{bos, cell, endpoint, reduction};
use super::super::view::{MetricDefinition, View};
use super::Page;
use number::protocol::{Bos, Endpoint, Reduction};

pub(super) fn section(out: &mut Page, view: &View) {
    out.line("## Methods");
    out.line(prose::LAYOUT);
    let word = |kind: &str, name: &str, means: &str| vec![kind.to_string(), format!("`{name}`"), cell(means)];
    let reductions = Reduction::ALL.iter().map(|r| word("token reduction", r.as_str(), reduction(*r)));
    let endpoints = Endpoint::ALL.iter().map(|e| word("endpoint of the last gain", e.as_str(), endpoint(*e)));
    let policies = Bos::ALL.iter().map(|b| word("BOS", b.as_str(), bos(*b)));
    out.table(&["part of a protocol", "word", "means"], reductions.chain(endpoints).chain(policies));
    let metric = |m: &MetricDefinition| vec![format!("`{}`", m.name), cell(&m.unit), cell(&m.definition)];
    out.table(&["metric", "unit", "means"], view.metrics.iter().map(metric));
    out.line(prose::STATISTICS);
    out.line(prose::CURVES);
}

pub(super) fn provenance(out: &mut Page, view: &View) {
    let from = &view.provenance;
    out.line("## Provenance");
    let jobs: Vec<String> = from.jobs.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    let mut items = vec![
        format!("streamgauge {}, experiment `{}`", from.program, from.experiment),
        match &from.runtime {
            Some(version) => format!("measured with ONNX Runtime {version}, float32"),
            None => "nothing was measured, so no runtime was loaded".to_string(),
        },
        prose::PUBLISHED_TABLES.to_string(),
    ];
    if !jobs.is_empty() {
        items.push(format!("jobs of the experiment: {}", jobs.join(", ")));
    }
    out.list(items);
    let header = ["hypothesis", "status", "hash of its meaning"];
    out.table(
        &header,
        view.hypotheses.iter().map(|h| vec![cell(&h.id), cell(&h.status), format!("`{}`", h.hash)]),
    );
}
