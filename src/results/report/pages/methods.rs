//! Methods: what is observed, every protocol that a number of the report was computed under, every metric, verdicts,
//! statistics, provenance.

use std::collections::BTreeSet;

use super::context::RenderContext;
use super::{paper, prose};
use crate::report::document::{
    Block, Cell, Group, Line, Page, Role, STATISTICS, Span, Table, WEIGHTS, code, column, count, line,
    metric_address, paragraph, prose, protocol_address, row,
};
use crate::report::text::{bos, definition, endpoint, reduction};
use number::protocol::{Bos, Endpoint, Protocol, Reduction};

pub(super) fn pages(context: &RenderContext<'_>) -> Vec<Page> {
    let mut blocks = vec![Block::text(Role::Lead, prose(prose::LAYOUT))];
    blocks.extend(protocols(context));
    blocks.extend(metrics(context));
    blocks.push(Block::section("verdict-words", "What the verdicts mean"));
    blocks.push(paragraph(prose(prose::VERDICTS)));
    blocks.push(Block::section(STATISTICS, "Statistics"));
    blocks.push(paragraph(prose(prose::STATISTICS)));
    if context.view.hypotheses.iter().any(|hypothesis| !hypothesis.curves.is_empty()) {
        blocks.push(Block::section("curves", "Specification curves"));
        blocks.push(paragraph(prose(prose::CURVES)));
    }
    if let Some(member) = context.view.family.first() {
        blocks.push(Block::section("family", "The p of the family"));
        blocks.push(paragraph(prose(&prose::family(member.of))));
    }
    blocks.extend(provenance(context));
    vec![Page {
        id: "methods".into(),
        group: Group::Report,
        label: ("Methods".into(), String::new()),
        kicker: Line::default(),
        title: "Methods".into(),
        blocks,
    }]
}

fn protocols(context: &RenderContext<'_>) -> Vec<Block> {
    let used: BTreeSet<Protocol> = context.pages.iter().flat_map(Page::protocols).collect();
    let row = |address: String, name: String, means: String| row![Cell::head(name).id(address), means];
    let mut rows: Vec<Vec<Cell>> =
        used.iter().map(|p| row(protocol_address(p), p.to_string(), definition(p))).collect();
    let weights = "a property of the checkpoint: no token enters it, so it has no protocol";
    rows.push(row(WEIGHTS.into(), "of the weights".into(), weights.into()));
    let word = |kind: &str, name: &str, means: &str| row![kind, Cell::head(code(name)), means];
    let reductions = Reduction::ALL.iter().map(|r| word("token reduction", r.as_str(), reduction(*r)));
    let endpoints = Endpoint::ALL.iter().map(|e| word("endpoint of the last gain", e.as_str(), endpoint(*e)));
    let policies = Bos::ALL.iter().map(|b| word("BOS", b.as_str(), bos(*b)));
    let parts = reductions.chain(endpoints).chain(policies);
    vec![
        Block::section("protocols", "Protocols"),
        paragraph("Every protocol that a number of this report was computed under."),
        Block::Table(Table::new("Protocols in use", ["protocol", "means"].map(column)).filtered().with(rows)),
        Block::subheading("Their parts"),
        Block::Table(Table::new("Parts of a protocol", ["part", "word", "means"].map(column)).with(parts)),
    ]
}

fn metrics(context: &RenderContext<'_>) -> [Block; 2] {
    let rows = context.view.metrics.iter().map(|metric| {
        row![
            Cell::head(code(&metric.name)).id(metric_address(&metric.name)),
            &metric.unit,
            &metric.definition
        ]
    });
    let columns = ["metric", "unit", "means"].map(column);
    let table = Table::new("Every metric with its unit and definition", columns);
    [Block::section("metrics", "Metrics"), Block::Table(table.filtered().with(rows))]
}

fn provenance(context: &RenderContext<'_>) -> [Block; 3] {
    let from = &context.view.provenance;
    let mut notes = vec![
        line![format!("streamgauge {}, experiment ", from.program), code(&from.experiment)],
        match &from.runtime {
            Some(version) => Line::from(format!("measured with ONNX Runtime {version}, float32")),
            None => Line::from("nothing was measured, so no runtime was loaded"),
        },
    ];
    notes.extend(paper::source(context.view));
    if !from.jobs.is_empty() {
        let jobs = from.jobs.iter().map(|(kind, number)| line![count(number), " ", kind]);
        notes.push(line!["jobs of the experiment: ", Line::joined(jobs, ", ")]);
    }
    let rows = context.view.hypotheses.iter().map(|hypothesis| {
        row![
            Cell::head(context.hypothesis_link(&hypothesis.id)),
            &hypothesis.status,
            Span::Code(hypothesis.hash.to_string())
        ]
    });
    let columns = ["hypothesis", "status", "hash of its meaning"].map(column);
    let table = Table::new("Hypotheses and the hash of their meaning", columns);
    [Block::section("provenance", "Provenance"), Block::Notes(notes), Block::Table(table.with(rows))]
}
