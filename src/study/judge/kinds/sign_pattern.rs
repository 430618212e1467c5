//! `sign-pattern`: do named models share a sign?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    judge::{
        context::TestContext,
        findings::{Findings, Known, estimate},
        hypothesis::Quantity,
        kind::{Fault, Kind, Parts},
        shared::units::unit,
        statistics::statistics,
    },
    stats::Interval,
};

/// Signs of the intervals of named models. `same-sign` is 1 where the intervals of all `models` lie on one side of 0, else 0;
/// `opposite` is 1 where those of all `apart` lie on the other side, `joined` where that of one of `apart` lies on the side of one of
/// `models`, `differ` where two of `models` lie on different sides, else 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SignPattern {
    pub of: Quantity,
    pub models: Vec<String>,
    #[serde(default)]
    pub apart: Vec<String>,
}

statistics! {
    SignPattern {
        same_sign,
        opposite,
        joined,
        differ,
        positive,
        negative,
        unclear,
        models,
    }
}

impl Kind for SignPattern {
    fn parts(&self) -> Parts<'_> {
        let lists = [("models", &self.models), ("apart", &self.apart)].into_iter();
        let models = lists.flat_map(|(field, list)| {
            list.iter().enumerate().map(move |(i, id)| (vec![field.into(), i.into()], &id[..]))
        });
        Parts { models: models.collect(), ..Parts::of([("of", &self.of)]) }
    }

    fn faults(&self) -> Vec<Fault> {
        let none = Fault::new("models", "no model is named", "list the models that should share a sign");
        self.models.is_empty().then_some(none).into_iter().collect()
    }

    fn run(&self, context: &TestContext<'_>) -> Findings {
        let mut findings = Findings::new(unit(&self.of));
        let cells = context.enough(&self.of, &mut findings);
        findings.uses(cells.protocol);
        let testable = !findings.lacks();
        let sign = |id: &String, findings: &mut Findings| -> i32 {
            let Some(model) = cells.models.get(id.as_str()) else {
                findings.missing.push(format!("{} of {id}", self.of.name()));
                return 0;
            };
            let values = model.values();
            let interval = context.mean_interval(&values);
            findings.estimates.push(estimate(id, model.mean(), interval, None, values.len()));
            if interval.is_none() {
                findings.notes.push(format!("{id}: one unit, no interval, no sign"));
            }
            side(interval)
        };
        let own: Vec<i32> = self.models.iter().map(|id| sign(id, &mut findings)).collect();
        let apart: Vec<i32> = self.apart.iter().map(|id| sign(id, &mut findings)).collect();
        let shared = own.first().copied().filter(|s| *s != 0 && own.iter().all(|other| other == s));
        let is = |yes: bool| Some(f64::from(u8::from(yes)));
        // Two models that contradict the pattern do so whatever the others are.
        if testable {
            findings.known.extend(["joined", "differ"].map(|name| (name, Known::AtLeast)));
        }
        let count = |wanted: i32| Some(own.iter().filter(|s| **s == wanted).count() as f64);
        findings.offer(Statistics {
            same_sign: is(shared.is_some()),
            opposite: is(!apart.is_empty() && shared.is_some_and(|s| apart.iter().all(|other| *other == -s))),
            joined: is(own.iter().any(|s| *s != 0 && apart.contains(s))),
            differ: is(own.contains(&1) && own.contains(&-1)),
            positive: count(1),
            negative: count(-1),
            unclear: count(0),
            models: Some(own.len() as f64),
        });
        findings
    }
}

/// 1 above 0, -1 below, 0 where the interval holds 0 or there is none.
fn side(interval: Option<Interval>) -> i32 {
    match interval {
        Some(i) if i.low > 0.0 => 1,
        Some(i) if i.high < 0.0 => -1,
        _ => 0,
    }
}
