//! Definitions of every protocol and rule, and what made the report.

use super::super::text::{bos, cell, endpoint, reduction};
use super::super::view::{MetricDefinition, View};
use super::Page;
use crate::protocol::{Bos, Endpoint, Reduction};

pub(super) fn section(out: &mut Page, view: &View) {
    out.line("## Methods");
    out.line(
        "A forward pass is observed once, in float32: norms of the residual stream per token and layer, before any choice \
         is made. h_l is the stream entering block l, h_L the last block's output before the final norm. A protocol \
         `reduction/endpoint/BOS` then turns observations into one number, and numbers of different protocols are different \
         quantities.",
    );
    let word = |kind: &str, name: &str, means: &str| vec![kind.to_string(), format!("`{name}`"), cell(means)];
    let reductions = Reduction::ALL.iter().map(|r| word("token reduction", r.as_str(), reduction(*r)));
    let endpoints = Endpoint::ALL.iter().map(|e| word("endpoint of the last gain", e.as_str(), endpoint(*e)));
    let policies = Bos::ALL.iter().map(|b| word("BOS", b.as_str(), bos(*b)));
    out.table(&["part of a protocol", "word", "means"], reductions.chain(endpoints).chain(policies));
    let metric = |m: &MetricDefinition| vec![format!("`{}`", m.name), cell(&m.unit), cell(&m.definition)];
    out.table(&["metric", "unit", "means"], view.metrics.iter().map(metric));
    out.line(
        "Units are prompts, never tokens; a model is one unit wherever models are compared. Means have bootstrap-t \
         intervals (Student's below five prompts), correlations Fisher's z, pooled correlations Hartung-Knapp, shares \
         Clopper-Pearson, medians order statistics. p-values of \
         permutation tests are exact where few units allow it, otherwise (b+1)/(m+1) over m random draws of a fixed seed. \
         Where the units are too few to reach the level, that is said instead. A prediction's verdict follows the rule in \
         its hypothesis file, which is fixed by the hash shown beside it; *re-analysis* means that the published data had \
         been seen when the file was written.",
    );
    out.line(
        "A specification curve judges a prediction over again in every defensible way: under each protocol that was observed, and \
         under the primary and equivalent ones without each category of prompts, without each family of models, and from each \
         published source or dtype alone. A verdict is *fragile* when an equivalent way changes it; where fewer rows merely leave \
         it open, that may be lost power and does not count. Joint p-values flip the same units in every equivalent specification \
         at once (Simonsohn, Simmons and Nelson 2020): signs of deviations from the null for means, pairings for correlations.",
    );
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
        "published tables: `buk81/uniformity-asymmetry`, folder `paper3/`, commit `e3c7f94`, MIT licence; caveats in \
         `data/published/README.md`"
            .to_string(),
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
