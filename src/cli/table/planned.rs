//! `plan`: jobs by kind, and with `--why` one line for each stale job.

use serde_json::{Value, json};

use super::plain;
use crate::pipeline::Planned;
use crate::plan::{JobKind, State};

/// The terminal form of a plan.
pub fn plan(planned: &Planned, why: bool) -> String {
    let jobs = planned.graph.jobs();
    let mut table = plain(&["job", "all", "fresh", "stale"]);
    for &kind in JobKind::ALL {
        let of_kind = || jobs.iter().zip(&planned.states).filter(move |(job, _)| job.kind == kind);
        let all = of_kind().count();
        let fresh = of_kind().filter(|(_, state)| matches!(state, State::Fresh)).count();
        if all > 0 {
            table.add_row(vec![kind.to_string(), all.to_string(), fresh.to_string(), (all - fresh).to_string()]);
        }
    }
    let mut text = format!("{table}\n");
    for (job, state) in jobs.iter().zip(&planned.states) {
        if let (true, State::Stale(reason)) = (why, state) {
            text.push_str(&format!("stale {}: {reason}\n", job.slot));
        }
    }
    if planned.states.iter().all(|state| matches!(state, State::Fresh)) {
        text.push_str("nothing to do\n");
    } else if !why {
        text.push_str("`--why` names, for each stale job, the field of its key that changed\n");
    }
    text
}

/// The JSON form: every job with slot, kind, key, fields, needs and why it is stale.
pub fn plan_json(planned: &Planned) -> Value {
    let jobs: Vec<Value> = planned
        .graph
        .jobs()
        .iter()
        .zip(&planned.states)
        .map(|(job, state)| {
            json!({
                "slot": job.slot, "kind": job.kind, "key": job.fields.key(), "fields": job.fields.fields,
                "needs": job.needs,
                "stale": match state { State::Fresh => Value::Null, State::Stale(why) => json!(why) },
            })
        })
        .collect();
    json!({"schema": 1, "jobs": jobs, "failures": planned.failures})
}
