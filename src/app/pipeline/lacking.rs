//! What the evidence of a report lacks: outputs of the plan that the store does not hold, because they were never made or because
//! what was recorded is damaged or gone. A command that computes makes them; one that only reads says so.

use std::collections::BTreeSet;

use super::inputs::Inputs;
use super::ledger::Ledger;
use crate::plan::{Job, Known, Plan, PlannedJob};

/// One line for every model and kind of output of which something is lacking, but for models that are said to have `failed`.
/// `name` says what outputs of a job are called.
pub(super) fn lacking(
    inputs: &Inputs<'_>,
    plan: &Plan,
    ledger: &Ledger<'_>,
    failed: &BTreeSet<&str>,
    name: impl Fn(&Job) -> Option<&'static str>,
) -> Vec<String> {
    let groups = plan.jobs.chunk_by(|a, b| a.job.kind == b.job.kind && a.job.model == b.job.model);
    let line = |group: &[PlannedJob]| {
        let evidence: Vec<&Job> =
            group.iter().map(|planned| &planned.job).filter(|job| job.evidence.is_some()).collect();
        let first = evidence.first()?;
        let model = first.model.map_or(first.kind, |model| &inputs.subjects[model].id);
        let lacking = || evidence.iter().filter(|job| !ledger.has(&job.key));
        let damaged = lacking()
            .filter(|job| inputs.snapshot.quarantined(&job.key) || inputs.snapshot.has(&job.key))
            .count();
        let (count, all) = (lacking().count(), evidence.len());
        if count == 0 || failed.contains(model) {
            return None;
        }
        let outputs = name(first).unwrap_or(first.kind);
        let why = match damaged {
            0 => String::new(),
            _ => format!(" ({damaged} of them recorded, and now damaged or gone)"),
        };
        let verb = if count == 1 { "is" } else { "are" };
        Some(format!(
            "{model}: {count} of {all} {outputs} {verb} not in the store{why}, so nothing here counts them; \
             `streamgauge run` computes what is missing"
        ))
    };
    groups.filter_map(line).collect()
}
