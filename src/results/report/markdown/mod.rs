//! results/report/report.md: the case, the verdicts, each hypothesis, the models, the methods, the provenance.

mod analysis;
mod case;
mod claims;
mod curve;
mod hypothesis;
mod methods;
mod models;
mod survival;

use super::prose;
use super::text::{MISSING, cell, otherwise};
use super::view::View;
use number::evidence::Evidence;
use study::judge::outcome::{HypothesisOutcome, Verdict};

/// The whole report. Pictures are named relative to its own folder.
pub fn markdown(view: &View) -> String {
    let mut out = Page::default();
    out.line("# What the residual stream says");
    out.line(&format!(
        "Experiment `{}`: {}. Every number below stands beside the protocol that produced it, written \
         `reduction/endpoint/BOS` and defined under [Methods](#methods). *Published* numbers come from tables of earlier \
         work, *measured* ones from checkpoints observed here; the two are never pooled.",
        view.provenance.experiment, view.provenance.experiment_title
    ));
    survival::section(&mut out, view);
    if let Some(case) = &view.llama {
        case::section(&mut out, case);
    }
    verdicts(&mut out, view);
    for hypothesis in &view.hypotheses {
        hypothesis::section(&mut out, view, hypothesis);
    }
    analysis::section(&mut out, view);
    claims::section(&mut out, view);
    models::section(&mut out, view);
    methods::section(&mut out, view);
    methods::provenance(&mut out, view);
    out.text
}

fn verdicts(out: &mut Page, view: &View) {
    out.line("## Verdicts");
    let header = ["", "claim", "it was said", "on published rows", "measured here", "primary protocols"];
    let rows = view.hypotheses.iter().map(|h| {
        let mut protocols: Vec<String> = Vec::new();
        for protocol in h.predictions.iter().flat_map(|p| &p.primary.protocols) {
            let text = format!("`{protocol}`");
            if !protocols.contains(&text) {
                protocols.push(text);
            }
        }
        let protocols =
            if protocols.is_empty() { "of the weights".to_string() } else { protocols.join(", ") };
        vec![
            cell(&h.id),
            cell(&h.title),
            cell(&h.published_verdict),
            overall(h, Evidence::Published),
            overall(h, Evidence::Measured),
            protocols,
        ]
    });
    out.table(&header, rows);
    survival::family(out, view);
    survival::listed(out, view);
    out.line(prose::VERDICTS);
}

/// The verdict, and the predictions that fare otherwise.
fn overall(hypothesis: &HypothesisOutcome, evidence: Evidence) -> String {
    let Some((_, overall)) = hypothesis.verdicts.iter().find(|(of, _)| *of == evidence) else {
        return MISSING.to_string();
    };
    let others = otherwise(hypothesis, evidence, *overall);
    let others = if others.is_empty() { String::new() } else { format!(" ({})", others.join("; ")) };
    format!("{}{}", bold(*overall), cell_or_empty(&others))
}

fn bold(verdict: Verdict) -> String {
    format!("**{verdict}**")
}

fn cell_or_empty(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(" {}", cell(text)) }
}

/// Markdown under construction: blocks separated by empty lines.
#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    /// One block: a paragraph, a heading, a picture.
    fn line(&mut self, block: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text += block;
        self.text.push('\n');
    }

    /// Cells must be escaped already. A table without rows is left out.
    fn table(&mut self, header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
        let rows: Vec<Vec<String>> = rows.into_iter().collect();
        if rows.is_empty() {
            return;
        }
        let mut block = format!("| {} |\n|{}", header.join(" | "), "---|".repeat(header.len()));
        for row in rows {
            block += &format!("\n| {} |", row.join(" | "));
        }
        self.line(&block);
    }

    /// A bullet list; without items it is left out.
    fn list(&mut self, items: impl IntoIterator<Item = String>) {
        let items: Vec<String> = items.into_iter().map(|item| format!("- {item}")).collect();
        if !items.is_empty() {
            self.line(&items.join("\n"));
        }
    }

    /// A bullet list that folds when it is long.
    fn remarks(&mut self, items: Vec<String>) {
        let long = items.len() > 4;
        if long {
            self.line(&format!("<details><summary>{} remarks</summary>", items.len()));
        }
        self.list(items);
        if long {
            self.line("</details>");
        }
    }

    /// A picture that links to its scalable twin.
    fn picture(&mut self, name: &str, says: &str) {
        self.line(&format!("[![{}]({name}.png)]({name}.svg)", says.replace(['[', ']', '\n'], " ")));
    }
}
